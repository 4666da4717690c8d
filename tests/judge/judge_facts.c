// What takes effect: ends of hosts, and orders. It counts when it happens; for a new consumer only
// what is on record has happened, in that order.

#include "judge_private.h"

#include <string.h>

static void set_halted(judge_t *self, bool is_halted)
{
    if (is_halted && !self->is_halted)
        self->halted_ms = self->now_ms;
    self->is_halted = is_halted;
}

static void trip(judge_t *self, group_t *group)
{
    if (!group->is_due && !group->is_tripped)
        group->held_ms = self->now_ms;
    group->is_tripped = true;
}

static void resume(judge_t *self, uint32_t index)
{
    self->groups[index].is_tripped = self->groups[index].is_due = false;
    self->groups[index].outcomes = 0;
    if (index == WHOLE_RUN)
        set_halted(self, false);
}

static void deny(judge_t *self, host_t *host, int64_t until_ms)
{
    bool is_over = host->until_ms > 0 && self->now_ms >= host->until_ms;
    if (!host->is_denied || is_over)
        host->denied_ms = self->now_ms;
    host->is_denied = true;
    host->until_ms = until_ms;
}

// An outcome counts once.
static void end(judge_t *self, host_t *host, const fact_t *fact)
{
    bool may_be_down = !fact->is_up && (fact->end == END_WITHDRAWN || fact->end == END_SKIPPED);
    if (host->has_outcome)
        return;
    judge_count_end(self, host, fact->end, fact->is_casualty);
    bool is_casualty = fact->is_casualty && !fact->is_absolved;
    judge_set_casualty(self, host, is_casualty || (host->is_casualty && may_be_down));
    host->has_outcome = fact->end != END_FAILED;
}

static void begin_run(judge_t *self)
{
    for (size_t i = 0; i < self->group_count; i++) {
        group_t *group = &self->groups[i];
        group->step = group->outcomes = group->proven = 0;
        group->is_baking = group->is_due = group->is_tripped = false;
    }
    for (size_t i = 0; i < self->host_count; i++)
        self->hosts[i].is_proven = self->hosts[i].has_outcome = false;
}

static void apply(judge_t *self, const fact_t *fact)
{
    host_t *host = fact->host == NOBODY ? NULL : &self->hosts[fact->host];
    switch (fact->kind) {
    case FACT_END: end(self, host, fact); break;
    case FACT_HALT: set_halted(self, true); break;
    case FACT_RESUME: resume(self, fact->group); break;
    case FACT_TRIP: trip(self, &self->groups[fact->group]); break;
    case FACT_DENY: deny(self, host, fact->until_ms); break;
    case FACT_ABSOLVE: judge_set_casualty(self, host, false); break;
    case FACT_NEW_RUN: begin_run(self); break;
    }
}

static void add(facts_t *facts, const fact_t *fact)
{
    facts->items = judge_grow(facts->items, facts->count, &facts->size, sizeof *facts->items);
    facts->items[facts->count++] = *fact;
}

static bool is_same(const fact_t *fact, const fact_t *other)
{
    return fact->kind == other->kind && fact->group == other->group && fact->host == other->host &&
           fact->end == other->end &&
           (fact->end != END_FAILED || fact->is_casualty == other->is_casualty);
}

// Where an end is on record already, as outcomes mostly are before they are known. An attempt's end
// may be that of an earlier one, which was known before: from there on.
static size_t find_end(judge_t *self, const fact_t *fact, size_t known)
{
    size_t at = fact->kind == FACT_END ? self->record.count : 0;
    size_t from = fact->end == END_FAILED ? known : 0;
    while (at > from && (!is_same(&self->record.items[at - 1], fact) ||
                         (fact->end == END_FAILED && self->record.items[at - 1].is_known)))
        at--;
    if (at <= from)
        return NOT_RECORDED;
    self->record.items[at - 1].is_known = true;
    return at - 1;
}

static void take(judge_t *self, const fact_t *fact, size_t known)
{
    const group_t *group = &self->groups[fact->group];
    if (fact->kind == FACT_TRIP && self->has_state && !group->is_due && !group->is_tripped)
        judge_find(self, JUDGE_NO_CAUSE, NULL, fact->group, "nothing said so");
    if (fact->kind == FACT_END && fact->end == END_FAILED)
        judge_excuse_place(self, &self->hosts[fact->host]);
    apply(self, fact);
    if (fact->kind == FACT_END)
        judge_leave_all(self, &self->hosts[fact->host]);
    fact_t heard = *fact;
    heard.recorded = find_end(self, fact, known);
    add(&self->heard, &heard);
}

void judge_take_fact(judge_t *self, const fact_t *fact)
{
    take(self, fact, self->known);
}

void judge_take_known(judge_t *self, const fact_t *fact)
{
    take(self, fact, 0);
}

void judge_record_fact(judge_t *self, const fact_t *fact)
{
    add(&self->record, fact);
    for (size_t i = 0; i < self->heard.count; i++)
        if (self->heard.items[i].recorded == NOT_RECORDED && is_same(&self->heard.items[i], fact)) {
            self->heard.items[i].recorded = self->record.count - 1;
            self->record.items[self->record.count - 1].is_known = true;
            return;
        }
}

// The last one; of orders one that is not on record.
void judge_lapse_fact(judge_t *self, const fact_t *fact)
{
    facts_t *heard = &self->heard;
    for (size_t i = heard->count; i-- > 0;) {
        bool may_lapse = fact->kind == FACT_END || heard->items[i].recorded == NOT_RECORDED;
        fact_t named = *fact;
        named.is_casualty = heard->items[i].is_casualty; // a lapse does not say that
        if (!may_lapse || !is_same(&heard->items[i], &named))
            continue;
        memmove(&heard->items[i], &heard->items[i + 1],
                (heard->count - i - 1) * sizeof *heard->items);
        heard->count--;
        return;
    }
}

void judge_begin_epoch(judge_t *self)
{
    self->has_state = false;
    if (self->has_yes) // else it is closed since before
        self->guard_ms = self->now_ms;
    self->has_yes = false;
    self->heard.count = 0;
    self->known = self->record.count;
}

// An attempt's end of a host that was absolved since, or had a later end, is no news.
static bool is_superseded(const judge_t *self, size_t index)
{
    const fact_t *fact = &self->heard.items[index];
    if (fact->kind != FACT_END || fact->end != END_FAILED)
        return false;
    for (size_t i = index + 1; i < self->heard.count; i++)
        if (self->heard.items[i].host == fact->host && self->heard.items[i].kind != FACT_DENY)
            return true;
    return false;
}

void judge_take_state(judge_t *self, size_t known)
{
    int64_t now_ms = self->now_ms;
    begin_run(self);
    set_halted(self, false);
    for (size_t i = 0; i < self->host_count; i++) {
        self->hosts[i].is_denied = false;
        judge_set_casualty(self, &self->hosts[i], false);
    }
    for (size_t i = 0; i < self->record.count && i < known; i++) {
        self->now_ms = self->record.items[i].at_ms;
        apply(self, &self->record.items[i]);
    }
    for (size_t i = 0; i < self->heard.count; i++) {
        self->now_ms = self->heard.items[i].at_ms;
        if (self->heard.items[i].recorded >= known && !is_superseded(self, i))
            apply(self, &self->heard.items[i]);
    }
    self->now_ms = now_ms;
    for (size_t i = 0; i < self->host_count; i++)
        if (self->hosts[i].has_outcome)
            judge_leave_all(self, &self->hosts[i]);
    self->has_state = true;
    self->known = known < self->record.count ? known : self->record.count;
}
