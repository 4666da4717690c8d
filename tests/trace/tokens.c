// See tokens.h.

#include "tokens.h"
#include "string_view.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

// Takes one word from *from, unquoting it in place; returns false when a quote is not closed.
static bool parse_word(char **from, char **ret_word)
{
    char *in = *from, *out = *from;
    bool quoted = false;
    *ret_word = in;
    for (; *in != '\0' && (quoted || (*in != ' ' && *in != '\t' && *in != '\n')); in++) {
        if (*in == '"')
            quoted = !quoted;
        else if (*in == '\\' && quoted && in[1] != '\0')
            *out++ = *++in;
        else
            *out++ = *in;
    }
    *from = *in == '\0' ? in : in + 1;
    *out = '\0';
    return !quoted;
}

bool tokens_split(const char *line, tokens_t *ret_words)
{
    char *copy = strdup(line);
    assert(copy);
    ret_words->copy = copy;
    ret_words->count = 0;
    for (;;) {
        copy += strspn(copy, " \t\n");
        if (*copy == '\0' || *copy == '#')
            return true;
        if (ret_words->count == TOKENS_MAX ||
            !parse_word(&copy, &ret_words->words[ret_words->count++])) {
            tokens_clear(ret_words);
            return false;
        }
    }
}

void tokens_clear(tokens_t *self)
{
    free(self->copy);
    self->copy = NULL;
    self->count = 0;
}

const char *tokens_value(const tokens_t *self, const char *key)
{
    size_t size = strlen(key);
    for (size_t i = 0; i < self->count; i++)
        if (strncmp(self->words[i], key, size) == 0 && self->words[i][size] == '=')
            return self->words[i] + size + 1;
    return NULL;
}

mm_str_t tokens_str(const tokens_t *self, const char *key)
{
    return mm_str(tokens_value(self, key));
}

int64_t tokens_number(const tokens_t *self, const char *key, int64_t fallback)
{
    const char *value = tokens_value(self, key);
    return value ? (int64_t)strtoull(value, NULL, 10) : fallback;
}

bool tokens_attributes(tokens_t *self, mm_str_t *ret_attributes)
{
    size_t size = 0;
    for (size_t i = 0; i < self->count; i++) {
        mm_attribute_t pair;
        mm_str_t word = mm_str(self->words[i]);
        if (strncmp(self->words[i], "attr.", 5) != 0)
            continue;
        if (!mm_attributes_next(&(mm_str_t){word.data + 5, word.size - 5}, &pair))
            return false;
        pair.value.size = strlen(pair.value.data); // a blank in it is for the next check
        if (!mm_attributes_add(self->attributes, &size, pair.key, pair.value))
            return false;
    }
    *ret_attributes = (mm_str_t){self->attributes, size};
    return true;
}
