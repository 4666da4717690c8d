// See output_tail.h.

#include "output_tail.h"
#include "utf8.h"

#include <string.h>

void output_tail_add(output_tail_t *self, mm_str_t more)
{
    size_t begun = OUTPUT_HEAD_MAX - self->head_size;
    begun = begun < more.size ? begun : more.size;
    if (begun > 0)
        memcpy(self->head + self->head_size, more.data, begun);
    self->head_size = (uint16_t)(self->head_size + begun);
    size_t size = more.size < OUTPUT_TAIL_MAX ? more.size : OUTPUT_TAIL_MAX;
    size_t keep = OUTPUT_TAIL_MAX - size;
    if (keep > self->size)
        keep = self->size;
    self->is_cut |= keep < self->size || size < more.size;
    memmove(self->bytes, self->bytes + self->size - keep, keep);
    if (size > 0)
        memcpy(self->bytes + keep, more.data + more.size - size, size);
    self->size = (uint16_t)(keep + size);
}

mm_str_t output_tail_whole(const output_tail_t *self)
{
    return (mm_str_t){self->bytes, self->is_cut ? 0 : self->size};
}

// The size of the terminal escape sequence ("\033[31m") at `at`; 0: there is none.
static size_t escape_size(const char *at, const char *end)
{
    if (end - at < 2 || at[0] != '\033' || at[1] != '[')
        return 0;
    const char *c = at + 2;
    while (c < end && !(*c >= '@' && *c <= '~'))
        c++;
    return (size_t)(c - at) + (c < end ? 1 : 0);
}

// The size of the printable character at `at`; 0: it is a control character or not UTF-8.
static size_t shown_size(const char *at, const char *end)
{
    size_t size = mm_utf8_character(at, (size_t)(end - at));
    return size > 0 && !mm_utf8_is_control(at) ? size : 0;
}

static size_t append(char *to, const char *data, size_t size)
{
    memcpy(to, data, size);
    return size;
}

// The whole tail in its clean form, which has at most three bytes for each byte of the tail.
static size_t clean_tail(const output_tail_t *self, char ret_text[3 * OUTPUT_TAIL_MAX])
{
    const char *at = self->bytes;
    const char *end = self->bytes + self->size;
    const char *gap = "";
    size_t size = 0;
    while (at < end && mm_utf8_is_continuation(*at))
        at++; // the rest of a character that was cut
    while (at < end) {
        size_t escape = escape_size(at, end);
        if (escape > 0) {
            at += escape;
            continue;
        }
        size_t shown = *at == ' ' ? 0 : shown_size(at, end);
        if (shown > 0) {
            if (size > 0)
                size += append(ret_text + size, gap, strlen(gap));
            size += append(ret_text + size, at, shown);
            gap = "";
            at += shown;
        } else {
            if (*at == '\n' || *at == '\r')
                gap = " | ";
            else if (*gap == '\0')
                gap = " ";
            at++;
        }
    }
    return size;
}

size_t output_tail_text(const output_tail_t *self, char *ret_text, size_t size)
{
    char clean[3 * OUTPUT_TAIL_MAX];
    size_t all = clean_tail(self, clean);
    size_t skip = all < size ? 0 : all - (size - 1);
    while (skip < all && mm_utf8_is_continuation(clean[skip]))
        skip++;
    memcpy(ret_text, clean + skip, all - skip);
    ret_text[all - skip] = '\0';
    return all - skip;
}

// The next line of a text that is not empty in its clean form; 0: there is none.
static size_t next_line(mm_str_t text, size_t *place, char ret_text[OUTPUT_LINE_TEXT])
{
    output_tail_t line = {0};
    size_t size = 0;
    while (*place < text.size && size == 0) {
        const char *at = text.data + *place;
        const char *newline = memchr(at, '\n', text.size - *place);
        line.size = (uint16_t)(newline ? (size_t)(newline - at) : text.size - *place);
        memcpy(line.bytes, at, line.size);
        size = clean_tail(&line, ret_text);
        *place += line.size + (newline ? 1U : 0U);
    }
    ret_text[size] = '\0';
    return size;
}

size_t output_tail_line(const output_tail_t *self, char *ret_text, size_t size)
{
    char line[OUTPUT_LINE_TEXT];
    size_t place = 0, all = next_line(output_tail_whole(self), &place, line);
    size_t fits = mm_utf8_prefix((mm_str_t){line, all}, size - 1);
    memcpy(ret_text, line, fits);
    ret_text[fits] = '\0';
    return fits;
}

size_t output_tail_next_line(const output_tail_t *self, size_t *place,
                             char ret_text[OUTPUT_LINE_TEXT])
{
    mm_str_t begun = self->is_cut ? (mm_str_t){self->head, self->head_size}
                                  : (mm_str_t){self->bytes, self->size};
    return next_line(begun, place, ret_text);
}
