// See lease_reader.h.

#include "lease_reader.h"
#include "tokens.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const char *const verbs[] = {NULL, "take", "renew", "release", "look"};
static const char *const verdicts[] = {NULL, "held", "other", "free", "unknown"};

bool lease_reader_config(const char *line, lease_config_t *config)
{
    tokens_t words;
    if (!tokens_split(line, &words))
        return false;
    const struct {
        const char *key;
        int64_t *value;
    } fields[] = {{"ttl", &config->ttl_ms},
                  {"renew", &config->renew_ms},
                  {"margin", &config->margin_ms},
                  {"look", &config->look_ms},
                  {"lonely", &config->lonely_ms},
                  {"yield", &config->yield_ms},
                  {"lost_after", &config->lost_after_ms}};
    size_t known = 1;
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        int64_t value = tokens_number(&words, fields[i].key, -1);
        known += value >= 0;
        if (value >= 0)
            *fields[i].value = value;
    }
    bool is_good = words.count == known && strcmp(words.words[0], "config") == 0;
    tokens_clear(&words);
    return is_good;
}

// 0: it is none of them.
static unsigned find(const char *const names[], const char *name)
{
    for (unsigned i = 1; i <= 4; i++)
        if (strcmp(names[i], name) == 0)
            return i;
    return 0;
}

static bool has_word(const tokens_t *words, const char *word)
{
    for (size_t i = 0; i < words->count; i++)
        if (strcmp(words->words[i], word) == 0)
            return true;
    return false;
}

static bool read_answer(const tokens_t *words, mm_lease_body_t *ret_answer)
{
    if (words->count < 4)
        return false;
    *ret_answer =
        (mm_lease_body_t){.worker = mm_str("saver-1"),
                          .asker = (uint64_t)tokens_number(words, "asker", LEASE_READER_ASKER),
                          .verb = (mm_lease_verb_t)find(verbs, words->words[1]),
                          .verdict = (mm_lease_verdict_t)find(verdicts, words->words[2]),
                          .stamp_ms = tokens_number(words, "stamp", -1),
                          .epoch = (uint64_t)tokens_number(words, "epoch", 0),
                          .left_ms = tokens_number(words, "left", 0),
                          .orders_seq = (uint64_t)tokens_number(words, "orders", 0),
                          .is_halted = has_word(words, "halted"),
                          .restarters_elsewhere = has_word(words, "elsewhere")};
    return ret_answer->verb > 0 && ret_answer->verdict > 0 && ret_answer->stamp_ms >= 0;
}

static bool read_kind(const tokens_t *words, lease_event_t *event, mm_lease_body_t *ret_answer)
{
    static const char *const kinds[] = {
        [LEASE_TIME] = "time",   [LEASE_ANSWER] = "answer",       [LEASE_RESTARTER] = "restarter",
        [LEASE_RIVAL] = "rival", [LEASE_HAND_OVER] = "hand-over", [LEASE_FINISHED] = "finished",
        [LEASE_LEFT] = "left"};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (strcmp(kinds[i], words->words[0]) != 0)
            continue;
        event->kind = (lease_event_kind_t)i;
        bool has_session = event->kind == LEASE_RESTARTER && words->count == 2;
        if (has_session)
            event->as.session = (uint64_t)tokens_number(words, "epoch", 0);
        if (event->kind == LEASE_RIVAL && words->count == 2)
            event->as.rival = strtoull(words->words[1], NULL, 10);
        else if (event->kind == LEASE_ANSWER)
            event->as.answer = ret_answer;
        bool is_long = event->kind == LEASE_RIVAL || has_session;
        return event->kind == LEASE_ANSWER ? read_answer(words, ret_answer)
                                           : words->count == (is_long ? 2 : 1);
    }
    return false;
}

bool lease_reader_event(const char *line, lease_event_t *ret_event, mm_lease_body_t *ret_answer)
{
    char *end;
    tokens_t words;
    const char *from = strchr(line, '[');
    if (!from)
        return false;
    *ret_event = (lease_event_t){.now_ms = strtoll(from + 1, &end, 10)};
    if (*end != ']' || !tokens_split(end + 1, &words))
        return false;
    bool is_good = words.count > 0 && read_kind(&words, ret_event, ret_answer);
    tokens_clear(&words);
    return is_good;
}

void lease_reader_action(FILE *out, const lease_action_t *action)
{
    switch (action->kind) {
    case LEASE_ASK:
        (void)fprintf(out, "ask %s", verbs[action->as.ask.verb]);
        if (action->as.ask.epoch > 0)
            (void)fprintf(out, " epoch=%" PRIu64, action->as.ask.epoch);
        (void)fputs(action->as.ask.hears_restarters ? " hears" : "", out);
        break;
    case LEASE_LEAD: (void)fprintf(out, "lead %" PRIu64, action->as.epoch); break;
    case LEASE_TRUST: (void)fprintf(out, "trust until=%" PRId64, action->as.until_ms); break;
    case LEASE_SUSPEND: (void)fputs("suspend", out); break;
    case LEASE_STOP: (void)fputs("stop", out); break;
    case LEASE_ORDERS: (void)fprintf(out, "orders%s", action->as.is_halted ? " halted" : ""); break;
    case LEASE_LEAVE: (void)fprintf(out, "leave \"%s\"", action->as.reason); break;
    }
}
