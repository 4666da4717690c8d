// What a process inherits from its parent, put right before anything else is done:
// standard streams that are closed, a blocked signal mask, ignored signals, the umask.

#ifndef MM_INHERITED_H
#define MM_INHERITED_H

#include <stdbool.h>
#include <sys/types.h>

// Call it first in main. Opens /dev/null in place of closed standard streams, so that no file or
// socket gets their numbers. Unblocks all signals, ignores TTOU (output to a terminal with
// `stty tostop` would stop a process in the background), PIPE and XFSZ, and gives CHLD, INT and
// TERM their defaults: a shell starts what is to run in the background with INT ignored. Files of
// this process are the owner's alone. No-op when called again.
void mm_inherited_repair(void);

// The umask that was inherited, for the commands of this process.
mode_t mm_inherited_umask(void);
// Whether HUP was ignored, as by nohup: then it stays so.
bool mm_inherited_ignores_hup(void);

// Whether standard error is a terminal on which a line can be drawn over: not with TERM=dumb or
// NO_COLOR.
bool mm_inherited_may_draw(void);

// With MAYHEM_PARENT=PID in the environment: TERM comes when that supervisor dies. False: it is
// dead already. Removes the variable, and MAYHEM_CALLED.
bool mm_inherited_follow_parent(void);
// How the user calls `mayhem`, as the supervisor says in MAYHEM_CALLED. Never NULL.
const char *mm_inherited_called(void);
// Whether a supervisor has started this process, and restarts it after a crash.
bool mm_inherited_has_parent(void);

#endif
