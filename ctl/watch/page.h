// A page of text with styles, as wide as a terminal. It holds printable ASCII only, so that no name
// in a recording can control the terminal. Pure.

#ifndef PAGE_H
#define PAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

// To be combined with |, with one color at most.
typedef enum {
    PAGE_PLAIN = 0,
    PAGE_BOLD = 1,
    PAGE_DIM = 2,
    PAGE_REVERSE = 4,
    PAGE_RED = 8,
    PAGE_YELLOW = 16,
    PAGE_CYAN = 32
} page_style_t;

typedef struct {
    char *text;      // as many characters as the page is wide, and a NUL
    uint8_t *styles; // of each character
} page_row_t;

typedef struct {
    size_t width;
    page_row_t *rows;
    size_t count;
    size_t capacity;
    size_t column; // of the last row, where page_put goes on
} page_t;

// width: from 1.
page_t *page_new(size_t width);
void page_destroy(page_t **self_p);

// Adds an empty row, to which the next calls of page_put and page_put_right go.
void page_add(page_t *self);
// Adds a text to the last row, cut off at the right edge.
void page_put(page_t *self, unsigned style, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
// Puts a text into the last row so that it ends before `end`. Returns the column where it begins.
size_t page_put_right(page_t *self, size_t end, unsigned style, const char *text);
// Sets the number of rows: adds empty ones, or removes the last ones.
void page_fit(page_t *self, size_t count);

// Without styles, and without blanks at the ends of rows.
void page_print(const page_t *self, FILE *file);

// ---- tables

// A column is as wide as its widest cell and a blank before it, so that cells never run together.
// One for which the page is too narrow is left out; the last one, when aligned to the left, is cut.
typedef struct {
    const char *name;
    size_t width;      // at least, with the blank before the cell
    size_t page_width; // of the narrowest page that shows it; 0: any
    bool is_left;      // aligned to the left; the name and the cells begin with the blank
    unsigned style;    // of the name
} page_column_t;

typedef struct {
    char *text;
    unsigned style;
} page_cell_t;

typedef struct {
    const page_column_t *columns;
    size_t column_count;
    page_cell_t *cells; // each row: one with the style of the row, then one for each column
    size_t count;
    size_t capacity;
} page_table_t;

// A table with a row of names. The columns must outlive it.
page_table_t page_table(const page_column_t *columns, size_t count);
// Begins a row, to which the next calls of page_cell add one cell after the other; cells at its end
// may be missing. A tab in a cell on the left begins a dim part of it, after two blanks.
void page_row(page_table_t *self, unsigned style);
void page_cell(page_table_t *self, unsigned style, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
// Adds the table to the page, and clears it.
void page_add_table(page_t *self, page_table_t *table);

#endif
