// See policy.h.

#include "policy.h"
#include "duration.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

uint32_t mm_amount_of(mm_amount_t amount, uint32_t hosts)
{
    if (!amount.is_set)
        return UINT32_MAX;
    return amount.is_percent ? (uint32_t)((uint64_t)hosts * amount.value / 100) : amount.value;
}

const char *mm_amount_parse(mm_str_t text, mm_amount_t *ret_amount)
{
    static const char form[] = "it is a number of hosts, as in 5, or a share of them, as in 25%";
    bool is_percent = text.size > 0 && text.data[text.size - 1] == '%';
    size_t digits = text.size - is_percent;
    uint64_t value = 0;
    if (digits == 0 || digits > 10)
        return form;
    for (size_t i = 0; i < digits; i++) {
        if (!mm_is_digit(text.data[i]))
            return form;
        value = 10 * value + (uint64_t)(text.data[i] - '0');
    }
    if (is_percent && (value < 1 || value > 100))
        return "a share must be from 1% to 100%, without decimals";
    if (value < 1 || value > UINT32_MAX)
        return "it must be from 1 to 4294967295, or a share from 1% to 100%";
    *ret_amount = (mm_amount_t){.value = (uint32_t)value, .is_set = true, .is_percent = is_percent};
    return NULL;
}

char *mm_amount_print(mm_amount_t amount, char buffer[MM_AMOUNT_TEXT])
{
    if (amount.is_set)
        (void)snprintf(buffer, MM_AMOUNT_TEXT, "%" PRIu32 "%s", amount.value,
                       amount.is_percent ? "%" : "");
    else
        (void)snprintf(buffer, MM_AMOUNT_TEXT, "no limit");
    return buffer;
}

const mm_rules_t *mm_policy_find(const mm_policy_t *self, mm_str_t name)
{
    size_t low = 0, high = self->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = mm_str_compare(mm_str(self->groups[middle].name), name);
        if (order == 0)
            return &self->groups[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

// The index of the first opening that has more than this left at that time; opening_count: none.
static size_t find_opening(const mm_rules_t *self, int64_t unix_ms, int64_t left_ms)
{
    size_t low = 0, high = self->opening_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (self->openings[middle].closes_ms - left_ms > unix_ms)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

const mm_opening_t *mm_rules_opening(const mm_rules_t *self, int64_t unix_ms)
{
    size_t at = find_opening(self, unix_ms, 0);
    return at < self->opening_count ? &self->openings[at] : NULL;
}

int64_t mm_rules_next_start(const mm_rules_t *self, int64_t unix_ms)
{
    if (!self->has_window)
        return unix_ms;
    size_t low = find_opening(self, unix_ms, self->last_start_ms);
    while (low < self->opening_count &&
           self->openings[low].closes_ms - self->openings[low].opens_ms <= self->last_start_ms)
        low++; // it is too short for any start
    return low == self->opening_count ? MM_NEVER : mm_later(unix_ms, self->openings[low].opens_ms);
}

// ---- whether it can be met

// "cap", "max-unavailable", "ramp" of a group, or of the whole run.
static bool check_amount(const mm_rules_t *rules, const char *key, mm_amount_t amount,
                         uint32_t hosts, char why[MM_POLICY_WHY_MAX])
{
    if (mm_amount_of(amount, hosts) > 0)
        return true;
    (void)snprintf(why, MM_POLICY_WHY_MAX,
                   "%s = %" PRIu32 "%% of %s%s comes to 0 of its %" PRIu32 " host%s, so that none "
                   "could ever begin: write %s = 1, or a share of %" PRIu32 "%% or more",
                   key, amount.value, *rules->name ? "group " : "the whole run", rules->name, hosts,
                   hosts == 1 ? "" : "s", key, (100 + hosts - 1) / hosts);
    return false;
}

static uint32_t need(mm_amount_t amount)
{
    return amount.is_percent ? (100 + amount.value - 1) / amount.value : 0;
}

uint32_t mm_rules_need(const mm_rules_t *self)
{
    uint32_t most = need(self->cap);
    most = need(self->max_unavailable) > most ? need(self->max_unavailable) : most;
    for (size_t i = 0; i < self->ramp_count; i++)
        most = need(self->ramp[i]) > most ? need(self->ramp[i]) : most;
    return most;
}

bool mm_policy_check_amounts(const mm_policy_t *self, const uint32_t *hosts,
                             char why[MM_POLICY_WHY_MAX])
{
    for (size_t i = 0; i < self->count; i++) {
        const mm_rules_t *rules = &self->groups[i];
        if (hosts[i] == 0)
            continue;
        const char *cap = *rules->name ? "cap" : "at-once";
        if (!check_amount(rules, cap, rules->cap, hosts[i], why) ||
            !check_amount(rules, "max-unavailable", rules->max_unavailable, hosts[i], why))
            return false;
        for (size_t step = 0; step < rules->ramp_count; step++)
            if (!check_amount(rules, "ramp", rules->ramp[step], hosts[i], why))
                return false;
    }
    return true;
}

bool mm_policy_check_endless(const mm_policy_t *self, char why[MM_POLICY_WHY_MAX])
{
    const mm_rules_t *run = self->count > 0 ? &self->groups[0] : NULL;
    if (self->count > 1)
        (void)snprintf(why, MM_POLICY_WHY_MAX,
                       "[group %s] is in the policy, and invented hosts are in no group: name a "
                       "list of hosts with --input",
                       self->groups[1].name);
    bool is_share = run && (run->cap.is_percent || run->max_unavailable.is_percent);
    for (size_t i = 0; run && i < run->ramp_count; i++)
        is_share = is_share || run->ramp[i].is_percent;
    if (self->count <= 1 && is_share)
        (void)snprintf(
            why, MM_POLICY_WHY_MAX,
            "a share of hosts needs their number, and invented ones have no end: write a "
            "number, or name a list of hosts with --input");
    return self->count <= 1 && !is_share;
}

bool mm_policy_check_groups(const mm_policy_t *self, const uint32_t *hosts,
                            char why[MM_POLICY_WHY_MAX])
{
    for (size_t i = 1; i < self->count; i++) {
        if (hosts[i] > 0)
            continue;
        const char *name = self->groups[i].name;
        (void)snprintf(why, MM_POLICY_WHY_MAX, MM_POLICY_NO_HOST, (int)strlen(name), name);
        return false;
    }
    return true;
}
