// The terminal of mayhemctl top: pages onto it, keys and signals from it, and the terminal as it
// was before when the program ends, whatever way it ends.

#ifndef TERMINAL_H
#define TERMINAL_H

#include "page.h"

#include <stdbool.h>

// Blocks INT, TERM, HUP and WINCH, in all threads that are made later: they come as keys. To be
// called before any thread is made.
void terminal_block_signals(void);
// False when standard input and output are no terminal that can be drawn on; nothing is done then.
bool terminal_begin(void);
void terminal_end(void);

// Can be read when terminal_key has something.
int terminal_descriptor(void);

typedef enum {
    TERMINAL_NO_KEY, // until the descriptor can be read
    TERMINAL_OTHER,
    TERMINAL_STOP, // a signal, or nobody is at the terminal any more
    TERMINAL_SIZE, // the terminal has another size
    TERMINAL_UP,
    TERMINAL_DOWN,
    TERMINAL_PAGE_UP,
    TERMINAL_PAGE_DOWN,
    TERMINAL_FIRST,
    TERMINAL_LAST,
    TERMINAL_INTO,
    TERMINAL_BACK,
    TERMINAL_LETTER // *ret_letter
} terminal_key_t;

terminal_key_t terminal_key(char *ret_letter);
void terminal_size(size_t *ret_width, size_t *ret_height);
void terminal_draw(const page_t *page);

#endif
