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

// ---- tables

static page_cell_t *add_cell(page_table_t *self, unsigned style, char *text)
{
    page_cell_t *cell = MM_ARRAY_ADD(self->cells, self->count, self->capacity);
    *cell = (page_cell_t){text, style};
    return cell;
}

// The row that was begun last gets all of its cells.
static void end_row(page_table_t *self)
{
    while (self->count % (self->column_count + 1) != 0)
        (void)add_cell(self, PAGE_PLAIN, NULL);
}

void page_row(page_table_t *self, unsigned style)
{
    end_row(self);
    (void)add_cell(self, style, NULL);
}

void page_cell(page_table_t *self, unsigned style, const char *format, ...)
{
    va_list args;
    assert(self->count % (self->column_count + 1) != 0);
    page_cell_t *cell = add_cell(self, style, NULL);
    va_start(args, format);
    int length = vasprintf(&cell->text, format, args);
    va_end(args);
    assert(length >= 0);
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

// Where a column begins; SIZE_MAX: it is left out.
static void place_columns(const page_t *page, const page_table_t *table, size_t *ret_starts,
                          size_t *ret_widths)
{
    size_t at = 0;
    for (size_t i = 0; i < table->column_count; i++) {
        const page_column_t *column = &table->columns[i];
        bool may_be_cut = column->is_left && i + 1 == table->column_count;
        ret_widths[i] = width_of(table, i);
        bool is_shown =
            page->width >= column->page_width && (may_be_cut || at + ret_widths[i] <= page->width);
        ret_starts[i] = is_shown ? at : SIZE_MAX;
        at += is_shown ? ret_widths[i] : 0;
    }
}

static void put_left(page_t *self, size_t column, unsigned style, const char *text)
{
    size_t size = strcspn(text, "\t");
    column = page_put(self, column, style, "%.*s", (int)size, text);
    if (text[size])
        (void)page_put(self, column + 2, PAGE_DIM, "%s", text + size + 1);
}

void page_add_table(page_t *self, page_table_t *table)
{
    enum { COLUMNS_MAX = 16 };
    size_t starts[COLUMNS_MAX], widths[COLUMNS_MAX], columns = table->column_count;
    assert(columns <= COLUMNS_MAX);
    end_row(table);
    place_columns(self, table, starts, widths);
    for (size_t row = 0; row <= table->count; row += columns + 1) {
        page_add(self);
        for (size_t i = 0; i < columns; i++) {
            const page_column_t *column = &table->columns[i];
            const page_cell_t *cell = row > 0 ? &table->cells[row - columns + i] : NULL;
            const char *text = cell ? cell->text : column->name;
            unsigned style = cell ? cell->style : column->style;
            if (starts[i] == SIZE_MAX || !text)
                continue;
            if (column->is_left)
                put_left(self, starts[i], style, text);
            else
                page_put_right(self, starts[i] + widths[i], style, "%s", text);
        }
        page_style(self, row > 0 ? table->cells[row - columns - 1].style : PAGE_REVERSE);
    }
    for (size_t i = 0; i < table->count; i++)
        free(table->cells[i].text);
    free(table->cells);
    *table = (page_table_t){.columns = table->columns, .column_count = columns};
}
