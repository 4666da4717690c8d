// See reply_values.h.

#include "reply_values.h"
#include "ctl.h"

#include <stdio.h>

#define NUMBER_MAX (INT64_MAX / 8192)

int64_t reply_number(const json_t *object, const char *key)
{
    json_int_t number = json_integer_value(json_object_get(object, key));
    return number > NUMBER_MAX ? NUMBER_MAX : number < 0 ? 0 : number;
}

int64_t reply_limit(const json_t *object, const char *key)
{
    bool is_none = json_integer_value(json_object_get(object, key)) < 0;
    return is_none ? -1 : reply_number(object, key);
}

int64_t reply_time(const json_t *object, const char *name, size_t size)
{
    char key[32];
    for (int64_t scale = 1; scale <= 1000; scale *= 1000) {
        (void)snprintf(key, sizeof key, "%.*s_%s", (int)size, name, scale == 1 ? "us" : "ms");
        const json_t *value = json_object_get(object, key);
        if (json_is_integer(value) && json_integer_value(value) >= 0)
            return scale * reply_number(object, key);
    }
    return -1;
}

void reply_text(const json_t *object, const char *key, char *to, size_t size_max)
{
    size_t size = 0;
    for (const char *from = ctl_text(object, key); *from && size + 1 < size_max; from++)
        to[size++] = *from >= ' ' && *from <= '~' ? *from : '?';
    to[size] = '\0';
}
