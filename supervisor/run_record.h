// What the record of a run's folder says of real restarts that are not over: hosts in mid-boot, and
// hosts whose --after is owed. Reads the database beside a saver, too, and never writes to it.

#ifndef RUN_RECORD_H
#define RUN_RECORD_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define RUN_RECORD_SPAN 24 // bytes, with the NUL

typedef struct {
    int64_t open; // hosts with an attempt that has no end
    char **owed;  // hosts, oldest first
    size_t owed_count;
    size_t payable; // of them: without another restart
    size_t owed_capacity;
} run_record_t;

// Zeros when there is no record that can be read. Clear it in any case. dir: of the outbox, without
// whose jobs no host is looked at.
run_record_t run_record_read(const char *path, const char *dir);
// Whether the last `count` jobs, one or more, were all skipped since their hosts had been restarted
// a short while ago. Sets ret_span to how long that is, in words.
bool run_record_cooled(const char *path, int64_t count, char ret_span[RUN_RECORD_SPAN]);
void run_record_clear(run_record_t *self);

// The lines about it, for people: none when there is nothing to say.
void run_record_print_open(const run_record_t *self, FILE *file);
void run_record_print_owed(const run_record_t *self, FILE *file);
// The hosts that owe, as an array.
json_t *run_record_owed_json(const run_record_t *self);

#endif
