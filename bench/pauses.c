// See pauses.h.

#include "pauses.h"
#include "clock.h"
#include "record.h"
#include "roles.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

// The shortest one makes room.
static void list(pauses_t *self, pause_t pause)
{
    size_t at = self->count;
    if (self->count++ >= PAUSES_MAX) {
        at = 0;
        for (size_t i = 1; i < PAUSES_MAX; i++)
            if (self->list[i].length_ms < self->list[at].length_ms)
                at = i;
        if (self->list[at].length_ms >= pause.length_ms)
            return;
        memmove(&self->list[at], &self->list[at + 1], (PAUSES_MAX - 1 - at) * sizeof pause);
        at = PAUSES_MAX - 1;
    }
    self->list[at] = pause;
}

// A pause has ended now.
static void see(pauses_t *self, int64_t begin_us, int64_t since_us, int64_t now_us)
{
    int64_t length_us = now_us - since_us;
    if (since_us - begin_us < INT64_C(1000) * PAUSES_START_MS)
        return;
    if (length_us > self->longest_us)
        self->longest_us = length_us;
    if (length_us >= INT64_C(1000) * PAUSES_LONG_MS)
        list(self, (pause_t){.at_ms = (since_us - begin_us) / 1000, .length_ms = length_us / 1000});
}

static void *run(void *arg)
{
    pauses_t *self = arg;
    outbox_db_t *record = NULL;
    uint64_t settled = 0;
    int64_t begin_us = 0, since_us = 0;
    for (bool is_over = false; !is_over; roles_nap(PAUSES_EVERY_MS)) {
        outbox_run_t run = {0};
        if (!record)
            record = record_open(self->dir);
        (void)record_read(record, &run);
        uint64_t now_settled = run.restarted;
        is_over = run.progress.done;
        outbox_run_clear(&run);
        if (is_over || now_settled <= settled)
            continue;
        int64_t now_us = mm_clock_us();
        if (settled == 0)
            begin_us = now_us;
        else
            see(self, begin_us, since_us, now_us);
        settled = now_settled;
        since_us = now_us;
    }
    outbox_db_close(&record);
    self->used_us = mm_clock_thread_ns() / 1000;
    return NULL;
}

void pauses_watch(pauses_t *self, const char *dir)
{
    self->dir = dir;
    int error = pthread_create(&self->thread, NULL, run, self);
    if (error != 0)
        roles_fail("a thread", strerror(error));
}

void pauses_print(pauses_t *self)
{
    (void)pthread_join(self->thread, NULL);
    (void)printf("longest_pause_us=%" PRId64 " long_pauses=%zu watching_us=%" PRId64 " ",
                 self->longest_us, self->count, self->used_us);
    size_t count = self->count < PAUSES_MAX ? self->count : PAUSES_MAX;
    for (size_t i = 0; i < count; i++)
        (void)printf("%s%.3f:%" PRId64, i == 0 ? "pauses=" : ",",
                     (double)self->list[i].at_ms / 1000, self->list[i].length_ms);
    if (count > 0)
        (void)putchar(' ');
}
