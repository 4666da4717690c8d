// See profile.h. A node is found among the callees of the current one: there are few, and the same
// ones occur again and again.

#include "profile.h"
#include "array.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define SECOND_NS INT64_C(1000000000)
#define NONE      SIZE_MAX

typedef struct {
    const mm_spot_t *spot;
    size_t caller;
    size_t first; // callee; NONE
    size_t next;  // with the same caller; NONE
    mm_profile_sums_t sums;
    mm_profile_sums_t closed; // sums, when the last slice was closed; in whole microseconds
    int64_t turn_ns;          // own, by the monotonic clock, in this turn
    int64_t max_ns;
    uint32_t histogram[MM_PROFILE_BUCKETS];
} node_t;

// A running call.
typedef struct {
    size_t node;
    int64_t since_ns;
    int64_t inside_ns; // in spans that have ended
} call_t;

// A node's share of a second. The remainder below a microsecond counts for the next slice.
typedef struct {
    uint32_t calls;
    uint32_t cpu_us;
    uint32_t wait_us;
} share_t;

typedef struct {
    int64_t long_ns;
    size_t count;
    size_t capacity;
    share_t *shares; // by node
} slice_t;

struct mm_profile {
    node_t nodes[MM_PROFILE_NODES];
    size_t count;
    call_t calls[MM_PROFILE_DEPTH]; // the first: the loop itself
    size_t depth;
    size_t beyond; // entered spans that are too deep or too many
    size_t touched[MM_PROFILE_NODES];
    size_t touched_count; // nodes with time in this turn
    int64_t began_ns;
    int64_t since_ns; // the last turn ended, or this one began
    int64_t since_cpu_ns;
    bool in_turn;
    size_t handler; // the longest of this turn, or of the last one
    int64_t handler_ns;
    slice_t slices[MM_PROFILE_SLICES]; // a ring
    uint64_t closed_count;
    int64_t open_since_ns;
};

static const mm_spot_t poll_spot = {"poll", __FILE__, __LINE__, MM_SPOT_POLL};

static size_t add_node(mm_profile_t *self, const mm_spot_t *spot, size_t caller)
{
    if (self->count == MM_PROFILE_NODES)
        return NONE;
    node_t *node = &self->nodes[self->count];
    *node = (node_t){.spot = spot, .caller = caller, .first = NONE, .next = NONE};
    if (self->count > 0) {
        node->next = self->nodes[caller].first;
        self->nodes[caller].first = self->count;
    }
    return self->count++;
}

static size_t find_node(mm_profile_t *self, const mm_spot_t *spot, size_t caller)
{
    size_t index = self->nodes[caller].first;
    while (index != NONE && self->nodes[index].spot != spot)
        index = self->nodes[index].next;
    return index != NONE ? index : add_node(self, spot, caller);
}

mm_profile_t *mm_profile_new(int64_t now_ns, int64_t cpu_ns)
{
    mm_profile_t *self = calloc(1, sizeof *self);
    assert(self);
    (void)add_node(self, &poll_spot, 0);
    self->began_ns = self->since_ns = self->open_since_ns = now_ns;
    self->since_cpu_ns = cpu_ns;
    return self;
}

void mm_profile_destroy(mm_profile_t **self_p)
{
    mm_profile_t *self = *self_p;
    if (!self)
        return;
    *self_p = NULL;
    for (size_t i = 0; i < MM_PROFILE_SLICES; i++)
        free(self->slices[i].shares);
    free(self);
}

// ---- calls

// The two bits behind the first one of the length choose among four.
static size_t bucket_of(int64_t ns)
{
    if (ns < 4)
        return ns > 0 ? (size_t)ns : 0;
    unsigned power = 63 - (unsigned)__builtin_clzll((uint64_t)ns);
    size_t bucket = 4 * (size_t)(power - 1) + ((uint64_t)ns >> (power - 2) & 3);
    return bucket < MM_PROFILE_BUCKETS ? bucket : MM_PROFILE_BUCKETS - 1;
}

static void count_call(node_t *node, int64_t long_ns)
{
    node->sums.calls++;
    node->histogram[bucket_of(long_ns)]++;
    if (long_ns > node->max_ns)
        node->max_ns = long_ns;
}

static void add_time(mm_profile_t *self, size_t index, int64_t own_ns)
{
    node_t *node = &self->nodes[index];
    if (own_ns <= 0)
        return;
    if (node->turn_ns == 0)
        self->touched[self->touched_count++] = index;
    node->turn_ns += own_ns;
}

void mm_profile_enter(mm_profile_t *self, const mm_spot_t *spot, int64_t now_ns)
{
    if (!self->in_turn)
        return;
    size_t node = NONE;
    if (self->beyond == 0 && self->depth < MM_PROFILE_DEPTH)
        node = find_node(self, spot, self->calls[self->depth - 1].node);
    if (node == NONE) {
        self->beyond++;
        return;
    }
    self->calls[self->depth++] = (call_t){.node = node, .since_ns = now_ns};
}

void mm_profile_leave(mm_profile_t *self, int64_t now_ns)
{
    if (!self->in_turn)
        return;
    if (self->beyond > 0) {
        self->beyond--;
        return;
    }
    assert(self->depth > 1);
    const call_t *call = &self->calls[--self->depth];
    int64_t long_ns = now_ns - call->since_ns;
    count_call(&self->nodes[call->node], long_ns);
    add_time(self, call->node, long_ns - call->inside_ns);
    self->calls[self->depth - 1].inside_ns += long_ns;
    if (self->depth == 1 && long_ns > self->handler_ns) {
        self->handler = call->node;
        self->handler_ns = long_ns;
    }
}

void mm_profile_add(mm_profile_t *self, const mm_spot_t *spot, uint64_t calls, int64_t wall_ns)
{
    assert(self->in_turn && self->depth == 1);
    size_t caller = self->handler;
    size_t index = find_node(self, spot, caller);
    if (index == NONE)
        return;
    node_t *handler = &self->nodes[caller];
    int64_t there_ns = handler->turn_ns > 0 ? handler->turn_ns - 1 : 0; // it stays touched
    int64_t long_ns = wall_ns < there_ns ? wall_ns : there_ns;
    node_t *node = &self->nodes[index];
    node->sums.calls += calls;
    node->histogram[bucket_of(calls > 0 ? wall_ns / (int64_t)calls : 0)] += (uint32_t)calls;
    handler->turn_ns -= long_ns;
    add_time(self, index, long_ns);
}

// ---- turns

void mm_profile_begin_turn(mm_profile_t *self, int64_t now_ns, int64_t cpu_ns)
{
    assert(!self->in_turn);
    node_t *poll = &self->nodes[0];
    int64_t long_ns = now_ns - self->since_ns, ran_ns = cpu_ns - self->since_cpu_ns;
    count_call(poll, long_ns);
    poll->sums.cpu_ns += ran_ns;
    poll->sums.wait_ns += long_ns > ran_ns ? long_ns - ran_ns : 0;
    self->in_turn = true;
    self->since_ns = now_ns;
    self->since_cpu_ns = cpu_ns;
    self->depth = 1;
    self->calls[0] = (call_t){.node = 0, .since_ns = now_ns};
    self->touched_count = 0;
    self->handler = 0;
    self->handler_ns = 0;
}

// The share of `amount` that `part` is of `whole`.
static int64_t share_of(int64_t amount, int64_t part, int64_t whole)
{
    return whole > 0 ? (int64_t)((double)amount * (double)part / (double)whole) : 0;
}

// Distributes the time of the turn in which the thread did not run: to spans that wait first, then
// to the others. It is negative when the clocks disagree a little: then all spans ran longer.
static void settle_nodes(mm_profile_t *self, int64_t all_ns, int64_t waits_ns, int64_t lost_ns)
{
    int64_t from_waits_ns = lost_ns < 0 ? 0 : lost_ns < waits_ns ? lost_ns : waits_ns;
    int64_t rest_ns = lost_ns - from_waits_ns;
    bool only_waits = waits_ns == all_ns;
    for (size_t i = 0; i < self->touched_count; i++) {
        node_t *node = &self->nodes[self->touched[i]];
        bool waits = node->spot->kind == MM_SPOT_WAITS;
        int64_t node_lost_ns = waits ? share_of(from_waits_ns, node->turn_ns, waits_ns) : 0;
        if (!waits || only_waits)
            node_lost_ns +=
                share_of(rest_ns, node->turn_ns, only_waits ? all_ns : all_ns - waits_ns);
        node->sums.cpu_ns += node->turn_ns - node_lost_ns;
        node->sums.wait_ns += node_lost_ns > 0 ? node_lost_ns : 0;
        node->turn_ns = 0;
    }
}

void mm_profile_end_turn(mm_profile_t *self, int64_t now_ns, int64_t cpu_ns)
{
    assert(self->in_turn && self->depth == 1 && self->beyond == 0);
    int64_t ran_ns = cpu_ns - self->since_cpu_ns, all_ns = 0, waits_ns = 0;
    add_time(self, 0, now_ns - self->since_ns - self->calls[0].inside_ns); // the loop's own
    for (size_t i = 0; i < self->touched_count; i++) {
        const node_t *node = &self->nodes[self->touched[i]];
        all_ns += node->turn_ns;
        waits_ns += node->spot->kind == MM_SPOT_WAITS ? node->turn_ns : 0;
    }
    if (all_ns > 0)
        settle_nodes(self, all_ns, waits_ns, all_ns - ran_ns);
    else
        self->nodes[0].sums.cpu_ns += ran_ns;
    self->in_turn = false;
    self->since_ns = now_ns;
    self->since_cpu_ns = cpu_ns;
}

int64_t mm_profile_last_turn(const mm_profile_t *self, const mm_spot_t **ret_handler)
{
    *ret_handler = self->nodes[self->handler].spot;
    return self->handler_ns;
}

// ---- slices

void mm_profile_set_thread(mm_profile_t *self, const mm_spot_t *spot, int64_t cpu_ns)
{
    assert(spot->kind == MM_SPOT_THREAD);
    size_t index = find_node(self, spot, 0);
    if (index != NONE)
        self->nodes[index].sums.cpu_ns = cpu_ns;
}

bool mm_profile_is_due(const mm_profile_t *self, int64_t now_ns)
{
    return now_ns - self->open_since_ns >= SECOND_NS;
}

static mm_profile_sums_t minus(mm_profile_sums_t a, mm_profile_sums_t b)
{
    return (mm_profile_sums_t){a.calls - b.calls, a.cpu_ns - b.cpu_ns, a.wait_ns - b.wait_ns};
}

// Its whole microseconds; *ns then has what they are in nanoseconds.
static uint32_t whole_us(int64_t *ns)
{
    int64_t us = *ns / 1000;
    us = us < 0 ? 0 : us > UINT32_MAX ? UINT32_MAX : us;
    *ns = us * 1000;
    return (uint32_t)us;
}

void mm_profile_close_slice(mm_profile_t *self, int64_t now_ns)
{
    slice_t *slice = &self->slices[self->closed_count++ % MM_PROFILE_SLICES];
    slice->shares =
        mm_array_reserve(slice->shares, &slice->capacity, self->count, sizeof *slice->shares);
    slice->count = self->count;
    slice->long_ns = now_ns - self->open_since_ns;
    for (size_t i = 0; i < self->count; i++) {
        node_t *node = &self->nodes[i];
        mm_profile_sums_t open = minus(node->sums, node->closed);
        slice->shares[i] = (share_t){.calls = (uint32_t)open.calls,
                                     .cpu_us = whole_us(&open.cpu_ns),
                                     .wait_us = whole_us(&open.wait_ns)};
        node->closed.calls += open.calls;
        node->closed.cpu_ns += open.cpu_ns;
        node->closed.wait_ns += open.wait_ns;
    }
    self->open_since_ns = now_ns;
}

int64_t mm_profile_last(const mm_profile_t *self, uint32_t seconds, int64_t now_ns,
                        mm_profile_sums_t ret_sums[MM_PROFILE_NODES])
{
    int64_t long_ns = now_ns - self->open_since_ns;
    for (size_t i = 0; i < self->count; i++)
        ret_sums[i] = minus(self->nodes[i].sums, self->nodes[i].closed);
    uint64_t kept = self->closed_count < MM_PROFILE_SLICES ? self->closed_count : MM_PROFILE_SLICES;
    uint64_t wanted = seconds < kept ? seconds : kept;
    for (uint64_t back = 1; back <= wanted; back++) {
        const slice_t *slice = &self->slices[(self->closed_count - back) % MM_PROFILE_SLICES];
        long_ns += slice->long_ns;
        for (size_t i = 0; i < slice->count; i++) {
            ret_sums[i].calls += slice->shares[i].calls;
            ret_sums[i].cpu_ns += (int64_t)slice->shares[i].cpu_us * 1000;
            ret_sums[i].wait_ns += (int64_t)slice->shares[i].wait_us * 1000;
        }
    }
    return long_ns;
}

// ---- looking at it

int64_t mm_profile_since_ns(const mm_profile_t *self)
{
    return self->began_ns;
}

size_t mm_profile_count(const mm_profile_t *self)
{
    return self->count;
}

mm_profile_node_t mm_profile_node(const mm_profile_t *self, size_t index)
{
    assert(index < self->count);
    const node_t *node = &self->nodes[index];
    return (mm_profile_node_t){node->spot, node->caller, node->sums, node->max_ns, node->histogram};
}
