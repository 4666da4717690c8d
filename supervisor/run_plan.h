// `mayhem plan`: what a run of these options would do first, and why not all at once. It starts
// nothing but a publisher that reads the list, and changes nothing.

#ifndef RUN_PLAN_H
#define RUN_PLAN_H

// argv[0]: "plan"; else the arguments of `mayhem run`. Returns the exit code.
int mayhem_plan(int argc, char **argv);

#endif
