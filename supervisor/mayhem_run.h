// `mayhem run`: the pipeline from its start to its summary. The shell around the supervisor core,
// which decides everything.

#ifndef MAYHEM_RUN_H
#define MAYHEM_RUN_H

// argv[0]: "run". Returns the exit code.
int mayhem_run(int argc, char **argv);

#endif
