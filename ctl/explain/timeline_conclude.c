// See timeline.h: the conclusion.

#include "timeline.h"
#include "log_messages.h"

#include <inttypes.h>
#include <string.h>

void timeline_print_text(FILE *file, const char *text)
{
    for (const unsigned char *at = (const unsigned char *)text; *at; at++) {
        bool is_c1 = at[0] == 0xc2 && at[1] >= 0x80 && at[1] < 0xa0;
        at += is_c1;
        if (is_c1 || *at < ' ' || *at == 0x7f)
            (void)fprintf(file, "\\x%02x", *at);
        else
            (void)fputc(*at, file);
    }
}

void timeline_print_time(FILE *file, int64_t ms)
{
    if (ms < 0)
        (void)fputs("no time", file); // the clock was set back
    else if (ms < 1000)
        (void)fprintf(file, "%" PRId64 " ms", ms);
    else if (ms < 100000)
        (void)fprintf(file, "%" PRId64 ".%" PRId64 " s", ms / 1000, ms / 100 % 10);
    else if (ms < 6000000)
        (void)fprintf(file, "%" PRId64 " min %" PRId64 " s", ms / 60000, ms / 1000 % 60);
    else
        (void)fprintf(file, "%" PRId64 " h %" PRId64 " min", ms / 3600000, ms / 60000 % 60);
}

static const char *ordinal(int64_t number)
{
    if (number % 100 >= 11 && number % 100 <= 13)
        return "th";
    return number % 10 == 1 ? "st" : number % 10 == 2 ? "nd" : number % 10 == 3 ? "rd" : "th";
}

static size_t losses(const timeline_t *self, const char *worker, size_t end)
{
    size_t count = 0;
    for (size_t i = 0; i < end; i++)
        count += self->attempts[i].result == ATTEMPT_LOST &&
                 strcmp(self->attempts[i].worker, worker) == 0;
    return count;
}

static void print_losses(const timeline_t *self, FILE *file)
{
    size_t names = 0, all = 0;
    for (size_t i = 0; i < self->attempt_count; i++)
        all += self->attempts[i].result == ATTEMPT_LOST &&
               losses(self, self->attempts[i].worker, i) == 0;
    for (size_t i = 0; i < self->attempt_count; i++) {
        const attempt_t *attempt = &self->attempts[i];
        if (attempt->result != ATTEMPT_LOST || losses(self, attempt->worker, i) > 0)
            continue;
        names++;
        size_t count = losses(self, attempt->worker, self->attempt_count);
        const char *between = names == all ? " and " : ", ";
        (void)fputs(names == 1 ? "; " : between, file);
        timeline_print_text(file, attempt->worker);
        if (count > 1)
            (void)fprintf(file, " (%zu times)", count);
    }
    if (all > 0)
        (void)fprintf(file, " %s lost with it", all > 1 ? "were" : "was");
}

static void print_count(FILE *file, int64_t count, const char *what)
{
    (void)fprintf(file, "%" PRId64 " %s%s", count, what, count == 1 ? "" : "s");
}

// The record counts the attempts of one epoch of the consumer only.
static void print_settled(const timeline_t *self, FILE *file)
{
    const record_t *record = self->record;
    if (record->outcome == MM_OUTCOME_DEAD) {
        (void)fputs("dead after ", file);
        print_count(file, record->attempts, "attempt");
        (void)fputs(" and ", file);
    } else {
        (void)fputs("restarted", file);
        if (record->attempts > 0)
            (void)fprintf(file, " at the %" PRId64 "%s attempt", record->attempts,
                          ordinal(record->attempts));
        if (record->worker) {
            (void)fputs(" by ", file);
            timeline_print_text(file, record->worker);
        }
        (void)fputs(" after ", file);
    }
    timeline_print_time(file, record->settled_ms - timeline_accepted_ms(self));
    if ((int64_t)self->attempt_count > record->attempts && self->epochs > 1)
        (void)fprintf(file, " (attempt %zu in all: a new consumer begins to count anew)",
                      self->attempt_count);
    if (record->outcome == MM_OUTCOME_DEAD && record->error) {
        (void)fputs(": ", file);
        timeline_print_text(file, record->error);
    }
}

// The conclusion when only the logs know the outcome.
static void print_unknown(const timeline_t *self, FILE *file)
{
    if (timeline_says(self, MM_MESSAGE_ACKED))
        (void)fputs("restarted, as the logs say; its row is no longer on record", file);
    else if (timeline_says(self, MM_MESSAGE_DEAD))
        (void)fputs("dead, as the logs say; its row is no longer on record", file);
    else
        (void)fputs("not settled, and no longer in the outbox: nobody works on it", file);
}

// How many attempts there were, and how the last one ended.
static void print_so_far(const timeline_t *self, FILE *file)
{
    if (self->attempt_count == 0) {
        (void)fputs("; no attempt has ended yet", file);
        return;
    }
    const attempt_t *last = &self->attempts[self->attempt_count - 1];
    (void)fputs("; ", file);
    print_count(file, (int64_t)self->attempt_count, "attempt");
    (void)fputs(" so far, the last one by ", file);
    timeline_print_text(file, last->worker);
    (void)fputs(": ", file);
    switch (last->result) {
    case ATTEMPT_RESTARTED: (void)fputs("restarted, and its outcome not on record", file); break;
    case ATTEMPT_FAILED: timeline_print_text(file, last->error ? last->error : "failed"); break;
    case ATTEMPT_LOST: (void)fputs("its worker was lost", file); break;
    }
}

static void print_pending(const timeline_t *self, FILE *file)
{
    if (!self->record->is_recorded && self->epochs == 0) {
        (void)fputs("pending: accepted, and not received by a consumer yet", file);
        return;
    }
    const char *last = self->entries[self->count - 1].line.message;
    bool is_back = strncmp(last, MM_MESSAGE_NACKED, strlen(MM_MESSAGE_NACKED)) == 0;
    (void)fputs(is_back ? "pending: given back to the outbox" : "pending: received, not settled",
                file);
    print_so_far(self, file);
}

void timeline_conclude(const timeline_t *self, FILE *file)
{
    if (self->record->outcome != MM_OUTCOME_NONE)
        print_settled(self, file);
    else if (self->record->is_pending)
        print_pending(self, file);
    else
        print_unknown(self, file);
    print_losses(self, file);
}
