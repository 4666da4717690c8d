// See event_stream.h.

#include "event_stream.h"
#include "clock.h"
#include "host.h"
#include "uuid.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SEND_MS   100 // the events of this time are sent together: at most
#define EVERYDAY  200 // of pulled and acked jobs, and
#define RARE      300 // others
#define BYTES_MAX (MM_REPLY_BYTES - 4096)
#define WORD_SIZE 16

typedef struct {
    uint64_t viewer;
    int64_t until_ms;
    char host[MM_HOST_MAX + 1]; // "*": any
    char event[WORD_SIZE];
} subscriber_t;

struct stream {
    subscriber_t subscribers[EVENT_STREAM_MAX];
    size_t count;
    json_t *events; // NULL: none
    size_t everyday;
    size_t rare;
    size_t bytes; // upper bound of their JSON
    uint64_t left_out;
    int64_t send_ms;
};

event_stream_t *event_stream_new(void)
{
    event_stream_t *self = calloc(1, sizeof *self);
    assert(self);
    self->send_ms = MM_NEVER;
    return self;
}

void event_stream_destroy(event_stream_t **self_p)
{
    if (!*self_p)
        return;
    json_decref((*self_p)->events);
    free(*self_p);
    *self_p = NULL;
}

// The viewer's entry, or a new one; NULL: all are taken.
static subscriber_t *subscriber_of(event_stream_t *self, uint64_t viewer)
{
    for (size_t i = 0; i < self->count; i++)
        if (self->subscribers[i].viewer == viewer)
            return &self->subscribers[i];
    return self->count < EVENT_STREAM_MAX ? &self->subscribers[self->count++] : NULL;
}

static void drop_old(event_stream_t *self, int64_t now_ms)
{
    size_t kept = 0;
    for (size_t i = 0; i < self->count; i++)
        if (now_ms < self->subscribers[i].until_ms)
            self->subscribers[kept++] = self->subscribers[i];
    self->count = kept;
}

void event_stream_add(event_stream_t *self, uint64_t viewer, mm_str_t wanted, int64_t now_ms)
{
    const char *blank = wanted.size > 0 ? memchr(wanted.data, ' ', wanted.size) : NULL;
    size_t host_size = blank ? (size_t)(blank - wanted.data) : 0;
    size_t event_size = blank ? wanted.size - host_size - 1 : 0;
    if (host_size == 0 || host_size > MM_HOST_MAX || event_size == 0 || event_size >= WORD_SIZE)
        return;
    drop_old(self, now_ms);
    subscriber_t *subscriber = subscriber_of(self, viewer);
    if (!subscriber)
        return;
    *subscriber = (subscriber_t){.viewer = viewer, .until_ms = now_ms + EVENT_STREAM_MS};
    memcpy(subscriber->host, wanted.data, host_size);
    memcpy(subscriber->event, blank + 1, event_size);
}

bool event_stream_is_on(event_stream_t *self, int64_t now_ms)
{
    if (self->count > 0)
        drop_old(self, now_ms);
    return self->count > 0;
}

// ---- what has happened

static void set_text(json_t *object, const char *key, mm_str_t text)
{
    if (text.size > 0)
        json_object_set_new(object, key, json_stringn(text.data, text.size));
}

static void set_job(json_t *object, const mm_id_t *id, mm_str_t host)
{
    char text[MM_ID_TEXT];
    json_object_set_new(object, "job", json_string(mm_id_print(id, text)));
    set_text(object, "host", host);
}

static void fill_note(json_t *object, const gather_action_t *action)
{
    const __typeof__(action->as.log) *log = &action->as.log;
    if (log->host.size > 0)
        set_job(object, &log->id, log->host);
    if (log->log == GATHER_LOG_RETRY) {
        json_object_set_new(object, "leg",
                            json_string(log->leg == MM_LEG_RESTART ? "restart" : "save"));
        json_object_set_new(object, "attempt", json_integer(log->attempt));
        json_object_set_new(object, "in_ms", json_integer(log->delay_ms));
    }
    if (log->log == GATHER_LOG_RETRY || log->log == GATHER_LOG_RECLAIMED ||
        log->log == GATHER_LOG_HELD)
        set_text(object, "error", log->error);
    if (log->log == GATHER_LOG_WORKER_LOST)
        set_text(object, "why", log->error);
    set_text(object, "worker", mm_str(log->worker.text));
}

// Of what holds restarts back: of which group or host, why, by whom.
static void fill_held(json_t *object, const gather_action_t *action)
{
    const __typeof__(action->as.news) *news = &action->as.news;
    if (news->news == GATHER_NEWS_ORDERED)
        set_text(object, "what", mm_str(mm_action_name(news->action)));
    set_text(object, "name", mm_str(news->name));
    set_text(object, "why", mm_str(news->reason));
    set_text(object, "by", mm_str(news->actor));
}

static void fill_notice(json_t *object, const gather_action_t *action)
{
    const mm_verdict_t *verdict = &action->as.verdict.verdict;
    set_job(object, &verdict->id, action->as.verdict.host);
    if (verdict->kind == MM_VERDICT_ACK || verdict->kind == MM_VERDICT_DEAD ||
        verdict->kind == MM_VERDICT_WITHDRAWN)
        json_object_set_new(object, "attempts", json_integer(verdict->attempts));
    set_text(object, "error", verdict->error);
}

static void fill_worker(json_t *object, const gather_action_t *action)
{
    set_text(object, "worker", mm_str(action->as.answer.worker.text));
}

typedef struct {
    const char *name; // NULL: viewers do not see it
    void (*fill)(json_t *object, const gather_action_t *action);
    bool is_everyday;
    mm_str_t host; // empty: of no job
} event_t;

static event_t event_of_news(gather_news_t news)
{
    switch (news) {
    case GATHER_NEWS_ORDERED: return (event_t){.name = "ordered", .fill = fill_held};
    case GATHER_NEWS_TRIPPED: return (event_t){.name = "tripped", .fill = fill_held};
    case GATHER_NEWS_STEP: return (event_t){.name = "step", .fill = fill_held};
    case GATHER_NEWS_STATE:
    case GATHER_NEWS_WAITS: break;
    }
    return (event_t){0};
}

static event_t event_of(const gather_action_t *action)
{
    if (action->kind == GATHER_OPEN)
        return (event_t){.name = "joined", .fill = fill_worker};
    if (action->kind == GATHER_VERDICT) {
        mm_str_t host = action->as.verdict.host;
        switch (action->as.verdict.verdict.kind) {
        case MM_VERDICT_EXTEND:
            return action->as.verdict.is_first ? (event_t){"pulled", fill_notice, true, host}
                                               : (event_t){0};
        case MM_VERDICT_ACK: return (event_t){"acked", fill_notice, true, host};
        case MM_VERDICT_SKIPPED: return (event_t){"skipped", fill_notice, true, host};
        case MM_VERDICT_WITHDRAWN: return (event_t){"withdrawn", fill_notice, false, host};
        case MM_VERDICT_NACK: return (event_t){"nacked", fill_notice, false, host};
        case MM_VERDICT_DEAD: return (event_t){"dead", fill_notice, false, host};
        }
    }
    if (action->kind == GATHER_NEWS)
        return event_of_news(action->as.news.news);
    if (action->kind != GATHER_LOG)
        return (event_t){0};
    mm_str_t host = action->as.log.host;
    switch (action->as.log.log) {
    case GATHER_LOG_IN_FLIGHT: return (event_t){0};
    case GATHER_LOG_RETRY: return (event_t){"retried", fill_note, false, host};
    case GATHER_LOG_WORKER_LOST: return (event_t){.name = "lost", .fill = fill_note};
    case GATHER_LOG_WORKER_LEFT: return (event_t){.name = "left", .fill = fill_note};
    case GATHER_LOG_RECLAIMED: return (event_t){"taken_back", fill_note, false, host};
    case GATHER_LOG_BEGUN: return (event_t){"begun", fill_note, false, host};
    case GATHER_LOG_LOOKING: return (event_t){"looking", fill_note, false, host};
    case GATHER_LOG_INTERRUPTED: return (event_t){"interrupted", fill_note, false, host};
    case GATHER_LOG_OPEN: return (event_t){"open", fill_note, false, host};
    case GATHER_LOG_PAUSED: return (event_t){.name = "paused", .fill = fill_note};
    case GATHER_LOG_HELD: return (event_t){"held", fill_note, false, host};
    case GATHER_LOG_UNABLE: return (event_t){.name = "unable", .fill = fill_note};
    case GATHER_LOG_CLAIM:
    case GATHER_LOG_OTHER_RUN:
    case GATHER_LOG_OTHER_DRIVER: return (event_t){0};
    case GATHER_LOG_STARTS_ENDED: return (event_t){.name = "starts_ended", .fill = fill_note};
    case GATHER_LOG_TOO_MANY_DEAD: return (event_t){.name = "too_many_dead", .fill = fill_note};
    }
    return (event_t){0};
}

static bool is_wanted(const event_stream_t *self, const event_t *event)
{
    for (size_t i = 0; i < self->count; i++) {
        const subscriber_t *subscriber = &self->subscribers[i];
        bool any_host = strcmp(subscriber->host, "*") == 0;
        bool any_event = strcmp(subscriber->event, "*") == 0;
        if ((any_host || mm_str_equal(mm_str(subscriber->host), event->host)) &&
            (any_event || strcmp(subscriber->event, event->name) == 0))
            return true;
    }
    return false;
}

static size_t bytes_of(const json_t *object)
{
    return json_dumpb(object, NULL, 0, JSON_COMPACT) + 1;
}

void event_stream_see(event_stream_t *self, const gather_action_t *action, int64_t now_ms)
{
    event_t event = event_of(action);
    if (!event.name || !is_wanted(self, &event))
        return;
    if (self->send_ms == MM_NEVER)
        self->send_ms = now_ms + SEND_MS;
    size_t *count = event.is_everyday ? &self->everyday : &self->rare;
    if (*count >= (event.is_everyday ? EVERYDAY : RARE) || self->bytes >= BYTES_MAX) {
        self->left_out++;
        return;
    }
    ++*count;
    json_t *object =
        json_pack("{s:I, s:s}", "wall_ms", (json_int_t)mm_clock_wall_ms(), "event", event.name);
    assert(object);
    event.fill(object, action);
    self->bytes += bytes_of(object);
    if (!self->events)
        self->events = json_array();
    json_array_append_new(self->events, object);
}

int64_t event_stream_deadline(const event_stream_t *self)
{
    return self->send_ms;
}

json_t *event_stream_take(event_stream_t *self)
{
    json_t *json = json_pack("{s:o, s:I}", "events", self->events ? self->events : json_array(),
                             "left_out", (json_int_t)self->left_out);
    assert(json);
    self->events = NULL;
    self->everyday = self->rare = 0;
    self->bytes = 0;
    self->left_out = 0;
    self->send_ms = MM_NEVER;
    return json;
}
