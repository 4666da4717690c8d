// What the record of a folder holds back, for people and as JSON.

#ifndef HELD_PRINT_H
#define HELD_PRINT_H

#include "held_record.h"

#include <jansson.h>
#include <stdio.h>

// How many holds, and how many places, of a record are read for people; the rest is counted.
#define HELD_MAX 1000

// A line for each, with the command that ends it; with_stops: for halts and breakers, too. options:
// of that command, " --dir DIR" or "".
void held_print(const mm_held_record_t *self, bool with_stops, const char *options, FILE *file);
// {"holds": [...], "places": [...], "left_out": N}: each has its columns.
json_t *held_json(const mm_held_record_t *self);

#endif
