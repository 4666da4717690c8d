// See host_words.h.

#include "host_words.h"

mm_str_t host_words_trim(mm_str_t text)
{
    while (text.size > 0 && host_words_is_blank(text.data[text.size - 1]))
        text.size--;
    while (text.size > 0 && host_words_is_blank(text.data[0])) {
        text.data++;
        text.size--;
    }
    return text;
}

static bool is_letter(char c)
{
    return ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || c == '_';
}

// Of a word: the bytes of the key in front of its '='; 0: it has none.
static size_t key_size(mm_str_t word)
{
    size_t i = 0;
    while (i < word.size && (is_letter(word.data[i]) || (i > 0 && mm_is_digit(word.data[i]))))
        i++;
    return i < word.size && word.data[i] == '=' ? i : 0;
}

host_word_t host_words_next(mm_str_t *rest, mm_attribute_t *ret_pair)
{
    mm_str_t text = host_words_trim(*rest);
    *rest = (mm_str_t){0};
    if (text.size == 0 || text.data[0] == '#')
        return HOST_WORD_END;
    size_t size = 0;
    char quote = '\0';
    for (; size < text.size && (quote || !host_words_is_blank(text.data[size])); size++) {
        char c = text.data[size];
        if (quote && c == quote)
            quote = '\0';
        else if (!quote && (c == '"' || c == '\''))
            quote = c;
    }
    *rest = (mm_str_t){text.data + size, text.size - size};
    size_t key = key_size((mm_str_t){text.data, size});
    if (key == 0 || quote)
        return HOST_WORD_OTHER;
    ret_pair->key = (mm_str_t){text.data, key};
    ret_pair->value = (mm_str_t){text.data + key + 1, size - key - 1};
    return HOST_WORD_PAIR;
}

mm_str_t host_words_unquote(mm_str_t value, char buffer[HOST_VALUE_MAX])
{
    size_t size = 0;
    char quote = '\0';
    for (size_t i = 0; i < value.size && size < HOST_VALUE_MAX; i++) {
        char c = value.data[i];
        if (quote && c == quote)
            quote = '\0';
        else if (!quote && (c == '"' || c == '\''))
            quote = c;
        else
            buffer[size++] = c;
    }
    return (mm_str_t){buffer, size};
}

bool host_words_next_name(mm_str_t *list, mm_str_t *ret_name)
{
    while (list->size > 0) {
        const char *comma = memchr(list->data, ',', list->size);
        size_t size = comma ? (size_t)(comma - list->data) : list->size;
        size_t taken = size + (comma != NULL);
        *ret_name = host_words_trim((mm_str_t){list->data, size});
        *list = (mm_str_t){list->data + taken, list->size - taken};
        if (ret_name->size > 0)
            return true;
    }
    return false;
}
