// The profile of this process's loop, which is always on: spans mark the parts of a handler, the
// loop marks its turns. Only the thread of the loop may enter spans; before the start a span costs
// one comparison.
//
//     static void on_jobs(void *arg)
//     {
//         MM_SPAN("on_jobs");      // ends with the block
//
// Code that runs for each item (a log line, an encoded result) is counted, and sometimes timed:
//
//     MM_SPAN_COUNTED("log");

#ifndef MM_SPAN_H
#define MM_SPAN_H

#include "profile.h"

#include <jansson.h>

// A span that is counted and sometimes timed, so that its part of a turn is an estimate.
typedef struct mm_counted {
    mm_spot_t spot;
    uint32_t calls; // in this turn
    uint32_t timed;
    int64_t timed_ns;
    bool is_listed;
    struct mm_counted *next;
} mm_counted_t;

#define MM_SPAN_TIMED 32 // one in so many calls is timed, and the first of each turn

typedef struct {
    const char *process; // all texts are kept as pointers, valid until the stop
    const char *role;
    const char *folder; // for saved profiles; created when it is missing
    int64_t slow_ns;    // a handler that takes so long is reported to `slow`; 0: none is
    void (*slow)(const char *handler, int64_t took_ns);
    void (*saved)(const char *path, int error); // 0: the profile was written; else an errno
} mm_span_config_t;

void mm_span_start(const mm_span_config_t *config);
void mm_span_stop(void);

// Saves the profile since the start as JSON: in the folder as PROCESS.json, or with the time in its
// name when it is one of many. Calls `saved`.
void mm_span_save(bool is_one_of_many);

// The profile of the last `seconds` (0: since the start) as JSON, a new reference; NULL: not
// started. A file, a frame and a recording have the same: docs/profiling.md describes it.
json_t *mm_span_json(uint32_t seconds);
// Adds to an object three numbers of the last one or two seconds: "busy" (the share of time outside
// of the poller), "cpu" (cores, of all threads), "doing" (the handler or span with most own time).
void mm_span_add(json_t *object);

// By the loop: around its work between two polls.
void mm_span_begin_turn(void);
void mm_span_end_turn(void);
// By the loop at its end: the last CPU times of the other threads, before their sockets are closed.
void mm_span_see_threads(void);

// The profile; NULL: not started.
extern mm_profile_t *mm_span_profile;

// By the macros.
void mm_span_enter(const mm_spot_t *spot);
void mm_span_leave(mm_profile_t *const *entered);
int64_t mm_span_begin_counted(mm_counted_t *counted);
void mm_span_end_counted(mm_counted_t *counted, int64_t since_ns);

typedef struct {
    mm_counted_t *counted; // NULL: not timed
    int64_t since_ns;
} mm_counted_call_t;

static inline mm_counted_call_t mm_span_open_counted(mm_counted_t *counted)
{
    if (!mm_span_profile || counted->calls++ % MM_SPAN_TIMED != 0)
        return (mm_counted_call_t){NULL, 0};
    return (mm_counted_call_t){counted, mm_span_begin_counted(counted)};
}

static inline void mm_span_close_counted(const mm_counted_call_t *call)
{
    if (call->counted)
        mm_span_end_counted(call->counted, call->since_ns);
}

#define MM_SPAN(NAME)       MM_SPAN_OF(NAME, MM_SPOT_RUNS)
#define MM_SPAN_WAITS(NAME) MM_SPAN_OF(NAME, MM_SPOT_WAITS)

#define MM_SPAN_JOIN_(A, B) A##B
#define MM_SPAN_JOIN(A, B)  MM_SPAN_JOIN_(A, B)

#define MM_SPAN_OF(NAME, KIND)                                                                     \
    static const mm_spot_t MM_SPAN_JOIN(mm_spot_, __LINE__) = {NAME, __FILE__, __LINE__, KIND};    \
    __attribute__((cleanup(mm_span_leave), unused))                                                \
    mm_profile_t *const MM_SPAN_JOIN(mm_span_, __LINE__) = mm_span_profile;                        \
    if (mm_span_profile)                                                                           \
    mm_span_enter(&MM_SPAN_JOIN(mm_spot_, __LINE__))

#define MM_SPAN_COUNTED(NAME)                                                                      \
    static mm_counted_t MM_SPAN_JOIN(mm_counted_, __LINE__) = {                                    \
        .spot = {NAME, __FILE__, __LINE__, MM_SPOT_RUNS}};                                         \
    __attribute__((cleanup(mm_span_close_counted), unused)) mm_counted_call_t MM_SPAN_JOIN(        \
        mm_span_, __LINE__) = mm_span_open_counted(&MM_SPAN_JOIN(mm_counted_, __LINE__))

#endif
