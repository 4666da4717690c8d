// See collect.h.

#include "collect.h"
#include "ctl.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define AGAIN_MS 1000

// The index of a missing process; missing_count: it is none of them.
static size_t find(const collect_t *self, const char *name)
{
    size_t i = 0;
    while (i < self->missing_count && strcmp(self->missing[i].text, name) != 0)
        i++;
    return i;
}

void collect_begin(collect_t *self, feed_t *feed, const snapshot_t *snapshot, const char *process,
                   uint32_t seconds, int64_t now_ms)
{
    *self = (collect_t){
        .seconds = seconds, .end_ms = now_ms + COLLECT_MS, .again_ms = now_ms + AGAIN_MS};
    self->missing = calloc(snapshot->process_count + 1, sizeof *self->missing);
    assert(self->missing);
    for (size_t i = 0; i < snapshot->process_count; i++) {
        const snapshot_process_t *row = &snapshot->processes[i];
        bool is_asked = !process || strcmp(row->name, process) == 0 ||
                        strcmp(mm_program_name(row->role), process) == 0;
        // A process that was started again has two rows.
        if (is_asked && row->state != SNAPSHOT_LEFT && find(self, row->name) == self->missing_count)
            strcpy(self->missing[self->missing_count++].text, row->name);
    }
    if (self->missing_count > 0)
        feed_ask_profile(feed, self->missing_count == 1 ? self->missing[0].text : NULL, seconds);
}

void collect_add(collect_t *self, json_t *profile)
{
    char error[MM_ERROR_MAX];
    size_t i = find(self, ctl_text(profile, "process"));
    if (i < self->missing_count && profiles_add(&self->profiles, profile, error))
        self->missing[i] = self->missing[--self->missing_count];
}

bool collect_is_done(collect_t *self, feed_t *feed, int64_t now_ms)
{
    if (self->missing_count == 0 || now_ms >= self->end_ms)
        return true;
    if (now_ms >= self->again_ms) {
        self->again_ms = now_ms + AGAIN_MS;
        for (size_t i = 0; i < self->missing_count; i++)
            feed_ask_profile(feed, self->missing[i].text, self->seconds);
    }
    return false;
}

void collect_clear(collect_t *self)
{
    profiles_clear(&self->profiles);
    free(self->missing);
    *self = (collect_t){0};
}
