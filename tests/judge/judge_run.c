// Who has a place, what is in force, and what is on record; what is wrong with it is kept in the
// order of the lines.

#include "judge_private.h"

#include <stdio.h>
#include <string.h>

static void find(judge_t *self, judge_rule_t rule, const host_t *host, uint32_t group,
                 const char *words)
{
    self->found =
        judge_grow(self->found, self->found_count, &self->found_size, sizeof *self->found);
    judgement_t *found = &self->found[self->found_count++];
    *found = (judgement_t){.rule = rule, .line = self->line, .at_ms = self->now_ms};
    (void)snprintf(found->words, sizeof found->words, "%s", words);
    if (host)
        (void)snprintf(found->host, sizeof found->host, "%s", host->name);
    if (group != NO_GROUP)
        (void)snprintf(found->group, sizeof found->group, "%s", self->groups[group].name);
}

static void find_all(judge_t *self, const host_t *host, const objections_t *objections)
{
    for (size_t i = 0; i < objections->count; i++)
        find(self, objections->items[i].rule, host, objections->items[i].group,
             objections->items[i].words);
}

// ---- places

// The host as it is to be; its groups count the difference.
static void become(judge_t *self, host_t *host, const host_t *next)
{
    bool had = host->is_in_progress || host->is_open, has = next->is_in_progress || next->is_open;
    bool was_down = had || host->is_casualty, is_down = has || next->is_casualty;
    for (size_t i = 0; i < host->group_count; i++) {
        group_t *group = &self->groups[host->groups[i]];
        group->places = group->places + has - had;
        group->unavailable = group->unavailable + is_down - was_down;
        group->in_step = group->in_step + next->is_in_step - host->is_in_step;
    }
    *host = *next;
}

void judge_start(judge_t *self, host_t *host)
{
    objections_t objections = {0};
    judge_weigh_start(self, host, &objections);
    find_all(self, host, &objections);
    host_t next = *host;
    next.is_in_progress = true;
    next.is_open = false;
    next.is_in_step = !next.is_proven;
    next.start_ms = self->now_ms;
    become(self, host, &next);
    self->start_ms =
        judge_grow(self->start_ms, self->start_count, &self->start_size, sizeof *self->start_ms);
    self->start_ms[self->start_count++] = self->now_ms;
    self->starts++;
}

// What was not sent counts for no rate.
static void take_back(judge_t *self, const host_t *host)
{
    for (size_t i = self->start_count; i-- > 0;) {
        if (self->start_ms[i] != host->start_ms)
            continue;
        memmove(&self->start_ms[i], &self->start_ms[i + 1],
                (self->start_count - i - 1) * sizeof *self->start_ms);
        self->start_count--;
        return;
    }
}

void judge_command(judge_t *self, host_t *host, int64_t tolerance_ms)
{
    objections_t objections = {0};
    judge_weigh_command(self, host, tolerance_ms, &objections);
    find_all(self, host, &objections);
}

void judge_give_back(judge_t *self, host_t *host)
{
    host_t next = *host;
    if (host->is_in_progress)
        take_back(self, host);
    next.is_in_progress = next.is_open = next.is_in_step = false;
    become(self, host, &next);
}

void judge_leave(judge_t *self, host_t *host)
{
    host_t next = *host;
    next.is_in_progress = next.is_open = false; // in its step still
    become(self, host, &next);
}

void judge_open(judge_t *self, host_t *host)
{
    host_t next = *host;
    next.is_in_progress = false;
    next.is_open = true;
    next.is_in_step = !next.is_proven;
    become(self, host, &next);
}

void judge_expire(judge_t *self, host_t *host)
{
    host_t next = *host;
    if (!host->is_open)
        return;
    next.is_open = next.is_in_step = false;
    become(self, host, &next);
}

void judge_finish(judge_t *self, host_t *host, end_t end, bool is_casualty)
{
    host_t next = *host;
    bool is_well = end == END_RESTARTED || end == END_SKIPPED;
    judge_count_outcome(self, host, end, is_casualty);
    next.is_proven = host->is_proven;
    next.is_in_progress = next.is_open = next.is_in_step = false;
    next.is_casualty = is_casualty || (host->is_casualty && !is_well);
    next.has_outcome = end != END_FAILED;
    become(self, host, &next);
}

void judge_set_casualty(judge_t *self, host_t *host, bool is_casualty)
{
    host_t next = *host;
    next.is_casualty = is_casualty;
    become(self, host, &next);
}

// ---- orders, in force or on record

void judge_halt(judge_t *self, bool is_halted)
{
    if (is_halted && !self->is_halted)
        self->halted_ms = self->now_ms;
    self->is_halted = is_halted;
}

void judge_trip(judge_t *self, uint32_t index)
{
    group_t *group = &self->groups[index];
    if (!group->is_due && !group->is_due_early && !group->is_tripped &&
        !group->is_tripped_on_record)
        find(self, JUDGE_NO_CAUSE, NULL, index, "nothing said so");
    if (!group->is_due && !group->is_due_early && !group->is_tripped)
        group->held_ms = self->now_ms;
    group->is_tripped = true;
}

void judge_resume(judge_t *self, uint32_t index)
{
    group_t *group = &self->groups[index];
    group->is_tripped = group->is_due = group->is_due_early = false;
    group->outcomes = 0;
    if (index == WHOLE_RUN)
        judge_halt(self, false);
}

void judge_deny(judge_t *self, host_t *host, int64_t until_ms)
{
    if (!host->is_denied)
        host->denied_ms = self->now_ms;
    host->is_denied = true;
    host->until_ms = until_ms;
}

void judge_resume_on_record(judge_t *self, uint32_t index)
{
    self->groups[index].is_tripped_on_record = false;
    self->groups[index].is_due_early_on_record = false;
    if (index == WHOLE_RUN)
        self->is_halted_on_record = false;
}

// ---- consumers

void judge_forget_unread(judge_t *self, size_t host)
{
    for (size_t i = 0; i < self->unread_count; i++) {
        if (self->unread[i].host != host)
            continue;
        memmove(&self->unread[i], &self->unread[i + 1],
                (self->unread_count - i - 1) * sizeof *self->unread);
        self->unread_count--;
        return;
    }
}

// What the former consumer knew and was not on record is forgotten.
void judge_begin_epoch(judge_t *self)
{
    self->has_state = false;
    self->has_yes = false;
    self->guard_ms = self->now_ms - self->permit_ms;
    judge_halt(self, self->is_halted_on_record);
    for (size_t i = 0; i < self->group_count; i++) {
        group_t *group = &self->groups[i];
        if (group->is_tripped_on_record && !group->is_tripped)
            group->held_ms = self->now_ms;
        group->is_tripped = group->is_tripped_on_record;
        group->is_due_early = group->is_due_early_on_record;
    }
    for (size_t i = 0; i < self->host_count; i++) {
        host_t *host = &self->hosts[i];
        if (host->is_denied_on_record && !host->is_denied)
            host->denied_ms = self->now_ms;
        host->is_denied = host->is_denied_on_record;
        host->until_ms = host->until_on_record_ms;
        judge_set_casualty(self, host, host->is_casualty_on_record);
    }
}

void judge_take_state(judge_t *self)
{
    for (size_t i = 0; i < self->unread_count; i++)
        judge_finish(self, &self->hosts[self->unread[i].host], self->unread[i].end,
                     self->unread[i].is_casualty);
    self->unread_count = 0;
    self->has_state = true;
}

void judge_begin_run(judge_t *self)
{
    for (size_t i = 0; i < self->group_count; i++) {
        group_t *group = &self->groups[i];
        group->proven = 0;
        group->outcomes = 0;
        group->is_due = group->is_due_early = group->is_due_early_on_record = false;
        group->is_tripped = group->is_tripped_on_record = false;
    }
    for (size_t i = 0; i < self->host_count; i++)
        self->hosts[i].is_proven = self->hosts[i].has_outcome = false;
}

void judge_waiting(judge_t *self)
{
    for (size_t i = 0; i < self->host_count; i++) {
        const host_t *host = &self->hosts[i];
        objections_t objections = {0};
        if (host->has_outcome || host->is_in_progress || host->is_open)
            continue;
        judge_weigh_start(self, host, &objections);
        if (objections.count == 0)
            find(self, JUDGE_STARVED, host, NO_GROUP, "no limit holds it back");
    }
}

void judge_end_on_record(judge_t *self, host_t *host, end_t end, bool is_casualty)
{
    bool is_well = end == END_RESTARTED || end == END_SKIPPED;
    host->is_casualty_on_record = is_casualty || (host->is_casualty_on_record && !is_well);
    if (end == END_FAILED) {
        for (size_t i = 0; i < host->group_count; i++) {
            group_t *group = &self->groups[host->groups[i]];
            group->is_due_early_on_record = group->is_due_early;
        }
        return;
    }
    self->unread =
        judge_grow(self->unread, self->unread_count, &self->unread_size, sizeof *self->unread);
    self->unread[self->unread_count++] =
        (unread_t){.host = (size_t)(host - self->hosts), .end = end, .is_casualty = is_casualty};
}
