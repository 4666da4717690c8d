// See publisher_report.h.

#include "publisher_report.h"
#include "child_process.h"
#include "run_settings.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

char *publisher_report(const char *dir, const char *format, int *ret_exit_code)
{
    arguments_t words = {0};
    char *program = child_process_sibling("mayhem-publisher");
    size_t size;
    child_end_t end = {.code = EX_SOFTWARE};
    arguments_add(&words, "%s", program);
    arguments_add(&words, "--dir=%s", dir);
    arguments_add(&words, "--report=%s", format);
    char *text = child_process_capture(words.items, STDERR_FILENO, &size, &end);
    *ret_exit_code = end.signal != 0 ? EX_SOFTWARE : end.code;
    if (text && *text == '\0') {
        free(text);
        text = NULL;
    }
    free(program);
    arguments_clear(&words);
    return text;
}

json_t *publisher_report_json(const char *dir, int *ret_exit_code)
{
    char *text = publisher_report(dir, "json", ret_exit_code);
    json_t *json = text ? json_loads(text, 0, NULL) : NULL;
    free(text);
    return json;
}

void publisher_report_without_estimate(char *text)
{
    char *line = strstr(text, "\nleft ");
    char *end = line ? strchr(line + 1, '\n') : NULL;
    if (end)
        memmove(line, end, strlen(end) + 1);
}
