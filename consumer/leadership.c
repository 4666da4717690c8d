// See leadership.h.

#include "leadership.h"
#include "clock.h"
#include "duration.h"
#include "log.h"
#include "socket.h"
#include "uuid_source.h"
#include "wire.h"

#include <assert.h>
#include <stdlib.h>

struct leadership {
    leadership_config_t config;
    lease_t lease;
    mm_encoder_t *encoder;
    bool is_handed_over;
};

static void send_ask(leadership_t *self, const mm_lease_ask_body_t *ask)
{
    char topic[MM_TOPIC_MAX];
    mm_frame_t frame = {.kind = MM_FRAME_LEASE_ASK, .as.lease_ask = *ask};
    frame.as.lease_ask.consumer = mm_str(self->config.name);
    mm_encode_frame(self->encoder, &frame);
    broadcast_send(self->config.events, mm_topic("lease", NULL, topic),
                   mm_encoder_bytes(self->encoder));
}

static void apply(leadership_t *self, const lease_action_t *action, bool was_leading)
{
    void *arg = self->config.arg;
    switch (action->kind) {
    case LEASE_ASK: send_ask(self, &action->as.ask); break;
    case LEASE_LEAD:
        mm_log(MM_LOG_INFO, "This consumer leads", MM_INT("epoch", action->as.epoch));
        self->config.lead(arg, action->as.epoch);
        break;
    case LEASE_TRUST:
        if (!was_leading && self->lease.lead_ms < self->lease.now_ms)
            mm_log(MM_LOG_INFO, "The lease was renewed: this consumer leads on");
        self->config.trust(arg, action->as.until_ms);
        break;
    case LEASE_SUSPEND:
        mm_log(MM_LOG_WARN, "The lease was not renewed in time: nothing is handed out until it is");
        self->config.trust(arg, self->lease.now_ms);
        break;
    case LEASE_STOP: self->config.trust(arg, self->lease.now_ms); break;
    case LEASE_ORDERS: self->config.beside(arg, action->as.is_halted); break;
    case LEASE_LEAVE:
        mm_log(MM_LOG_WARN, "This consumer leads no longer", MM_STRING("why", action->as.reason));
        self->config.leave(arg, action->as.reason);
        break;
    }
}

static void step(leadership_t *self, lease_event_t event)
{
    lease_actions_t actions;
    bool was_leading = self->lease.state == LEASE_LEADING;
    event.now_ms = mm_clock_ms();
    lease_step(&self->lease, &event, &actions);
    for (size_t i = 0; i < actions.count; i++)
        apply(self, &actions.items[i], was_leading);
}

leadership_t *leadership_new(const leadership_config_t *config)
{
    leadership_t *self = calloc(1, sizeof *self);
    assert(self);
    self->config = *config;
    self->encoder = mm_encoder_new();
    lease_config_t lease = lease_config(mm_instance_draw(), config->lost_after_ms);
    lease_init(&self->lease, &lease, mm_clock_ms());
    return self;
}

void leadership_destroy(leadership_t **self_p)
{
    leadership_t *self = *self_p;
    if (!self)
        return;
    *self_p = NULL;
    mm_encoder_destroy(&self->encoder);
    free(self);
}

void leadership_hear(leadership_t *self, const mm_lease_body_t *answer)
{
    step(self, (lease_event_t){.kind = LEASE_ANSWER, .as.answer = answer});
}

void leadership_hear_restarter(leadership_t *self, uint64_t session)
{
    step(self, (lease_event_t){.kind = LEASE_RESTARTER, .as.session = session >> 32}); // P9.64
}

void leadership_hear_epoch(leadership_t *self, uint64_t epoch)
{
    if (epoch > self->lease.epoch)
        step(self, (lease_event_t){.kind = LEASE_RIVAL, .as.rival = epoch});
}

const char *leadership_hand_over(leadership_t *self, mm_str_t why, mm_str_t actor)
{
    if (self->lease.state == LEASE_STANDBY)
        return "this consumer is a standby: it does not lead";
    if (!self->is_handed_over)
        mm_log(MM_LOG_WARN, "Handing the lease over", MM_STR("why", why), MM_STR("by", actor));
    if (!self->is_handed_over)
        step(self, (lease_event_t){.kind = LEASE_HAND_OVER});
    self->is_handed_over = true;
    return NULL;
}

void leadership_left(leadership_t *self)
{
    step(self, (lease_event_t){.kind = LEASE_LEFT});
}

int64_t leadership_turn(leadership_t *self, bool is_recorded)
{
    if (self->is_handed_over && is_recorded)
        step(self, (lease_event_t){.kind = LEASE_FINISHED});
    if (mm_clock_ms() >= lease_deadline(&self->lease))
        step(self, (lease_event_t){.kind = LEASE_TIME});
    return lease_deadline(&self->lease);
}

bool leadership_is_trusted(const leadership_t *self)
{
    return lease_is_trusted(&self->lease, mm_clock_ms());
}

json_t *leadership_json(const leadership_t *self)
{
    const lease_t *lease = &self->lease;
    int64_t now_ms = mm_clock_ms();
    bool leads = lease->state == LEASE_LEADING || lease->state == LEASE_SUSPENDED;
    json_t *json = json_pack(
        "{s:s, s:I, s:I, s:I, s:b}", "state", lease_state_name(lease->state), "epoch",
        (json_int_t)(leads ? lease->epoch : lease->seen_epoch), "renewed_ms",
        (json_int_t)(lease->answered_ms < 0 ? -1 : now_ms - lease->answered_ms), "left_ms",
        (json_int_t)(leads ? mm_later(lease->trust_ms - now_ms, 0)
                           : mm_later(lease->seen_ms - now_ms, 0)),
        "hears_restarters", lease_hears_restarters(lease));
    assert(json);
    return json;
}
