// Starts commands, for a program with many at a time: one small process, the spawner, starts them
// all and waits for their ends. Its user has no child but the spawner, and needs no descriptor for
// a command but the pipe that carries its output. An attempt is one start, from mm_spawner_start to
// its event; it has a slot, which is a number below `slots`, and a tag.
//
// An attempt is over when its command ends by itself: nothing of it is killed then, and what it has
// left running lives on. Or it is killed, with all its descendants: descendants.h says how, and
// what cannot be found or killed. When the user ends, even by kill -9, the spawner kills all
// attempts that run, and leaves. When the spawner ends, its commands die and what they have started
// becomes children of the user, which kills it in the same way.
//
// A command gets: a session of its own, /dev/null as input, the pipe as output and error, no other
// descriptor; no signal blocked or ignored; folder, environment and credentials as they were in
// mm_spawner_new, and the umask that the user has inherited. It gets KILL when the spawner ends.
//
// Both instants of an attempt hold without its user, which may be stopped: the spawner compares the
// first directly before exec, and kills at the second.
//
// Needs Linux 5.9. While the kernel reads a program for exec (a network file system that hangs),
// the spawner does nothing else.
//
// What the kernel says, and where:
// - close_range (CLOSE_RANGE_UNSHARE) copies only the descriptors that stay: close_range(2).
// - A vfork suspends the spawner until exec, so it sees no child that is not marked: clone(2).
// - Descriptors in flight count against RLIMIT_NOFILE of the sender: ETOOMANYREFS, unix(7).
// - Orphans go to the nearest subreaper among their ancestors; PDEATHSIG is kept by exec unless it
//   changes credentials, and means the thread that has forked: prctl(2).

#ifndef MM_SPAWNER_H
#define MM_SPAWNER_H

#include "descendants.h"

#include <limits.h>

#define MM_SPAWNER_NAME        "mayhem-spawner" // in the process list
#define MM_SPAWNER_REQUEST_MAX (64 * 1024) // bytes of path, arguments and environment of a start

typedef struct mm_spawner mm_spawner_t;

typedef struct {
    uint32_t slots;      // > 0
    uint64_t open_files; // the commands' soft RLIMIT_NOFILE, at most the hard one; 0: as it is
} mm_spawner_config_t;

// One attempt. All texts are copied.
typedef struct {
    uint32_t slot;            // a free one
    uint64_t tag;             // MM_TAG_MIN to MM_TAG_MAX, at random: no other on this machine
    const char *path;         // of the program, as found in PATH; a relative one with a '/'
    char *const *arguments;   // argv, NULL at the end; at least one
    char *const *environment; // "KEY=VALUE" in place of or beside what is inherited, NULL at the
                              // end; NULL: none
    int output;               // a pipe's write end; it stays the caller's, who closes it
    int64_t not_after_ms;     // CLOCK_BOOTTIME, ms: once it has passed, the command is not started;
                              // INT64_MAX: none
    int64_t end_ms;           // the same clock: then the attempt is killed; 0: never
} mm_spawner_start_t;

typedef enum {
    MM_SPAWNER_ENDED,       // the command, by itself: has_status
    MM_SPAWNER_NOT_STARTED, // error: of clone, exec or the pipe's way; ETIME: not_after_ms has
                            // passed
    MM_SPAWNER_KILLED,      // after mm_spawner_kill, or end_ms: all that was found is dead but
                            // `survivors`
    MM_SPAWNER_LOST         // the spawner has ended; of no slot. Attempts that ran are to be killed
} mm_spawner_kind_t;

typedef struct {
    mm_spawner_kind_t kind;
    uint32_t slot;
    uint64_t tag;
    int error;       // errno
    bool has_status; // always with ENDED; with KILLED when the spawner saw the command's end
    int status;      // as from waitpid
    mm_survivors_t survivors;
} mm_spawner_event_t;

// Forks the spawner. Call it from the main thread before there is another one, and end with
// mm_spawner_destroy in that thread. The user must not wait for children that are not its own, as
// by waitpid (-1): those that it inherits when the spawner has ended are reaped here. Descriptors 0
// to 2 must be open. Returns 0 or an errno: of a system call; EPERM when the hard limit
// RLIMIT_RTTIME is not unlimited, so that no tag fits; ENOENT when /proc is not there.
int mm_spawner_new(const mm_spawner_config_t *config, mm_spawner_t **ret_self);

// Kills all attempts that run, and waits until they are dead and the spawner has ended: at most for
// 2 * MM_DESCENDANTS_PHASE_MS, and what the kernel takes for one exec. No-op for NULL.
void mm_spawner_destroy(mm_spawner_t **self_p);

// Asks for a start; its event comes later. Never blocks. Returns 0, or an errno, and then there is
// no attempt and the slot stays free: EAGAIN: the spawner has much to do, try again when
// the descriptor has been readable; E2BIG; EPIPE: the spawner has ended; ETOOMANYREFS; EBADF.
int mm_spawner_start(mm_spawner_t *self, const mm_spawner_start_t *start);

// Sends a signal to the process group of the attempt's command; for ends that are asked for (TERM).
// It is lost, quietly, when the command has ended, or when the spawner has ended or much to do.
void mm_spawner_signal(mm_spawner_t *self, uint32_t slot, int signal);

// Kills the attempt in the slot with all its descendants. Never blocks. No-op for a free slot.
// The event is KILLED, or ENDED when the command was quicker.
void mm_spawner_kill(mm_spawner_t *self, uint32_t slot);
// Puts an attempt that was KILLED and has survivors into a free slot, and kills what is left of it.
// Its event is KILLED. Never blocks.
void mm_spawner_kill_again(mm_spawner_t *self, uint32_t slot, uint64_t tag);

// The next event: each attempt has exactly one, after which its slot is free. False: none for now.
// Call it until then, whenever the descriptor is readable or the deadline has come.
bool mm_spawner_next(mm_spawner_t *self, mm_spawner_event_t *ret_event);

// An epoll descriptor, owned by the spawner's user side.
int mm_spawner_descriptor(const mm_spawner_t *self);
// When mm_spawner_next has something to do without the descriptor: CLOCK_BOOTTIME in milliseconds,
// INT64_MAX: never. Only after LOST.
int64_t mm_spawner_deadline(const mm_spawner_t *self);
// Of the spawner, for logs and tests; 0 after LOST.
pid_t mm_spawner_pid(const mm_spawner_t *self);

#endif
