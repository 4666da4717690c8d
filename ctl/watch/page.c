// See page.h.

#include "page.h"
#include "array.h"

#include <stdarg.h>
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
    page_row_t *row = MM_ARRAY_ADD(self->rows, self->count, self->capacity);
    row->text = malloc(self->width + 1);
    row->styles = calloc(self->width, 1);
    assert(row->text && row->styles);
    memset(row->text, ' ', self->width);
    row->text[self->width] = '\0';
    self->column = 0;
}

static size_t put(page_t *self, size_t row, size_t column, unsigned style, const char *text)
{
    for (; *text != '\0' && column < self->width; text++, column++) {
        self->rows[row].text[column] = *text >= ' ' && *text <= '~' ? *text : '?';
        self->rows[row].styles[column] = (uint8_t)style;
    }
    return column;
}

void page_put(page_t *self, unsigned style, const char *format, ...)
{
    char text[TEXT_MAX];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    self->column = put(self, self->count - 1, self->column, style, text);
}

size_t page_put_right(page_t *self, size_t end, unsigned style, const char *text)
{
    size_t start = strlen(text) < end ? end - strlen(text) : 0;
    (void)put(self, self->count - 1, start, style, text);
    return start;
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

// ---- tables

static page_cell_t *add_cell(page_table_t *self, unsigned style)
{
    page_cell_t *cell = MM_ARRAY_ADD(self->cells, self->count, self->capacity);
    *cell = (page_cell_t){.style = style};
    return cell;
}

// Gives the last row all of its cells, and begins a row.
void page_row(page_table_t *self, unsigned style)
{
    while (self->count % (self->column_count + 1) != 0)
        (void)add_cell(self, PAGE_PLAIN);
    (void)add_cell(self, style);
}

void page_cell(page_table_t *self, unsigned style, const char *format, ...)
{
    va_list args;
    assert(self->count % (self->column_count + 1) != 0);
    page_cell_t *cell = add_cell(self, style);
    va_start(args, format);
    int length = vasprintf(&cell->text, format, args);
    va_end(args);
    assert(length >= 0);
}

page_table_t page_table(const page_column_t *columns, size_t count)
{
    page_table_t self = {.columns = columns, .column_count = count};
    page_row(&self, PAGE_REVERSE);
    for (size_t i = 0; i < count; i++)
        page_cell(&self, columns[i].style, "%s", columns[i].name);
    return self;
}

static size_t width_of(const page_table_t *self, size_t column)
{
    size_t width = self->columns[column].width;
    for (size_t i = column + 1; i < self->count; i += self->column_count + 1) {
        const char *text = self->cells[i].text;
        size_t size = text ? strlen(text) + !self->columns[column].is_left : 0;
        width = size > width ? size : width;
    }
    return width;
}

// A tab begins a dim part.
static void put_cell(page_t *self, size_t row, size_t column, page_cell_t *cell)
{
    char *tail = strchr(cell->text, '\t');
    if (tail)
        *tail++ = '\0';
    column = put(self, row, column, cell->style, cell->text);
    if (tail)
        (void)put(self, row, column + 2, PAGE_DIM, tail);
}

void page_add_table(page_t *self, page_table_t *table)
{
    size_t stride = table->column_count + 1, first = self->count, at = 0;
    for (size_t i = 0; i < table->count; i += stride)
        page_add(self);
    for (size_t c = 0; c < table->column_count; c++) {
        const page_column_t *column = &table->columns[c];
        size_t width = width_of(table, c);
        bool may_be_cut = column->is_left && c + 1 == table->column_count;
        if (self->width < column->page_width || (!may_be_cut && at + width > self->width))
            continue;
        for (size_t i = c + 1; i < table->count; i += stride)
            if (table->cells[i].text)
                put_cell(self, first + i / stride,
                         column->is_left ? at : at + width - strlen(table->cells[i].text),
                         &table->cells[i]);
        at += width;
    }
    for (size_t i = 0; i < table->count; i++) {
        for (size_t k = 0; k < self->width && i % stride == 0; k++)
            self->rows[first + i / stride].styles[k] |= (uint8_t)table->cells[i].style;
        free(table->cells[i].text);
    }
    free(table->cells);
    *table = (page_table_t){0};
}
