// A page of text with styles, as wide as a terminal. Whatever is put onto it, it holds printable
// ASCII only, so that no name or word of a recording can steer the terminal. Pure.

#ifndef PAGE_H
#define PAGE_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

// To be or-ed; of the colours one at most.
typedef enum {
    PAGE_PLAIN = 0,
    PAGE_BOLD = 1,
    PAGE_DIM = 2,
    PAGE_REVERSE = 4,
    PAGE_RED = 8,
    PAGE_GREEN = 16,
    PAGE_YELLOW = 32,
    PAGE_CYAN = 64
} page_style_t;

typedef struct {
    char *text;      // `width` characters, and a NUL
    uint8_t *styles; // of each
} page_row_t;

typedef struct {
    size_t width;
    size_t count;
    page_row_t *rows;
} page_t;

// width: from 1.
page_t *page_new(size_t width);
void page_destroy(page_t **self_p);

// Adds an empty row, which the next page_put go to.
void page_add(page_t *self);
// Puts a text into the last row, from this column on; what is beyond the right edge is cut off.
// Returns the column behind it.
size_t page_put(page_t *self, size_t column, unsigned style, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
// The same, so that it ends before `end`.
void page_put_right(page_t *self, size_t end, unsigned style, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
// Adds a style to the whole last row.
void page_style(page_t *self, unsigned style);
// Makes it have so many rows: empty ones are added, or the last ones left out.
void page_fit(page_t *self, size_t count);

// Without styles and blanks at the ends of rows.
void page_print(const page_t *self, FILE *file);

#endif
