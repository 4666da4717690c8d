// See exec_words.h.

#include "exec_words.h"

#include "duration.h"
#include "utf8.h"

#include <stdio.h>
#include <string.h>

#define HEAD_MAX   128
#define ANSWER_MAX 80 // bytes of an answer that are quoted

static void print_end(const restart_end_t *end, char ret_text[HEAD_MAX])
{
    if (end->how == RESTART_EXITED)
        (void)snprintf(ret_text, HEAD_MAX, "exit %d", end->number);
    else if (end->how == RESTART_SIGNALED)
        (void)snprintf(ret_text, HEAD_MAX, "killed by signal %d", end->number);
    else
        (void)snprintf(ret_text, HEAD_MAX, "cut off, it took too long");
}

// The exit of a result.
static void print_exit(uint32_t exit, char ret_text[HEAD_MAX])
{
    restart_end_t end = {.how = RESTART_TIMED_OUT};
    if (exit < 256)
        end = (restart_end_t){.how = RESTART_EXITED, .number = (int)exit};
    else if (exit < MM_EXIT_NONE)
        end = (restart_end_t){.how = RESTART_SIGNALED, .number = (int)exit - 256};
    print_end(&end, ret_text);
}

// HEAD: TAIL; SUFFIX, where TAIL is what fits of the output; `otherwise` replaces an empty one.
static void compose(char *text, size_t size, const char *head, const output_tail_t *output,
                    const char *otherwise, const char *suffix)
{
    char tail[3 * OUTPUT_TAIL_MAX] = "";
    size_t taken = strlen(head) + strlen(suffix) + strlen(": ");
    size_t capacity = size > taken ? size - taken : 1;
    if (!output ||
        output_tail_text(output, tail, capacity < sizeof tail ? capacity : sizeof tail) == 0)
        (void)snprintf(tail, capacity < sizeof tail ? capacity : sizeof tail, "%s", otherwise);
    (void)snprintf(text, size, "%s%s%s%s", head, *tail ? ": " : "", tail, suffix);
}

void exec_words_end(const restart_end_t *end, const output_tail_t *output, char *ret_text,
                    size_t size)
{
    char head[HEAD_MAX];
    print_end(end, head);
    compose(ret_text, size, head, output, "", "");
}

static void compose_unverified(const exec_said_t *said, const mm_result_t *result, char *text,
                               size_t size)
{
    char head[HEAD_MAX], time[MM_DURATION_TEXT], verify[HEAD_MAX] = "", command[HEAD_MAX];
    char suffix[HEAD_MAX + 16];
    (void)snprintf(head, sizeof head, "verify did not succeed within %s",
                   mm_duration_print(said->verify_ms, time));
    if (said->looked)
        print_end(said->looked, verify);
    print_exit(result->real->exit, command);
    (void)snprintf(suffix, sizeof suffix, "; command: %s", command);
    compose(text, size, head, said->look, verify, suffix);
}

// "; command: exit 255: what it has said".
static void print_command(const exec_said_t *said, const mm_result_t *result, char *text,
                          size_t size)
{
    char exit[HEAD_MAX], words[MM_WORDS_MAX + 1] = "";
    if (!result->real->sent) { // who only looks has none to send
        (void)snprintf(text, size, "%s", said->number > 0 ? "; this attempt sent no command" : "");
        return;
    }
    print_exit(result->real->exit, exit);
    if (said->command)
        (void)output_tail_text(said->command, words, sizeof words);
    (void)snprintf(text, size, "; command: %s%s%s", exit, *words ? ": " : "", words);
}

// The line of an answer that says most about it: the first one that is none of an identity.
static size_t telling_line(const output_tail_t *output, char ret_line[OUTPUT_LINE_TEXT])
{
    size_t place = 0, size, last = 0;
    char line[OUTPUT_LINE_TEXT];
    mm_id_t id;
    while ((size = output_tail_next_line(output, &place, line)) > 0) {
        memcpy(ret_line, line, size + 1);
        last = size;
        if (!mm_uuid_parse((mm_str_t){line, size}, &id))
            break;
    }
    return last;
}

void exec_words_answer(const output_tail_t *output, char *ret_text, size_t size)
{
    char line[OUTPUT_LINE_TEXT];
    size_t all = telling_line(output, line);
    size_t shown = mm_utf8_prefix((mm_str_t){line, all}, ANSWER_MAX);
    if (all > 0)
        (void)snprintf(ret_text, size, "it answered \"%.*s%s\", which is no identity", (int)shown,
                       line, shown < all ? "..." : "");
    else
        (void)snprintf(ret_text, size, "it answered nothing%s",
                       output->size > 0 ? " that can be shown" : "");
}

// Whether the last look was answered, but not with who the host is.
static bool has_answered(const exec_said_t *said, const mm_result_t *result)
{
    return result->real->end == MM_END_UNREACHABLE && said->look && said->looked &&
           said->looked->how == RESTART_EXITED && said->looked->number == 0;
}

void exec_words_look(const exec_said_t *said, const mm_result_t *result, char *ret_text,
                     size_t size)
{
    mm_end_t end = result->real->end;
    char how[HEAD_MAX], digits[MM_HEX_TEXT];
    ret_text[0] = '\0';
    if (has_answered(said, result)) {
        exec_words_answer(said->look, ret_text, size);
    } else if (end == MM_END_UNREACHABLE && said->looked) {
        if (said->look && output_tail_text(said->look, ret_text, size) > 0)
            return;
        print_end(said->looked, how);
        (void)snprintf(ret_text, size, "%s", how);
    } else if (end == MM_END_WRONG_HOST) {
        (void)snprintf(ret_text, size, "machine %s answers",
                       mm_hex_print(&result->real->machine, digits));
    } else if (end == MM_END_UNHEALTHY) {
        (void)snprintf(ret_text, size, "%s",
                       *said->unwell ? said->unwell : "it did not stay up for long enough");
    }
}

static void compose_look(const exec_said_t *said, const mm_result_t *result, bool is_probe,
                         char *text, size_t size)
{
    char command[MM_WORDS_MAX + 2 * HEAD_MAX] = "", shown[3 * OUTPUT_TAIL_MAX];
    const char *name = mm_end_name(result->real->end);
    if (!is_probe)
        print_command(said, result, command, sizeof command);
    size_t taken = strlen(name) + strlen(": ") + strlen(command);
    size_t capacity = size > taken ? size - taken : 1;
    exec_words_look(said, result, shown, capacity < sizeof shown ? capacity : sizeof shown);
    const char *colon = *shown == '\0' ? "" : has_answered(said, result) ? "; " : ": ";
    (void)snprintf(text, size, "%s%s%s%s", name, colon, shown, command);
}

static void compose_failure(const exec_said_t *said, const mm_result_t *result, char *text,
                            size_t size)
{
    char head[HEAD_MAX], time[MM_DURATION_TEXT];
    bool is_probe = result->leg == MM_LEG_PROBE;
    switch (result->real->end) {
    case MM_END_NONE:
    case MM_END_RESTARTED:
    case MM_END_SKIPPED: break;
    case MM_END_EXIT:
    case MM_END_SIGNAL:
        print_exit(result->real->exit, head);
        compose(text, size, head, said->command, "", "");
        return;
    case MM_END_TIMEOUT:
        (void)snprintf(head, sizeof head, "timed out after %s",
                       mm_duration_print(said->timeout_ms, time));
        compose(text, size, head, said->command, "", "");
        return;
    case MM_END_SAME_BOOT:
    case MM_END_WRONG_HOST:
    case MM_END_UNHEALTHY:
    case MM_END_UNREACHABLE: compose_look(said, result, is_probe, text, size); return;
    case MM_END_LEFT_RUNNING:
        (void)snprintf(text, size, "still running");
        if (said->pid > 0)
            (void)snprintf(text, size, "still running, pid %d", said->pid);
        return;
    case MM_END_NOT_STARTED:
        (void)snprintf(text, size, "its ids are not on record, or the driver has no command %u",
                       (unsigned)said->number);
        return;
    case MM_END_UNPREPARED: (void)snprintf(text, size, "before: %s", said->unprepared); return;
    case MM_END_UNVERIFIED: compose_unverified(said, result, text, size); return;
    case MM_END_LACKING:
        (void)snprintf(text, size, "no attribute %.*s came with the job", (int)said->lacking.size,
                       said->lacking.data);
        return;
    case MM_END_UNABLE: (void)snprintf(text, size, "the command's arguments are too long"); return;
    case MM_END_STOPPED:
    case MM_END_INTERRUPTED: break;
    }
    (void)snprintf(text, size, "%s", mm_end_name(result->real->end));
}

void exec_words_error(const exec_said_t *said, const mm_result_t *result, char *ret_text,
                      size_t size)
{
    ret_text[0] = '\0';
    switch (result->status) {
    case MM_STATUS_OK: return;
    case MM_STATUS_FAILED: compose_failure(said, result, ret_text, size); return;
    case MM_STATUS_RETURNED:
    case MM_STATUS_OPEN: break;
    }
    if (said->error != 0)
        (void)snprintf(ret_text, size, "cannot start %.200s: %s", said->program,
                       strerror(said->error));
}
