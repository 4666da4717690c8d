// See attach.h. First it asks for the address of the viewers' socket. Then it asks for an empty job
// until it hears the reply there: replies before the subscription has arrived are lost. Only then
// does it ask for what is wanted. When the consumer is silent it begins again, since another epoch
// of the consumer may have another address. Of several consumers it hears the heartbeats, too, and
// attaches to the one that it follows.

#include "attach.h"
#include "clock.h"
#include "consumers.h"
#include "ctl.h"
#include "host.h"
#include "socket.h"
#include "stats_merge.h"
#include "uuid.h"
#include "uuid_source.h"
#include "wire.h"

#include <assert.h>
#include <stdlib.h>

#define ASK_MS 1000 // between two snapshots
#define AGAIN_MS                                                                                   \
    450 // between the first and the second: the consumer passes a question on each 400 ms
#define WAIT_MS   300  // for replies, before a snapshot is made without them
#define FIRST_MS  900  // the same before the first snapshot
#define WHERE_MS  200  // between two questions for the address
#define HELLO_MS  50   // between two empty questions
#define WATCH_MS  2000 // between two requests for events
#define ORDER_MS  500  // between two frames with the same order
#define SILENT_MS 3000 // then the sockets are opened again
#define BEAT_MS   1000 // at least as long as a heartbeat of consumers usually is
#define ASKED_MAX 16   // questions that wait until they can be sent
#define NOWHERE   SIZE_MAX

typedef struct {
    mm_about_t about;
    char process[MM_NAME_MAX + 1];
    uint32_t seconds;
    char text[MM_ASKED_MAX + 1];
} question_t;

struct attach {
    mm_addresses_t addresses;
    uint64_t instance;
    mm_consumers_t *consumers;
    mm_socket_t *viewers;    // NULL: its address is not known
    mm_link_t *viewers_link; // of the consumer whose viewers they are
    bool is_open;            // a reply was heard there
    char suffix[32];
    zmq_msg_t message;
    mm_encoder_t *encoder;
    mm_decoder_t *decoder;
    stats_merge_t *merge;
    snapshot_t snapshot;
    json_t *json;      // of the last news
    int64_t heard_ms;  // the consumer; MM_NEVER: not yet
    int64_t opened_ms; // the sockets
    int64_t where_ms;  // next question for the address, or next empty one
    int64_t ask_ms;    // next stats query
    int64_t asked_ms;  // last one; MM_NEVER: its snapshot has been made
    question_t wanted; // events; with an empty text: none
    int64_t watch_ms;  // when to ask for them again
    question_t questions[ASKED_MAX];
    size_t question_count;
    const mm_order_t *order; // the caller's; NULL: none
    bool hands_over;         // the order is a handover
    bool is_handed_over;     // it has been, and that is news
    int64_t order_ms;        // when to send it again
};

// ---- sockets

// A heartbeat tells which one of several leads.
static void subscribe(void *arg, mm_socket_t *events)
{
    const attach_t *self = arg;
    char topic[MM_TOPIC_MAX];
    mm_socket_subscribe(events, mm_topic("viewers", NULL, topic));
    if (self->addresses.count > 1)
        mm_socket_subscribe(events, mm_topic("consumer", NULL, topic));
}

static void close_viewers(attach_t *self)
{
    if (self->viewers)
        mm_link_leave(self->viewers_link, self->viewers);
    mm_socket_destroy(&self->viewers);
    self->suffix[0] = '\0';
    self->is_open = false;
}

// What was asked of another consumer is asked again.
static void ask_anew(attach_t *self)
{
    self->opened_ms = mm_clock_ms();
    self->where_ms = self->ask_ms = self->watch_ms = self->opened_ms;
    self->asked_ms = MM_NEVER;
}

static void begin_anew(void *arg)
{
    attach_t *self = arg;
    close_viewers(self);
    mm_consumers_reopen(self->consumers);
    ask_anew(self);
}

attach_t *attach_new(const mm_addresses_t *addresses, const mm_key_t *key)
{
    attach_t *self = calloc(1, sizeof *self);
    assert(self);
    self->addresses = *addresses;
    self->instance = mm_instance_draw();
    self->encoder = mm_encoder_new();
    self->decoder = mm_decoder_new();
    self->merge = stats_merge_new();
    self->heard_ms = MM_NEVER;
    (void)zmq_msg_init(&self->message);
    self->consumers = mm_consumers_new(&(mm_consumers_config_t){.addresses = &self->addresses,
                                                                .key = key,
                                                                .role = MM_SOCKET_INBOX,
                                                                .name = "inbox",
                                                                .heartbeat_ms = BEAT_MS,
                                                                .lost_after_ms = SILENT_MS,
                                                                .subscribe = subscribe,
                                                                .cut = begin_anew,
                                                                .arg = self});
    ask_anew(self);
    return self;
}

void attach_destroy(attach_t **self_p)
{
    attach_t *self = *self_p;
    if (!self)
        return;
    *self_p = NULL;
    close_viewers(self);
    mm_consumers_destroy(&self->consumers);
    (void)zmq_msg_close(&self->message);
    mm_encoder_destroy(&self->encoder);
    mm_decoder_destroy(&self->decoder);
    stats_merge_destroy(&self->merge);
    snapshot_clear(&self->snapshot);
    json_decref(self->json);
    free(self);
    mm_socket_end();
}

// ---- asking

static bool ask(attach_t *self, const question_t *question)
{
    mm_encode_frame(self->encoder, &(mm_frame_t){.kind = MM_FRAME_QUERY,
                                                 .as.query = {.viewer = self->instance,
                                                              .about = question->about,
                                                              .process = mm_str(question->process),
                                                              .seconds = question->seconds,
                                                              .text = mm_str(question->text)}});
    return mm_consumers_ask(self->consumers, mm_encoder_bytes(self->encoder));
}

static void keep(attach_t *self, mm_about_t about, const char *process, uint32_t seconds,
                 const char *text)
{
    if (self->question_count == ASKED_MAX)
        return;
    question_t *question = &self->questions[self->question_count++];
    *question = (question_t){.about = about, .seconds = seconds};
    (void)snprintf(question->process, sizeof question->process, "%s", process);
    (void)snprintf(question->text, sizeof question->text, "%s", text);
}

void attach_ask_profile(attach_t *self, const char *process, uint32_t seconds)
{
    keep(self, MM_ABOUT_PROFILE, process ? process : "", seconds, "");
}

void attach_ask_job(attach_t *self, const char *host_or_id)
{
    keep(self, MM_ABOUT_JOB, "", 0, host_or_id);
}

void attach_ask_hosts(attach_t *self)
{
    keep(self, MM_ABOUT_HOSTS, "", 0, "");
}

void attach_watch_events(attach_t *self, const char *host, const char *outcome)
{
    self->wanted.about = MM_ABOUT_EVENTS;
    (void)snprintf(self->wanted.text, sizeof self->wanted.text, "%.200s %.50s", host ? host : "*",
                   outcome ? outcome : "*");
    self->watch_ms = mm_clock_ms();
}

void attach_order(attach_t *self, const mm_order_t *order)
{
    self->order = order;
    self->order_ms = mm_clock_ms();
}

void attach_hand_over(attach_t *self, const mm_order_t *order)
{
    attach_order(self, order);
    self->hands_over = true;
}

static bool may_order(const attach_t *self)
{
    return self->order && (self->is_open || self->order->action == MM_ACTION_HALT ||
                           self->order->action == MM_ACTION_DENY);
}

static void send_order(attach_t *self, int64_t now_ms)
{
    mm_frame_t frame = {.kind = MM_FRAME_ORDER,
                        .as.order = {.viewer = self->instance, .items = self->order, .count = 1}};
    if (self->hands_over)
        frame = (mm_frame_t){.kind = MM_FRAME_HANDOVER,
                             .as.handover = {.viewer = self->instance,
                                             .id = self->order->id,
                                             .why = self->order->why,
                                             .actor = self->order->actor}};
    mm_encode_frame(self->encoder, &frame);
    bool is_sent = mm_consumers_ask(self->consumers, mm_encoder_bytes(self->encoder));
    self->order_ms = now_ms + (is_sent ? ORDER_MS : HELLO_MS);
}

// Sends what is due.
static void ask_due(attach_t *self, int64_t now_ms)
{
    if (may_order(self) && now_ms >= self->order_ms)
        send_order(self, now_ms); // the answer may be missed until the socket for it is open
    if (!self->is_open) {
        mm_about_t about = self->viewers ? MM_ABOUT_JOB : MM_ABOUT_VIEWERS;
        if (now_ms >= self->where_ms) {
            (void)ask(self, &(question_t){.about = about}); // fails while no consumer is there
            self->where_ms = now_ms + (self->viewers ? HELLO_MS : WHERE_MS);
        }
        return;
    }
    if (now_ms >= self->ask_ms) {
        if (ask(self, &(question_t){.about = MM_ABOUT_STATS}))
            self->asked_ms = now_ms;
        self->ask_ms = now_ms + (self->snapshot.process_count > 0 ? ASK_MS : AGAIN_MS);
    }
    if (*self->wanted.text && now_ms >= self->watch_ms)
        self->watch_ms = now_ms + (ask(self, &self->wanted) ? WATCH_MS : WHERE_MS);
    size_t asked = 0;
    while (asked < self->question_count && ask(self, &self->questions[asked]))
        asked++;
    memmove(self->questions, self->questions + asked,
            (self->question_count - asked) * sizeof *self->questions);
    self->question_count -= asked;
}

// ---- hearing

static void connect_viewers(attach_t *self, mm_str_t suffix, int64_t now_ms)
{
    char endpoint[MM_ENDPOINT_MAX], topic[MM_TOPIC_MAX];
    if (suffix.size == 0 || suffix.size >= sizeof self->suffix ||
        mm_str_equal(suffix, mm_str(self->suffix)))
        return;
    close_viewers(self);
    memcpy(self->suffix, suffix.data, suffix.size);
    self->suffix[suffix.size] = '\0';
    self->viewers = mm_socket_new(ZMQ_SUB);
    self->viewers_link = mm_consumers_link(self->consumers);
    mm_socket_subscribe(self->viewers, mm_topic("viewers", NULL, topic));
    (void)mm_link_connect( // a bad one is silent
        self->viewers_link, self->viewers,
        mm_endpoint_suffix(mm_consumers_base(self->consumers), self->suffix, endpoint), false);
    self->where_ms = now_ms;
}

static bool is_answer(const attach_t *self)
{
    char id[MM_ID_TEXT];
    return self->order &&
           strcmp(ctl_text(self->json, "order"), mm_id_print(&self->order->id, id)) == 0;
}

// The news in a reply; NOTHING when it is for another viewer, or only merged.
static news_kind_t receive_reply(attach_t *self, const mm_frame_t *frame, int64_t now_ms)
{
    mm_about_t about = frame->as.tell.about;
    mm_str_t text = frame->as.tell.text;
    uint64_t viewer = frame->as.tell.viewer;
    self->heard_ms = now_ms;
    if (about == MM_ABOUT_VIEWERS) {
        connect_viewers(self, text, now_ms);
        return NEWS_NOTHING;
    }
    self->is_open = true;
    if (viewer != 0 && viewer != self->instance)
        return NEWS_NOTHING;
    json_decref(self->json);
    self->json = json_loadb(text.data, text.size, 0, NULL);
    if (!json_is_object(self->json))
        return NEWS_NOTHING;
    switch (about) {
    case MM_ABOUT_STATS: stats_merge_add(self->merge, self->json, now_ms); return NEWS_NOTHING;
    case MM_ABOUT_PROFILE: return NEWS_PROFILE;
    case MM_ABOUT_EVENTS: return *self->wanted.text ? NEWS_EVENTS : NEWS_NOTHING;
    case MM_ABOUT_JOB: // the reply to an empty question has done its work
        return *ctl_text(self->json, "asked") ? NEWS_JOB : NEWS_NOTHING;
    case MM_ABOUT_HOSTS: return NEWS_HOSTS;
    case MM_ABOUT_ORDERS:
        if (!is_answer(self))
            return NEWS_NOTHING;
        self->order = NULL;
        return NEWS_ORDER;
    case MM_ABOUT_VIEWERS: break;
    }
    return NEWS_NOTHING;
}

// Another one leads: that is what was wanted, and it must not be asked to hand over in its turn.
static void see_handed_over(attach_t *self)
{
    if (!self->order || !self->hands_over)
        return;
    self->order = NULL;
    self->is_handed_over = true;
    json_decref(self->json);
    self->json = json_object(); // without an error
}

// Of several consumers nothing counts before one is followed: any of them may stand by. Whoever
// follows another one attaches anew.
static bool counts(attach_t *self, size_t at, const mm_frame_t *frame, int64_t now_ms)
{
    bool did_follow = mm_consumers_follows(self->consumers);
    size_t followed = mm_consumers_followed(self->consumers);
    bool is_one = mm_consumers_count(self->consumers) == 1;
    bool counts = mm_consumers_counts(self->consumers, at, frame, now_ms);
    if (did_follow && followed != mm_consumers_followed(self->consumers)) {
        close_viewers(self);
        ask_anew(self);
        see_handed_over(self);
    }
    return is_one || (counts && mm_consumers_follows(self->consumers));
}

// at: the address of an events socket; NOWHERE: it is the one for viewers.
static news_kind_t hear(attach_t *self, mm_socket_t *socket, size_t at, int64_t now_ms)
{
    news_kind_t news = self->is_handed_over ? NEWS_ORDER : NEWS_NOTHING;
    mm_received_t received = MM_RECEIVED_FRAME;
    self->is_handed_over = false;
    while (news == NEWS_NOTHING && received != MM_RECEIVED_NONE && socket) {
        mm_frame_t frame;
        received = mm_socket_receive(socket, true, &self->message);
        if (received == MM_RECEIVED_FRAME &&
            mm_socket_decode(self->decoder, &self->message, &frame) == MM_WIRE_OK &&
            (at == NOWHERE || counts(self, at, &frame, now_ms)) && frame.kind == MM_FRAME_TELL)
            news = receive_reply(self, &frame, now_ms);
    }
    return news;
}

// How long to wait for replies: the first time the processes are not known.
static int64_t patience_ms(const attach_t *self)
{
    return self->snapshot.process_count > 0 ? WAIT_MS : FIRST_MS;
}

static bool make_snapshot(attach_t *self, int64_t now_ms)
{
    if (self->asked_ms == MM_NEVER || (now_ms < self->asked_ms + patience_ms(self) &&
                                       !stats_merge_is_complete(self->merge, self->asked_ms)))
        return false;
    self->asked_ms = MM_NEVER;
    snapshot_t snapshot = stats_merge_snapshot(self->merge, now_ms, mm_clock_wall_ms());
    if (snapshot.process_count == 0) { // no reply yet
        snapshot_clear(&snapshot);
        return false;
    }
    snapshot_clear(&self->snapshot);
    self->snapshot = snapshot;
    return true;
}

static void reopen_silent(attach_t *self, int64_t now_ms)
{
    int64_t since_ms = self->heard_ms == MM_NEVER || self->heard_ms < self->opened_ms
                           ? self->opened_ms
                           : self->heard_ms;
    if (now_ms - since_ms < SILENT_MS)
        return;
    begin_anew(self);
}

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

// When ask_due or make_snapshot has something to do.
static int64_t next_due(const attach_t *self)
{
    int64_t due = self->is_open ? self->ask_ms : self->where_ms;
    if (may_order(self))
        due = earlier(due, self->order_ms);
    if (self->is_open && *self->wanted.text)
        due = earlier(due, self->watch_ms);
    if (self->asked_ms != MM_NEVER)
        due = earlier(due, self->asked_ms + patience_ms(self));
    return due;
}

// Waits until something can be read. True: the descriptor can.
static bool wait_for(attach_t *self, int descriptor, int64_t until_ms)
{
    enum { READABLE, VIEWERS, WAYS };
    zmq_pollitem_t items[WAYS + 2 * MM_ADDRESSES_MAX] = {
        [READABLE] = {.fd = descriptor, .events = ZMQ_POLLIN}, // ignored below 0
        [VIEWERS] = {.fd = -1}};
    int64_t long_ms = until_ms - mm_clock_ms();
    size_t count = mm_consumers_count(self->consumers);
    if (self->viewers)
        items[VIEWERS] = (zmq_pollitem_t){.socket = mm_socket_zmq(self->viewers), //
                                          .events = ZMQ_POLLIN};
    for (size_t i = 0; i < count; i++) {
        zmq_pollitem_t *way = &items[WAYS + 2 * i];
        way[0].socket = mm_socket_zmq(mm_consumers_events(self->consumers, i));
        way[1].fd = mm_link_descriptor(mm_consumers_link_at(self->consumers, i));
        way[0].events = way[1].events = ZMQ_POLLIN;
    }
    (void)zmq_poll(items, (int)(WAYS + 2 * count),
                   long_ms < 0 ? 0 : (long)earlier(long_ms, ASK_MS));
    for (size_t i = 0; i < count; i++)
        if (items[WAYS + 2 * i + 1].revents != 0)
            mm_link_step(mm_consumers_link_at(self->consumers, i));
    return items[READABLE].revents != 0;
}

news_t attach_next(attach_t *self, int descriptor, int timeout_ms)
{
    int64_t now_ms = mm_clock_ms();
    int64_t end_ms = timeout_ms < 0 ? MM_NEVER : now_ms + timeout_ms;
    news_t news = {.kind = NEWS_NOTHING};
    for (bool is_readable = false;;) {
        news.kind = hear(self, self->viewers, NOWHERE, now_ms);
        for (size_t i = 0; i < self->addresses.count && news.kind == NEWS_NOTHING; i++)
            news.kind = hear(self, mm_consumers_events(self->consumers, i), i, now_ms);
        if (news.kind == NEWS_NOTHING && make_snapshot(self, now_ms))
            news.kind = NEWS_SNAPSHOT;
        if (news.kind != NEWS_NOTHING || is_readable || now_ms >= end_ms)
            break;
        reopen_silent(self, now_ms);
        (void)mm_consumers_turn(self->consumers, now_ms); // it is woken often
        ask_due(self, now_ms);
        is_readable = wait_for(self, descriptor, earlier(end_ms, next_due(self)));
        now_ms = mm_clock_ms();
    }
    news.snapshot = news.kind == NEWS_SNAPSHOT ? &self->snapshot : NULL;
    news.json = news.kind == NEWS_SNAPSHOT || news.kind == NEWS_NOTHING ? NULL : self->json;
    return news;
}

const char *attach_complaint(const attach_t *self)
{
    return mm_consumers_complaint(self->consumers);
}

int64_t attach_silent_ms(const attach_t *self)
{
    return self->heard_ms == MM_NEVER ? MM_NEVER : mm_clock_ms() - self->heard_ms;
}
