// The halts and breakers that the consumer tells of: a line for each, once when it begins to hold.

#ifndef HELD_NEWS_H
#define HELD_NEWS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

// Zeroed: nothing holds back.
typedef struct {
    bool is_halted;
    json_t *tripped; // names, as they were told last; NULL: none
} held_news_t;

void held_news_clear(held_news_t *self);

// told: of progress, see P9.57. One that does not tell of it changes nothing. Returns the lines of
// what is new; the caller frees them. NULL: nothing is. program: how the user calls `mayhem`.
char *held_news_tell(held_news_t *self, const json_t *told, const char *program, const char *dir);

#endif
