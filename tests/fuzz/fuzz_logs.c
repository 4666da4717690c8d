// Fuzzing the reader of log lines, and the story that is made of them: logs hold what commands on
// other machines have printed, may be cut off anywhere, and are shown on a terminal. Each line of
// the input is a line of a log.

#include "explain_out.h"
#include "fuzz.h"
#include "uuid.h"

#include <assert.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static void parse_lines(timeline_t *timeline, const char *data, size_t size)
{
    const char *end = data + size;
    for (const char *at = data; at < end;) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        size_t length = (size_t)((stop ? stop : end) - at);
        char *line = malloc(length + 1); // of its own: reading behind its end is noticed
        assert(line);
        memcpy(line, at, length);
        line = realloc(line, length > 0 ? length : 1);
        assert(line);
        timeline_add(timeline, (mm_str_t){line, length});
        free(line);
        at += length + 1;
    }
}

// Nothing that a terminal obeys.
static void check_text(const explain_t *explain)
{
    char *text = NULL;
    size_t size;
    FILE *file = open_memstream(&text, &size);
    assert(file);
    explain_out_text(file, explain);
    (void)fclose(file);
    for (size_t i = 0; i < size; i++) {
        unsigned char c = (unsigned char)text[i];
        assert((c >= ' ' || c == '\n') && c != 0x7f);
    }
    free(text);
}

static void check_json(const explain_t *explain)
{
    char *text = NULL;
    size_t size;
    FILE *file = open_memstream(&text, &size);
    assert(file);
    explain_out_json(file, explain);
    (void)fclose(file);
    json_t *json = json_loadb(text, size, 0, NULL);
    assert(json_is_object(json));
    json_decref(json);
    free(text);
}

static void check_order(const timeline_t *timeline)
{
    for (size_t i = 0; i < timeline->entries.count; i++)
        assert(timeline->entries.items[i].times > 0 && timeline->entries.items[i].line.message);
    for (size_t i = 0; i < timeline->attempt_count; i++)
        assert(timeline->attempts[i].worker && timeline->attempts[i].number >= 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char host[] = "web-02";
    record_t record = {.host = host, .is_pending = true};
    bool is_id = mm_id_parse(mm_str("01a217ae230770018bf929b67330f4c3"), &record.id);
    assert(is_id);
    timeline_t timeline;
    timeline_begin(&timeline, &record);
    parse_lines(&timeline, (const char *)data, size);
    timeline_end(&timeline);
    records_t records = {.items = &record, .count = 1};
    check_order(&timeline);
    const explain_t explain = {.records = &records, .timeline = &timeline};
    check_text(&explain);
    check_json(&explain);
    timeline_clear(&timeline);
    return 0;
}
