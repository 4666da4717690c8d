// How many hosts were dead before this consumer: of each publisher's run as many as it named when
// it was first heard (R14). What it names later has those, too, that this consumer has found or
// made dead, which are counted here anyway. Pure.

#ifndef DEAD_BEFORE_H
#define DEAD_BEFORE_H

#include "job.h"

#include <uthash.h>

#define DEAD_BEFORE_MAX 4096 // publishers that are remembered; those behind them do not count

typedef struct dead_before_item dead_before_item_t;

// Zeroed: empty.
typedef struct {
    dead_before_item_t *by_name;
    const dead_before_item_t *latest; // of the last lookup
    uint64_t sum;                     // of all; UINT64_MAX: that many, or more
} dead_before_t;

// A publisher is heard. A name that is none is ignored.
void dead_before_hear(dead_before_t *self, mm_str_t publisher, uint64_t dead);
void dead_before_clear(dead_before_t *self);

#endif
