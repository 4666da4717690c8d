// The time of an event loop: a tree of its handlers and the spans in them, with calls, own CPU
// time, own waiting time, the longest call and a histogram; and one-second slices of the last ten
// minutes. Pure: the caller passes both clocks. span.h is its shell.
//
// Times within a turn come from the monotonic clock, which is cheap. At the end of the turn its CPU
// time shows how much of that the thread really ran. The rest is waiting time: of the spans that
// wait (fsync) first, then of all others in proportion. So the CPU times of all nodes add up to
// that of the thread. Time spent polling is its own node, so that it does not dilute the others.

#ifndef MM_PROFILE_H
#define MM_PROFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum {
    MM_SPOT_POLL = 1, // the poller: the first node
    MM_SPOT_RUNS,     // mostly uses the CPU
    MM_SPOT_WAITS,    // mostly waits for the disk or the kernel
    MM_SPOT_THREAD    // another thread of the process: CPU time only
} mm_spot_kind_t;

// A place in the source. Constant, valid as long as the profile, and identified by its address.
typedef struct {
    const char *name; // "on_jobs", "commit"
    const char *file; // __FILE__: "consumer/main.c"
    uint32_t line;
    mm_spot_kind_t kind;
} mm_spot_t;

#define MM_PROFILE_NODES   96  // a span beyond them counts for its caller
#define MM_PROFILE_DEPTH   16  // of nested spans; a deeper span counts for its caller
#define MM_PROFILE_SLICES  600 // of one second
#define MM_PROFILE_BUCKETS 136 // 4 to each power of two; the last from 2^35 ns, 34 s

typedef struct {
    uint64_t calls;
    int64_t cpu_ns;  // own, without the spans inside; of a thread: its total
    int64_t wait_ns; // own, while the thread did not run
} mm_profile_sums_t;

typedef struct {
    const mm_spot_t *spot;
    size_t caller; // index of an earlier node; handlers, threads and the poller: 0
    mm_profile_sums_t sums;
    int64_t max_ns;            // the longest call, with the spans inside
    const uint32_t *histogram; // of calls, by their length
} mm_profile_node_t;

typedef struct mm_profile mm_profile_t;

// Begins in the poller. cpu_ns: CPU time of the loop's thread, CLOCK_THREAD_CPUTIME_ID.
mm_profile_t *mm_profile_new(int64_t now_ns, int64_t cpu_ns);
void mm_profile_destroy(mm_profile_t **self_p);

// The loop wakes up, and returns to its poller. Spans outside of a turn are not counted.
void mm_profile_begin_turn(mm_profile_t *self, int64_t now_ns, int64_t cpu_ns);
void mm_profile_end_turn(mm_profile_t *self, int64_t now_ns, int64_t cpu_ns);

void mm_profile_enter(mm_profile_t *self, const mm_spot_t *spot, int64_t now_ns);
void mm_profile_leave(mm_profile_t *self, int64_t now_ns);
// Adds calls that were counted instead of entered one by one, with their estimated time: a span
// without others inside, in the handler of this turn. Call it just before the end of the turn.
void mm_profile_add(mm_profile_t *self, const mm_spot_t *spot, uint64_t calls, int64_t wall_ns);

// What another thread has run since its start. Its spot must outlive the profile.
void mm_profile_set_thread(mm_profile_t *self, const mm_spot_t *spot, int64_t cpu_ns);

// Whether a second is over; then set the threads, and close the slice.
bool mm_profile_is_due(const mm_profile_t *self, int64_t now_ns);
void mm_profile_close_slice(mm_profile_t *self, int64_t now_ns);

// The longest handler of the turn that ended last; returns how long it took, in ns.
int64_t mm_profile_last_turn(const mm_profile_t *self, const mm_spot_t **ret_handler);

// When it began.
int64_t mm_profile_since_ns(const mm_profile_t *self);
size_t mm_profile_count(const mm_profile_t *self); // of nodes
// A node with its sums since the start.
mm_profile_node_t mm_profile_node(const mm_profile_t *self, size_t index);
// The sums of all nodes over the last `seconds` closed slices (as far as there are such) and the
// open one. Returns how long that was, in ns.
int64_t mm_profile_last(const mm_profile_t *self, uint32_t seconds, int64_t now_ns,
                        mm_profile_sums_t ret_sums[MM_PROFILE_NODES]);

#endif
