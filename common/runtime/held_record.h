// What the record of a folder holds back: orders of operators and breakers that are in force, and
// hosts that keep places of their groups. For people and for checks: what a consumer makes of it is
// in record_state.h. Reads the database beside a saver, too, and never writes to it.

#ifndef MM_HELD_RECORD_H
#define MM_HELD_RECORD_H

#include "job.h"

typedef struct {
    mm_action_t kind; // halt, trip or deny
    char *name;       // of the group or the host; "": the whole run
    char *why;
    char *actor;
    uint64_t run;     // of a trip: whose breaker that is
    int64_t until_ms; // of a deny, Unix time; 0: for good
    int64_t since_ms; // Unix time
} mm_hold_t;

typedef struct {
    char *host;   // folded
    char *groups; // with commas between
    bool is_open; // an attempt has no end
    bool is_casualty;
    int64_t since_ms; // Unix time
} mm_held_place_t;

// Zeroed: nothing.
typedef struct {
    mm_hold_t *holds; // in the order in which they came into force
    size_t hold_count, hold_capacity;
    mm_held_place_t *places;
    size_t place_count, place_capacity;
    int64_t holds_left_out, places_left_out;
} mm_held_record_t;

// *ret_record has nothing when there is no record, or one of a release that held nothing back.
// Clear it in any case. where: a path or a URI (record_uri.h). now_ms: Unix time. max: of holds,
// and of places; the others are counted. Returns 0, or a sysexits code with one sentence in error.
int mm_held_record_read(const char *where, int64_t now_ms, size_t max, mm_held_record_t *ret_record,
                        char error[MM_ERROR_MAX]);
void mm_held_record_clear(mm_held_record_t *self);

// NULL: there is none. name: NULL: any.
const mm_hold_t *mm_held_record_find(const mm_held_record_t *self, mm_action_t kind,
                                     const char *name);
// host: folded. NULL: it keeps no place.
const mm_held_place_t *mm_held_record_place(const mm_held_record_t *self, const char *host);

#endif
