// See supervisor_reader.h.

#include "supervisor_reader.h"
#include "tokens.h"

#include <stdlib.h>
#include <string.h>

bool supervisor_reader_config(const char *line, supervisor_config_t *config)
{
    tokens_t words;
    if (!tokens_split(line, &words))
        return false;
    const struct {
        const char *key;
        int64_t *wide;
        uint32_t *narrow;
    } fields[] = {{"restarters", NULL, &config->restarters},
                  {"drain", &config->drain_ms, NULL},
                  {"kill", &config->kill_ms, NULL},
                  {"crash_limit", NULL, &config->crash_limit},
                  {"backoff_low", &config->backoff_low_ms, NULL},
                  {"backoff_high", &config->backoff_high_ms, NULL},
                  {"run", &config->run_ms, NULL}};
    size_t known = 1;
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        int64_t value = tokens_number(&words, fields[i].key, -1);
        if (value < 0)
            continue;
        known++;
        if (fields[i].wide)
            *fields[i].wide = value;
        else
            *fields[i].narrow = (uint32_t)value;
    }
    bool is_good = words.count == known && strcmp(words.words[0], "config") == 0;
    tokens_clear(&words);
    return is_good;
}

static bool read_child(const tokens_t *words, supervisor_child_t *ret_child)
{
    const char *name = words->count > 1 ? words->words[1] : "";
    *ret_child = (supervisor_child_t){0};
    if (strncmp(name, "restarter-", 10) == 0) {
        *ret_child = (supervisor_child_t){SUPERVISOR_RESTARTER, (uint32_t)atoi(name + 10)};
        return ret_child->number >= 1 && ret_child->number <= SUPERVISOR_NUMBER_MAX;
    }
    static const char *const names[] = {"consumer", "saver", "publisher"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(name, names[i]) == 0) {
            ret_child->role = (supervisor_role_t)i;
            return true;
        }
    return false;
}

static bool read_kind(const tokens_t *words, supervisor_event_t *event)
{
    const char *kind = words->words[0];
    const char *argument = words->count > 1 ? words->words[1] : "";
    if (strcmp(kind, "start") == 0 || strcmp(kind, "time") == 0) {
        event->kind = *kind == 's' ? SUPERVISOR_START : SUPERVISOR_TIME;
        return words->count == 1;
    }
    if (strcmp(kind, "signal") == 0) {
        event->kind = SUPERVISOR_SIGNALED;
        event->as.signal = atoi(argument);
        return words->count == 2;
    }
    if (strcmp(kind, "scale") == 0) {
        event->kind = SUPERVISOR_SCALE;
        event->as.restarters = (uint32_t)atoi(argument);
        return words->count == 2 && event->as.restarters <= SUPERVISOR_RESTARTERS_MAX;
    }
    if (strcmp(kind, "ended") == 0) {
        event->kind = SUPERVISOR_ENDED;
        event->as.ended.code = (int)tokens_number(words, "code", 0);
        event->as.ended.signal = (int)tokens_number(words, "signal", 0);
        event->as.ended.is_deposed = tokens_value(words, "deposed") != NULL;
        return read_child(words, &event->child);
    }
    event->kind = SUPERVISOR_UNBORN;
    event->as.unborn.error = (int)tokens_number(words, "error", 0);
    event->as.unborn.is_final = tokens_value(words, "final") != NULL;
    return strcmp(kind, "unborn") == 0 && read_child(words, &event->child);
}

bool supervisor_reader_event(const char *line, supervisor_event_t *ret_event)
{
    char *end;
    tokens_t words;
    const char *from = strchr(line, '[');
    if (!from)
        return false;
    supervisor_event_t event = {.now_ms = strtoll(from + 1, &end, 10)};
    if (*end != ']' || !tokens_split(end + 1, &words))
        return false;
    bool is_good = words.count > 0 && read_kind(&words, &event);
    tokens_clear(&words);
    if (is_good)
        *ret_event = event;
    return is_good;
}
