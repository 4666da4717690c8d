// See kept_record.h.

#include "kept_record.h"
#include "private_file.h"
#include "record_uri.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

static const char *path_in(const char *dir, char path[MM_PRIVATE_PATH])
{
    (void)snprintf(path, MM_PRIVATE_PATH, "%s/store", dir);
    return path;
}

// The only line of the file.
static int read_line(mm_private_line_t *line, char ret_uri[KEPT_RECORD_MAX],
                     char error[MM_ERROR_MAX])
{
    char uri[KEPT_RECORD_MAX];
    if (!mm_private_line_next(line) || line->text.size >= sizeof uri)
        return mm_private_line_refuse(line, error, "there is no URI of a record in it");
    (void)snprintf(uri, sizeof uri, "%.*s", (int)line->text.size, line->text.data);
    const char *complaint = mm_record_complaint(uri);
    if (complaint)
        return mm_private_line_refuse(line, error, "%s", complaint);
    if (!mm_record_is_postgresql(uri))
        return mm_private_line_refuse(line, error, "this is no postgresql://…");
    (void)snprintf(ret_uri, KEPT_RECORD_MAX, "%s", uri);
    return 0;
}

int kept_record_read(const char *dir, char ret_uri[KEPT_RECORD_MAX], char error[MM_ERROR_MAX])
{
    char path[MM_PRIVATE_PATH], *text;
    size_t size;
    *ret_uri = '\0';
    if (access(path_in(dir, path), F_OK) != 0)
        return 0; // a folder that cannot be looked into is refused by whoever needs more of it
    int code = mm_private_file_read(path, MM_SECRET_FORBIDS, KEPT_RECORD_MAX, &text, &size, error);
    if (code != 0)
        return code;
    mm_private_line_t line = {.path = path, .rest = {text, size}};
    code = read_line(&line, ret_uri, error);
    mm_private_file_free(&text, size);
    return code;
}

int kept_record_write(const char *dir, const char *where, char error[MM_ERROR_MAX])
{
    char path[MM_PRIVATE_PATH], text[KEPT_RECORD_MAX + 1];
    (void)path_in(dir, path);
    if (mm_record_is_uri(where)) {
        (void)snprintf(text, sizeof text, "%.*s\n", KEPT_RECORD_MAX - 1, where);
        return mm_private_file_write(path, mm_str(text), true, error);
    }
    if (unlink(path) == 0 || errno == ENOENT)
        return 0;
    (void)snprintf(error, MM_ERROR_MAX, "cannot remove %.200s: %s", path, strerror(errno));
    return EX_CANTCREAT;
}
