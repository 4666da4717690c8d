// See log_limit.h.

#include "log_limit.h"
#include "clock.h"

#define SECOND_MS 1000

static mm_log_second_t *find(mm_log_limit_t *self, mm_log_level_t level, const char *message)
{
    for (size_t i = 0; i < self->count; i++)
        if (self->seconds[i].message == message)
            return &self->seconds[i];
    if (self->count == MM_LOG_KINDS)
        return NULL;
    self->seconds[self->count] = (mm_log_second_t){.message = message, .level = level};
    return &self->seconds[self->count++];
}

static void end_second(mm_log_second_t *second)
{
    if (second->lines > MM_LOG_MOST)
        mm_log(second->level, "Left out lines", MM_STRING("like", second->message),
               MM_INT("lines", second->lines - MM_LOG_MOST));
    second->lines = 0;
}

bool mm_log_limit_pass(mm_log_limit_t *self, mm_log_level_t level, const char *message,
                       int64_t now_ms)
{
    mm_log_second_t *second = level >= mm_log_threshold ? find(self, level, message) : NULL;
    if (!second)
        return true;
    if (second->lines > 0 && now_ms - second->begin_ms >= SECOND_MS)
        end_second(second);
    if (second->lines == 0)
        second->begin_ms = now_ms;
    return ++second->lines <= MM_LOG_MOST;
}

int64_t mm_log_limit_tell(mm_log_limit_t *self, int64_t now_ms)
{
    int64_t next_ms = MM_NEVER;
    for (size_t i = 0; i < self->count; i++) {
        mm_log_second_t *second = &self->seconds[i];
        if (second->lines <= MM_LOG_MOST)
            continue;
        if (now_ms >= second->begin_ms + SECOND_MS)
            end_second(second);
        else
            next_ms = mm_earlier(next_ms, second->begin_ms + SECOND_MS);
    }
    return next_ms;
}
