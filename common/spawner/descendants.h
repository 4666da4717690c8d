// Kills all processes of attempts (spawner.h), without rights and without cgroups. Every process of
// an attempt carries its tag as the soft limit RLIMIT_RTTIME, in microseconds: it means something
// for real-time processes only, and there tens of days without a pause; fork, exec, setsid,
// `env -i` and setuid keep it. A member of an attempt is a process with its tag, or a child of a
// member.
//
// A walk goes over /proc again and again, for all doomed attempts at once. It sends STOP to the
// members of an attempt until two passes have found no new and no running one, then KILL until two
// passes have found none alive. To kill at once does not end against a fork bomb at its process
// limit, where each death makes room for a birth. A pidfd is opened before a process is looked at,
// and the signal goes through it, so a number that is used again hits nobody.
//
// A member that forks and exits again and again is never where a pass has seen it. Its zombies tell
// of it: each soils the pass, its process group gets the signal, which no fork escapes, and the
// newest children of the spawner, to whom all orphans go, are looked at first.
//
// What it cannot do:
// - A process that changes its own RLIMIT_RTTIME is found only while its parent is a member.
// - What a member asks others to do (systemd, at, cron, docker) has no tag, and is no descendant.
// - Without rights, a process whose real user has changed cannot be signalled (EPERM, kill(2)). It
//   is named as a survivor, as is one that does not die in time (state D).
// - With hidepid (proc(5)), processes of other users are not seen at all.
//
// What the kernel says, and where: rlimits are kept by fork and exec, getrlimit(2); prlimit(2)
// reads those of the same user, /proc/PID/limits those of all, proc(5). Fields of /proc/PID/stat:
// proc(5).

#ifndef MM_DESCENDANTS_H
#define MM_DESCENDANTS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

// Microseconds: 12 days, and the largest that is no RLIM_INFINITY anywhere.
#define MM_TAG_MIN (UINT64_C(1) << 40)
#define MM_TAG_MAX ((UINT64_C(1) << 62) - 1)

#define MM_DESCENDANTS_FD 16 // the descriptor that stays open during a walk is not below this

#define MM_SURVIVORS_MAX        8     // that are named
#define MM_DESCENDANTS_PHASE_MS 10000 // for STOP, and again for KILL: then the walk goes on without

// A process as long as the machine runs: numbers are used again, but not within a clock tick.
typedef struct {
    pid_t pid;
    uint64_t started; // clock ticks (sysconf (_SC_CLK_TCK)) after boot: field 22 of /proc/PID/stat
} mm_process_t;

typedef struct {
    uint32_t count;                       // may be more than are named
    mm_process_t named[MM_SURVIVORS_MAX]; // pid 0: who to the last was not where it was seen
} mm_survivors_t;

typedef struct mm_descendants mm_descendants_t;

// Whether the tag is one of an attempt that runs and is not doomed: its processes are skipped.
typedef bool(mm_descendants_fn)(void *arg, uint64_t tag);

// `ancestor` is the spawner: nothing that is older than it can be a member. `reaps`: members that
// are zombies of this process are waited for; false: it does that itself, between the steps. NULL:
// the ancestor is not in /proc.
mm_descendants_t *mm_descendants_new(pid_t ancestor, bool reaps, mm_descendants_fn *is_running,
                                     void *arg);
void mm_descendants_destroy(mm_descendants_t **self_p);

// Begins to kill an attempt whose tag is not doomed already. The times here are CLOCK_BOOTTIME in
// milliseconds.
void mm_descendants_doom(mm_descendants_t *self, uint64_t tag, int64_t now_ms);

// Looks at a bounded number of processes (some milliseconds at most) when its deadline has come;
// otherwise a no-op. Its descriptor of /proc is closed again when nothing is doomed.
void mm_descendants_step(mm_descendants_t *self, int64_t now_ms);
// Says that a child is a zombie, before it is waited for. No-op when nothing is doomed. Needed when
// the walk does not reap.
void mm_descendants_saw_zombie(mm_descendants_t *self, pid_t pid);
// When the next step is due; INT64_MAX: nothing is doomed.
int64_t mm_descendants_deadline(const mm_descendants_t *self);

// The next attempt whose end has come: its tag, and what is left of it. False: none for now.
bool mm_descendants_next(mm_descendants_t *self, uint64_t *ret_tag, mm_survivors_t *ret_survivors);

#endif
