// See held_news.h.

#include "held_news.h"
#include "held_line.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

void held_news_clear(held_news_t *self)
{
    json_decref(self->tripped);
    *self = (held_news_t){0};
}

static bool has_name(const json_t *names, const char *name)
{
    for (size_t i = 0; i < json_array_size(names); i++) {
        const char *other = json_string_value(json_array_get(names, i));
        if (other && strcmp(other, name) == 0)
            return true;
    }
    return false;
}

char *held_news_tell(held_news_t *self, const json_t *told, const char *program, const char *dir)
{
    const json_t *halted = json_object_get(told, "halted");
    json_t *tripped = json_object_get(told, "tripped");
    char *text;
    size_t size;
    if (!json_is_boolean(halted) || !json_is_array(tripped))
        return NULL;
    FILE *file = open_memstream(&text, &size);
    assert(file);
    if (json_is_true(halted) && !self->is_halted)
        mm_held_line_halt(program, dir, file);
    for (size_t i = 0; i < json_array_size(tripped); i++) {
        const char *name = json_string_value(json_array_get(tripped, i));
        if (name && !has_name(self->tripped, name))
            mm_held_line_trip(name, program, dir, file);
    }
    (void)fclose(file);
    held_news_clear(self);
    *self = (held_news_t){.is_halted = json_is_true(halted), .tripped = json_incref(tripped)};
    if (size > 0)
        return text;
    free(text);
    return NULL;
}
