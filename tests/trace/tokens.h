// The words of a scenario or trace line: `kind name key=value key="two words"`. Pure.

#ifndef MM_WORDS_H
#define MM_WORDS_H

#include "string_view.h"

#define MM_WORDS_MAX 4096

// A line cut into words; owns a copy of it.
typedef struct {
    char *copy;
    char *words[MM_WORDS_MAX];
    size_t count;
} mm_words_t;

// Cuts a line at blanks outside of quotes and takes the quotes off; a # at the start of a word
// begins a comment. False when a quote is not closed or there are too many words; then nothing is
// owned.
bool mm_words_split(const char *line, mm_words_t *ret_words);
void mm_words_clear(mm_words_t *self);

// The value of key=value; NULL when there is no such word.
const char *mm_words_value(const mm_words_t *self, const char *key);
// The same as a text (empty when missing) and as a number (fallback when missing).
mm_text_t mm_words_text(const mm_words_t *self, const char *key);
int64_t mm_words_number(const mm_words_t *self, const char *key, int64_t fallback);

#endif
