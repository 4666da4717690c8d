// How many hosts were dead before this consumer: of each publisher's run as many as the first frame
// named that named this consumer's epoch (R14). What comes later has those, too, that this consumer
// has found or made dead. What names another epoch was sent before: it counts until then. Pure.

#ifndef DEAD_BEFORE_H
#define DEAD_BEFORE_H

#include "job.h"

#include <uthash.h>

#define DEAD_BEFORE_MAX 4096 // publishers that are remembered; those behind them do not count

typedef struct dead_before_item dead_before_item_t;

// Zeroed: empty.
typedef struct {
    dead_before_item_t *by_name;
    dead_before_item_t *latest; // of the last lookup
    uint64_t sum;               // of all
} dead_before_t;

// A publisher is heard; is_ours: it has named this consumer's epoch. A name that is none is
// ignored.
void dead_before_hear(dead_before_t *self, mm_str_t publisher, bool is_ours, uint64_t dead);
void dead_before_clear(dead_before_t *self);

#endif
