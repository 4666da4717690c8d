// Fuzzing the worker core: a consumer that lies. Beside what its asserts hold, the shell's calls
// must fit (one PULL at a time), no task is started twice, too many or of a leg that this kind of
// process cannot do, every report can be sent, and a worker told to leave does.

#include "fuzz_cores.h"
#include "host.h"
#include "worker_session.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define OPS_MAX   200
#define SLOTS_MAX 300
#define PAUSE_MS  100 // between wakes while it leaves

typedef struct {
    fuzz_known_t known; // peers[0] is the worker
    mm_worker_config_t config;
    mm_worker_t *worker;
    mm_worker_actions_t actions;
    uint64_t running[SLOTS_MAX];
    size_t running_count;
    uint64_t last_started;
    uint64_t last_sequence;
    bool connected;
    bool stops; // all that runs is to end
    bool done;
} world_t;

static void parse_report(world_t *self, const mm_report_t *report)
{
    assert(report->part < report->parts && report->parts <= MM_PARTS_MAX);
    assert(report->part == 0 ? report->sequence > self->last_sequence
                             : report->sequence == self->last_sequence);
    assert(report->is_hello != self->connected);
    self->last_sequence = report->sequence;
    fuzz_send(&(mm_frame_t){.kind = report->is_hello ? MM_FRAME_HELLO : MM_FRAME_HEARTBEAT,
                            .as.report = *report});
}

static void parse_start(world_t *self, const mm_task_t *task)
{
    bool is_restart = mm_leg_is_restarters(task->leg);
    assert(is_restart == (self->config.role == MM_ROLE_RESTARTER));
    assert(task->number > self->last_started); // R3
    assert(!is_restart || mm_str_equal(task->attributes, fuzz_attributes(&task->id)));
    assert(self->running_count < self->config.slots &&
           mm_worker_holds(self->worker, task->number, NULL));
    self->last_started = task->number;
    self->running[self->running_count++] = task->number;
}

static void parse_action(world_t *self, const mm_worker_action_t *action)
{
    mm_str_t name = mm_str(self->config.name.text);
    uint64_t session = mm_worker_session(self->worker);
    switch (action->kind) {
    case MM_WORKER_CONNECT:
        assert(!self->connected && *action->as.connect.suffix);
        self->connected = true;
        self->known.peers[0].session = action->as.connect.session;
        break;
    case MM_WORKER_DISCONNECT:
        assert(self->connected);
        self->connected = false;
        break;
    case MM_WORKER_RECREATE: assert(!self->connected); break;
    case MM_WORKER_START: parse_start(self, action->as.task); break;
    case MM_WORKER_STOP: self->stops = true; break;
    case MM_WORKER_ORDERS:
        assert(self->config.role == MM_ROLE_SAVER && action->as.orders->session == session);
        break;
    case MM_WORKER_STARTED: assert(mm_worker_holds(self->worker, action->as.number, NULL)); break;
    case MM_WORKER_RESULT:
        self->known.peers[0].serial = action->as.serial;
        fuzz_send(
            &(mm_frame_t){.kind = MM_FRAME_RESULTS,
                          .as.results = {name, self->config.instance, session,
                                         mm_worker_result(self->worker, action->as.serial), 1}});
        break;
    case MM_WORKER_REPORT: parse_report(self, action->as.report); break;
    case MM_WORKER_BYE:
        fuzz_send(&(mm_frame_t){
            .kind = MM_FRAME_BYE,
            .as.bye = {name, self->config.instance, session, action->as.last_serial}});
        break;
    case MM_WORKER_DONE: self->done = true; break;
    case MM_WORKER_LOG: break;
    }
}

static void step(world_t *self, mm_worker_event_t event)
{
    event.now_ms = event.boot_ms = self->known.now_ms;
    mm_worker_step(self->worker, &event, &self->actions);
    for (size_t i = 0; i < self->actions.count; i++)
        parse_action(self, &self->actions.items[i]);
    bool waits = mm_worker_running(self->worker) > self->running_count; // for its turn to start
    if (mm_worker_session(self->worker) == 0)
        assert(!waits); // P7.1
    assert(self->connected == (mm_worker_session(self->worker) != 0));
    if (event.kind == MM_WORKER_TIME && !self->done && !waits)
        assert(mm_worker_deadline(self->worker) > self->known.now_ms); // or the shell would spin
}

static void finish(world_t *self, size_t index, mm_status_t status)
{
    char error[] = "exit status 1";
    mm_result_t result = {.number = self->running[index],
                          .status = status,
                          .outcome = MM_OUTCOME_RESTARTED,
                          .error = mm_str(status == MM_STATUS_OK ? "" : error)};
    self->running[index] = self->running[--self->running_count];
    step(self, (mm_worker_event_t){.kind = MM_WORKER_FINISHED, .as.result = &result});
    memset(error, 0, sizeof error); // the core has its own by now
}

// Every other one is a task, every eighth of any kind; the others go to workers.
static mm_frame_kind_t choose_kind(uint8_t choice)
{
    mm_frame_kind_t kinds[MM_FRAME_KINDS];
    size_t count = 0;
#define FRAME(number, KIND, body, route)                                                           \
    if (strstr(route, "to worker") || strstr(route, "to saver") || strstr(route, "to all"))        \
        kinds[count++] = MM_FRAME_##KIND;
#include "expand_frames.h"
    uint8_t pick = choice / 8;
    return choice % 2 == 0   ? MM_FRAME_TASKS
           : choice % 8 == 7 ? (mm_frame_kind_t)(1 + pick % MM_FRAME_KINDS)
                             : kinds[pick % count];
}

static void play_one(world_t *self, fuzz_bytes_t *in)
{
    uint8_t choice = fuzz_byte(in);
    if (choice == 0xFF) {
        step(self, (mm_worker_event_t){.kind = MM_WORKER_DRAIN});
    } else if (choice == 0xFE) {
        step(self, (mm_worker_event_t){.kind = MM_WORKER_SLOTS,
                                       .as.slots = 1 + fuzz_byte(in) % self->config.slots});
    } else if (choice == 0xFD) {
        step(self, (mm_worker_event_t){.kind = MM_WORKER_CUT});
    } else if (choice >= 0xD0) {
        self->known.now_ms += fuzz_pause(in);
        step(self, (mm_worker_event_t){.kind = MM_WORKER_TIME});
    } else if (choice >= 0xA0) {
        if (self->running_count > 0)
            finish(self, fuzz_byte(in) % self->running_count,
                   choice & 1 ? MM_STATUS_FAILED : MM_STATUS_OK);
    } else {
        mm_frame_t sent, received;
        char *bytes;
        fuzz_frame(&self->known, in, choose_kind(choice), &sent);
        fuzz_carry(&sent, &received, &bytes);
        step(self, (mm_worker_event_t){.kind = MM_WORKER_FRAME, .as.frame = &received});
        free(bytes); // a core that kept a text of it is found out
    }
    while (self->stops && self->running_count > 0 && !self->done)
        finish(self, 0, MM_STATUS_FAILED);
}

// Drained, it goes, whatever the consumer said before and does not say now.
static void leave(world_t *self)
{
    step(self, (mm_worker_event_t){.kind = MM_WORKER_DRAIN});
    int64_t limit = self->known.now_ms + self->config.drain_ms + self->config.lost_after_ms;
    while (!self->done) {
        assert(self->known.now_ms <= limit);
        self->known.now_ms += PAUSE_MS;
        step(self, (mm_worker_event_t){.kind = MM_WORKER_TIME});
        while (self->stops && self->running_count > 0)
            finish(self, 0, MM_STATUS_FAILED);
    }
}

void fuzz_core_worker(fuzz_bytes_t *in)
{
    static const uint32_t slots[] = {1, 2, 4, SLOTS_MAX};
    world_t self = {0};
    uint8_t choice = fuzz_byte(in);
    fuzz_known_init(&self.known);
    if (choice & 1)
        self.known.peers[0] = self.known.peers[2];
    self.known.now_ms = 1000000;
    self.config = (mm_worker_config_t){.role = self.known.peers[0].role,
                                       .instance = self.known.peers[0].instance,
                                       .slots = slots[choice >> 1 & 3],
                                       .heartbeat_ms = 500,
                                       .lost_after_ms = 1500,
                                       .drain_ms = 5000,
                                       .leaves_last = (choice & 1) == 0,
                                       .one_by_one = (choice & 8) != 0};
    bool valid = mm_name_from(mm_str(self.known.peers[0].name), &self.config.name);
    assert(valid);
    self.worker = mm_worker_new(&self.config, self.known.now_ms);
    for (int i = 0; i < OPS_MAX && in->at < in->end && !self.done; i++)
        play_one(&self, in);
    if (!self.done)
        leave(&self);
    mm_worker_destroy(&self.worker);
    mm_worker_actions_clear(&self.actions);
}
