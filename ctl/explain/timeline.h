// One job's epoch as a story: what the record says of it and what the logs of all processes say, in
// the order in which it happened. Lines that repeat are one entry; attempts, and the workers that
// were lost with the job, are found out. Pure: it reads no file.

#ifndef TIMELINE_H
#define TIMELINE_H

#include "logline.h"
#include "records.h"

#include <stdio.h>

typedef struct {
    logline_t line;  // the first of them
    int64_t last_ms; // time of the last
    size_t times;
    int64_t place; // among lines of the same millisecond: what causes comes before what follows
    size_t order;  // in which they were taken
} timeline_entry_t;

typedef enum { ATTEMPT_RESTARTED, ATTEMPT_FAILED, ATTEMPT_LOST } attempt_result_t;

typedef struct {
    int64_t number; // as its consumer counted; 0: not known
    const char *worker;
    int64_t pid; // of the worker; 0: not known
    attempt_result_t result;
    const char *error; // failed: why; lost: how the worker ended. NULL: not known
    int64_t ended_ms;  // lost: when it was taken back
    int64_t took_ms;   // -1: not known
} attempt_t;

typedef struct {
    const record_t *record;
    char *host; // also when only the logs know it; NULL: nobody does
    timeline_entry_t *entries;
    size_t count;
    size_t capacity;
    attempt_t *attempts;
    size_t attempt_count;
    size_t attempt_capacity;
    size_t nacks;              // how often it was given back
    size_t epochs;             // how many processes of the consumer have pulled it
    timeline_entry_t *context; // of others: workers that joined, were lost, were killed
    size_t context_count;
    size_t context_capacity;
} timeline_t;

// The words to look for in the logs: a line that holds none of them is not about the job.
#define TIMELINE_WORDS 4
void timeline_words(const record_t *record, char ret_job[MM_ID_TEXT],
                    const char *ret_words[TIMELINE_WORDS]);

// The record must outlive it.
void timeline_begin(timeline_t *self, const record_t *record);
// Takes any log line, and keeps it when it is needed.
void timeline_take(timeline_t *self, mm_str_t line);
// All lines were taken: makes the story.
void timeline_end(timeline_t *self);
void timeline_clear(timeline_t *self);

// Whether one of its lines is this message.
bool timeline_says(const timeline_t *self, const char *message);
// Whether there is anything to tell.
bool timeline_knows(const timeline_t *self);
int64_t timeline_accepted_ms(const timeline_t *self);

// How it ended, or how far it is, in one sentence without its end: "restarted at the 3rd attempt by
// restarter-2 after 4.2 s; restarter-1 was lost with it".
void timeline_conclude(const timeline_t *self, FILE *file);
// A text that others wrote, with what a terminal might obey escaped as in the logs (\x1b).
void timeline_print_text(FILE *file, const char *text);
// A time as people say it: "294 ms", "4.2 s", "12 min 5 s", "3 h 12 min".
void timeline_print_time(FILE *file, int64_t ms);

#endif
