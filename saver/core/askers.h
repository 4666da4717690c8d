// Which consumers ask for the lease, and whether they hear restarters: each is told whether another
// one does (A8). Pure.

#ifndef ASKERS_H
#define ASKERS_H

#include <stdbool.h>
#include <stdint.h>

#define ASKERS_MAX 16   // of more the one that was heard longest ago is forgotten
#define ASKERS_MS  3000 // what was said longer ago counts no more: three looks

// Its fields are its own. Zeroed: nobody has asked.
typedef struct {
    struct {
        uint64_t asker;   // its nonce; 0: nobody
        int64_t heard_ms; // when it last said that it hears restarters; 0: it has not
        int64_t asked_ms;
    } items[ASKERS_MAX];
} askers_t;

// asker: not 0. now_ms: CLOCK_BOOTTIME, above 0.
void askers_hear(askers_t *self, uint64_t asker, bool hears_restarters, int64_t now_ms);
// Whether another one than this hears restarters.
bool askers_hear_elsewhere(const askers_t *self, uint64_t asker, int64_t now_ms);

#endif
