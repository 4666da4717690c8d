// See outbox_text.h.

#include "outbox_text.h"
#include "text.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const char *const verdicts[] = {"", "extend", "ack", "nack", "dead"};

void outbox_text_config(FILE *file, const outbox_config_t *config)
{
    (void)fprintf(file,
                  "config window=%" PRIu32 " ack_deadline=%" PRId64 " heartbeat=%" PRId64
                  " drain=%" PRId64 " seed=%" PRIu64 "\n",
                  config->window, config->ack_deadline_ms, config->heartbeat_ms, config->drain_ms,
                  config->seed);
}

static void print_text(FILE *file, const char *key, mm_text_t text)
{
    if (text.size == 0)
        return;
    (void)fprintf(file, " %s=", key);
    mm_words_print(file, text);
}

static void print_notice(FILE *file, const outbox_event_t *event)
{
    char id[MM_ID_TEXT];
    const mm_notice_t *what = &event->as.notice.what;
    (void)fprintf(file, "%s %s life=%" PRIu64, verdicts[what->verdict], mm_id_print(&what->id, id),
                  event->as.notice.life);
    if (what->verdict == MM_VERDICT_NACK)
        (void)fprintf(file, " delay=%" PRId64, what->delay_ms);
    if (what->attempts > 0)
        (void)fprintf(file, " attempts=%" PRIu32, what->attempts);
    print_text(file, "error", what->error);
}

void outbox_text_event(FILE *file, const outbox_event_t *event)
{
    char id[MM_ID_TEXT];
    switch (event->kind) {
    case OUTBOX_JOB:
        (void)fprintf(file, "job %s", mm_id_print(&event->as.job.id, id));
        print_text(file, "host", event->as.job.host);
        if (event->as.job.maybe_sent)
            (void)fputs(" sent=maybe", file);
        break;
    case OUTBOX_NOTICE: print_notice(file, event); break;
    case OUTBOX_BEAT:
        (void)fprintf(file, "beat life=%" PRIu64 "%s", event->as.beat.life,
                      event->as.beat.draining ? " draining=yes" : "");
        break;
    case OUTBOX_LEAVING: (void)fprintf(file, "leaving life=%" PRIu64, event->as.beat.life); break;
    case OUTBOX_TIME:
        (void)fputs(event->as.time.events_empty ? "time" : "time events=unread", file);
        break;
    case OUTBOX_DRAIN: (void)fputs("drain", file); break;
    }
}

bool outbox_text_action(FILE *file, const outbox_action_t *action)
{
    char id[MM_ID_TEXT];
    switch (action->kind) {
    case OUTBOX_DELIVER:
        (void)fprintf(file, "deliver %s delivery=%" PRIu32, mm_id_print(&action->id, id),
                      action->delivery);
        return true;
    case OUTBOX_SETTLED:
        (void)fprintf(file, "settled %s %s", mm_id_print(&action->id, id),
                      action->outcome == MM_OUTCOME_DEAD ? "dead" : "restarted");
        print_text(file, "error", action->error);
        return true;
    case OUTBOX_ASK: (void)fputs("ask", file); return true;
    case OUTBOX_NOTE: return false;
    case OUTBOX_LEAVE: (void)fputs("leave", file); return true;
    }
    return false;
}

void outbox_text_step(FILE *file, int64_t start_ms, const outbox_event_t *event,
                      const outbox_actions_t *actions)
{
    (void)fprintf(file, "[%6" PRId64 "] ", event->now_ms - start_ms);
    outbox_text_event(file, event);
    (void)fputs(" ->", file);
    const char *separator = " ";
    for (size_t i = 0; i < actions->count; i++) {
        if (actions->items[i].kind == OUTBOX_NOTE)
            continue;
        (void)fputs(separator, file);
        (void)outbox_text_action(file, &actions->items[i]);
        separator = "; ";
    }
    (void)putc('\n', file);
}

// ---- reading

bool outbox_text_read_config(const char *line, outbox_config_t *config)
{
    mm_words_t words;
    if (!mm_words_split(line, &words))
        return false;
    size_t known = 0;
    for (size_t i = 1; i < words.count; i++)
        known += strncmp(words.words[i], "window=", 7) == 0 ||
                 strncmp(words.words[i], "ack_deadline=", 13) == 0 ||
                 strncmp(words.words[i], "heartbeat=", 10) == 0 ||
                 strncmp(words.words[i], "drain=", 6) == 0 ||
                 strncmp(words.words[i], "seed=", 5) == 0;
    bool valid =
        words.count > 0 && strcmp(words.words[0], "config") == 0 && known + 1 == words.count;
    if (valid) {
        config->window = (uint32_t)mm_words_number(&words, "window", config->window);
        config->ack_deadline_ms = mm_words_number(&words, "ack_deadline", config->ack_deadline_ms);
        config->heartbeat_ms = mm_words_number(&words, "heartbeat", config->heartbeat_ms);
        config->drain_ms = mm_words_number(&words, "drain", config->drain_ms);
        config->seed = (uint64_t)mm_words_number(&words, "seed", (int64_t)config->seed);
    }
    mm_words_clear(&words);
    return valid;
}

static bool read_notice(const mm_words_t *words, mm_verdict_t verdict, outbox_event_t *event)
{
    event->kind = OUTBOX_NOTICE;
    event->as.notice.life = (uint64_t)mm_words_number(words, "life", 1);
    event->as.notice.what =
        (mm_notice_t){.verdict = verdict,
                      .attempts = (uint32_t)mm_words_number(words, "attempts", 0),
                      .delay_ms = mm_words_number(words, "delay", 0),
                      .error = mm_words_text(words, "error")};
    return words->count > 1 && mm_id_parse(mm_text(words->words[1]), &event->as.notice.what.id);
}

static bool read_job(const mm_words_t *words, outbox_event_t *event)
{
    event->kind = OUTBOX_JOB;
    event->as.job.host = mm_words_text(words, "host");
    event->as.job.maybe_sent = mm_words_value(words, "sent") != NULL;
    return words->count > 1 && event->as.job.host.size > 0 &&
           mm_id_parse(mm_text(words->words[1]), &event->as.job.id);
}

static bool read_kind(const mm_words_t *words, outbox_event_t *event)
{
    const char *kind = words->words[0];
    for (mm_verdict_t verdict = MM_VERDICT_EXTEND; verdict <= MM_VERDICT_DEAD; verdict++)
        if (strcmp(kind, verdicts[verdict]) == 0)
            return read_notice(words, verdict, event);
    if (strcmp(kind, "job") == 0)
        return read_job(words, event);
    if (strcmp(kind, "time") == 0) {
        event->kind = OUTBOX_TIME;
        event->as.time.events_empty = mm_words_value(words, "events") == NULL;
        return true;
    }
    if (strcmp(kind, "beat") == 0 || strcmp(kind, "leaving") == 0) {
        event->kind = *kind == 'b' ? OUTBOX_BEAT : OUTBOX_LEAVING;
        event->as.beat.life = (uint64_t)mm_words_number(words, "life", 1);
        event->as.beat.draining = mm_words_value(words, "draining") != NULL;
        return true;
    }
    event->kind = OUTBOX_DRAIN;
    return strcmp(kind, "drain") == 0;
}

bool outbox_text_read_event(const char *line, mm_words_t *words, outbox_event_t *ret_event)
{
    char *end;
    const char *from = strchr(line, '[');
    if (!from)
        return false;
    outbox_event_t event = {.now_ms = strtoll(from + 1, &end, 10)};
    if (*end != ']' || !mm_words_split(end + 1, words))
        return false;
    if (words->count == 0 || !read_kind(words, &event)) {
        mm_words_clear(words);
        return false;
    }
    *ret_event = event;
    return true;
}
