// The words behind a host on a line: "port=22 groups=web,eu # comment". Quotes hold blanks together
// as a shell's do. Pure; allocates nothing.

#ifndef HOST_WORDS_H
#define HOST_WORDS_H

#include "attributes.h"

typedef enum {
    HOST_WORD_END = 1, // none any more; a comment ends the line
    HOST_WORD_PAIR,    // KEY=VALUE, where KEY is [A-Za-z_][A-Za-z0-9_]*
    HOST_WORD_OTHER,   // something else, or a quote that is not closed
} host_word_t;

// Takes the first word off *rest. The value is as it is written: with its quotes.
host_word_t host_words_next(mm_str_t *rest, mm_attribute_t *ret_pair);

#define HOST_VALUE_MAX (MM_ATTRIBUTE_VALUE_MAX + 1) // what is longer is cut off there: too long
// The value without its quotes.
mm_str_t host_words_unquote(mm_str_t value, char buffer[HOST_VALUE_MAX]);

// Without the blanks (also CR) at both ends.
mm_str_t host_words_trim(mm_str_t text);
static inline bool host_words_is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

// Takes the first name off a list with commas between them, without blanks around it; false when
// there is none. Empty ones are left out.
bool host_words_next_name(mm_str_t *list, mm_str_t *ret_name);

#endif
