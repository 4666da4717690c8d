// See room.h.

#include "room.h"

#include <assert.h>

room_t room_new(uint32_t most)
{
    assert(most > 0);
    return (room_t){
        .most = most, .slots = most, .raise_ms = INT64_MAX, .pause_ms = ROOM_PAUSE_LOW_MS};
}

int64_t room_failed(room_t *self, uint32_t running, int64_t now_ms)
{
    uint32_t slots = running > 0 ? running : 1;
    if (slots < self->slots)
        self->slots = slots;
    if (self->slots < self->most)
        self->raise_ms = now_ms + ROOM_RAISE_MS;
    // Those that fail together have one pause.
    if (now_ms >= self->until_ms) {
        self->until_ms = now_ms + self->pause_ms;
        int64_t longer = 2 * self->pause_ms;
        self->pause_ms = longer < ROOM_PAUSE_HIGH_MS ? longer : ROOM_PAUSE_HIGH_MS;
    }
    return self->until_ms - now_ms;
}

void room_started(room_t *self)
{
    self->pause_ms = ROOM_PAUSE_LOW_MS;
}

bool room_raise(room_t *self, int64_t now_ms)
{
    if (now_ms < self->raise_ms)
        return false;
    self->slots = self->slots > self->most / 2 ? self->most : 2 * self->slots;
    self->raise_ms = self->slots < self->most ? now_ms + ROOM_RAISE_MS : INT64_MAX;
    return true;
}
