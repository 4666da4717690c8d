// See timeline.h: the story in one sentence.

#include "human_format.h"
#include "log_messages.h"
#include "timeline.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>

void timeline_print(FILE *file, const char *format, ...)
{
    unsigned char *text;
    va_list args;
    va_start(args, format);
    int length = vasprintf((char **)&text, format, args);
    va_end(args);
    assert(length >= 0);
    for (const unsigned char *at = text; *at; at++) {
        bool is_c1 = at[0] == 0xc2 && at[1] >= 0x80 && at[1] < 0xa0;
        at += is_c1;
        if (is_c1 || *at < ' ' || *at == 0x7f)
            (void)fprintf(file, "\\x%02x", *at);
        else
            (void)fputc(*at, file);
    }
    free(text);
}

static const char *ordinal(int64_t number)
{
    if (number % 100 >= 11 && number % 100 <= 13)
        return "th";
    return number % 10 == 1 ? "st" : number % 10 == 2 ? "nd" : number % 10 == 3 ? "rd" : "th";
}

// How many of the first attempts have lost this worker.
static size_t count_losses(const timeline_t *self, const char *worker, size_t end)
{
    size_t count = 0;
    for (size_t i = 0; i < end; i++)
        count += self->attempts[i].result == ATTEMPT_LOST &&
                 strcmp(self->attempts[i].worker, worker) == 0;
    return count;
}

static bool is_first_loss(const timeline_t *self, size_t index)
{
    const attempt_t *attempt = &self->attempts[index];
    return attempt->result == ATTEMPT_LOST && count_losses(self, attempt->worker, index) == 0;
}

static void print_losses(const timeline_t *self, FILE *file)
{
    size_t names = 0, all = 0;
    for (size_t i = 0; i < self->attempt_count; i++)
        all += is_first_loss(self, i);
    for (size_t i = 0; i < self->attempt_count; i++) {
        const char *worker = self->attempts[i].worker;
        if (!is_first_loss(self, i))
            continue;
        names++;
        size_t count = count_losses(self, worker, self->attempt_count);
        timeline_print(file, "%s%s", names == 1 ? "; " : names == all ? " and " : ", ", worker);
        if (count > 1)
            timeline_print(file, " (%zu times)", count);
    }
    if (all > 0)
        timeline_print(file, " %s lost with it", all > 1 ? "were" : "was");
}

// The record's attempts are those of one epoch of the consumer.
static void print_settled(const timeline_t *self, FILE *file)
{
    const record_t *record = self->record;
    bool is_dead = record->outcome == MM_OUTCOME_DEAD;
    char time[HUMAN_TEXT];
    if (is_dead)
        timeline_print(file, "dead after %" PRId64 " attempt%s and ", record->attempts,
                       record->attempts == 1 ? "" : "s");
    else
        timeline_print(file, "restarted");
    if (!is_dead && record->attempts > 0)
        timeline_print(file, " at the %" PRId64 "%s attempt", record->attempts,
                       ordinal(record->attempts));
    if (!is_dead && record->worker)
        timeline_print(file, " by %s", record->worker);
    timeline_print(file, "%s%s", is_dead ? "" : " after ",
                   human_duration(record->settled_ms - timeline_accepted_ms(self), time));
    if ((int64_t)self->attempt_count > record->attempts && self->epochs > 1)
        timeline_print(file, " (attempt %zu in all: a new consumer begins to count anew)",
                       self->attempt_count);
    if (is_dead && record->error)
        timeline_print(file, ": %s", record->error);
}

// From the logs alone.
static const char *unknown_outcome(const timeline_t *self)
{
    if (timeline_says(self, MM_MESSAGE_ACKED))
        return "restarted, as the logs say; its row is no longer on record";
    if (timeline_says(self, MM_MESSAGE_DEAD))
        return "dead, as the logs say; its row is no longer on record";
    return "not settled, and no longer in the outbox: nobody works on it";
}

static void print_pending(const timeline_t *self, FILE *file)
{
    if (!self->record->is_recorded && self->epochs == 0) {
        timeline_print(file, "pending: accepted, and not received by a consumer yet");
        return;
    }
    const char *message = self->entries[self->count - 1].line.message;
    bool is_back = strncmp(message, MM_MESSAGE_NACKED, strlen(MM_MESSAGE_NACKED)) == 0;
    timeline_print(file, "pending: %s",
                   is_back ? "given back to the outbox" : "received, not settled");
    if (self->attempt_count == 0) {
        timeline_print(file, "; no attempt has ended yet");
        return;
    }
    const attempt_t *last = &self->attempts[self->attempt_count - 1];
    const char *result = last->result == ATTEMPT_LOST ? "its worker was lost"
                         : last->result == ATTEMPT_RESTARTED
                             ? "restarted, and its outcome not on record"
                         : last->error ? last->error
                                       : "failed";
    timeline_print(file, "; %zu attempt%s so far, the last one by %s: %s", self->attempt_count,
                   self->attempt_count == 1 ? "" : "s", last->worker, result);
}

void timeline_conclude(const timeline_t *self, FILE *file)
{
    if (self->record->outcome != MM_OUTCOME_NONE)
        print_settled(self, file);
    else if (self->record->is_pending)
        print_pending(self, file);
    else
        timeline_print(file, "%s", unknown_outcome(self));
    print_losses(self, file);
}
