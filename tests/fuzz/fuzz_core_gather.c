// Fuzzing the gather core. Beside what its asserts hold it must keep, whatever workers and
// publishers say: what is out is held by somebody (or it would be out for ever), a host is busy as
// often as restarts for it are held (I8), credit, attempts and restarts at once have their limits
// (I6), nothing waits for what is free (I7), an ack comes only of what a saver said (I2), nothing
// acked is restarted (I5), and a restart comes with the attributes of its job. A command of a real
// restart is handed out as its begin is on record, just before, and while attempts are left (H1,
// H12). When the liars are silent, an honest saver and restarter settle all that is in flight (I7);
// the honest restarter has a driver in half of the inputs, or that of the liars, and hosts that
// come back in another boot.

#include "fuzz_cores.h"
#include "fuzz_gather.h"
#include "gather_frames.h"
#include "job.h"
#include "uuid.h"
#include "workers_private.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#define JOBS         8
#define OPS_MAX      200
#define HONEST_TURNS 400
#define HONEST       2 // s9 and r9
#define TODO         64
#define HELD_MAX     (2 * MM_SLOTS_MAX) // as in workers_reports.c

typedef struct {
    mm_task_t task;
    mm_real_t real;
} todo_t;

typedef struct {
    fuzz_known_t known;
    gather_t *gather;
    gather_actions_t actions;
    uint64_t sessions[FUZZ_PEERS + HONEST]; // open ones; 0: none
    uint64_t last_session;
    uint64_t last_number;
    bool acked[0x10000];
    bool from_saver; // the event of this step
    bool left;
    mm_state_body_t question; // for the record's state, which was not answered; session 0: none
    uint64_t serials[HONEST];
    uint64_t sequence; // of the honest ones
    todo_t todo[TODO]; // theirs
    size_t todo_count;
    fuzz_honest_t honest;
} world_t;

static const char *const honest_names[HONEST] = {"s9", "r9"};

static gather_config_t config_of(fuzz_bytes_t *in)
{
    uint8_t choice = fuzz_byte(in);
    return (gather_config_t){.epoch = 1,
                             .first_number = 100,
                             .first_session = 10,
                             .seed = choice,
                             .attempts = choice & 1 ? 1 : 3,
                             .backoff_low_ms = 50,
                             .backoff_high_ms = choice & 2 ? 50 : 200,
                             .heartbeat_ms = 500,
                             .lost_after_ms = 1500,
                             .extend_every_ms = 1000,
                             .max_lease_ms = choice & 4 ? 5000 : 3600000,
                             .save_after_ms = 100 * (choice % 3),
                             .drain_ms = 24000,
                             .attempt_ms = 5000,
                             .max_in_flight = choice & 8 ? 2 : 1000,
                             .max_dead = choice & 16 ? 2 : 0,
                             .at_once = choice & 128 ? 1 + (choice & 1) : 0,
                             .settled_max = 0x10000,
                             .nacked_max = choice & 32 ? 1 : 1000,
                             .savers_max = 1,
                             .restarters_max = choice & 64 ? 2 : 64};
}

// Which entry of `sessions` is that worker's.
static size_t subscriber_of(const world_t *self, mm_str_t name)
{
    for (size_t i = 0; i < HONEST; i++)
        if (mm_str_equal(name, mm_str(honest_names[i])))
            return FUZZ_PEERS + i;
    return fuzz_known_peer(&self->known, name);
}

// ---- what it does

static void apply_verdict(world_t *self, const gather_action_t *action)
{
    const mm_verdict_t *verdict = &action->as.verdict.verdict;
    bool *acked = &self->acked[fuzz_id_index(&verdict->id)];
    if (verdict->kind != MM_VERDICT_EXTEND && verdict->kind != MM_VERDICT_NACK) {
        assert(*acked || self->from_saver); // I2
        *acked = true;
    }
    assert(*action->as.verdict.publisher != '\0');
    fuzz_send(&(mm_frame_t){.kind = MM_FRAME_NOTICES,
                            .as.notices = {mm_str("consumer"), self->known.epoch, verdict, 1}});
}

// H1, H12: what is on record of a command that is handed out.
static void check_command(const world_t *self, const flight_t *flight, const mm_task_t *task)
{
    const gather_config_t *config = &self->gather->config;
    const attempt_t *attempt = attempts_get(&self->gather->flights.attempts, &flight->id);
    assert(attempt->row == MM_ROW_BEGUN && attempt_is_saved(attempt));
    assert(attempt->number == task->attempt && attempt->command == task->real->command);
    assert(self->known.now_ms - attempt->begun_ms < config->lost_after_ms);
    assert(flight->attempts < config->attempts && attempt->interrupted < 3);
}

static void check_restart(const world_t *self, const mm_task_t *task)
{
    const gather_config_t *config = &self->gather->config;
    const flight_t *flight = flights_find(&self->gather->flights, &task->id);
    assert(!self->acked[fuzz_id_index(&task->id)]);     // I5
    assert(flight && flight->host->restarts.busy == 1); // I8
    assert(mm_str_equal(task->attributes, fuzz_attributes(&task->id)));
    const resource_t *at_once = &self->gather->flights.resources.at_once;
    assert(at_once->busy <= at_once->limit);
    assert(flight->has_attempt == (task->real != NULL));
    if (!task->real)
        assert(task->leg == MM_LEG_RESTART && task->attempt <= config->attempts);
    else if (task->real->command > 0)
        check_command(self, flight, task);
}

static void parse_task(world_t *self, const gather_action_t *action)
{
    const mm_task_t *task = &action->as.task.task;
    size_t place = subscriber_of(self, mm_str(action->as.task.worker));
    assert(place < FUZZ_PEERS + HONEST && action->as.task.session != 0);
    assert(self->sessions[place] == action->as.task.session);
    assert(task->number > self->last_number); // R3
    self->last_number = task->number;
    fuzz_send(
        &(mm_frame_t){.kind = MM_FRAME_TASKS,
                      .as.tasks = {.session = action->as.task.session,
                                   .stamp_ms = action->as.task.stamp_ms,
                                   .acknowledged_through = action->as.task.acknowledged_through,
                                   .items = task,
                                   .count = 1}});
    if (mm_leg_is_restarters(task->leg))
        check_restart(self, task);
    if (place < FUZZ_PEERS) {
        fuzz_known_add_task(&self->known, task, place);
        return;
    }
    assert(self->todo_count < TODO);
    todo_t *todo = &self->todo[self->todo_count++];
    todo->task = *task;
    if (task->real) // it lives until the next step
        todo->real = *task->real;
}

static void parse_answer(world_t *self, const gather_action_t *action)
{
    bool is_welcome = action->kind == GATHER_WELCOME;
    bool is_refused = action->kind == GATHER_REFUSED;
    size_t peer = fuzz_known_peer(&self->known, mm_str(action->as.answer.worker.text));
    if (is_welcome && peer < FUZZ_PEERS)
        self->known.peers[peer].session = action->as.answer.session;
    assert(!is_refused || *action->as.answer.reason);
    fuzz_send(&(mm_frame_t){.kind = is_welcome   ? MM_FRAME_WELCOME
                                    : is_refused ? MM_FRAME_REFUSED
                                                 : MM_FRAME_REJOIN,
                            .as.answer = {.consumer = mm_str("consumer"),
                                          .epoch = self->known.epoch,
                                          .worker = mm_str(action->as.answer.worker.text),
                                          .instance = action->as.answer.instance,
                                          .session = action->as.answer.session,
                                          .suffix = mm_str(is_welcome ? "1" : ""),
                                          .reason = mm_str(action->as.answer.reason)}});
}

static void parse_session(world_t *self, const gather_action_t *action)
{
    size_t place = subscriber_of(self, mm_str(action->as.answer.worker.text));
    assert(place < FUZZ_PEERS + HONEST);
    if (action->kind == GATHER_OPEN) {
        assert(self->sessions[place] == 0);
        assert(action->as.answer.session > self->last_session); // R4
        self->last_session = self->sessions[place] = action->as.answer.session;
        return;
    }
    assert(self->sessions[place] == action->as.answer.session);
    if (action->kind == GATHER_CLOSE)
        self->sessions[place] = 0;
    else
        fuzz_send(&(mm_frame_t){
            .kind = MM_FRAME_TASKS,
            .as.tasks = {.session = action->as.answer.session,
                         .acknowledged_through = action->as.answer.acknowledged_through,
                         .last = true}});
}

static void parse_beat(const world_t *self)
{
    mm_acknowledgement_t acknowledgements[MM_BATCH_ITEMS];
    size_t count = 0;
    gather_worker_t worker = {0};
    while (gather_next_worker(self->gather, &worker)) {
        assert(count < MM_BATCH_ITEMS && worker.out <= HELD_MAX);
        if (worker.joined)
            acknowledgements[count++] = worker.acknowledgement;
    }
    fuzz_send(&(mm_frame_t){.kind = MM_FRAME_BEAT,
                            .as.beat = {.consumer = mm_str("consumer"),
                                        .epoch = self->known.epoch,
                                        .items = acknowledgements,
                                        .count = count}});
}

// The honest saver's record holds nothing back. What the liars answer is theirs.
static void parse_orders(world_t *self, const gather_action_t *action)
{
    size_t place = subscriber_of(self, mm_str(action->as.orders.worker));
    assert(place < FUZZ_PEERS + HONEST && action->as.orders.session != 0);
    assert(self->sessions[place] == action->as.orders.session);
    assert(action->as.orders.count <= MM_BATCH_ITEMS);
    mm_frame_t frame = orders_frame(action);
    fuzz_send(&frame);
    if (action->as.orders.question > 0)
        self->question = (mm_state_body_t){.worker = mm_str(honest_names[0]),
                                           .instance = 900,
                                           .session = action->as.orders.session,
                                           .run = action->as.orders.run,
                                           .question = action->as.orders.question,
                                           .from = action->as.orders.from};
}

static void parse_action(world_t *self, const gather_action_t *action)
{
    switch (action->kind) {
    case GATHER_VERDICT: apply_verdict(self, action); break;
    case GATHER_TASK: parse_task(self, action); break;
    case GATHER_WELCOME:
    case GATHER_REFUSED:
    case GATHER_REJOIN: parse_answer(self, action); break;
    case GATHER_OPEN:
    case GATHER_CLOSE:
    case GATHER_LAST: parse_session(self, action); break;
    case GATHER_BEAT: parse_beat(self); break;
    case GATHER_NEWS:
    case GATHER_ANSWER:
    case GATHER_ASK_GUARD:
    case GATHER_LOG: break;
    case GATHER_ORDERS: parse_orders(self, action); break;
    case GATHER_LEAVE:
        assert(!self->left);
        self->left = true;
        break;
    }
}

static void step(world_t *self, gather_event_t event)
{
    event.now_ms = self->known.now_ms;
    gather_step(self->gather, &event, &self->actions);
    for (size_t i = 0; i < self->actions.count; i++)
        parse_action(self, &self->actions.items[i]);
    fuzz_check_flights(self->gather);
}

// An honest saver answers what it is asked for.
static void answer(world_t *self)
{
    mm_state_body_t state = self->question;
    self->question.session = 0;
    if (state.session != 0 && state.session == self->sessions[FUZZ_PEERS])
        step(self, (gather_event_t){.kind = GATHER_STATE, .as.state = &state});
}

// ---- events

static bool is_saver(const world_t *self, mm_str_t name, uint64_t instance)
{
    const worker_t *worker = workers_find(self->gather->workers, name, instance);
    return worker && worker->role == MM_ROLE_SAVER;
}

static void parse_jobs(world_t *self, const mm_frame_t *frame)
{
    gather_event_t event = {.kind = GATHER_ASK};
    event.as.job.run = frame->as.jobs.run;
    event.as.job.groups = frame->as.jobs.groups;
    event.as.job.group_count = frame->as.jobs.group_count;
    if (frame->as.jobs.count == 0)
        step(self, event);
    event.kind = GATHER_JOB;
    event.as.job.publisher = frame->as.jobs.publisher;
    event.as.job.epoch = frame->as.jobs.epoch;
    event.as.job.driver = frame->as.jobs.driver;
    for (size_t i = 0; i < frame->as.jobs.count; i++) {
        event.as.job.job = frame->as.jobs.items[i];
        step(self, event);
    }
}

static void parse_results(world_t *self, const mm_frame_t *frame)
{
    gather_event_t event = {.kind = GATHER_RESULT};
    event.as.from.worker = frame->as.results.worker;
    event.as.from.instance = frame->as.results.instance;
    event.as.from.session = frame->as.results.session;
    for (size_t i = 0; i < frame->as.results.count; i++) {
        self->from_saver = is_saver(self, event.as.from.worker, event.as.from.instance);
        event.as.from.result = &frame->as.results.items[i];
        step(self, event);
    }
}

static void parse_started(world_t *self, const mm_frame_t *frame)
{
    gather_event_t event = {.kind = GATHER_STARTED};
    event.as.from.worker = frame->as.started.worker;
    event.as.from.instance = frame->as.started.instance;
    event.as.from.session = frame->as.started.session;
    step(self, event);
}

static void parse_frame(world_t *self, const mm_frame_t *frame)
{
    gather_event_t event = {.kind = GATHER_REPORT, .as.report = &frame->as.report};
    self->from_saver = false;
    if (frame->kind == MM_FRAME_STATE || frame->kind == MM_FRAME_RECORDED) {
        event = frame->kind == MM_FRAME_STATE
                    ? (gather_event_t){.kind = GATHER_STATE, .as.state = &frame->as.state}
                    : (gather_event_t){.kind = GATHER_RECORDED, .as.recorded = &frame->as.recorded};
        step(self, event);
        return;
    }
    if (frame->kind == MM_FRAME_JOBS) {
        parse_jobs(self, frame);
    } else if (frame->kind == MM_FRAME_STARTED) {
        parse_started(self, frame);
    } else if (frame->kind == MM_FRAME_RESULTS) {
        parse_results(self, frame);
    } else if (frame->kind == MM_FRAME_BYE) {
        event = (gather_event_t){.kind = GATHER_BYE};
        event.as.from.worker = frame->as.bye.worker;
        event.as.from.instance = frame->as.bye.instance;
        event.as.from.session = frame->as.bye.session;
        event.as.from.last_serial = frame->as.bye.last_serial;
        step(self, event);
    } else {
        self->from_saver = frame->as.report.role == MM_ROLE_SAVER;
        step(self, event);
    }
    self->from_saver = false;
}

static void time_passes(world_t *self, int64_t milliseconds, bool inbox_empty)
{
    gather_event_t event = {.kind = GATHER_TIME, .as.time.inbox_empty = inbox_empty};
    self->known.now_ms += milliseconds;
    step(self, event);
    if (gather_deadline(self->gather) <= self->known.now_ms && inbox_empty && !self->left)
        step(self, event); // max_dead begins the drain with a beat at once
    assert(gather_deadline(self->gather) > self->known.now_ms || !inbox_empty || self->left);
}

// The key of a liar is revoked, or the connection to its session is broken.
static void shut_out(world_t *self, size_t peer, bool is_revoked)
{
    gather_event_t event = {.kind = is_revoked ? GATHER_REVOKED : GATHER_CUT};
    if (is_revoked) {
        event.as.revoked.worker = mm_str(self->known.peers[peer].name);
        event.as.revoked.role = self->known.peers[peer].role;
    } else {
        event.as.cut.session = self->sessions[peer];
    }
    step(self, event);
}

static void play(world_t *self, fuzz_bytes_t *in)
{
    static const mm_frame_kind_t kinds[] = {MM_FRAME_JOBS,    MM_FRAME_HELLO,   MM_FRAME_HEARTBEAT,
                                            MM_FRAME_RESULTS, MM_FRAME_RESULTS, MM_FRAME_HELLO,
                                            MM_FRAME_BYE,     MM_FRAME_STARTED};
    for (int i = 0; i < OPS_MAX && in->at < in->end && !self->left; i++) {
        uint8_t choice = fuzz_byte(in);
        if (choice == 0xFF) {
            step(self, (gather_event_t){.kind = GATHER_DRAIN});
        } else if (choice >= 0xFD) {
            shut_out(self, fuzz_byte(in) % FUZZ_PEERS, choice & 1);
        } else if (choice >= 0xC0) {
            time_passes(self, fuzz_pause(in), choice & 1);
        } else {
            mm_frame_t sent, received;
            char *bytes;
            fuzz_frame(&self->known, in, kinds[choice % 8], &sent);
            fuzz_carry(&sent, &received, &bytes);
            parse_frame(self, &received);
            free(bytes); // a core that kept a text of it is found out
        }
    }
}

// ---- when the liars are silent

// That of the run, or of the liars, or its own.
static mm_str_t honest_driver(const world_t *self)
{
    const workers_t *workers = self->gather->workers;
    return mm_str(workers->has_driver ? workers->driver.text : self->known.is_real ? "ssh-1" : "");
}

static void honest_report(world_t *self, size_t who, bool is_hello)
{
    mm_assignment_t held[TODO];
    size_t count = 0;
    for (size_t i = 0; i < self->todo_count; i++) {
        const mm_task_t *task = &self->todo[i].task;
        if (mm_leg_is_restarters(task->leg) == (who == 1))
            held[count++] = (mm_assignment_t){.number = task->number,
                                              .leg = task->leg,
                                              .id = task->id,
                                              .host = task->host,
                                              .started = true};
    }
    mm_report_t report = {.is_hello = is_hello,
                          .worker = mm_str(honest_names[who]),
                          .instance = 900 + who,
                          .role = who == 0 ? MM_ROLE_SAVER : MM_ROLE_RESTARTER,
                          .driver = who == 0 ? (mm_str_t){0} : honest_driver(self),
                          .session = self->sessions[FUZZ_PEERS + who],
                          .sequence = ++self->sequence,
                          .stamp_ms = self->known.now_ms,
                          .slots = TODO / 4,
                          .last_serial = self->serials[who],
                          .parts = 1,
                          .held = held,
                          .held_count = count};
    if (report.driver.size > 0)
        report.verbs = MM_VERB_REAL | (self->honest.identifies ? MM_VERB_IDENTIFY : 0);
    step(self, (gather_event_t){.kind = GATHER_REPORT, .as.report = &report});
}

static void honest_results(world_t *self)
{
    answer(self);
    while (self->todo_count > 0) {
        todo_t todo = self->todo[--self->todo_count];
        const mm_task_t *task = &todo.task;
        if (task->real)
            todo.task.real = &todo.real;
        size_t who = mm_leg_is_restarters(task->leg);
        mm_result_t result = {.serial = ++self->serials[who],
                              .number = task->number,
                              .leg = task->leg,
                              .id = task->id,
                              .status = MM_STATUS_OK,
                              .outcome =
                                  task->leg == MM_LEG_SETTLE ? task->outcome : MM_OUTCOME_NONE};
        if (who == 0)
            fuzz_honest_save(&self->honest, task, &result);
        else if (task->real)
            fuzz_honest_restart(&self->honest, task, &result);
        gather_event_t event = {.kind = GATHER_RESULT};
        event.as.from.worker = mm_str(honest_names[who]);
        event.as.from.instance = 900 + who;
        event.as.from.session = self->sessions[FUZZ_PEERS + who];
        event.as.from.result = &result;
        self->from_saver = who == 0;
        step(self, event);
    }
    self->from_saver = false;
}

static void settle_all(world_t *self)
{
    const gather_config_t *config = &self->gather->config;
    for (int64_t ms = 0; ms <= config->lost_after_ms; ms += config->heartbeat_ms)
        time_passes(self, config->heartbeat_ms, true); // a jump would be the consumer's own sleep
    for (size_t who = 0; who < HONEST; who++)
        honest_report(self, who, true);
    for (int turn = 0; turn < HONEST_TURNS && gather_statistics(self->gather).in_flight > 0;
         turn++) {
        honest_results(self);
        for (size_t who = 0; who < HONEST; who++)
            honest_report(self, who, false);
        time_passes(self, self->gather->config.heartbeat_ms, true);
    }
    assert(gather_statistics(self->gather).in_flight == 0); // I7
}

static void leave(world_t *self)
{
    step(self, (gather_event_t){.kind = GATHER_DRAIN});
    time_passes(self, self->gather->config.drain_ms, true);
    assert(self->left && gather_statistics(self->gather).in_flight == 0);
}

void fuzz_core_gather(fuzz_bytes_t *in, bool is_real)
{
    static world_t self;
    gather_config_t config = config_of(in);
    self = (world_t){.last_number = config.first_number, .last_session = config.first_session};
    fuzz_known_init(&self.known);
    self.known.is_real = is_real;
    self.known.now_ms = 1000000;
    self.known.newest_id = JOBS;
    self.known.number = config.first_number;
    self.honest.identifies = !(config.seed & 2);
    self.gather = gather_new(&config, self.known.now_ms);
    play(&self, in);
    fuzz_check_hosts(self.gather);
    if (!gather_statistics(self.gather).draining)
        settle_all(&self);
    fuzz_check_hosts(self.gather);
    if (!self.left)
        leave(&self);
    gather_destroy(&self.gather);
    gather_actions_clear(&self.actions);
}
