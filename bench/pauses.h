// How long no further job becomes settled, as the record in outbox.db shows it: a thread looks at
// it while the programs run. It keeps one connection, so a look is a read transaction of one row.

#ifndef PAUSES_H
#define PAUSES_H

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

#define PAUSES_EVERY_MS 2    // between two looks: what a length is exact to
#define PAUSES_START_MS 1000 // behind the first settled job nothing counts yet
#define PAUSES_LONG_MS  20   // from here on a pause is long
#define PAUSES_MAX      10   // in the list

typedef struct {
    int64_t at_ms; // since the first settled job
    int64_t length_ms;
} pause_t;

// All zero bytes: nothing was seen.
typedef struct {
    const char *dir; // of the run
    pthread_t thread;
    int64_t longest_us;
    int64_t used_us;          // CPU time of the thread
    size_t count;             // of long ones
    pause_t list[PAUSES_MAX]; // the longest of these, in the order of time
} pauses_t;

// Begins to look. It ends when the run accepts no more jobs: how a run ends does not count.
void pauses_watch(pauses_t *self, const char *dir);
// Waits for that end; then prints key=value with a blank behind each: longest_pause_us,
// long_pauses, watching_us, and pauses=SECONDS:MS,… of the list.
void pauses_print(pauses_t *self);

#endif
