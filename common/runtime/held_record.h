// What the record of a folder holds back: orders of operators and breakers that are in force, and
// hosts that keep places of their groups. Reads the database beside a saver, too, and never writes
// to it.

#ifndef HELD_RECORD_H
#define HELD_RECORD_H

#include "job.h"

#include <jansson.h>
#include <stdio.h>

typedef struct {
    mm_action_t kind; // halt, trip or deny
    char *name;       // of the group or the host; "": the whole run
    char *why;
    char *actor;
    int64_t until_ms; // of a deny, Unix time; 0: for good
    int64_t since_ms; // Unix time
} hold_t;

typedef struct {
    char *host;   // folded
    char *groups; // with commas between
    bool is_open; // an attempt has no end
    bool is_casualty;
    int64_t since_ms; // Unix time
} held_place_t;

#define HELD_RECORD_MAX 1000 // of each; the others are counted

// Zeroed: nothing.
typedef struct {
    hold_t *holds; // in the order in which they came into force
    size_t hold_count, hold_capacity;
    held_place_t *places;
    size_t place_count, place_capacity;
    int64_t holds_left_out, places_left_out;
} held_record_t;

// *ret_record has nothing when there is no record, or one of a release that held nothing back.
// Clear it in any case. now_ms: Unix time. Returns 0, or a sysexits code with one sentence in
// error.
int held_record_read(const char *path, int64_t now_ms, held_record_t *ret_record,
                     char error[MM_ERROR_MAX]);
void held_record_clear(held_record_t *self);

// NULL: there is none. name: NULL: any.
const hold_t *held_record_find(const held_record_t *self, mm_action_t kind, const char *name);
// host: folded. NULL: it keeps no place.
const held_place_t *held_record_place(const held_record_t *self, const char *host);

// A line for each, for people, with the command that ends it; with_stops: for halts and breakers,
// too. options: of that command, " --dir DIR" or "".
void held_record_print(const held_record_t *self, bool with_stops, const char *options, FILE *file);
// {"holds": [...], "places": [...], "left_out": N}: each has its columns.
json_t *held_record_json(const held_record_t *self);

#endif
