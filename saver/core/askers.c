// See askers.h.

#include "askers.h"

#include <stddef.h>

void askers_hear(askers_t *self, uint64_t asker, bool hears_restarters, int64_t now_ms)
{
    size_t at = 0;
    for (size_t i = 0; i < ASKERS_MAX; i++) {
        if (self->items[i].asker == asker) {
            at = i;
            break;
        }
        if (self->items[i].asked_ms < self->items[at].asked_ms)
            at = i;
    }
    if (self->items[at].asker != asker)
        self->items[at].heard_ms = 0;
    self->items[at].asker = asker;
    self->items[at].asked_ms = now_ms;
    if (hears_restarters)
        self->items[at].heard_ms = now_ms;
}

bool askers_hear_elsewhere(const askers_t *self, uint64_t asker, int64_t now_ms)
{
    for (size_t i = 0; i < ASKERS_MAX; i++)
        if (self->items[i].asker != asker && self->items[i].heard_ms > 0 &&
            now_ms - self->items[i].heard_ms < ASKERS_MS)
            return true;
    return false;
}
