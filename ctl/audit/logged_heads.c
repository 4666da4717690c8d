// See logged_heads.h.

#include "logged_heads.h"
#include "array.h"
#include "ctl.h"
#include "log_messages.h"
#include "logline.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

static void add(logged_heads_t *self, const char *file, const logline_t *line)
{
    logged_head_t head = {.seq = logline_number(line, "seq", 0), .time_ms = line->wall_ms};
    const char *hash = logline_value(line, "hash");
    if (head.seq < 1 || !hash || !mm_audit_parse(mm_str(hash), head.hash))
        return;
    head.file = strdup(file);
    assert(head.file);
    *MM_ARRAY_ADD(self->items, self->count, self->capacity) = head;
}

// Only few lines are worth to be parsed. A line that a kill has torn has no whole hash.
static void read_lines(logged_heads_t *self, const char *name, FILE *file)
{
    char *text = NULL;
    size_t capacity = 0;
    for (ssize_t size; (size = getline(&text, &capacity, file)) >= 0;) {
        logline_t line = {0};
        if (size > 0 && text[size - 1] == '\n')
            text[--size] = '\0';
        if (!strstr(text, MM_MESSAGE_AUDIT_HEAD) ||
            !logline_parse((mm_str_t){text, (size_t)size}, &line))
            continue;
        if (strcmp(line.message, MM_MESSAGE_AUDIT_HEAD) == 0)
            add(self, name, &line);
        logline_clear(&line);
    }
    free(text);
}

static bool read_file(void *arg, const char *path, char error[MM_ERROR_MAX])
{
    const char *slash = strrchr(path, '/'), *base = slash ? slash + 1 : path;
    if (!strstr(base, "saver"))
        return true;
    FILE *file = fopen(path, "re");
    if (!file)
        return errno == ENOENT || ctl_error(error, "cannot read '%s': %s; check its owner and mode",
                                            path, strerror(errno));
    char name[NAME_MAX + 5];
    (void)snprintf(name, sizeof name, "log/%s", base);
    read_lines(arg, name, file);
    bool is_read = !ferror(file);
    int cause = errno;
    (void)fclose(file);
    return is_read || ctl_error(error, "cannot read '%s': %s", path, strerror(cause));
}

static int by_seq(const void *a, const void *b)
{
    const logged_head_t *one = a, *other = b;
    return one->seq != other->seq
               ? (one->seq > other->seq) - (one->seq < other->seq)
               : (one->time_ms > other->time_ms) - (one->time_ms < other->time_ms);
}

bool logged_heads_read(const char *dir, logged_heads_t *ret_heads, char error[MM_ERROR_MAX])
{
    char folder[PATH_MAX];
    logged_heads_t self = {0};
    (void)snprintf(folder, sizeof folder, "%s/log", dir);
    if (!ctl_read_files(folder, ".log", NULL, read_file, &self, error)) {
        logged_heads_clear(&self);
        return false;
    }
    if (self.count > 0)
        qsort(self.items, self.count, sizeof *self.items, by_seq);
    *ret_heads = self;
    return true;
}

void logged_heads_clear(logged_heads_t *self)
{
    for (size_t i = 0; i < self->count; i++)
        free(self->items[i].file);
    free(self->items);
    *self = (logged_heads_t){0};
}
