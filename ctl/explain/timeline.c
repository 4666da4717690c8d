// See timeline.h.

#include "timeline.h"
#include "array.h"
#include "human_format.h"
#include "uuid.h"
#include "uuid_source.h"

#include <stdarg.h>
#include <string.h>

#define CLOCKS_APART_MS 20

// The order of a job's lines within one millisecond. Those from BEGUN to RETRY are of one attempt;
// OTHER is a save and any other line.
typedef enum {
    ACCEPTED,
    SENT,
    PULLED,
    HELD,
    BEGUN,
    OTHER,
    LOSS,
    RECLAIMED,
    LOOKING,
    ENDED,
    INTERRUPTED,
    RETRY,
    SETTLED,
    TOLD
} rank_t;

static const struct {
    const char *message; // how it begins
    rank_t rank;
} ranks[] = {
    {MM_MESSAGE_PUBLISHED, SENT},      {MM_MESSAGE_EXPIRED, SENT},
    {MM_MESSAGE_PULLED, PULLED},       {MM_MESSAGE_IN_FLIGHT, HELD},
    {MM_MESSAGE_EXTENDED, HELD},       {MM_MESSAGE_WORKER_LOST, LOSS},
    {MM_MESSAGE_RECLAIMED, RECLAIMED}, {MM_MESSAGE_RETRY, RETRY},
    {MM_MESSAGE_SETTLED, SETTLED},     {MM_MESSAGE_ACKED, TOLD},
    {MM_MESSAGE_DEAD, TOLD},           {MM_MESSAGE_NACKED, TOLD},
    {MM_MESSAGE_SKIPPED, TOLD},        {MM_MESSAGE_BEGUN, BEGUN},
    {MM_MESSAGE_LOOKING, LOOKING},     {MM_MESSAGE_RESTARTED, ENDED},
    {MM_MESSAGE_NOT_RESTARTED, ENDED}, {MM_MESSAGE_INTERRUPTED, INTERRUPTED},
    {MM_MESSAGE_OPEN, INTERRUPTED},    {MM_MESSAGE_WITHDRAWN, TOLD},
};

static bool begins(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

static bool says(const logline_t *line, const char *message)
{
    return strcmp(line->message, message) == 0;
}

static rank_t rank_of(const char *message)
{
    for (size_t i = 0; i < sizeof ranks / sizeof ranks[0]; i++)
        if (begins(message, ranks[i].message))
            return ranks[i].rank;
    return OTHER;
}

// The lines of one attempt come before those of the next.
static int64_t place_of(rank_t rank, int64_t attempt)
{
    const int64_t each = TOLD + 1, last = each * INT32_MAX;
    return rank < BEGUN ? rank : rank > RETRY ? last + rank : each * attempt + rank;
}

// 0: the line has no valid attempt.
static int64_t attempt_of(const logline_t *line)
{
    int64_t attempt = logline_number(line, "attempt", 0);
    return attempt > 0 && attempt < INT32_MAX ? attempt : 0;
}

static timeline_entry_t *append(timeline_list_t *list, const logline_t *line)
{
    size_t order = list->count;
    timeline_entry_t *entry = MM_ARRAY_ADD(list->items, list->count, list->capacity);
    *entry = (timeline_entry_t){.line = *line,
                                .last_ms = line->wall_ms,
                                .times = 1,
                                .place = place_of(rank_of(line->message), attempt_of(line)),
                                .order = order};
    return entry;
}

// ---- parsing

void timeline_begin(timeline_t *self, const record_t *record)
{
    *self = (timeline_t){.record = record, .accepted_ms = mm_id_wall_ms(&record->id)};
    (void)mm_id_print(&record->id, self->job);
    if (record->host)
        self->host = strdup(record->host);
}

void timeline_add(timeline_t *self, mm_str_t text)
{
    logline_t line;
    if (!logline_parse(text, &line))
        return;
    const char *value = logline_value(&line, "job"), *host = logline_value(&line, "host");
    if (value && strcmp(value, self->job) == 0) {
        if (host && !self->host)
            self->host = strdup(host);
        (void)append(&self->entries, &line);
    } else if (begins(line.message, MM_MESSAGE_WORKER_LOST) || says(&line, MM_MESSAGE_JOINED) ||
               (*line.level == '\0' && strstr(line.message, MM_MESSAGE_KILLED))) {
        (void)append(&self->context, &line);
    } else {
        logline_clear(&line);
    }
}

static void clear(timeline_list_t *list)
{
    for (size_t i = 0; i < list->count; i++)
        logline_clear(&list->items[i].line);
    free(list->items);
}

void timeline_clear(timeline_t *self)
{
    for (size_t i = 0; i < self->attempt_count; i++)
        free(self->attempts[i].killed);
    clear(&self->entries);
    clear(&self->context);
    free(self->attempts);
    free(self->host);
    *self = (timeline_t){0};
}

// ---- order

static int by_time(const void *a, const void *b)
{
    const timeline_entry_t *one = a, *other = b;
    if ((one->place == ACCEPTED) != (other->place == ACCEPTED))
        return one->place == ACCEPTED ? -1 : 1; // whatever the clocks of the processes say
    if (one->line.wall_ms != other->line.wall_ms)
        return one->line.wall_ms < other->line.wall_ms ? -1 : 1;
    if (one->place != other->place)
        return one->place < other->place ? -1 : 1;
    return one->order < other->order ? -1 : one->order > other->order;
}

static void sort(timeline_list_t *list)
{
    if (list->count > 0)
        qsort(list->items, list->count, sizeof *list->items, by_time);
}

// The clock of the logs is some milliseconds behind that of the record, but an outcome is on record
// before the consumer tells it (I2).
static void put_settled_first(timeline_t *self)
{
    for (size_t i = 1; i < self->entries.count; i++) {
        timeline_entry_t *entry = &self->entries.items[i], moved = *entry;
        if (entry->place != place_of(SETTLED, 0) || entry[-1].place != place_of(TOLD, 0) ||
            entry->line.wall_ms - entry[-1].line.wall_ms > CLOCKS_APART_MS)
            continue;
        entry[0] = entry[-1];
        entry[-1] = moved;
    }
}

static bool is_of_attempt(const logline_t *line)
{
    return says(line, MM_MESSAGE_RESTARTED) || says(line, MM_MESSAGE_NOT_RESTARTED) ||
           says(line, MM_MESSAGE_RECLAIMED);
}

// Lines about attempts stay, since the attempts point to their texts.
static void collapse(timeline_t *self)
{
    size_t kept = 0;
    for (size_t i = 0; i < self->entries.count; i++) {
        timeline_entry_t *entry = &self->entries.items[i],
                         *last = &self->entries.items[kept - (kept > 0)];
        if (kept > 0 && logline_same(&last->line, &entry->line) && !is_of_attempt(&entry->line)) {
            last->last_ms = entry->line.wall_ms;
            last->times++;
            logline_clear(&entry->line);
        } else {
            self->entries.items[kept++] = *entry;
        }
    }
    self->entries.count = kept;
}

// ---- who was lost

// "was killed by signal 9" of "restarter-1 was killed by signal 9: restarting (1)".
static char *killed_how(const timeline_entry_t *entry, const char *worker)
{
    const char *how = entry->line.message + strlen(worker) + 1;
    char *copy = strndup(how, strcspn(how, ":"));
    assert(copy);
    return copy;
}

// Whether a line of the context is of this kind (a message) and about this worker.
static bool is_about(const logline_t *line, const char *kind, const char *worker)
{
    const char *lost = logline_value(line, "worker");
    if (strcmp(kind, MM_MESSAGE_KILLED) == 0)
        return begins(line->message, worker) && begins(line->message + strlen(worker), kind);
    if (strcmp(kind, MM_MESSAGE_WORKER_LOST) == 0)
        return begins(line->message, kind) && lost && strcmp(lost, worker) == 0;
    return says(line, kind) && strcmp(line->process, worker) == 0;
}

// The last line of the context about a worker until a time; NULL: there is none.
static timeline_entry_t *find_last(const timeline_t *self, const char *kind, const char *worker,
                                   int64_t until_ms)
{
    timeline_entry_t *found = NULL;
    for (size_t i = 0; i < self->context.count && self->context.items[i].line.wall_ms <= until_ms;
         i++)
        if (is_about(&self->context.items[i].line, kind, worker))
            found = &self->context.items[i];
    return found;
}

// A worker that was started again cannot join before the former one counts as lost, so the process
// that joined last is the one that was lost. The clock of run.log has whole seconds.
static void find_end(const timeline_t *self, attempt_t *attempt)
{
    const timeline_entry_t *joined =
        find_last(self, MM_MESSAGE_JOINED, attempt->worker, attempt->ended_ms);
    if (joined)
        attempt->pid = joined->line.pid;
    timeline_entry_t *killed =
        find_last(self, MM_MESSAGE_KILLED, attempt->worker, attempt->ended_ms);
    if (killed && (!joined || killed->line.wall_ms >= joined->line.wall_ms - 999))
        attempt->error = attempt->killed = killed_how(killed, attempt->worker);
}

// Moves the consumer's line about the loss from the context to the entries, before the reclaim.
static void add_loss(timeline_t *self, const attempt_t *attempt)
{
    timeline_entry_t *lost =
        find_last(self, MM_MESSAGE_WORKER_LOST, attempt->worker, attempt->ended_ms);
    if (!lost || lost->last_ms + 1000 < attempt->ended_ms)
        return;
    logline_t line = lost->line;
    size_t place = (size_t)(lost - self->context.items);
    memmove(lost, lost + 1, (self->context.count - place - 1) * sizeof *lost);
    self->context.count--;
    append(&self->entries, &line)->place = place_of(LOSS, attempt->number);
}

// ---- attempts

static attempt_t *add_attempt(timeline_t *self, const logline_t *line, attempt_result_t result)
{
    attempt_t *attempt = MM_ARRAY_ADD(self->attempts, self->attempt_count, self->attempt_capacity);
    *attempt = (attempt_t){.number = attempt_of(line),
                           .worker = line->process,
                           .pid = line->pid,
                           .result = result,
                           .error = logline_value(line, "error"),
                           .ended_ms = line->wall_ms,
                           .took_ms = logline_ms(line, "took", -1)};
    return attempt;
}

static void find_attempts(timeline_t *self)
{
    for (size_t i = 0; i < self->entries.count; i++) {
        const logline_t *line = &self->entries.items[i].line;
        const char *why = logline_value(line, "why"), *worker = logline_value(line, "worker");
        if (says(line, MM_MESSAGE_RESTARTED)) {
            (void)add_attempt(self, line, ATTEMPT_RESTARTED);
        } else if (says(line, MM_MESSAGE_NOT_RESTARTED)) {
            (void)add_attempt(self, line, ATTEMPT_FAILED);
        } else if (says(line, MM_MESSAGE_RECLAIMED) && worker && why && strcmp(why, "lost") == 0) {
            attempt_t *attempt = add_attempt(self, line, ATTEMPT_LOST);
            attempt->worker = worker;
            attempt->pid = 0;
            find_end(self, attempt);
        }
    }
}

static void count_turns(timeline_t *self)
{
    int64_t consumer = 0;
    for (size_t i = 0; i < self->entries.count; i++) {
        const logline_t *line = &self->entries.items[i].line;
        self->nacks += says(line, MM_MESSAGE_NACKED);
        if (!says(line, MM_MESSAGE_PULLED) || line->pid == consumer)
            continue;
        consumer = line->pid;
        self->epochs++;
    }
}

// ---- the whole timeline

// Adds what the databases say and the logs do not, perhaps because of their level.
static void add_fact(timeline_t *self, int64_t wall_ms, const char *process, const char *message,
                     rank_t rank)
{
    logline_t line = {.wall_ms = wall_ms, .level = "", .process = process, .message = message};
    append(&self->entries, &line)->place = place_of(rank, 0);
}

bool timeline_says(const timeline_t *self, const char *message)
{
    for (size_t i = 0; i < self->entries.count; i++)
        if (says(&self->entries.items[i].line, message))
            return true;
    return false;
}

static void add_facts(timeline_t *self)
{
    static const char *const settled_as[] = {[MM_OUTCOME_RESTARTED] = "settled as restarted",
                                             [MM_OUTCOME_DEAD] = "settled as dead",
                                             [MM_OUTCOME_WITHDRAWN] = "settled as withdrawn",
                                             [MM_OUTCOME_SKIPPED] = "settled as skipped"};
    const record_t *record = self->record;
    add_fact(self, self->accepted_ms, "outbox.db", "accepted", ACCEPTED);
    if (record->is_recorded && !timeline_says(self, MM_MESSAGE_PULLED))
        add_fact(self, record->received_ms, "mayhem.db", "received by the consumer", PULLED);
    if (record->outcome != MM_OUTCOME_NONE && !timeline_says(self, MM_MESSAGE_SETTLED))
        add_fact(self, record->settled_ms, "mayhem.db", settled_as[record->outcome], SETTLED);
}

void timeline_end(timeline_t *self)
{
    if (!timeline_knows(self))
        return;
    sort(&self->context);
    sort(&self->entries);
    find_attempts(self);
    for (size_t i = 0; i < self->attempt_count; i++)
        if (self->attempts[i].result == ATTEMPT_LOST)
            add_loss(self, &self->attempts[i]);
    add_facts(self);
    sort(&self->entries);
    put_settled_first(self);
    count_turns(self);
    collapse(self);
}

bool timeline_knows(const timeline_t *self)
{
    return self->entries.count > 0 || self->record->host;
}

// ---- printing

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
