// The simulated saver's side of orders: it records each once, by its id, in the order of all that
// is on record, and answers with that and with the state that the record holds a run back by, page
// by page. The rules of docs/protocol.md.

#include "sim.h"

#include "array.h"
#include "string_view.h"

#include <assert.h>
#include <string.h>

// Where a page goes on: what is in force has these numbers, hosts three each; behind them are the
// record's.
#define AT_HALT  1
#define AT_TRIPS 2
#define AT_HOSTS (1 << 20)
#define AT_FACTS (1 << 21)
#define PAGE_MAX 4

static sim_audit_t *add(sim_t *self)
{
    sim_audit_t *audit = MM_ARRAY_ADD(self->audit, self->audit_count, self->audit_capacity);
    *audit = (sim_audit_t){.at_ms = SIM_UNIX_MS + self->now_ms};
    return audit;
}

uint64_t sim_orders_record_outcome(sim_t *self, const sim_job_t *job, uint64_t run)
{
    sim_audit_t *audit = add(self);
    audit->order.action = MM_ACTION_ENDED;
    audit->order.run = run;
    audit->job = job;
    audit->outcome = job->outcome;
    audit->is_casualty = sim_judge_is_casualty(job);
    return self->audit_count;
}

uint64_t sim_orders_record(sim_t *self, const sim_order_t *order)
{
    add(self)->order = *order;
    return self->audit_count;
}

void sim_orders_take(sim_t *self, sim_process_t *saver, const mm_frame_t *frame)
{
    const mm_orders_body_t *orders = &frame->as.orders;
    if (orders->session != saver->session)
        return;
    for (size_t i = 0; i < orders->count && saver->order_count < SIM_ORDERS; i++) {
        sim_order_t *order = &saver->orders[saver->order_count++];
        *order = (sim_order_t){.id = orders->items[i].id,
                               .action = orders->items[i].action,
                               .run = orders->items[i].run,
                               .until_ms = orders->items[i].until_ms};
        assert(orders->items[i].name.size < sizeof order->name);
        memcpy(order->name, orders->items[i].name.data, orders->items[i].name.size);
    }
    if (orders->question > 0) {
        saver->question = orders->question;
        saver->is_asked = true;
        saver->asked_session = saver->session;
        saver->asked_run = orders->run;
        saver->asked_from = orders->from;
    }
    saver->is_due_known = false;
    if (saver->commit_ms == 0)
        saver->commit_ms = self->now_ms + 1 + (int64_t)sim_below(self, 5);
}

static bool is_recorded(const sim_t *self, const sim_order_t *order)
{
    for (size_t i = 0; i < self->audit_count; i++)
        if (!self->audit[i].job && mm_id_equal(&self->audit[i].order.id, &order->id))
            return true;
    return false;
}

static void absolve(sim_t *self, const char *host)
{
    for (uint32_t i = 0; i < self->job_count; i++)
        if (strcmp(self->jobs[i].host, host) == 0)
            self->jobs[i].is_casualty = false;
}

void sim_orders_commit(sim_t *self, sim_process_t *saver, bool is_full)
{
    for (uint32_t i = 0; i < saver->order_count && !is_full; i++) {
        const sim_order_t *order = &saver->orders[i];
        if (is_recorded(self, order) || sim_judge_is_refused(self, &order->id))
            continue; // copies of what was refused are lost
        add(self)->order = *order;
        if (order->action == MM_ACTION_ABSOLVE)
            absolve(self, order->name);
        sim_trace(self, "saver: order %d %s is on record", (int)order->action, order->name);
        sim_judge_order(self, order, "record ");
    }
}

// ---- what is in force

// The last order of one of two kinds, of this name; NULL: none.
static const sim_audit_t *last_of(const sim_t *self, mm_action_t one, mm_action_t other,
                                  const char *name)
{
    const sim_audit_t *last = NULL;
    for (size_t i = 0; i < self->audit_count; i++) {
        const sim_order_t *order = &self->audit[i].order;
        if ((order->action == one || order->action == other) && !self->audit[i].job &&
            strcmp(order->name, name) == 0)
            last = &self->audit[i];
    }
    return last;
}

static bool is_in_force(const sim_t *self, mm_action_t begins, const char *name)
{
    const sim_audit_t *last = last_of(self, begins, MM_ACTION_RESUME, name);
    return last && last->order.action == begins;
}

// A group that has tripped in that run: the entry of the record, from there on; NULL: none.
static const sim_audit_t *find_trip(const sim_t *self, uint64_t run, uint64_t *at)
{
    for (; *at - AT_TRIPS < self->audit_count && *at < AT_HOSTS; ++*at) {
        const sim_audit_t *audit = &self->audit[*at - AT_TRIPS];
        if (audit->order.action == MM_ACTION_TRIP && audit->order.run == run &&
            last_of(self, MM_ACTION_TRIP, MM_ACTION_RESUME, audit->order.name) == audit)
            return audit;
    }
    *at = *at > AT_HOSTS ? *at : AT_HOSTS;
    return NULL;
}

static bool fill_host(const sim_t *self, uint64_t at, mm_entry_t *entry)
{
    const sim_job_t *job = &self->jobs[(at - AT_HOSTS) / 3];
    const sim_audit_t *denied = last_of(self, MM_ACTION_DENY, MM_ACTION_DENY, job->host);
    bool is_open = job->row.row == MM_ROW_BEGUN || job->row.row == MM_ROW_OPEN;
    entry->name = mm_str(job->host);
    entry->groups = mm_str(job->groups);
    switch ((at - AT_HOSTS) % 3) {
    case 0:
        entry->action = MM_ACTION_DENY;
        entry->until_ms = denied ? denied->order.until_ms : 0;
        return denied != NULL;
    case 1:
        entry->action = MM_ACTION_BEGUN;
        entry->is_casualty = job->is_casualty;
        return is_open && job->outcome == MM_OUTCOME_NONE;
    default: entry->action = MM_ACTION_ENDED; return job->is_casualty;
    }
}

// What has become of the run, and what its breakers count from.
static bool fill_fact(const sim_t *self, uint64_t run, uint64_t at, mm_entry_t *entry)
{
    const sim_audit_t *audit = &self->audit[at - AT_FACTS];
    entry->action = audit->order.action;
    entry->seq = at - AT_FACTS + 1;
    entry->at_ms = audit->at_ms;
    entry->name = mm_str(audit->job ? audit->job->host : audit->order.name);
    entry->groups = mm_str(audit->job ? audit->job->groups : "");
    entry->outcome = audit->outcome;
    entry->is_casualty = audit->is_casualty;
    bool is_any = !audit->job && audit->order.run == 0; // it was ordered without a run
    return run > 0 && (audit->order.run == run || is_any) &&
           (audit->job || entry->action == MM_ACTION_RESUME);
}

// The next entry from there on; false: there is none.
static bool find_entry(const sim_t *self, uint64_t run, uint64_t *at, mm_entry_t *ret_entry)
{
    const sim_audit_t *trip;
    *ret_entry = (mm_entry_t){.action = MM_ACTION_HALT};
    if (*at <= AT_HALT && is_in_force(self, MM_ACTION_HALT, ""))
        return true;
    *at = *at < AT_TRIPS ? AT_TRIPS : *at;
    if (*at < AT_HOSTS && (trip = find_trip(self, run, at)) != NULL) {
        ret_entry->action = MM_ACTION_TRIP;
        ret_entry->at_ms = trip->at_ms;
        ret_entry->name = mm_str(trip->order.name);
        return true;
    }
    for (; *at < AT_FACTS && *at - AT_HOSTS < (uint64_t)3 * self->job_count; ++*at)
        if (fill_host(self, *at, ret_entry))
            return true;
    *at = *at < AT_FACTS ? AT_FACTS : *at;
    for (; *at - AT_FACTS < self->audit_count; ++*at) {
        *ret_entry = (mm_entry_t){0};
        if (fill_fact(self, run, *at, ret_entry))
            return true;
    }
    return false;
}

static void answer_state(sim_t *self, sim_process_t *saver)
{
    mm_entry_t entries[PAGE_MAX + 1];
    size_t size = 1 + (size_t)sim_below(self, PAGE_MAX), count = 0;
    uint64_t at = saver->asked_from > 0 ? saver->asked_from : AT_HALT, next = 0;
    for (; find_entry(self, saver->asked_run, &at, &entries[count]); at++) {
        if (count == size) {
            next = at;
            break;
        }
        count++;
    }
    if (next == 0)
        sim_judge_page(self, saver->session, saver->question);
    sim_trace(self, "saver: answers the state from %llu with %zu entries, next %llu",
              (unsigned long long)saver->asked_from, count, (unsigned long long)next);
    sim_send_up(self, saver,
                &(mm_frame_t){.kind = MM_FRAME_STATE,
                              .as.state = {.worker = mm_str(saver->name.text),
                                           .instance = saver->instance,
                                           .session = saver->session,
                                           .run = saver->asked_run,
                                           .question = saver->question,
                                           .from = saver->asked_from,
                                           .next = next,
                                           .items = entries,
                                           .count = count}});
}

void sim_orders_answer(sim_t *self, sim_process_t *saver)
{
    mm_recorded_t recorded[SIM_ORDERS];
    for (uint32_t i = 0; i < saver->order_count; i++) {
        bool is_refused = !is_recorded(self, &saver->orders[i]);
        if (is_refused)
            sim_judge_refuse(self, &saver->orders[i].id);
        recorded[i] =
            (mm_recorded_t){.id = saver->orders[i].id,
                            .error = mm_str(is_refused ? "database or disk is full" : "")};
    }
    if (saver->order_count > 0)
        sim_send_up(self, saver,
                    &(mm_frame_t){.kind = MM_FRAME_RECORDED,
                                  .as.recorded = {.worker = mm_str(saver->name.text),
                                                  .instance = saver->instance,
                                                  .session = saver->session,
                                                  .items = recorded,
                                                  .count = saver->order_count}});
    saver->order_count = 0;
    if (saver->is_asked && saver->asked_session == saver->session)
        answer_state(self, saver);
    saver->is_asked = false;
}
