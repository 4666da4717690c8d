// The terminal of mayhem top: it shows pages, gives keys and signals, and is restored when the
// program ends, however that happens.

#ifndef TERMINAL_H
#define TERMINAL_H

#include "page.h"

#include <stdbool.h>

// Blocks INT, TERM, HUP, QUIT and WINCH in all threads that are created later: they come as keys.
// To be called before any thread is created.
void terminal_block_signals(void);
// False, with nothing done, when standard input and output are no terminal to draw on.
bool terminal_begin(void);
void terminal_end(void);

// Can be read when terminal_key has something.
int terminal_descriptor(void);

// Keys that are no letters.
enum {
    TERMINAL_NO_KEY, // until the descriptor can be read
    TERMINAL_OTHER,
    TERMINAL_STOP, // a signal, or the terminal is gone
    TERMINAL_SIZE, // the terminal has another size
    TERMINAL_UP,
    TERMINAL_DOWN,
    TERMINAL_PAGE_UP,
    TERMINAL_PAGE_DOWN,
    TERMINAL_FIRST,
    TERMINAL_LAST,
    TERMINAL_INTO,
    TERMINAL_BACK
};

// One of these, or a character from ' ' to '~'.
int terminal_key(void);
void terminal_size(size_t *ret_width, size_t *ret_height);
void terminal_draw(const page_t *page);

#endif
