// See run_pass.h. What waits is looked at as the consumer's gate does
// (consumer/core/gather_gate.c): hosts in the same groups are a queue, casualties before the
// others, and the next host is the first one of the queue whose first one is earliest on the list.
// Nobody has waited for long, so nobody reserves a place.

#include "run_pass.h"
#include "duration.h"
#include "group_limits.h"
#include "heap.h"

#include <assert.h>
#include <stdlib.h>

struct run_pass {
    run_pass_config_t config;
    limits_t limits;
    int64_t begun;
};

// A host that is not done, nor denied.
typedef struct {
    class_t *class;
    bool is_casualty;
    size_t at; // on the list
} waiting_t;

typedef struct {
    mm_heap_node_t turn;         // by the place of `next` on the list
    const waiting_t *next, *end; // of the same class
} queue_t;

run_pass_t *run_pass_new(const run_pass_config_t *config)
{
    const mm_policy_t *policy = config->policy;
    run_pass_t *self = calloc(1, sizeof *self);
    assert(self);
    self->config = *config;
    limits_init(&self->limits, policy, 0);
    if (config->at_once > 0)
        limits_set_cap(&self->limits, config->at_once);
    for (size_t i = 0; i < policy->count; i++)
        (void)limits_set_hosts(&self->limits, mm_str(policy->groups[i].name),
                               config->inventory->sizes[i]);
    self->limits.guard_until_ms = MM_NEVER;
    return self;
}

void run_pass_destroy(run_pass_t **self_p)
{
    run_pass_t *self = *self_p;
    if (!self)
        return;
    *self_p = NULL;
    limits_clear(&self->limits);
    free(self);
}

void run_pass_apply(void *pass, const mm_entry_t *entry)
{
    run_pass_t *self = pass;
    limits_apply_entry(&self->limits, entry, MM_NEVER);
}

// ---- a host

static class_t *class_of(run_pass_t *self, const run_host_t *host)
{
    return limits_class(&self->limits, mm_str(host->groups));
}

static run_verdict_t look_at(run_pass_t *self, const run_host_t *host)
{
    const limits_t *limits = &self->limits;
    const class_t *class = class_of(self, host);
    const place_t *own = limits_place(limits, mm_str(host->name));
    int64_t now_ms = self->config.now_ms;
    int64_t denied_ms = limits_denied(limits, mm_str(host->name), now_ms);
    run_verdict_t verdict = {.until_ms = MM_NEVER, .is_looked_at = own && own->is_open};
    bool ends;
    group_t *blocker;
    verdict.reason = limits_closed(limits, class, now_ms, now_ms, &verdict.until_ms);
    if (verdict.reason == MM_REASON_NONE && denied_ms > 0) {
        verdict.reason = MM_REASON_DENIED;
        verdict.until_ms = denied_ms;
    }
    if (verdict.reason == MM_REASON_NONE && now_ms < limits->next_start_ms) {
        verdict.reason = MM_REASON_RATE;
        verdict.until_ms = limits->next_start_ms;
    }
    if (verdict.reason == MM_REASON_NONE)
        verdict.reason = limits_room(class, own, &ends, &blocker);
    if (verdict.reason == MM_REASON_NONE && self->begun >= self->config.slots)
        verdict.reason = MM_REASON_NO_SLOT;
    const group_t *holder = limits_holder(limits, class, own, verdict.reason, now_ms, now_ms);
    // The pass ends before its verdicts do.
    verdict.group = holder ? self->config.policy->groups[holder - limits->groups].name : NULL;
    return verdict;
}

static void begin(run_pass_t *self, const run_host_t *host)
{
    limits_take(&self->limits, mm_str(host->name), class_of(self, host));
    limits_start(&self->limits, self->config.now_ms);
    self->begun++;
}

// ---- the pass

static int by_class(const void *a, const void *b)
{
    const waiting_t *one = a, *other = b;
    if (one->class != other->class)
        return (uintptr_t)one->class < (uintptr_t)other->class ? -1 : 1;
    if (one->is_casualty != other->is_casualty)
        return one->is_casualty ? -1 : 1;
    return one->at < other->at ? -1 : one->at > other->at;
}

// Returns how many wait. The verdict of a denied host is said here: it is in no queue.
static size_t line_up(run_pass_t *self, waiting_t *waiting, run_verdict_t *verdicts)
{
    size_t count = 0;
    for (size_t i = 0; i < self->config.inventory->item_count; i++) {
        const run_host_t *host = &self->config.inventory->items[i];
        const place_t *own = limits_place(&self->limits, mm_str(host->name));
        verdicts[i] = (run_verdict_t){.until_ms = MM_NEVER};
        if (host->is_done)
            continue;
        if (own && own->denied_ms > self->config.now_ms)
            verdicts[i] = look_at(self, host);
        else
            waiting[count++] = (waiting_t){class_of(self, host), own && own->is_casualty, i};
    }
    if (count > 0)
        qsort(waiting, count, sizeof *waiting, by_class);
    return count;
}

static void fill_queues(mm_heap_t *turns, queue_t *queues, const waiting_t *waiting, size_t count)
{
    size_t used = 0;
    for (size_t i = 0; i < count; i++) {
        if (i == 0 || waiting[i].class != waiting[i - 1].class) {
            queues[used].next = &waiting[i];
            mm_heap_put(turns, &queues[used++].turn, (int64_t)waiting[i].at);
        }
        queues[used - 1].end = &waiting[i + 1];
    }
}

run_verdict_t *run_pass_decide(run_pass_t *self)
{
    size_t hosts = self->config.inventory->item_count;
    run_verdict_t *verdicts = calloc(hosts + 1, sizeof *verdicts);
    waiting_t *waiting = calloc(hosts + 1, sizeof *waiting);
    queue_t *queues = calloc(hosts + 1, sizeof *queues);
    mm_heap_t turns = {0};
    assert(verdicts && waiting && queues);
    limits_complete(&self->limits, self->config.now_ms);
    while (limits_step(&self->limits, self->config.now_ms))
        ;
    fill_queues(&turns, queues, waiting, line_up(self, waiting, verdicts));
    for (mm_heap_node_t *node; (node = mm_heap_first(&turns)) != NULL;) {
        queue_t *queue = MM_HEAP_OWNER(node, queue_t, turn);
        size_t at = queue->next++->at;
        const run_host_t *host = &self->config.inventory->items[at];
        verdicts[at] = look_at(self, host);
        if (verdicts[at].reason == MM_REASON_NONE)
            begin(self, host);
        mm_heap_remove(&turns, node);
        if (queue->next < queue->end)
            mm_heap_put(&turns, node, (int64_t)queue->next->at);
    }
    mm_heap_clear(&turns);
    free(queues);
    free(waiting);
    return verdicts;
}
