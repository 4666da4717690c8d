// See page.h.

#include "page.h"

#include <assert.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_MAX 512 // of one page_put

page_t *page_new(size_t width)
{
    page_t *self = calloc(1, sizeof *self);
    assert(self && width > 0);
    self->width = width;
    return self;
}

static void drop_last(page_t *self)
{
    self->count--;
    free(self->rows[self->count].text);
    free(self->rows[self->count].styles);
}

void page_destroy(page_t **self_p)
{
    page_t *self = *self_p;
    if (!self)
        return;
    *self_p = NULL;
    while (self->count > 0)
        drop_last(self);
    free(self->rows);
    free(self);
}

void page_add(page_t *self)
{
    self->rows = realloc(self->rows, (self->count + 1) * sizeof *self->rows);
    assert(self->rows);
    page_row_t *row = &self->rows[self->count++];
    row->text = malloc(self->width + 1);
    row->styles = calloc(self->width, 1);
    assert(row->text && row->styles);
    memset(row->text, ' ', self->width);
    row->text[self->width] = '\0';
}

static size_t put(page_t *self, size_t column, unsigned style, const char *text)
{
    page_row_t *row = &self->rows[self->count - 1];
    for (; *text != '\0' && column < self->width; text++, column++) {
        row->text[column] = *text >= ' ' && *text <= '~' ? *text : '?';
        row->styles[column] = (uint8_t)style;
    }
    return column;
}

size_t page_put(page_t *self, size_t column, unsigned style, const char *format, ...)
{
    char text[TEXT_MAX];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return put(self, column, style, text);
}

void page_put_right(page_t *self, size_t end, unsigned style, const char *format, ...)
{
    char text[TEXT_MAX];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    size_t size = strlen(text);
    (void)put(self, size < end ? end - size : 0, style, text);
}

void page_style(page_t *self, unsigned style)
{
    uint8_t *styles = self->rows[self->count - 1].styles;
    for (size_t i = 0; i < self->width; i++)
        styles[i] |= (uint8_t)style;
}

void page_fit(page_t *self, size_t count)
{
    while (self->count > count)
        drop_last(self);
    while (self->count < count)
        page_add(self);
}

void page_print(const page_t *self, FILE *file)
{
    for (size_t i = 0; i < self->count; i++) {
        size_t size = self->width;
        while (size > 0 && self->rows[i].text[size - 1] == ' ')
            size--;
        (void)fprintf(file, "%.*s\n", (int)size, self->rows[i].text);
    }
}
