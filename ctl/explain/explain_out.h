// The story of a host as text for people, or as JSON for programs.

#ifndef EXPLAIN_OUT_H
#define EXPLAIN_OUT_H

#include "timeline.h"

#include <jansson.h>

// What is told: one job in full, and all others of its host in a line each.
typedef struct {
    const records_t *records;
    const timeline_t *timeline; // of one of the records' items
    const json_t *now;          // what the consumer knows; NULL: it is not in its hands
} explain_t;

void explain_out_text(FILE *file, const explain_t *explain);
void explain_out_json(FILE *file, const explain_t *explain);

#endif
