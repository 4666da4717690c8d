// See conclusion.h.

#include "conclusion.h"
#include "human_format.h"
#include "recorded.h"

#include <inttypes.h>
#include <string.h>

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

static const recorded_t *last_recorded(const record_t *record)
{
    return record->recorded_count > 0 ? &record->recorded[record->recorded_count - 1] : NULL;
}

// The word by which the last attempt ended, unless the error has it, then the error.
static void print_why(const record_t *record, FILE *file)
{
    const recorded_t *last = last_recorded(record);
    const char *word = last ? last->outcome : NULL;
    if (word && !(record->error && strstr(record->error, word))) {
        timeline_print(file, ": ");
        recorded_print_state(file, last);
    }
    if (record->error)
        timeline_print(file, ": %s", record->error);
}

// The job's row counts those that have ended; of real ones, those without an end count as well.
static int64_t count_attempts(const record_t *record)
{
    const recorded_t *last = last_recorded(record);
    return last ? last->number : record->attempts;
}

static int64_t count_interrupted(const record_t *record)
{
    int64_t count = 0;
    for (size_t i = 0; i < record->recorded_count; i++) {
        const char *outcome = record->recorded[i].outcome;
        count += outcome && strcmp(outcome, mm_end_name(MM_END_INTERRUPTED)) == 0;
    }
    return count;
}

static void print_dead(const timeline_t *self, FILE *file)
{
    int64_t attempts = count_attempts(self->record), interrupted = count_interrupted(self->record);
    char time[HUMAN_TEXT];
    timeline_print(file, "dead after %" PRId64 " attempt%s", attempts, attempts == 1 ? "" : "s");
    if (interrupted > 0)
        timeline_print(file, " (%" PRId64 " interrupted)", interrupted);
    timeline_print(file, " and %s",
                   human_duration(self->record->settled_ms - self->accepted_ms, time));
}

// What is rehearsed has no attempts on record.
static void print_restarted(const timeline_t *self, FILE *file)
{
    const record_t *record = self->record;
    char time[HUMAN_TEXT];
    timeline_print(file, "%s", mm_outcome_name(record->outcome));
    if (record->proof && record->recorded_count > 0)
        timeline_print(file, " (%s)", record->proof);
    if (record->attempts > 0)
        timeline_print(file, " at the %" PRId64 "%s attempt", count_attempts(record),
                       ordinal(count_attempts(record)));
    if (record->worker)
        timeline_print(file, " by %s", record->worker);
    timeline_print(file, " after %s", human_duration(record->settled_ms - self->accepted_ms, time));
}

// Without attempts on record, the number is that of one epoch of the consumer.
static void print_settled(const timeline_t *self, FILE *file)
{
    const record_t *record = self->record;
    if (record->outcome == MM_OUTCOME_SKIPPED) {
        timeline_print(file, "skipped: %s",
                       record->error ? record->error : "there was nothing to do");
        return;
    }
    if (record->outcome == MM_OUTCOME_DEAD)
        print_dead(self, file);
    else
        print_restarted(self, file);
    if ((int64_t)self->attempt_count > record->attempts && self->epochs > 1 &&
        record->recorded_count == 0)
        timeline_print(file, " (attempt %zu in all: a new consumer begins to count anew)",
                       self->attempt_count);
    if (record->outcome != MM_OUTCOME_RESTARTED)
        print_why(record, file);
}

// From the logs alone.
static const char *unknown_outcome(const timeline_t *self)
{
    if (timeline_says(self, MM_MESSAGE_ACKED))
        return "restarted, as the logs say; its row is no longer on record";
    if (timeline_says(self, MM_MESSAGE_SKIPPED))
        return "skipped, as the logs say; its row is no longer on record";
    if (timeline_says(self, MM_MESSAGE_WITHDRAWN))
        return "withdrawn, as the logs say; its row is no longer on record";
    if (timeline_says(self, MM_MESSAGE_DEAD))
        return "dead, as the logs say; its row is no longer on record";
    return "not settled, and no longer in the outbox: nobody works on it";
}

static void print_pending(const timeline_t *self, FILE *file)
{
    if (!self->record->is_recorded && self->epochs == 0) {
        timeline_print(file, "pending: accepted, and nothing is on record of it yet");
        return;
    }
    const char *message = self->entries.items[self->entries.count - 1].line.message;
    bool is_back = strncmp(message, MM_MESSAGE_NACKED, strlen(MM_MESSAGE_NACKED)) == 0;
    timeline_print(file, "pending: %s",
                   is_back ? "given back to the outbox" : "received, not settled");
    if (last_recorded(self->record)) {
        timeline_print(file, "; attempt %" PRId64 ": ", last_recorded(self->record)->number);
        recorded_print_state(file, last_recorded(self->record));
        return;
    }
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

void conclusion_print(const timeline_t *self, FILE *file)
{
    if (self->record->outcome != MM_OUTCOME_NONE)
        print_settled(self, file);
    else if (self->record->is_pending)
        print_pending(self, file);
    else
        timeline_print(file, "%s", unknown_outcome(self));
    print_losses(self, file);
}
