// Which of several consumers a client follows: the one of the highest epoch that was heard. Only
// one of them leads, and each new leader has a higher epoch, so whatever a lower one says is over.
// Pure.

#ifndef MM_FOLLOW_H
#define MM_FOLLOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MM_FOLLOW_NOBODY SIZE_MAX

typedef struct {
    int64_t lost_after_ms;
    size_t address;   // of the one that is followed; MM_FOLLOW_NOBODY
    uint64_t epoch;   // of it
    int64_t heard_ms; // when it was heard last
    bool has_left;    // it has said so since
} mm_follow_t;

mm_follow_t mm_follow_new(int64_t lost_after_ms);

// The consumer at this address says at now_ms (CLOCK_BOOTTIME) that it has this epoch. Returns
// whether what it says counts: whether it is the one that is followed now. A lower epoch at the
// address that is followed is for the caller to judge; it becomes the one to compare with when
// the former epoch has fallen silent.
bool mm_follow_hear(mm_follow_t *self, size_t address, uint64_t epoch, int64_t now_ms);
// The one that is followed leaves: somebody else may have to be asked.
void mm_follow_leave(mm_follow_t *self);
// Whether nobody is followed, or nothing was heard of that one for lost-after: all are asked.
bool mm_follow_is_alone(const mm_follow_t *self, int64_t now_ms);

#endif
