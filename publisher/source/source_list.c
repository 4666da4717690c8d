// See source.h: the kept list of a run. It was checked when it was written, so it is read once, a
// line at a time; a line that is none was not written by us.

#include "source.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "kept_line.h"

typedef struct {
    source_t base;
    FILE *file;
    char *path;
    char *line;
    size_t capacity;
    source_progress_t progress;
    bool is_ended;
    char error[SOURCE_ERROR_MAX];
} list_t;

static source_status_t end_badly(list_t *self, source_item_t *ret_item)
{
    (void)snprintf(self->error, sizeof self->error,
                   "the list of this run, %.3000s, is damaged behind byte %llu; nothing of the "
                   "rest is restarted",
                   self->path, (unsigned long long)self->progress.position);
    self->is_ended = true;
    *ret_item = (source_item_t){.error = self->error, .ends = true, .exit_code = EX_IOERR};
    return SOURCE_BAD;
}

static source_status_t list_next(source_t *base, int64_t now_ms, source_item_t *ret_item)
{
    (void)now_ms;
    list_t *self = (list_t *)base;
    if (self->is_ended)
        return SOURCE_END;
    ssize_t size = getline(&self->line, &self->capacity, self->file);
    if (size <= 0 && !ferror(self->file)) {
        self->is_ended = self->progress.done = true;
        return SOURCE_END;
    }
    mm_str_t host, attributes;
    if (size <= 0 || !kept_line_parse(self->line, (size_t)size, &host, &attributes))
        return end_badly(self, ret_item);
    self->progress.position += (uint64_t)size;
    ret_item->host = host;
    ret_item->attributes = attributes;
    return SOURCE_ITEM;
}

static void list_resume(source_t *base, const source_progress_t *recorded)
{
    list_t *self = (list_t *)base;
    self->progress = *recorded;
    self->is_ended = recorded->done || fseeko(self->file, (off_t)recorded->position, SEEK_SET) != 0;
}

static void list_progress(const source_t *base, source_progress_t *ret_progress)
{
    *ret_progress = ((const list_t *)base)->progress;
}

static void list_destroy(source_t *base)
{
    list_t *self = (list_t *)base;
    (void)fclose(self->file);
    free(self->path);
    free(self->line);
    free(self);
}

int source_list_open(const char *path, source_t **ret_self, char error[SOURCE_ERROR_MAX])
{
    static const source_methods_t methods = {.next = list_next,
                                             .resume = list_resume,
                                             .progress = list_progress,
                                             .destroy = list_destroy};
    FILE *file = fopen(path, "re");
    if (!file) {
        (void)snprintf(error, SOURCE_ERROR_MAX, "the list of this run, %.3000s, cannot be read: %s",
                       path, strerror(errno));
        return EX_IOERR;
    }
    list_t *self = calloc(1, sizeof *self);
    assert(self);
    self->base.methods = &methods;
    self->file = file;
    self->path = strdup(path);
    assert(self->path);
    *ret_self = &self->base;
    return 0;
}
