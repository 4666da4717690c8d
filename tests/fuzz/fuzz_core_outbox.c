// Fuzzing the outbox core: a consumer that lies. Beside what its asserts hold, leases stay within
// the window (I6), a delivery says a higher number each time, a job is settled once, and when an
// honest consumer comes every job that is not settled is delivered to it before long (I1, I7).

#include "fuzz_cores.h"
#include "outbox.h"
#include "string_view.h"

#include <assert.h>
#include <stdlib.h>

#define JOBS         64
#define OPS_MAX      200
#define HONEST_TURNS 2000
#define HONEST_MS    INT64_C(7200000) // within which an honest consumer has heard of every job

typedef struct {
    bool given; // and not settled
    uint32_t delivery;
} job_t;

typedef struct {
    fuzz_known_t known;
    outbox_config_t config;
    outbox_t *outbox;
    outbox_actions_t actions;
    job_t jobs[JOBS + 1];
    size_t given;
    size_t settled;
    bool honest;
    bool draining;
    bool left;
    size_t todo[JOBS]; // delivered to the honest consumer
    size_t todo_count;
} world_t;

static void parse_deliver(world_t *self, const outbox_action_t *action)
{
    size_t index = fuzz_id_index(&action->id);
    mm_job_t job = {.id = action->id,
                    .host = action->host,
                    .delivery = action->delivery,
                    .attributes = action->attributes};
    assert(index <= JOBS && self->jobs[index].given && !self->draining);
    assert(job.delivery > self->jobs[index].delivery);
    assert(mm_str_equal(job.host, fuzz_host(index)));
    assert(mm_str_equal(job.attributes, fuzz_attributes(&job.id)));
    self->jobs[index].delivery = job.delivery;
    if (self->honest && self->todo_count < JOBS)
        self->todo[self->todo_count++] = index;
    fuzz_send(&(mm_frame_t){.kind = MM_FRAME_JOBS,
                            .as.jobs = {.publisher = mm_str("p1"),
                                        .epoch = outbox_epoch(self->outbox),
                                        .items = &job,
                                        .count = 1}});
}

static void parse_action(world_t *self, const outbox_action_t *action)
{
    switch (action->kind) {
    case OUTBOX_DELIVER: parse_deliver(self, action); break;
    case OUTBOX_SETTLED:
        assert(self->jobs[fuzz_id_index(&action->id)].given);
        assert(action->outcome != MM_OUTCOME_NONE);
        assert(action->outcome == MM_OUTCOME_DEAD || action->outcome == MM_OUTCOME_WITHDRAWN ||
               action->error.size == 0);
        self->jobs[fuzz_id_index(&action->id)].given = false;
        self->settled++;
        break;
    case OUTBOX_ASK: assert(!self->draining); break;
    case OUTBOX_LOG: break;
    case OUTBOX_LEAVE:
        assert(self->draining && !self->left);
        self->left = true;
        break;
    }
}

static void step(world_t *self, outbox_event_t event)
{
    event.now_ms = self->known.now_ms;
    outbox_step(self->outbox, &event, &self->actions);
    for (size_t i = 0; i < self->actions.count; i++)
        parse_action(self, &self->actions.items[i]);
    assert(outbox_leased(self->outbox) <= self->config.window);
    assert(outbox_count(self->outbox) <= self->given - self->settled);
    assert(self->draining || outbox_count(self->outbox) == self->given - self->settled); // I1
    if (event.kind == OUTBOX_TIME && event.as.time.events_empty && !self->left)
        assert(outbox_deadline(self->outbox) > self->known.now_ms); // or the shell would spin
}

static void parse_frame(world_t *self, const mm_frame_t *frame)
{
    outbox_event_t event = {0};
    if (frame->kind == MM_FRAME_NOTICES) {
        event.kind = OUTBOX_VERDICT;
        event.as.verdict.epoch = frame->as.notices.epoch;
        for (size_t i = 0; i < frame->as.notices.count; i++) {
            event.as.verdict.what = frame->as.notices.items[i];
            step(self, event);
        }
        return;
    }
    event.kind = frame->kind == MM_FRAME_BEAT ? OUTBOX_BEAT : OUTBOX_LEAVING;
    event.as.beat.epoch =
        frame->kind == MM_FRAME_BEAT ? frame->as.beat.epoch : frame->as.leaving.epoch;
    event.as.beat.draining = frame->kind == MM_FRAME_BEAT && frame->as.beat.draining;
    step(self, event);
}

static void give_jobs(world_t *self, size_t count, bool maybe_sent)
{
    for (; count > 0 && outbox_capacity(self->outbox) > 0 && self->given < JOBS; count--) {
        size_t index = ++self->given;
        outbox_event_t event = {.kind = OUTBOX_JOB};
        event.as.job.id = fuzz_id(index);
        event.as.job.host = fuzz_host(index);
        event.as.job.attributes = fuzz_attributes(&event.as.job.id);
        event.as.job.maybe_sent = maybe_sent;
        self->jobs[index] = (job_t){.given = true, .delivery = maybe_sent};
        self->known.newest_id = index;
        step(self, event);
    }
}

static void time_passes(world_t *self, int64_t milliseconds, bool events_empty)
{
    self->known.now_ms += milliseconds;
    step(self, (outbox_event_t){.kind = OUTBOX_TIME, .as.time.events_empty = events_empty});
}

static void play(world_t *self, fuzz_bytes_t *in)
{
    static const mm_frame_kind_t kinds[] = {MM_FRAME_NOTICES, MM_FRAME_BEAT, MM_FRAME_NOTICES,
                                            MM_FRAME_LEAVING};
    for (int i = 0; i < OPS_MAX && in->at < in->end && !self->left; i++) {
        uint8_t choice = fuzz_byte(in);
        if (choice == 0xFF) {
            self->draining = true;
            step(self, (outbox_event_t){.kind = OUTBOX_DRAIN});
        } else if (choice >= 0xC0) {
            time_passes(self, fuzz_pause(in), choice & 1);
        } else if (choice >= 0x80) {
            give_jobs(self, choice & 7, choice & 8);
        } else {
            mm_frame_t sent, received;
            char *bytes;
            fuzz_frame(&self->known, in, kinds[choice % 4], &sent);
            fuzz_carry(&sent, &received, &bytes);
            parse_frame(self, &received);
            free(bytes); // a core that kept a text of it is found out
        }
    }
}

// ---- an honest consumer

static void honest_answers(world_t *self)
{
    outbox_event_t beat = {.kind = OUTBOX_BEAT};
    beat.as.beat.epoch = self->known.epoch;
    step(self, beat);
    while (self->todo_count > 0) {
        outbox_event_t event = {.kind = OUTBOX_VERDICT};
        event.as.verdict.epoch = self->known.epoch;
        event.as.verdict.what = (mm_verdict_t){
            .kind = MM_VERDICT_ACK, .id = fuzz_id(self->todo[--self->todo_count]), .attempts = 1};
        if (self->jobs[fuzz_id_index(&event.as.verdict.what.id)].given)
            step(self, event);
    }
}

static void settle_all(world_t *self)
{
    uint64_t heard = outbox_epoch(self->outbox);
    self->honest = true;
    // Whoever has claimed the last epoch is silent from now on.
    self->known.epoch = heard < UINT32_MAX ? heard + 1 : 1;
    for (int turn = 0; turn < HONEST_TURNS && outbox_count(self->outbox) > 0; turn++) {
        honest_answers(self);
        time_passes(self, turn < HONEST_TURNS / 2 ? 500 : 2 * HONEST_MS / HONEST_TURNS, true);
    }
    assert(outbox_count(self->outbox) == 0);
}

static void leave(world_t *self)
{
    self->draining = true;
    step(self, (outbox_event_t){.kind = OUTBOX_DRAIN});
    if (!self->left)
        time_passes(self, self->config.drain_ms, true);
    assert(self->left);
}

void fuzz_core_outbox(fuzz_bytes_t *in)
{
    static const uint32_t windows[] = {1, 2, 4, 32};
    world_t self = {0};
    fuzz_known_init(&self.known);
    self.known.now_ms = 1000000;
    self.config = (outbox_config_t){.window = windows[fuzz_byte(in) & 3],
                                    .ack_deadline_ms = 3000,
                                    .heartbeat_ms = 500,
                                    .drain_ms = 25000,
                                    .seed = 1};
    self.outbox = outbox_new(&self.config, self.known.now_ms);
    play(&self, in);
    if (!self.draining)
        settle_all(&self);
    if (!self.left)
        leave(&self);
    outbox_destroy(&self.outbox);
    outbox_actions_clear(&self.actions);
}
