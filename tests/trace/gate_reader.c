// See gate_reader.h.

#include "gate_reader.h"
#include "array.h"
#include "job.h"
#include "uuid.h"

#include <stdlib.h>
#include <string.h>

void gate_reader_clear(gate_reader_t *self)
{
    for (size_t i = 0; i < self->rule_count; i++)
        free((void *)self->rules[i].openings);
    free(self->rules);
    memset(self, 0, sizeof *self);
}

// The part before the next separator, which is cut off; false at the end.
static bool cut(char **rest, char separator, char **ret_part)
{
    if (!*rest)
        return false;
    *ret_part = *rest;
    char *end = strchr(*rest, separator);
    *rest = end ? end + 1 : NULL;
    if (end)
        *end = '\0';
    return true;
}

// ---- the policy

static mm_amount_t amount_of(const char *text)
{
    char *end;
    mm_amount_t amount = {.value = (uint32_t)strtoul(text, &end, 10), .is_set = true};
    amount.is_percent = *end == '%';
    return amount;
}

static void read_amount(const tokens_t *words, const char *key, mm_amount_t *ret_amount)
{
    const char *text = tokens_value(words, key);
    if (text)
        *ret_amount = amount_of(text);
}

static void read_lists(const tokens_t *words, mm_rules_t *rules)
{
    char *rest = (char *)tokens_value(words, "ramp"), *part, *second;
    while (rules->ramp_count < MM_POLICY_RAMP_MAX && cut(&rest, ',', &part))
        rules->ramp[rules->ramp_count++] = amount_of(part);
    rest = (char *)tokens_value(words, "breaker");
    while (rules->breaker_count < MM_POLICY_BREAKERS_MAX && cut(&rest, ',', &part)) {
        mm_breaker_t *breaker = &rules->breakers[rules->breaker_count++];
        breaker->failures = (uint32_t)strtoul(part, &second, 10);
        breaker->of_last = (uint32_t)strtoul(second + (*second == '/'), NULL, 10);
    }
    rest = (char *)tokens_value(words, "window");
    rules->has_window = rest != NULL;
    mm_opening_t *openings = calloc(GATE_READER_OPENINGS, sizeof *openings);
    assert(openings);
    rules->openings = openings;
    while (rules->opening_count < GATE_READER_OPENINGS && cut(&rest, ',', &part) && *part) {
        openings[rules->opening_count].opens_ms = strtoll(part, &second, 10);
        openings[rules->opening_count++].closes_ms =
            strtoll(second + 2 * (*second == '.'), NULL, 10);
    }
}

bool gate_reader_policy(gate_reader_t *self, const tokens_t *words)
{
    if (words->count == 0 || strcmp(words->words[0], "policy") != 0)
        return false;
    mm_rules_t *rules = MM_ARRAY_ADD(self->rules, self->rule_count, self->rule_capacity);
    *rules = (mm_rules_t){.bake_ms = tokens_number(words, "bake", 0),
                          .last_start_ms = tokens_number(words, "last", 0)};
    mm_str_t name = tokens_str(words, "group");
    if (name.size > MM_NAME_MAX)
        return false;
    if (name.size > 0)
        memcpy(rules->name, name.data, name.size);
    read_amount(words, "cap", &rules->cap);
    read_amount(words, "max", &rules->max_unavailable);
    read_lists(words, rules);
    char *rate = (char *)tokens_value(words, "rate"), *second;
    if (rate) {
        self->policy.rate = (uint32_t)strtoul(rate, &second, 10);
        self->policy.rate_ms = strtoll(second + (*second == '/'), NULL, 10);
    }
    self->policy.has_guard = self->policy.has_guard || tokens_number(words, "guard", 0) == 1;
    self->policy.groups = self->rules;
    self->policy.count = self->rule_count;
    return true;
}

// ---- events

bool gate_reader_ask(gate_reader_t *self, const tokens_t *words, gather_event_t *event)
{
    char *rest = (char *)tokens_value(words, "hosts"), *part, *name;
    size_t count = 0;
    event->as.job.run = (uint64_t)tokens_number(words, "run", 0);
    for (; count < MM_BATCH_ITEMS && cut(&rest, ',', &part); count++) {
        if (!cut(&part, ':', &name) || !part)
            return false;
        self->groups[count] =
            (mm_group_t){.name = mm_str(name), .hosts = (uint32_t)strtoul(part, NULL, 10)};
    }
    event->as.job.groups = self->groups;
    event->as.job.group_count = count;
    return true;
}

static bool read_action(const char *name, mm_action_t *ret_action)
{
    for (mm_action_t action = MM_ACTION_HALT; action <= MM_ACTION_LAST; action++)
        if (strcmp(name, mm_action_name(action)) == 0) {
            *ret_action = action;
            return true;
        }
    return false;
}

static bool read_entry(char *text, mm_entry_t *entry)
{
    char *fields[8];
    size_t count = 0;
    while (count < 8 && cut(&text, '/', &fields[count]))
        count++;
    *entry = (mm_entry_t){0};
    if (count != 8 || !read_action(fields[0], &entry->action))
        return false;
    entry->name = mm_str(fields[1]);
    entry->groups = mm_str(fields[2]);
    entry->at_ms = strtoll(fields[3], NULL, 10);
    entry->until_ms = strtoll(fields[4], NULL, 10);
    (void)mm_outcome_parse(mm_str(fields[5]), &entry->outcome);
    entry->is_casualty = strcmp(fields[6], "1") == 0;
    entry->seq = strtoull(fields[7], NULL, 10);
    return true;
}

static bool read_state(gate_reader_t *self, const tokens_t *words)
{
    self->state = (mm_state_body_t){.worker = mm_str(words->count > 1 ? words->words[1] : ""),
                                    .instance = (uint64_t)tokens_number(words, "nonce", 1),
                                    .session = (uint64_t)tokens_number(words, "session", 0),
                                    .run = (uint64_t)tokens_number(words, "run", 0),
                                    .question = (uint64_t)tokens_number(words, "question", 0),
                                    .from = (uint64_t)tokens_number(words, "from", 0),
                                    .next = (uint64_t)tokens_number(words, "next", 0),
                                    .items = self->entries};
    for (size_t i = 2; i < words->count; i++) {
        if (strncmp(words->words[i], "entry=", 6) != 0)
            continue;
        if (self->state.count == MM_BATCH_ITEMS ||
            !read_entry(words->words[i] + 6, &self->entries[self->state.count++]))
            return false;
    }
    return true;
}

static bool read_order(gate_reader_t *self, const tokens_t *words, gather_event_t *event)
{
    bool is_known = false;
    self->order = (mm_order_t){.name = tokens_str(words, "name"),
                               .run = (uint64_t)tokens_number(words, "run", 0),
                               .until_ms = tokens_number(words, "until", 0),
                               .why = tokens_str(words, "why"),
                               .actor = tokens_str(words, "actor")};
    for (size_t i = 1; i < words->count && !is_known; i++)
        is_known = read_action(words->words[i], &self->order.action);
    event->as.order.order = &self->order;
    event->as.order.viewer = (uint64_t)tokens_number(words, "viewer", 1);
    return is_known && mm_id_parse(tokens_str(words, "id"), &self->order.id);
}

static bool read_recorded(gate_reader_t *self, const tokens_t *words)
{
    self->recorded = (mm_recorded_body_t){.worker = mm_str(words->count > 1 ? words->words[1] : ""),
                                          .instance = (uint64_t)tokens_number(words, "nonce", 1),
                                          .items = self->recorded_items};
    for (size_t i = 1; i < words->count; i++) {
        mm_recorded_t *item = &self->recorded_items[self->recorded.count];
        if (strncmp(words->words[i], "id=", 3) != 0)
            continue;
        *item = (mm_recorded_t){0};
        if (self->recorded.count == MM_BATCH_ITEMS ||
            !mm_id_parse(mm_str(words->words[i] + 3), &item->id))
            return false;
        if (i + 1 < words->count && strncmp(words->words[i + 1], "error=", 6) == 0)
            item->error = mm_str(words->words[i + 1] + 6);
        self->recorded.count++;
    }
    return true;
}

bool gate_reader_event(gate_reader_t *self, const tokens_t *words, gather_event_t *event)
{
    const char *kind = words->count > 0 ? words->words[0] : "";
    if (strcmp(kind, "state") == 0) {
        event->kind = GATHER_STATE;
        event->as.state = &self->state;
        return read_state(self, words);
    }
    if (strcmp(kind, "recorded") == 0) {
        event->kind = GATHER_RECORDED;
        event->as.recorded = &self->recorded;
        return read_recorded(self, words);
    }
    if (strcmp(kind, "order") == 0) {
        event->kind = GATHER_ORDER;
        return read_order(self, words, event);
    }
    if (strcmp(kind, "guard") == 0) {
        event->kind = GATHER_GUARD;
        event->as.guard.says_yes = mm_str_equal(tokens_str(words, "says"), mm_str("yes"));
        return true;
    }
    if (strcmp(kind, "trust") == 0) {
        event->kind = GATHER_TRUST;
        event->as.trust.until_ms = event->now_ms + tokens_number(words, "for", 0);
        return tokens_number(words, "for", -1) >= 0;
    }
    if (strcmp(kind, "beside") == 0) {
        event->kind = GATHER_BESIDE;
        event->as.beside.is_halted = words->count == 2 && strcmp(words->words[1], "halted") == 0;
        return words->count == 1 || event->as.beside.is_halted;
    }
    event->kind = GATHER_CLOCK;
    event->as.clock.unix_ms = tokens_number(words, "unix", 0);
    return strcmp(kind, "clock") == 0 && event->as.clock.unix_ms >= 0;
}
