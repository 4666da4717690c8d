// See gate_trace.h.

#include "gate_trace.h"
#include "job.h"
#include "trace.h"
#include "uuid.h"

#include <inttypes.h>

// ---- the policy

static void print_amount(FILE *file, const char *before, mm_amount_t amount)
{
    if (amount.is_set)
        (void)fprintf(file, "%s%" PRIu32 "%s", before, amount.value, amount.is_percent ? "%" : "");
}

static void print_rules(FILE *file, const mm_rules_t *rules)
{
    mm_trace_print_text(file, "group", mm_str(rules->name));
    print_amount(file, " cap=", rules->cap);
    print_amount(file, " max=", rules->max_unavailable);
    for (size_t i = 0; i < rules->ramp_count; i++)
        print_amount(file, i == 0 ? " ramp=" : ",", rules->ramp[i]);
    if (rules->bake_ms > 0)
        (void)fprintf(file, " bake=%" PRId64, rules->bake_ms);
    for (size_t i = 0; i < rules->breaker_count; i++)
        (void)fprintf(file, "%s%" PRIu32 "/%" PRIu32, i == 0 ? " breaker=" : ",",
                      rules->breakers[i].failures, rules->breakers[i].of_last);
    if (rules->last_start_ms > 0)
        (void)fprintf(file, " last=%" PRId64, rules->last_start_ms);
    if (rules->has_window)
        (void)fputs(" window=", file);
    for (size_t i = 0; rules->has_window && i < rules->opening_count; i++)
        (void)fprintf(file, "%s%" PRId64 "..%" PRId64, i == 0 ? "" : ",",
                      rules->openings[i].opens_ms, rules->openings[i].closes_ms);
}

void gate_trace_policy(FILE *file, const mm_policy_t *policy)
{
    for (size_t i = 0; i < policy->count; i++) {
        (void)fputs("policy", file);
        print_rules(file, &policy->groups[i]);
        if (i == 0 && policy->rate > 0)
            (void)fprintf(file, " rate=%" PRIu32 "/%" PRId64, policy->rate, policy->rate_ms);
        if (i == 0 && policy->has_guard)
            (void)fputs(" guard=1", file);
        (void)putc('\n', file);
    }
}

// ---- events

void gate_trace_ask(FILE *file, const gather_event_t *event)
{
    if (event->as.job.run > 0)
        (void)fprintf(file, " run=%" PRIu64, event->as.job.run);
    for (size_t i = 0; i < event->as.job.group_count; i++) {
        const mm_group_t *group = &event->as.job.groups[i];
        (void)fprintf(file, "%s%.*s:%" PRIu32, i == 0 ? " hosts=" : ",", (int)group->name.size,
                      group->name.size > 0 ? group->name.data : "", group->hosts);
    }
}

static void print_field(FILE *file, mm_str_t text)
{
    (void)fprintf(file, "/%.*s", (int)text.size, text.size > 0 ? text.data : "");
}

static void print_state(FILE *file, const mm_state_body_t *state)
{
    (void)fprintf(file,
                  "state %.*s nonce=%" PRIu64 " session=%" PRIu64 " run=%" PRIu64
                  " question=%" PRIu64 " from=%" PRIu64 " next=%" PRIu64,
                  (int)state->worker.size, state->worker.data, state->instance, state->session,
                  state->run, state->question, state->from, state->next);
    for (size_t i = 0; i < state->count; i++) {
        const mm_entry_t *entry = &state->items[i];
        (void)fprintf(file, " entry=%s", mm_action_name(entry->action));
        print_field(file, entry->name);
        print_field(file, entry->groups);
        (void)fprintf(file, "/%" PRId64 "/%" PRId64 "/%s/%d/%" PRIu64, entry->at_ms,
                      entry->until_ms, mm_outcome_name(entry->outcome), entry->is_casualty,
                      entry->seq);
    }
}

static void print_order(FILE *file, const mm_order_t *order)
{
    char text[MM_ID_TEXT];
    (void)fprintf(file, " id=%s %s", mm_id_print(&order->id, text), mm_action_name(order->action));
    mm_trace_print_text(file, "name", order->name);
    if (order->run > 0)
        (void)fprintf(file, " run=%" PRIu64, order->run);
    if (order->until_ms > 0)
        (void)fprintf(file, " until=%" PRId64, order->until_ms);
    mm_trace_print_text(file, "why", order->why);
    mm_trace_print_text(file, "actor", order->actor);
}

static void print_recorded(FILE *file, const mm_recorded_body_t *recorded)
{
    char text[MM_ID_TEXT];
    (void)fprintf(file, "recorded %.*s nonce=%" PRIu64, (int)recorded->worker.size,
                  recorded->worker.data, recorded->instance);
    for (size_t i = 0; i < recorded->count; i++) {
        (void)fprintf(file, " id=%s", mm_id_print(&recorded->items[i].id, text));
        mm_trace_print_text(file, "error", recorded->items[i].error);
    }
}

void gate_trace_event(FILE *file, const gather_event_t *event)
{
    if (event->kind == GATHER_STATE)
        print_state(file, event->as.state);
    if (event->kind == GATHER_RECORDED)
        print_recorded(file, event->as.recorded);
    if (event->kind == GATHER_ORDER) {
        (void)fprintf(file, "order viewer=%" PRIu64, event->as.order.viewer);
        print_order(file, event->as.order.order);
    }
    if (event->kind == GATHER_GUARD)
        (void)fprintf(file, "guard says=%s", event->as.guard.says_yes ? "yes" : "no");
    if (event->kind == GATHER_TRUST)
        (void)fprintf(file, "trust for=%" PRId64,
                      mm_later(event->as.trust.until_ms - event->now_ms, 0));
    if (event->kind == GATHER_BESIDE)
        (void)fprintf(file, "beside%s", event->as.beside.is_halted ? " halted" : "");
    if (event->kind == GATHER_CLOCK)
        (void)fprintf(file, "clock unix=%" PRId64, event->as.clock.unix_ms);
}

// ---- actions

void gate_trace_action(FILE *file, const gather_action_t *action)
{
    char text[MM_ID_TEXT];
    if (action->kind == GATHER_ASK_GUARD)
        (void)fputs("guard?", file);
    if (action->kind == GATHER_ANSWER) {
        (void)fprintf(file, "answer viewer=%" PRIu64 " id=%s", action->as.reply.viewer,
                      mm_id_print(&action->as.reply.id, text));
        mm_trace_print_text(file, "error", action->as.reply.error);
    }
    if (action->kind != GATHER_ORDERS)
        return;
    (void)fprintf(file, "orders worker=%s", action->as.orders.worker);
    if (action->as.orders.question > 0)
        (void)fprintf(file, " asks run=%" PRIu64 " from=%" PRIu64, action->as.orders.run,
                      action->as.orders.from);
    for (size_t i = 0; i < action->as.orders.count; i++)
        print_order(file, &action->as.orders.orders[i]);
}
