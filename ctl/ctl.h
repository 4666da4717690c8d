// What the commands of mayhemctl share.

#ifndef CTL_H
#define CTL_H

// Each takes its own arguments, argv[0] being the command's name, and returns a sysexits code.
int ctl_profile(int argc, char **argv);
int ctl_diff(int argc, char **argv);
int ctl_lines(int argc, char **argv);

// Prints "mayhemctl: ..." to standard error, and returns code.
int ctl_fail(int code, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
