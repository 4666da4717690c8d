// The story of one job: the record and the logs of all processes in the order of events. Lines that
// repeat are one entry. Attempts are found, and the workers that were lost with the job. Pure: it
// reads no file.

#ifndef TIMELINE_H
#define TIMELINE_H

#include "logline.h"
#include "records.h"

#include <stdio.h>

typedef struct {
    logline_t line;  // the first one
    int64_t last_ms; // time of the last one
    size_t times;
    int64_t place; // within a millisecond: a cause comes before its effects
    size_t order;  // in which the lines were added
} timeline_entry_t;

typedef enum { ATTEMPT_RESTARTED, ATTEMPT_FAILED, ATTEMPT_LOST } attempt_result_t;

typedef struct {
    int64_t number; // as counted by its consumer; 0: not known
    const char *worker;
    int64_t pid; // of the worker; 0: not known
    attempt_result_t result;
    const char *error; // of a failed one; how the worker of a lost one ended; NULL: not known
    char *killed;      // owns that
    int64_t ended_ms;  // of a lost one when it was taken back
    int64_t took_ms;   // -1: not known
} attempt_t;

typedef struct {
    const record_t *record;
    char *host; // from the record or the logs; NULL: not known
    timeline_entry_t *entries;
    size_t count, capacity;
    attempt_t *attempts;
    size_t attempt_count, attempt_capacity;
    size_t nacks;
    size_t epochs;             // processes of the consumer that have pulled the job
    timeline_entry_t *context; // lines about workers: joined, lost, killed
    size_t context_count, context_capacity;
} timeline_t;

// The words to search the logs for. A line without any of them does not matter.
#define TIMELINE_WORDS 4
void timeline_words(const record_t *record, char ret_job[MM_ID_TEXT],
                    const char *ret_words[TIMELINE_WORDS]);

// The record must outlive it.
void timeline_begin(timeline_t *self, const record_t *record);
// Adds a log line, if it matters.
void timeline_add(timeline_t *self, mm_str_t line);
// Makes the story, after the last line.
void timeline_end(timeline_t *self);
void timeline_clear(timeline_t *self);

// Whether the record or the logs know the job.
bool timeline_knows(const timeline_t *self);
// Whether a line with this message is in the story.
bool timeline_has(const timeline_t *self, const char *message);
int64_t timeline_accepted_ms(const timeline_t *self);

// The outcome or the present state in one sentence, without its period: "restarted at the 3rd
// attempt by restarter-2 after 4.2 s; restarter-1 was lost with it".
void timeline_conclude(const timeline_t *self, FILE *file);
// Prints a part of a line. All control characters in it, newlines too, are escaped as in the logs
// (\x1b): foreign texts have them.
void timeline_print(FILE *file, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
