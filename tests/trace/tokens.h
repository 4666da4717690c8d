// The words of a scenario or trace line: `kind name key=value key="two words"`. Pure.

#ifndef TOKENS_H
#define TOKENS_H

#include "attributes.h"

#define TOKENS_MAX 4096

// A line cut into words; owns a copy of it.
typedef struct {
    char *copy;
    char *words[TOKENS_MAX];
    size_t count;
    char attributes[MM_ATTRIBUTES_BYTES];
} tokens_t;

// Cuts a line at blanks outside of quotes and takes the quotes off; a # at the start of a word
// begins a comment. False when a quote is not closed or there are too many words; then nothing is
// owned.
bool tokens_split(const char *line, tokens_t *ret_words);
void tokens_clear(tokens_t *self);

// The value of key=value; NULL when there is no such word.
const char *tokens_value(const tokens_t *self, const char *key);
// The same as a text (empty when missing) and as a number (fallback when missing).
mm_str_t tokens_str(const tokens_t *self, const char *key);
int64_t tokens_number(const tokens_t *self, const char *key, int64_t fallback);
// The words attr.KEY=VALUE as the attributes of a job. False when they are none.
bool tokens_attributes(tokens_t *self, mm_str_t *ret_attributes);

#endif
