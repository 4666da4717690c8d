// What happens in the simulated world, told to the judge line by line: what restarters send, what
// the saver commits, what was ordered, and when the consumer lets a restart begin. The judge shares
// nothing with the consumer; its first complaint breaks the seed.

#include "sim_policy.h"

#include "gather_private.h"
#include "string_view.h"

#include <assert.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define LINE_MAX_BYTES 4096
#define QUIET_MS       8000 // nothing was said for so long, nothing runs, and no place is open
#define QUIET_EVERY_MS 1000

static void complain(sim_t *self)
{
    const judgement_t *found = judge_get(self->policy->judge, self->policy->found++);
    char rule[64];
    (void)snprintf(rule, sizeof rule, "judge: %s", judge_rule_name(found->rule));
    gather_job_t job;
    if (self->consumer->alive && self->consumer->gather &&
        gather_find_jobs(self->consumer->gather, mm_str(found->host), &job, 1) == 1)
        sim_trace(self, "the consumer says of %s: store %s, restart %s, %s", found->host, job.store,
                  job.restart, job.reason ? job.reason : "waits for nothing");
    sim_violated(self, rule, "host %s, group %s: %s", *found->host ? found->host : "none",
                 *found->group ? found->group : "none", found->words);
}

void sim_judge_say(sim_t *self, const char *format, ...)
{
    sim_policy_t *policy = self->policy;
    if (!policy)
        return;
    char line[LINE_MAX_BYTES];
    va_list arguments;
    va_start(arguments, format);
    int size = snprintf(line, sizeof line, "%lld ", (long long)(SIM_UNIX_MS + self->now_ms));
    (void)vsnprintf(line + size, sizeof line - (size_t)size, format, arguments);
    va_end(arguments);
    sim_trace(self, "judge: %s", line);
    if (!judge_take(policy->judge, line))
        sim_violated(self, "judge", "%s", judge_error(policy->judge));
    policy->said_ms = self->now_ms;
    if (policy->found < judge_count(policy->judge))
        complain(self);
}

// ---- the policy

static size_t put_amount(char *text, size_t size, const char *key, const mm_amount_t *amount)
{
    if (!amount->is_set)
        return 0;
    return (size_t)snprintf(text, size, "%s%u%s", key, amount->value,
                            amount->is_percent ? "%" : "");
}

static void say_limit(sim_t *self, size_t index)
{
    sim_policy_t *policy = self->policy;
    const mm_rules_t *rules = &policy->rules[index];
    char text[LINE_MAX_BYTES - 32];
    size_t size = 0;
#define PUT(...) size += (size_t)snprintf(text + size, sizeof text - size, __VA_ARGS__)
    PUT("limit %s hosts=%u", index > 0 ? rules->name : "-", policy->hosts[index]);
    size += put_amount(text + size, sizeof text - size, " cap=", &rules->cap);
    size +=
        put_amount(text + size, sizeof text - size, " max-unavailable=", &rules->max_unavailable);
    for (size_t i = 0; i < rules->ramp_count; i++)
        size +=
            put_amount(text + size, sizeof text - size, i == 0 ? " ramp=" : ",", &rules->ramp[i]);
    PUT(" bake=%lld last-start=%lld", (long long)rules->bake_ms, (long long)rules->last_start_ms);
    for (size_t i = 0; i < rules->breaker_count; i++)
        PUT(" breaker=%u/%u", rules->breakers[i].failures, rules->breakers[i].of_last);
    for (size_t i = 0; rules->has_window && i < rules->opening_count; i++)
        PUT(" window=%lld..%lld", (long long)rules->openings[i].opens_ms,
            (long long)rules->openings[i].closes_ms);
    if (index == 0)
        PUT(" permit=%lld before=%d", (long long)self->shape.gather.lost_after_ms,
            self->shape.hooks ? SIM_BEFORE_MS : 0);
    if (index == 0 && policy->given.rate > 0)
        PUT(" rate=%u/%lld", policy->given.rate, (long long)policy->given.rate_ms);
    if (index == 0 && policy->given.has_guard)
        PUT(" guard");
#undef PUT
    assert(size < sizeof text);
    sim_judge_say(self, "%s", text);
}

void sim_judge_begin(sim_t *self)
{
    self->policy->judge = judge_new();
    for (size_t i = 0; i < self->policy->given.count; i++)
        say_limit(self, i);
    for (uint32_t i = 0; i < self->job_count; i++)
        sim_judge_say(self, "host %s %s", self->jobs[i].host, self->jobs[i].groups);
}

void sim_judge_count(sim_t *self)
{
    self->statistics.policies = self->policy != NULL;
    self->statistics.judged = self->policy ? judge_starts(self->policy->judge) : 0;
}

void sim_judge_end(sim_t *self)
{
    judge_destroy(&self->policy->judge);
}

// ---- places

static sim_standing_t *standing_of(sim_t *self, const sim_job_t *job)
{
    return &self->policy->standings[job - self->jobs];
}

static bool is_begun(const sim_job_t *job)
{
    return job->row.row == MM_ROW_BEGUN || job->row.row == MM_ROW_OPEN;
}

// The place of an attempt without an end may be free then: its command has ended.
static int64_t expiry(const sim_t *self)
{
    return self->now_ms + self->shape.gather.lost_after_ms + self->shape.timeout_ms;
}

static void open_place(sim_t *self, sim_job_t *job)
{
    sim_standing_t *standing = standing_of(self, job);
    standing->place = SIM_PLACE_OPEN;
    standing->expires_ms = expiry(self);
    sim_judge_say(self, "open %s", job->host);
}

static void leave_place(sim_t *self, sim_job_t *job, const char *how)
{
    sim_standing_t *standing = standing_of(self, job);
    bool is_absolved = job->row.row == MM_ROW_ENDED && !job->is_casualty;
    standing->place = SIM_PLACE_NONE;
    if (strcmp(how, "failed") == 0)
        sim_judge_say(self, "%send %s failed%s", standing->is_recorded ? "known " : "", job->host,
                      standing->is_casualty && !is_absolved ? " casualty" : "");
    else
        sim_judge_say(self, "%s %s", how, job->host);
}

// Its restart is let begin, or looked at.
static void take_place(sim_t *self, sim_job_t *job)
{
    sim_standing_t *standing = standing_of(self, job);
    standing->is_out = is_begun(job) && !standing->is_unstarted && !standing->has_ended;
    standing->is_unstarted = standing->is_unstarted || standing->has_ended;
    standing->has_ended = standing->was_returned = false;
    if (standing->is_out) {
        open_place(self, job);
        return;
    }
    standing->place = SIM_PLACE_IN_PROGRESS;
    sim_judge_say(self, "start %s", job->host);
}

static void lose_place(sim_t *self, sim_job_t *job)
{
    sim_standing_t *standing = standing_of(self, job);
    if (standing->place == SIM_PLACE_NONE)
        return;
    if (standing->has_ended)
        leave_place(self, job, "failed");
    else if (!is_begun(job))
        leave_place(self, job, "return");
    else if (standing->was_returned || !standing->is_out) {
        standing->is_unstarted = true;
        leave_place(self, job, "return");
    } else if (standing->place == SIM_PLACE_IN_PROGRESS)
        open_place(self, job);
}

// It knows what is on record only.
void sim_judge_epoch(sim_t *self)
{
    sim_policy_t *policy = self->policy;
    if (!policy)
        return;
    policy->has_page = policy->has_state = false;
    sim_judge_say(self, "epoch %llu", (unsigned long long)self->epoch);
    for (uint32_t i = 0; i < self->job_count; i++) {
        sim_standing_t *standing = &policy->standings[i];
        bool has_place = standing->place != SIM_PLACE_NONE;
        standing->was_admitted = standing->has_ended = standing->is_unstarted = false;
        if (is_begun(&self->jobs[i]) && self->jobs[i].outcome == MM_OUTCOME_NONE)
            open_place(self, &self->jobs[i]);
        else if (has_place)
            leave_place(self, &self->jobs[i], "return");
    }
}

// ---- a step of the consumer

static sim_ordered_t *find_ordered(sim_t *self, const mm_id_t *id)
{
    for (size_t i = 0; i < self->policy->ordered_count; i++)
        if (mm_id_equal(&self->policy->ordered[i].order.id, id))
            return &self->policy->ordered[i];
    return NULL;
}

static void hear_order(sim_t *self, const mm_order_t *given)
{
    sim_order_t order = {.action = given->action, .until_ms = given->until_ms};
    memcpy(order.name, given->name.data, given->name.size);
    sim_ordered_t *ordered = find_ordered(self, &given->id);
    if (self->policy->is_given || !ordered)
        return;
    ordered->heard_ms = self->now_ms;
    bool frees = order.action == MM_ACTION_RESUME || order.action == MM_ACTION_ABSOLVE;
    if (!frees) // else it takes effect by the record alone
        sim_judge_order(self, &order, "");
}

// What is read with the state: all up to the last entry of the record, at least.
static void see_page(sim_t *self, const mm_state_body_t *state)
{
    for (size_t i = 0; i < state->count; i++)
        if (state->items[i].seq > self->policy->page_seq)
            self->policy->page_seq = state->items[i].seq;
}

static void say_state(sim_t *self)
{
    sim_policy_t *policy = self->policy;
    uint64_t known = policy->page_seq > 0 ? self->audit[policy->page_seq - 1].recorded : 0;
    known = known > policy->page_recorded ? known : policy->page_recorded;
    sim_judge_say(self, "state %llu", (unsigned long long)known);
    policy->has_state = true;
    policy->has_page = false;
}

static void see_logs(sim_t *self, const sim_process_t *consumer)
{
    const gather_actions_t *actions = &consumer->gather_actions;
    for (size_t i = 0; i < actions->count; i++) {
        const gather_action_t *action = &actions->items[i];
        if (action->kind != GATHER_NEWS || action->as.news.news != GATHER_NEWS_STATE)
            continue;
        say_state(self);
    }
}

// Somebody has joined, or left.
static bool is_move(const gather_action_t *action)
{
    return action->kind == GATHER_OPEN || action->kind == GATHER_CLOSE;
}

// Its worker is lost, or has not got it and never will.
static void see_reclaimed(sim_standing_t *standing, const gather_action_t *action)
{
    standing->reclaimed = action->as.log.number;
    if (!action->as.log.is_lost && action->as.log.number == standing->out)
        standing->is_out = false;
}

static void see_others(sim_t *self, const sim_process_t *consumer)
{
    const gather_actions_t *actions = &consumer->gather_actions;
    for (size_t i = 0; i < actions->count; i++) {
        const gather_action_t *action = &actions->items[i];
        if (is_move(action))
            self->policy->said_ms = self->now_ms;
        if (action->kind == GATHER_LOG && action->as.log.log == GATHER_LOG_RECLAIMED)
            see_reclaimed(standing_of(self, sim_job(self, &action->as.log.id)), action);
        if (action->kind == GATHER_NEWS && action->as.news.news == GATHER_NEWS_TRIPPED)
            sim_judge_say(self, "trip %s", *action->as.news.name ? action->as.news.name : "-");
    }
}

// Who has lost its place, then who has got one.
static void see_places(sim_t *self, const sim_process_t *consumer)
{
    sim_policy_t *policy = self->policy;
    bool is_admitted[SIM_JOBS];
    for (uint32_t i = 0; i < self->job_count; i++) {
        const flight_t *flight = flights_find(&consumer->gather->flights, &self->jobs[i].id);
        is_admitted[i] = flight && flight->is_admitted;
        if (policy->standings[i].was_admitted && !is_admitted[i])
            lose_place(self, &self->jobs[i]);
    }
    for (uint32_t i = 0; i < self->job_count; i++) {
        if (!policy->standings[i].was_admitted && is_admitted[i])
            take_place(self, &self->jobs[i]);
        policy->standings[i].was_admitted = is_admitted[i];
    }
}

void sim_judge_step(sim_t *self, const sim_process_t *consumer, const gather_event_t *event)
{
    if (!self->policy)
        return;
    if (event->kind == GATHER_ORDER)
        hear_order(self, event->as.order.order);
    if (event->kind == GATHER_GUARD)
        sim_judge_say(self, "guard %s", event->as.guard.says_yes ? "yes" : "no");
    if (event->kind == GATHER_STATE)
        see_page(self, event->as.state);
    see_logs(self, consumer);
    see_others(self, consumer);
    see_places(self, consumer);
}

static void say_outcome(sim_t *self, const sim_job_t *job, const char *record)
{
    static const char *const names[] = {[MM_OUTCOME_RESTARTED] = "restarted",
                                        [MM_OUTCOME_DEAD] = "dead",
                                        [MM_OUTCOME_WITHDRAWN] = "withdrawn",
                                        [MM_OUTCOME_SKIPPED] = "skipped"};
    bool is_casualty = job->seq > 0 && self->audit[job->seq - 1].is_casualty;
    bool is_up = !is_casualty && job->row.row == MM_ROW_ENDED;
    const char *state = "";
    if (is_casualty)
        state = job->is_casualty ? " casualty" : " absolved";
    else if (is_up)
        state = " up";
    sim_judge_say(self, "%send %s %s%s", record, job->host, names[job->outcome], state);
}

static void hear_outcome(sim_t *self, const mm_result_t *result)
{
    sim_job_t *job = sim_job(self, &result->id);
    bool is_read = result->leg == MM_LEG_SETTLE && result->status == MM_STATUS_OK;
    if (!is_read || job->told_outcome_life == self->epoch)
        return;
    job->told_outcome_life = self->epoch;
    // The end of a former attempt, after which it has kept its place, and so nothing was said.
    bool stays_down =
        (job->outcome == MM_OUTCOME_SKIPPED || job->outcome == MM_OUTCOME_WITHDRAWN) &&
        job->is_casualty && job->row.row != MM_ROW_ENDED;
    if (stays_down && standing_of(self, job)->place != SIM_PLACE_NONE)
        sim_judge_say(self, "known end %s failed casualty", job->host);
    standing_of(self, job)->place = SIM_PLACE_NONE;
    say_outcome(self, job, "");
}

// ---- what goes out

void sim_judge_handed_out(sim_t *self, const mm_task_t *task)
{
    if (!self->policy || !task->real)
        return;
    sim_job_t *job = sim_job(self, &task->id);
    if (!mm_leg_is_restarters(task->leg) && task->real->row == MM_ROW_BEGUN)
        standing_of(self, job)->has_ended = standing_of(self, job)->is_out = false; // it is next
    if (!mm_leg_is_restarters(task->leg) || task->real->command == 0)
        return;
    standing_of(self, job)->expires_ms = expiry(self);
    standing_of(self, job)->is_out = true;
    standing_of(self, job)->out = task->number;
    standing_of(self, job)->is_unstarted = standing_of(self, job)->was_returned = false;
    standing_of(self, job)->has_ended = false;
    sim_judge_say(self, "hand-out %s", job->host);
}

// What was not on record by now is forgotten with the job.
void sim_judge_nacked(sim_t *self, const sim_job_t *job)
{
    if (!self->policy)
        return;
    sim_standing_t *standing = standing_of(self, job);
    if (standing->has_ended && !standing->is_recorded)
        sim_judge_say(self, "lapse end %s failed", job->host);
    standing->is_unstarted = standing->has_ended = false;
}

void sim_judge_command(sim_t *self, const sim_job_t *job)
{
    if (!self->policy)
        return;
    standing_of(self, job)->expires_ms = expiry(self);
    sim_judge_say(self, "command %s", job->host);
}

// ---- the record

static bool leaves_casualty(mm_end_t end)
{
    return end == MM_END_UNHEALTHY || end == MM_END_UNREACHABLE || end == MM_END_WRONG_HOST ||
           end == MM_END_INTERRUPTED || end == MM_END_LEFT_RUNNING;
}

// A restarter's result. What a task says that was taken back, or is not the last one, ends nothing;
// whether its command was sent is known.
static void hear_result(uint64_t epoch, sim_standing_t *standing, const sim_job_t *job,
                        const mm_result_t *result)
{
    bool is_out = result->number == standing->out, is_last = result->number == job->last_task;
    bool is_repeated = (is_out && result->number == standing->heard_out) ||
                       (is_last && result->number == standing->heard); // to a new session
    standing->heard_out = is_out ? result->number : standing->heard_out;
    standing->heard = is_last ? result->number : standing->heard;
    if (is_repeated)
        return;
    bool is_current =
        is_last && result->number != standing->reclaimed && result->number >> 32 == epoch;
    bool is_sent = result->status != MM_STATUS_RETURNED && result->real && result->real->sent;
    bool is_unsent =
        result->status == MM_STATUS_OPEN && result->real && result->real->end == MM_END_NOT_STARTED;
    if (is_out) // a look says nothing of that
        standing->was_returned =
            is_unsent || (is_current ? result->status == MM_STATUS_RETURNED : !is_sent);
    if (result->status != MM_STATUS_FAILED || !is_current)
        return;
    standing->has_ended = true;
    standing->is_recorded = false;
    standing->is_casualty = result->real && leaves_casualty(result->real->end);
}

void sim_judge_read(sim_t *self, const mm_result_t *result)
{
    if (!self->policy)
        return;
    const sim_job_t *job = sim_job(self, &result->id);
    bool is_in_flight = flights_find(&self->consumer->gather->flights, &job->id);
    if (mm_leg_is_restarters(result->leg) && is_in_flight)
        hear_result(self->epoch, standing_of(self, job), job, result);
    else if (!mm_leg_is_restarters(result->leg))
        hear_outcome(self, result);
}

bool sim_judge_is_casualty(const sim_job_t *job)
{
    return job->row.row == MM_ROW_ENDED && leaves_casualty(job->row.end) &&
           job->outcome != MM_OUTCOME_RESTARTED;
}

static void record(sim_t *self)
{
    self->policy->recorded++;
}

void sim_judge_row(sim_t *self, const sim_running_t *task)
{
    sim_job_t *job = task->job;
    if (job->row.row == MM_ROW_ENDED)
        job->is_casualty = leaves_casualty(job->row.end);
    if (!self->policy)
        return;
    sim_standing_t *standing = standing_of(self, job);
    if (job->row.row == MM_ROW_ENDED) {
        standing->has_ended = standing->is_recorded = true;
        standing->is_casualty = job->is_casualty;
    }
    if (job->row.row == MM_ROW_ENDED && task->leg == MM_LEG_SAVE) {
        record(self);
        sim_judge_say(self, "record end %s failed%s", job->host,
                      job->is_casualty ? " casualty" : "");
    }
    bool is_over = standing->has_ended || standing->is_unstarted; // as the consumer knows by now
    if (is_begun(job) && standing->place == SIM_PLACE_NONE && !is_over)
        open_place(self, job);
    else if (!is_begun(job) && standing->place == SIM_PLACE_OPEN && !standing->was_admitted &&
             task->leg == MM_LEG_SAVE)
        leave_place(self, job, job->row.row == MM_ROW_ENDED ? "failed" : "return");
}

void sim_judge_outcome(sim_t *self, const sim_job_t *job)
{
    if (!self->policy)
        return;
    record(self);
    if (job->seq > 0)
        self->audit[job->seq - 1].recorded = self->policy->recorded;
    say_outcome(self, job, "record ");
}

void sim_judge_order(sim_t *self, const sim_order_t *order, const char *prefix)
{
    const char *name = *order->name ? order->name : "-";
    if (!self->policy || order->action == MM_ACTION_RUN) // there is one run
        return;
    if (strcmp(prefix, "record ") == 0) {
        sim_ordered_t *ordered = find_ordered(self, &order->id);
        record(self);
        self->audit[self->audit_count - 1].recorded = self->policy->recorded;
        if (ordered)
            ordered->recorded_ms = self->now_ms;
    }
    switch (order->action) {
    case MM_ACTION_HALT: sim_judge_say(self, "%shalt", prefix); break;
    case MM_ACTION_RESUME: sim_judge_say(self, "%sresume %s", prefix, name); break;
    case MM_ACTION_DENY:
        sim_judge_say(self, "%sdeny %s %lld", prefix, name, (long long)order->until_ms);
        break;
    case MM_ACTION_ABSOLVE: sim_judge_say(self, "%sabsolve %s", prefix, name); break;
    case MM_ACTION_TRIP: sim_judge_say(self, "%strip %s", prefix, name); break;
    case MM_ACTION_RUN:
    case MM_ACTION_BEGUN:
    case MM_ACTION_ENDED:
    case MM_ACTION_TAKE_OVER: break;
    }
}

void sim_judge_refuse(sim_t *self, const mm_id_t *id)
{
    sim_ordered_t *ordered = self->policy ? find_ordered(self, id) : NULL;
    if (ordered)
        ordered->is_refused = true;
}

bool sim_judge_is_refused(sim_t *self, const mm_id_t *id)
{
    const sim_ordered_t *ordered = self->policy ? find_ordered(self, id) : NULL;
    return ordered && ordered->is_refused;
}

void sim_judge_page(sim_t *self, uint64_t session, uint64_t question)
{
    sim_policy_t *policy = self->policy;
    if (!policy ||
        (policy->has_page && policy->page_session == session && policy->page_question == question))
        return;
    policy->has_page = true;
    policy->page_session = session;
    policy->page_question = question;
    policy->page_recorded = policy->recorded;
}

// ---- time

void sim_judge_time(sim_t *self)
{
    for (uint32_t i = 0; self->policy && i < self->job_count; i++) {
        sim_standing_t *standing = &self->policy->standings[i];
        if (standing->place == SIM_PLACE_OPEN && !standing->was_admitted &&
            standing->expires_ms <= self->now_ms)
            leave_place(self, &self->jobs[i], "expire");
    }
}

int64_t sim_judge_deadline(const sim_t *self)
{
    int64_t next_ms = MM_NEVER;
    for (uint32_t i = 0; self->policy && i < self->job_count; i++) {
        const sim_standing_t *standing = &self->policy->standings[i];
        if (standing->place == SIM_PLACE_OPEN && !standing->was_admitted &&
            standing->expires_ms < next_ms)
            next_ms = standing->expires_ms;
    }
    return next_ms;
}

// Whether everybody works, and nobody has anything to do.
static bool is_idle(const sim_t *self)
{
    gather_worker_t worker = {0};
    uint32_t joined = 0, alive = 0;
    for (uint32_t i = 0; i < self->process_count; i++) {
        const sim_process_t *process = &self->processes[i];
        bool is_gone = process->start_ms == MM_NEVER && !process->alive;
        if ((!process->alive && !is_gone) || process->draining || process->running_count > 0)
            return false;
        alive += process->alive && process->role == SIM_RESTARTER;
    }
    while (gather_next_worker(self->consumer->gather, &worker)) {
        joined += worker.joined && worker.role == MM_ROLE_RESTARTER;
        if (worker.joined && worker.out > 0)
            return false;
    }
    for (uint32_t i = 0; i < self->job_count; i++) {
        const sim_job_t *job = &self->jobs[i];
        if (!job->accepted || (job->in_outbox && job->delete_ms == 0 &&
                               !flights_find(&self->consumer->gather->flights, &job->id)))
            return false;
    }
    return alive > 0 && joined == alive && gather_held(self->consumer->gather).is_known;
}

bool sim_judge_is_quiet(const sim_t *self)
{
    const sim_policy_t *policy = self->policy;
    int64_t since_ms = self->now_ms - QUIET_MS;
    return policy && !self->faulty && policy->has_state && policy->said_ms <= since_ms &&
           self->consumer_ms <= since_ms && since_ms >= SIM_FAULTS_MS &&
           self->now_ms >= policy->quiet_ms + QUIET_EVERY_MS && self->consumer->alive &&
           is_idle(self);
}

void sim_judge_quiet(sim_t *self)
{
    sim_policy_t *policy = self->policy;
    int64_t said_ms = policy->said_ms;
    policy->quiet_ms = self->now_ms;
    sim_judge_say(self, "quiet");
    policy->said_ms = said_ms; // nothing has happened
}
