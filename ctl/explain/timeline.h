// The timeline of one job, from the databases' records and the logs of all processes, in the order
// of events. Repeated lines become one entry; the attempts, and the workers that were lost with the
// job, are derived from the lines. conclusion.h sums it up. Pure: it reads no file.

#ifndef TIMELINE_H
#define TIMELINE_H

#include "log_messages.h"
#include "logline.h"
#include "records.h"

#include <stdio.h>

typedef struct {
    logline_t line;  // the first of them
    int64_t last_ms; // time of the last
    size_t times;
    int64_t place; // among lines of the same millisecond: a cause comes before its effect
    size_t order;  // of arrival
} timeline_entry_t;

typedef struct {
    timeline_entry_t *items;
    size_t count;
    size_t capacity;
} timeline_list_t;

typedef enum { ATTEMPT_RESTARTED, ATTEMPT_FAILED, ATTEMPT_LOST } attempt_result_t;

typedef struct {
    int64_t number; // as the consumer counts; 0: not known
    const char *worker;
    int64_t pid; // of the worker; 0: not known
    attempt_result_t result;
    const char *error; // failed: why; lost: how the worker ended. NULL: not known
    char *killed;      // owns that of a lost one
    int64_t ended_ms;  // lost: when it was reclaimed
    int64_t took_ms;   // -1: not known
} attempt_t;

typedef struct {
    const record_t *record;
    char job[MM_ID_TEXT];
    int64_t accepted_ms;
    char *host; // from the databases or the logs; NULL: not known
    timeline_list_t entries;
    attempt_t *attempts;
    size_t attempt_count;
    size_t attempt_capacity;
    size_t nacks;            // how often the consumer nacked it
    size_t epochs;           // how many processes of the consumer have pulled it
    timeline_list_t context; // not of the job: workers that joined, were lost, were killed
} timeline_t;

// The words to search the logs for, besides the job's id: a line with none of them is of no use
// here.
#define TIMELINE_WORDS MM_MESSAGE_WORKER_LOST, MM_MESSAGE_JOINED, MM_MESSAGE_KILLED

// The record must outlive the timeline.
void timeline_begin(timeline_t *self, const record_t *record);
// Parses any log line, and keeps it when it belongs here.
void timeline_add(timeline_t *self, mm_str_t line);
// To be called after the last line: sorts the lines and derives the rest.
void timeline_end(timeline_t *self);
void timeline_clear(timeline_t *self);

// Whether anything is known about the job.
bool timeline_knows(const timeline_t *self);

// Whether one of the entries has this message.
bool timeline_says(const timeline_t *self, const char *message);
// Prints a part of a line. Control characters in it, newlines too, are escaped as in the logs
// (\x1b), since it may hold texts from outside.
void timeline_print(FILE *file, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
