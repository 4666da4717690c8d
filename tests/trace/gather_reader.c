// See gather_reader.h.

#include "gather_reader.h"
#include "gate_reader.h"
#include "host.h"
#include "job.h"
#include "tokens.h"
#include "uuid.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WORKERS_MAX 64
#define LIST_MAX    MM_BATCH_ITEMS

// What goes on from line to line of one worker.
typedef struct {
    mm_name_t name;
    mm_role_t role;
    uint64_t instance;
    uint64_t session;
    uint64_t sequence;
    uint64_t serial;
    uint32_t slots;
    uint32_t verbs;
    mm_name_t driver;
} known_t;

struct gather_reader {
    tokens_t words;
    bool has_words;
    known_t workers[WORKERS_MAX];
    size_t worker_count;
    uint64_t epoch;
    int64_t now_ms; // of the last event
    mm_report_t report;
    mm_assignment_t held[LIST_MAX];
    mm_result_t results[LIST_MAX];
    mm_real_t real; // of the first result
    gate_reader_t gate;
    mm_state_body_t asked; // for
    char complaint[256];
};

gather_reader_t *gather_reader_new(void)
{
    gather_reader_t *self = calloc(1, sizeof *self);
    assert(self);
    return self;
}

void gather_reader_destroy(gather_reader_t **self_p)
{
    gather_reader_t *self = *self_p;
    if (!self)
        return;
    *self_p = NULL;
    if (self->has_words)
        tokens_clear(&self->words);
    gate_reader_clear(&self->gate);
    free(self);
}

const char *gather_reader_complaint(const gather_reader_t *self)
{
    return self->complaint;
}

static bool complain(gather_reader_t *self, const char *what, const char *about)
{
    (void)snprintf(self->complaint, sizeof self->complaint, "%s: '%s'", what, about);
    return false;
}

static bool split(gather_reader_t *self, const char *line)
{
    if (self->has_words)
        tokens_clear(&self->words);
    self->has_words = tokens_split(line, &self->words);
    return self->has_words && self->words.count > 0;
}

static const char *word(const gather_reader_t *self, size_t index)
{
    return index < self->words.count ? self->words.words[index] : "";
}

bool gather_reader_config(gather_reader_t *self, const char *line, gather_config_t *config)
{
    if (!split(self, line) || strcmp(word(self, 0), "config") != 0)
        return complain(self, "not a config line", line);
    size_t known = 0;
    int64_t value;
#define FIELD(type, member, key, low, high)                                                        \
    if ((value = tokens_number(&self->words, key, -1)) >= 0) {                                     \
        if (value < (low) || value > (high))                                                       \
            return complain(self, "out of range in config", key);                                  \
        config->member = (type)value;                                                              \
        known++;                                                                                   \
    }
#include "gather_config.def"
    if (known + 1 != self->words.count)
        return complain(self, "unknown word in config", line);
    self->epoch = config->epoch;
    self->now_ms = 0; // a new epoch of the core begins
    return true;
}

bool gather_reader_policy(gather_reader_t *self, const char *line, const mm_policy_t **ret_policy)
{
    if (!split(self, line) || !gate_reader_policy(&self->gate, &self->words))
        return complain(self, "not a policy line", line);
    *ret_policy = &self->gate.policy;
    return true;
}

// What the wire would not let through must not come by this way either.

static bool is_report(const mm_report_t *report)
{
    for (size_t i = 0; i < report->held_count; i++)
        if (mm_leg_is_restarters(report->held[i].leg) && mm_host_complaint(report->held[i].host))
            return false;
    return report->stamp_ms >= 0 && report->stamp_ms <= GATHER_MS &&
           report->slots <= MM_SLOTS_MAX && report->parts <= MM_PARTS_MAX &&
           report->part < report->parts;
}

static bool is_result(const mm_result_t *result)
{
    bool is_settled = result->leg == MM_LEG_SETTLE && result->status == MM_STATUS_OK;
    return result->serial > 0 && result->error.size <= MM_ERROR_MAX &&
           !(is_settled && result->outcome == MM_OUTCOME_NONE);
}

static bool is_job(const gather_event_t *event)
{
    mm_name_t name;
    return event->as.job.job.delivery > 0 && !mm_host_complaint(event->as.job.job.host) &&
           mm_name_from(event->as.job.publisher, &name);
}

static known_t *known(gather_reader_t *self, const char *name)
{
    for (size_t i = 0; i < self->worker_count; i++)
        if (strcmp(self->workers[i].name.text, name) == 0)
            return &self->workers[i];
    mm_name_t checked;
    if (self->worker_count == WORKERS_MAX || !mm_name_from(mm_str(name), &checked))
        return NULL;
    known_t *worker = &self->workers[self->worker_count++];
    *worker = (known_t){.name = checked,
                        .role = *name == 's' ? MM_ROLE_SAVER : MM_ROLE_RESTARTER,
                        .instance = 1,
                        .slots = 4};
    return worker;
}

static bool read_leg(const char *name, mm_leg_t *ret_leg)
{
    for (mm_leg_t leg = MM_LEG_SAVE; leg <= MM_LEG_PROBE; leg++)
        if (strcmp(name, mm_leg_name(leg)) == 0) {
            *ret_leg = leg;
            return true;
        }
    return false;
}

static bool read_status(const char *name, mm_status_t *ret_status)
{
    static const char *const names[] = {"ok", "failed", "returned", "open"};
    for (mm_status_t status = MM_STATUS_OK; status <= MM_STATUS_OPEN; status++)
        if (strcmp(name, names[status]) == 0) {
            *ret_status = status;
            return true;
        }
    return false;
}

static mm_outcome_t read_outcome(const char *name)
{
    mm_outcome_t outcome = MM_OUTCOME_NONE;
    (void)mm_outcome_parse(mm_str(name), &outcome);
    return outcome;
}

// "j1#17"
static bool read_task(const char *text, mm_id_t *ret_id, uint64_t *ret_number)
{
    const char *hash = strchr(text, '#');
    if (!hash)
        return false;
    *ret_number = strtoull(hash + 1, NULL, 10);
    return mm_id_parse((mm_str_t){text, (size_t)(hash - text)}, ret_id);
}

// Cuts `text` at its first colons into at most `count` fields; the last one takes the rest.
static size_t cut(char *text, char **fields, size_t count)
{
    size_t found = 0;
    while (found < count) {
        fields[found++] = text;
        char *colon = found < count ? strchr(text, ':') : NULL;
        if (!colon)
            break;
        *colon = '\0';
        text = colon + 1;
    }
    return found;
}

// held=j1#17:restart:web-7
static bool read_held(gather_reader_t *self, char *text)
{
    char *fields[3];
    size_t count = cut(text, fields, 3);
    mm_assignment_t *held = &self->held[self->report.held_count];
    *held = (mm_assignment_t){.started = true};
    if (self->report.held_count == LIST_MAX || count < 2 ||
        !read_task(fields[0], &held->id, &held->number) || !read_leg(fields[1], &held->leg))
        return false;
    held->host = mm_str(count > 2 ? fields[2] : "");
    self->report.held_count++;
    return true;
}

// result=5:j1#17:restart:ok:none:error
static bool read_listed_result(gather_reader_t *self, char *text)
{
    char *fields[6];
    size_t count = cut(text, fields, 6);
    mm_result_t *result = &self->results[self->report.result_count];
    *result = (mm_result_t){0};
    if (self->report.result_count == LIST_MAX || count < 4 ||
        !read_task(fields[1], &result->id, &result->number) || !read_leg(fields[2], &result->leg) ||
        !read_status(fields[3], &result->status))
        return false;
    result->serial = strtoull(fields[0], NULL, 10);
    result->outcome = read_outcome(count > 4 ? fields[4] : NULL);
    result->error = mm_str(count > 5 ? fields[5] : "");
    self->report.result_count++;
    return is_result(result);
}

static mm_role_t read_role(const gather_reader_t *self, mm_role_t otherwise)
{
    const char *role = tokens_value(&self->words, "role");
    if (!role)
        return otherwise;
    return strcmp(role, mm_role_name(MM_ROLE_SAVER)) == 0 ? MM_ROLE_SAVER : MM_ROLE_RESTARTER;
}

static bool read_report(gather_reader_t *self, bool hello, gather_event_t *event)
{
    known_t *worker = known(self, word(self, 1));
    if (!worker)
        return false;
    const tokens_t *words = &self->words;
    worker->role = read_role(self, worker->role);
    uint64_t instance = (uint64_t)tokens_number(words, "nonce", (int64_t)worker->instance);
    if (instance != worker->instance) // another process begins anew
        worker->session = worker->sequence = worker->serial = 0;
    worker->instance = instance;
    worker->slots = (uint32_t)tokens_number(words, "slots", worker->slots);
    worker->verbs = (uint32_t)tokens_number(words, "verbs", worker->verbs);
    const char *driver = tokens_value(words, "driver");
    if (driver && !mm_name_from(mm_str(driver), &worker->driver))
        return false;
    uint64_t sequence = (uint64_t)tokens_number(words, "sequence", (int64_t)worker->sequence + 1);
    worker->sequence = sequence > worker->sequence ? sequence : worker->sequence;
    self->report = (mm_report_t){
        .is_hello = hello,
        .worker = mm_str(worker->name.text),
        .instance = worker->instance,
        .role = worker->role,
        .session = (uint64_t)tokens_number(words, "session", (int64_t)worker->session),
        .sequence = sequence,
        .stamp_ms = tokens_number(words, "stamp", event->now_ms),
        .slots = worker->slots,
        .driver = mm_str(worker->driver.text),
        .verbs = worker->verbs,
        .part = (uint32_t)tokens_number(words, "part", 0),
        .parts = (uint32_t)tokens_number(words, "parts", 1),
        .held = self->held,
        .results = self->results};
    for (size_t i = 2; i < words->count; i++) {
        char *text = words->words[i];
        if (strncmp(text, "held=", 5) == 0 && !read_held(self, text + 5))
            return false;
        if (strncmp(text, "result=", 7) == 0 && !read_listed_result(self, text + 7))
            return false;
    }
    for (size_t i = 0; i < self->report.result_count; i++)
        if (self->results[i].serial > worker->serial)
            worker->serial = self->results[i].serial;
    self->report.last_serial = (uint64_t)tokens_number(words, "last", (int64_t)worker->serial);
    event->kind = GATHER_REPORT;
    event->as.report = &self->report;
    return is_report(&self->report);
}

static bool read_from(gather_reader_t *self, gather_event_t *event, known_t **ret_worker)
{
    known_t *worker = known(self, word(self, 1));
    if (!worker)
        return false;
    event->as.from.worker = mm_str(worker->name.text);
    event->as.from.instance =
        (uint64_t)tokens_number(&self->words, "nonce", (int64_t)worker->instance);
    event->as.from.session =
        (uint64_t)tokens_number(&self->words, "session", (int64_t)worker->session);
    *ret_worker = worker;
    return true;
}

// The place of a word among names from 0 to `last`; 0 when there is no such word.
static bool read_name(const gather_reader_t *self, const char *key, const char *(*name)(unsigned),
                      unsigned last, unsigned *ret)
{
    const char *text = tokens_value(&self->words, key);
    *ret = 0;
    while (text && *ret <= last && strcmp(text, name(*ret)) != 0)
        (*ret)++;
    return *ret <= last;
}

static const char *end_name(unsigned end)
{
    return mm_end_name((mm_end_t)end);
}

static const char *row_name(unsigned row)
{
    return mm_row_name((mm_attempt_row_t)row);
}

static const char *proof_name(unsigned proof)
{
    return mm_proof_name((mm_proof_t)proof);
}

static bool read_id(const gather_reader_t *self, const char *key, mm_id_t *ret_id)
{
    const char *text = tokens_value(&self->words, key);
    return !text || mm_id_parse(mm_str(text), ret_id);
}

static bool read_ms(const gather_reader_t *self, const char *key, int64_t *ret_ms)
{
    *ret_ms = tokens_number(&self->words, key, 0);
    return *ret_ms >= 0 && *ret_ms <= GATHER_MS;
}

// What a real restart adds to a result.
static bool read_found(gather_reader_t *self, mm_result_t *result)
{
    mm_real_t *real = &self->real;
    *real = (mm_real_t){0};
    unsigned end, row, proof;
    if (!read_name(self, "end", end_name, MM_END_LAST, &end) ||
        !read_name(self, "row", row_name, MM_ROW_NOT_STARTED, &row) ||
        !read_name(self, "proof", proof_name, MM_PROOF_REHEARSED, &proof) ||
        !read_id(self, "machine", &real->machine) || !read_id(self, "boot", &real->boot) ||
        !read_id(self, "after", &real->boot_after) || !read_id(self, "control", &real->control) ||
        !read_ms(self, "first", &real->first_ms) ||
        !read_ms(self, "deadline", &real->deadline_ms) || !read_ms(self, "age", &real->age_ms) ||
        !read_ms(self, "pause", &real->pause_ms))
        return false;
    real->end = (mm_end_t)end;
    real->row = (mm_attempt_row_t)row;
    real->proof = (mm_proof_t)proof;
    real->attempt = (uint32_t)tokens_number(&self->words, "attempt", row != MM_ROW_NONE);
    real->command = (uint32_t)tokens_number(&self->words, "command", 0);
    real->exit = (uint32_t)tokens_number(&self->words, "exit", MM_EXIT_NONE);
    real->ended = (uint32_t)tokens_number(&self->words, "ended", 0);
    real->interrupted = (uint32_t)tokens_number(&self->words, "interrupted", 0);
    real->is_held = tokens_number(&self->words, "held", 0) == 1;
    real->sent = tokens_number(&self->words, "sent", 0) == 1;
    real->more = tokens_number(&self->words, "more", 0) == 1;
    real->owes = tokens_number(&self->words, "owes", 0) == 1;
    real->worker = tokens_str(&self->words, "by");
    real->words = tokens_str(&self->words, "words");
    real->health = tokens_str(&self->words, "health");
    real->seq = (uint64_t)tokens_number(&self->words, "seq", 0);
    if (end != MM_END_NONE || row != MM_ROW_NONE || real->pause_ms > 0 || real->seq > 0)
        result->real = real;
    return real->exit <= MM_EXIT_NONE && real->command <= MM_COMMANDS_MAX &&
           real->words.size <= MM_WORDS_MAX && real->health.size <= MM_HEALTH_MAX &&
           (row == MM_ROW_NONE || real->attempt > 0);
}

// result r1 j1#17 restart ok
static bool read_result(gather_reader_t *self, gather_event_t *event)
{
    known_t *worker;
    mm_result_t *result = &self->results[0];
    *result = (mm_result_t){0};
    if (!read_from(self, event, &worker) ||
        !read_task(word(self, 2), &result->id, &result->number) ||
        !read_leg(word(self, 3), &result->leg) || !read_status(word(self, 4), &result->status))
        return false;
    result->outcome = read_outcome(tokens_value(&self->words, "outcome"));
    result->error = tokens_str(&self->words, "error");
    result->serial = (uint64_t)tokens_number(&self->words, "serial", (int64_t)worker->serial + 1);
    if (result->serial > worker->serial)
        worker->serial = result->serial;
    event->kind = GATHER_RESULT;
    event->as.from.result = result;
    return read_found(self, result) && is_result(result);
}

static bool read_job(gather_reader_t *self, gather_event_t *event)
{
    mm_job_t *job = &event->as.job.job;
    if (!mm_id_parse(mm_str(word(self, 1)), &job->id))
        return false;
    event->kind = GATHER_JOB;
    job->host = tokens_str(&self->words, "host");
    job->delivery = (uint32_t)tokens_number(&self->words, "delivery", 1);
    job->withdrawn = tokens_value(&self->words, "withdrawn") != NULL;
    event->as.job.publisher = tokens_str(&self->words, "publisher");
    if (event->as.job.publisher.size == 0)
        event->as.job.publisher = mm_str("p1");
    event->as.job.epoch = (uint64_t)tokens_number(&self->words, "life", (int64_t)self->epoch);
    event->as.job.driver = tokens_str(&self->words, "driver");
    event->as.job.dead = (uint64_t)tokens_number(&self->words, "dead", 0);
    event->as.job.run = (uint64_t)tokens_number(&self->words, "run", 0);
    return tokens_attributes(&self->words, &job->attributes) && is_job(event);
}

static bool read_kind(gather_reader_t *self, gather_event_t *event)
{
    const char *kind = word(self, 0);
    known_t *worker;
    if (strcmp(kind, "job") == 0)
        return read_job(self, event);
    if (strcmp(kind, "hello") == 0 || strcmp(kind, "heartbeat") == 0)
        return read_report(self, *kind == 'h' && kind[2] == 'l', event);
    if (strcmp(kind, "result") == 0)
        return read_result(self, event);
    if (strcmp(kind, "started") == 0) {
        event->kind = GATHER_STARTED;
        event->as.from.number = strtoull(word(self, 2) + (*word(self, 2) == '#'), NULL, 10);
        return read_from(self, event, &worker);
    }
    if (strcmp(kind, "bye") == 0) {
        event->kind = GATHER_BYE;
        if (!read_from(self, event, &worker))
            return false;
        event->as.from.last_serial =
            (uint64_t)tokens_number(&self->words, "last", (int64_t)worker->serial);
        return true;
    }
    if (strcmp(kind, "revoked") == 0) {
        event->kind = GATHER_REVOKED;
        worker = known(self, word(self, 1));
        if (!worker)
            return false;
        event->as.revoked.worker = mm_str(worker->name.text);
        event->as.revoked.role = read_role(self, worker->role);
        return true;
    }
    if (strcmp(kind, "cut") == 0) {
        event->kind = GATHER_CUT;
        event->as.cut.session = (uint64_t)tokens_number(&self->words, "session", 0);
        return true;
    }
    if (strcmp(kind, "rebound") == 0) {
        event->kind = GATHER_REBOUND;
        return true;
    }
    if (strcmp(kind, "time") == 0) {
        event->kind = GATHER_TIME;
        event->as.time.inbox_empty = tokens_value(&self->words, "inbox") == NULL;
        return true;
    }
    if (strcmp(kind, "ask") == 0) {
        event->kind = GATHER_ASK;
        event->as.job.epoch = (uint64_t)tokens_number(&self->words, "life", 0);
        event->as.job.publisher = tokens_str(&self->words, "publisher");
        event->as.job.dead = (uint64_t)tokens_number(&self->words, "dead", 0);
        return gate_reader_ask(&self->gate, &self->words, event);
    }
    event->kind = GATHER_DRAIN;
    return strcmp(kind, "drain") == 0 || gate_reader_event(&self->gate, &self->words, event);
}

bool gather_reader_event(gather_reader_t *self, const char *line, gather_event_t *ret_event)
{
    char *end;
    const char *from = strchr(line, '[');
    if (!from)
        return complain(self, "a line starts with [milliseconds]", line);
    gather_event_t event = {.now_ms = strtoll(from + 1, &end, 10)};
    if (event.now_ms < self->now_ms || event.now_ms > GATHER_MS)
        return complain(self, "before the last event, or no time at all", line);
    if (*end != ']' || !split(self, end + 1) || !read_kind(self, &event))
        return complain(self, "not an event", line);
    if (event.kind == GATHER_STATE && self->gate.state.session == 0)
        self->gate.state.session = self->asked.session;
    if (event.kind == GATHER_STATE && self->gate.state.question == 0)
        self->gate.state.question = self->asked.question;
    self->now_ms = event.now_ms;
    *ret_event = event;
    return true;
}

void gather_reader_follow(gather_reader_t *self, const gather_actions_t *actions)
{
    for (size_t i = 0; i < actions->count; i++) {
        const gather_action_t *action = &actions->items[i];
        known_t *saver = action->kind == GATHER_ORDERS && action->as.orders.question > 0
                             ? known(self, action->as.orders.worker)
                             : NULL;
        if (saver)
            self->asked = (mm_state_body_t){.worker = mm_str(saver->name.text),
                                            .instance = saver->instance,
                                            .session = action->as.orders.session,
                                            .run = action->as.orders.run,
                                            .question = action->as.orders.question,
                                            .from = action->as.orders.from};
        if (action->kind != GATHER_WELCOME)
            continue;
        known_t *worker = known(self, actions->items[i].as.answer.worker.text);
        if (worker)
            worker->session = actions->items[i].as.answer.session;
    }
}

bool gather_reader_state(gather_reader_t *self, gather_event_t *ret_event)
{
    if (self->asked.session == 0)
        return false;
    self->gate.state = self->asked;
    self->asked.session = 0;
    *ret_event = (gather_event_t){
        .kind = GATHER_STATE, .now_ms = self->now_ms, .as.state = &self->gate.state};
    return true;
}
