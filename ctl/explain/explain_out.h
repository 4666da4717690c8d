// The story of a host as text for people, or as JSON for programs.

#ifndef EXPLAIN_OUT_H
#define EXPLAIN_OUT_H

#include "timeline.h"

// One job in full, and all others of its host in a line each.
typedef struct {
    const records_t *records;
    const timeline_t *timeline; // of one of the records' items
    const json_t *now;          // the consumer's state of the job; NULL: not in flight
} explain_t;

// False, with errno, when it cannot be written.
bool explain_out_text(FILE *file, const explain_t *explain);
bool explain_out_json(FILE *file, const explain_t *explain);

#endif
