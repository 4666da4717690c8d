// See outbox_reader.h.

#include "outbox_reader.h"

#include <stdlib.h>
#include <string.h>

bool outbox_reader_config(const char *line, outbox_config_t *config)
{
    tokens_t words;
    if (!tokens_split(line, &words))
        return false;
    size_t known = 0;
    for (size_t i = 1; i < words.count; i++)
        known += strncmp(words.words[i], "window=", 7) == 0 ||
                 strncmp(words.words[i], "ack_deadline=", 13) == 0 ||
                 strncmp(words.words[i], "heartbeat=", 10) == 0 ||
                 strncmp(words.words[i], "drain=", 6) == 0 ||
                 strncmp(words.words[i], "starts_end=", 11) == 0 ||
                 strncmp(words.words[i], "seed=", 5) == 0;
    bool valid =
        words.count > 0 && strcmp(words.words[0], "config") == 0 && known + 1 == words.count;
    if (valid) {
        config->window = (uint32_t)tokens_number(&words, "window", config->window);
        config->ack_deadline_ms = tokens_number(&words, "ack_deadline", config->ack_deadline_ms);
        config->heartbeat_ms = tokens_number(&words, "heartbeat", config->heartbeat_ms);
        config->drain_ms = tokens_number(&words, "drain", config->drain_ms);
        config->starts_end_ms = tokens_number(&words, "starts_end", config->starts_end_ms);
        config->seed = (uint64_t)tokens_number(&words, "seed", (int64_t)config->seed);
    }
    tokens_clear(&words);
    return valid;
}

static bool read_verdict(const tokens_t *words, mm_verdict_kind_t verdict, outbox_event_t *event)
{
    event->kind = OUTBOX_VERDICT;
    event->as.verdict.epoch = (uint64_t)tokens_number(words, "life", 1);
    event->as.verdict.what =
        (mm_verdict_t){.kind = verdict,
                       .attempts = (uint32_t)tokens_number(words, "attempts", 0),
                       .delay_ms = tokens_number(words, "delay", 0),
                       .lease_ms = tokens_number(words, "lease", 0),
                       .error = tokens_str(words, "error")};
    return words->count > 1 && mm_id_parse(mm_str(words->words[1]), &event->as.verdict.what.id);
}

static bool read_job(tokens_t *words, outbox_event_t *event)
{
    event->kind = OUTBOX_JOB;
    event->as.job.host = tokens_str(words, "host");
    event->as.job.withdrawn = tokens_value(words, "withdrawn") != NULL;
    event->as.job.maybe_sent = tokens_value(words, "sent") != NULL;
    return words->count > 1 && event->as.job.host.size > 0 &&
           tokens_attributes(words, &event->as.job.attributes) &&
           mm_id_parse(mm_str(words->words[1]), &event->as.job.id);
}

static bool read_kind(tokens_t *words, outbox_event_t *event)
{
    const char *kind = words->words[0];
    for (mm_verdict_kind_t verdict = MM_VERDICT_EXTEND; verdict <= MM_VERDICT_WITHDRAWN; verdict++)
        if (strcmp(kind, mm_verdict_name(verdict)) == 0)
            return read_verdict(words, verdict, event);
    if (strcmp(kind, "job") == 0)
        return read_job(words, event);
    if (strcmp(kind, "time") == 0) {
        event->kind = OUTBOX_TIME;
        event->as.time.events_empty = tokens_value(words, "events") == NULL;
        return true;
    }
    if (strcmp(kind, "beat") == 0 || strcmp(kind, "leaving") == 0) {
        event->kind = *kind == 'b' ? OUTBOX_BEAT : OUTBOX_LEAVING;
        event->as.beat.epoch = (uint64_t)tokens_number(words, "life", 1);
        event->as.beat.draining = tokens_value(words, "draining") != NULL;
        return true;
    }
    event->kind = OUTBOX_DRAIN;
    return strcmp(kind, "drain") == 0;
}

bool outbox_reader_event(const char *line, tokens_t *words, outbox_event_t *ret_event)
{
    char *end;
    const char *from = strchr(line, '[');
    if (!from)
        return false;
    outbox_event_t event = {.now_ms = strtoll(from + 1, &end, 10)};
    if (*end != ']' || !tokens_split(end + 1, words))
        return false;
    if (words->count == 0 || !read_kind(words, &event)) {
        tokens_clear(words);
        return false;
    }
    *ret_event = event;
    return true;
}
