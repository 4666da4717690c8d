// See recorded.h.

#include "recorded.h"
#include "human_format.h"
#include "record_schema.h"
#include "timeline.h"

#include <inttypes.h>
#include <string.h>

static bool is_word(const char *text, const char *word)
{
    return text && strcmp(text, word) == 0;
}

// How the command ended: "exit 1", "signal 9".
static void print_exit(FILE *file, int64_t code)
{
    if (code > 256)
        timeline_print(file, "signal %" PRId64, code - 256);
    else
        timeline_print(file, "exit %" PRId64, code);
}

// A word of mm_end_name, with the code that belongs to it. NULL: there is none.
static void print_end(FILE *file, const char *word, int64_t code)
{
    bool is_code = is_word(word, "exit") || is_word(word, "signal");
    if (is_code && code >= 0)
        print_exit(file, code);
    else
        timeline_print(file, "%s", word ? word : "?");
}

static void print_ended(FILE *file, const recorded_t *recorded)
{
    const char *word = recorded->outcome;
    print_end(file, word, recorded->exit);
    if (recorded->proof)
        timeline_print(file, ", %s", recorded->proof);
    if (recorded->command == 0)
        timeline_print(file, ", no command was sent");
    if (recorded->exit < 0 || is_word(word, "exit") || is_word(word, "signal"))
        return;
    timeline_print(file, " (");
    print_exit(file, recorded->exit);
    timeline_print(file, ")");
}

void recorded_print_state(FILE *file, const recorded_t *recorded)
{
    if (is_word(recorded->state, "ended")) {
        print_ended(file, recorded);
    } else if (is_word(recorded->state, "not-started")) {
        timeline_print(file, "not started: no command was sent");
    } else if (is_word(recorded->state, "open")) {
        timeline_print(file, "open: its command has ended");
        if (recorded->command_end) {
            timeline_print(file, " (");
            print_end(file, recorded->command_end, recorded->exit);
            timeline_print(file, ")");
        }
        timeline_print(file, ", not proven yet");
    } else {
        timeline_print(file, "begun, and no end is on record: its command may have been sent");
    }
}

static void print_times(FILE *file, const recorded_t *recorded, int64_t accepted_ms)
{
    char stamp[HUMAN_STAMP], time[HUMAN_TEXT];
    bool has_begun = recorded->began_ms > 0, has_ended = recorded->ended_ms > 0;
    if (!has_begun && !has_ended)
        return;
    timeline_print(file, "      ");
    if (has_begun)
        timeline_print(file, "began %s, %s after it was accepted",
                       human_stamp(recorded->began_ms, stamp),
                       human_duration(recorded->began_ms - accepted_ms, time));
    else
        timeline_print(file, "ended %s", human_stamp(recorded->ended_ms, stamp));
    if (has_begun && has_ended)
        timeline_print(file, "; ended %s, after %s", human_stamp(recorded->ended_ms, stamp),
                       human_duration(recorded->ended_ms - recorded->began_ms, time));
    if (recorded->command > 1)
        timeline_print(file, "; with command %" PRId64 " of its list", recorded->command);
    (void)fputc('\n', file);
}

static void print_ids(FILE *file, const recorded_t *recorded)
{
    if (!recorded->machine_id && !recorded->boot_before && !recorded->boot_after)
        return;
    const char *before = recorded->boot_before ? recorded->boot_before : "?";
    if (strcmp(before, RECORD_NOBODY) == 0)
        timeline_print(file, "      nobody answered before");
    else
        timeline_print(file, "      machine %s, boot %s",
                       recorded->machine_id ? recorded->machine_id : "?", before);
    if (recorded->boot_after)
        timeline_print(file, ", then %s", recorded->boot_after);
    (void)fputc('\n', file);
}

void recorded_print(FILE *file, const recorded_t *recorded, int64_t accepted_ms)
{
    timeline_print(file, "  %2" PRId64 "  ", recorded->number);
    if (recorded->worker)
        timeline_print(file, "%s  ", recorded->worker);
    recorded_print_state(file, recorded);
    if (recorded->error)
        timeline_print(file, ": %s", recorded->error);
    if (recorded->owes)
        timeline_print(file, "; what --after does is owed");
    (void)fputc('\n', file);
    print_times(file, recorded, accepted_ms);
    print_ids(file, recorded);
}
