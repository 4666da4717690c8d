// See trace.h.

#include "trace.h"

#include <string.h>

void mm_trace_print(FILE *file, mm_str_t text)
{
    bool plain = text.size > 0 && text.data[0] != '#' &&
                 memchr(text.data, '"', text.size) == NULL &&
                 memchr(text.data, '\\', text.size) == NULL;
    for (size_t i = 0; i < text.size; i++)
        plain = plain && (unsigned char)text.data[i] > ' ' && text.data[i] != ';';
    if (plain) {
        (void)fwrite(text.data, 1, text.size, file);
        return;
    }
    (void)putc('"', file);
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] == '"' || text.data[i] == '\\')
            (void)putc('\\', file);
        (void)putc(text.data[i] == '\n' ? ' ' : text.data[i], file);
    }
    (void)putc('"', file);
}

void mm_trace_print_text(FILE *file, const char *key, mm_str_t text)
{
    if (text.size == 0)
        return;
    (void)fprintf(file, " %s=", key);
    mm_trace_print(file, text);
}

void mm_trace_print_attributes(FILE *file, mm_str_t attributes)
{
    for (mm_attribute_t pair; mm_attributes_next(&attributes, &pair);) {
        (void)fprintf(file, " attr.%.*s=", (int)pair.key.size, pair.key.data);
        mm_trace_print(file, pair.value);
    }
}
