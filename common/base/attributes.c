// See attributes.h.

#include "attributes.h"

static bool is_among(char c, const char *others)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (c != '\0' && strchr(others, c));
}

bool mm_attribute_is_key(mm_str_t key)
{
    if (key.size == 0 || key.size > MM_ATTRIBUTE_KEY_MAX || key.data[0] < 'a' || key.data[0] > 'z')
        return false;
    for (size_t i = 1; i < key.size; i++)
        if (!is_among(key.data[i], "_"))
            return false;
    return true;
}

const char *mm_attribute_complaint(mm_str_t value)
{
    if (value.size > MM_ATTRIBUTE_VALUE_MAX)
        return "it is longer than 256 bytes";
    if (value.size > 0 && value.data[0] == '-')
        return "it begins with '-' and could be taken for an option";
    for (size_t i = 0; i < value.size; i++)
        if (!is_among(value.data[i], "ABCDEFGHIJKLMNOPQRSTUVWXYZ._:@/+=,-"))
            return "it holds something else than letters, digits and . _ : @ / + = , -";
    return NULL;
}

bool mm_attributes_next(mm_str_t *rest, mm_attribute_t *ret_attribute)
{
    const char *equals = rest->size > 0 ? memchr(rest->data, '=', rest->size) : NULL;
    if (!equals)
        return false;
    const char *end = rest->data + rest->size, *value = equals + 1;
    const char *blank = memchr(value, ' ', (size_t)(end - value));
    ret_attribute->key = (mm_str_t){rest->data, (size_t)(equals - rest->data)};
    ret_attribute->value = (mm_str_t){value, (size_t)((blank ? blank : end) - value)};
    const char *next = blank ? blank + 1 : end;
    *rest = (mm_str_t){next, (size_t)(end - next)};
    return true;
}

bool mm_attributes_find(mm_str_t attributes, mm_str_t key, mm_str_t *ret_value)
{
    for (mm_attribute_t pair; mm_attributes_next(&attributes, &pair);) {
        if (!mm_str_equal(pair.key, key))
            continue;
        *ret_value = pair.value;
        return true;
    }
    return false;
}

bool mm_attributes_are_valid(mm_str_t attributes)
{
    mm_str_t rest = attributes;
    mm_attribute_keys_t keys = {0};
    for (mm_attribute_t pair; mm_attributes_next(&rest, &pair);) {
        size_t before = keys.count;
        if (!mm_attribute_is_key(pair.key) || mm_attribute_complaint(pair.value) ||
            !mm_attribute_keys_add(&keys, pair.key) || keys.count == before)
            return false;
    }
    return rest.size == 0 && (attributes.size == 0 || attributes.data[attributes.size - 1] != ' ');
}

bool mm_attributes_add(char *text, size_t *size, mm_str_t key, mm_str_t value)
{
    size_t count = 0;
    mm_str_t rest = {text, *size};
    for (mm_attribute_t pair; mm_attributes_next(&rest, &pair); count++)
        if (mm_str_equal(pair.key, key))
            return false;
    if (count == MM_ATTRIBUTES_MAX || !mm_attribute_is_key(key) || mm_attribute_complaint(value))
        return false;
    char *end = text + *size;
    if (count > 0)
        *end++ = ' ';
    (void)mm_str_copy(&end, key);
    *end++ = '=';
    (void)mm_str_copy(&end, value);
    *size = (size_t)(end - text);
    return true;
}

static bool add_key(mm_attribute_keys_t *self, mm_str_t key, bool is_optional)
{
    size_t i = 0;
    while (i < self->count && !mm_str_equal(self->keys[i], key))
        i++;
    if (i == MM_ATTRIBUTES_MAX)
        return false;
    self->is_optional[i] = is_optional && (i == self->count || self->is_optional[i]);
    self->keys[i] = key;
    self->count += i == self->count;
    return true;
}

bool mm_attribute_keys_add(mm_attribute_keys_t *self, mm_str_t key)
{
    return add_key(self, key, false);
}

bool mm_attribute_keys_add_optional(mm_attribute_keys_t *self, mm_str_t key)
{
    return add_key(self, key, true);
}

bool mm_attribute_keys_parse(mm_str_t list, mm_attribute_keys_t *ret_keys)
{
    mm_attribute_keys_t keys = {0};
    while (list.size > 0) {
        const char *comma = memchr(list.data, ',', list.size);
        mm_str_t key = {list.data, comma ? (size_t)(comma - list.data) : list.size};
        size_t taken = key.size + (comma != NULL), before = keys.count;
        bool is_optional = key.size > 0 && key.data[key.size - 1] == '?';
        key.size -= is_optional;
        if (!mm_attribute_is_key(key) || !add_key(&keys, key, is_optional) || keys.count == before)
            return false;
        list = (mm_str_t){list.data + taken, list.size - taken};
        if (comma && list.size == 0)
            return false;
    }
    *ret_keys = keys;
    return true;
}

static size_t append(char *line, size_t used, const char *head, mm_str_t text)
{
    size_t size = strlen(head);
    memcpy(line + used, head, size);
    memcpy(line + used + size, text.data, text.size);
    return used + size + text.size;
}

size_t mm_attributes_line(mm_str_t host, mm_str_t attributes, char ret_line[MM_HOST_LINE])
{
    bool is_object = attributes.size > 0;
    mm_attribute_t pair;
    size_t used = append(ret_line, 0, is_object ? "{\"host\": \"" : "", host);
    while (mm_attributes_next(&attributes, &pair)) { // neither key nor value needs an escape
        used = append(ret_line, used, "\", \"", pair.key);
        used = append(ret_line, used, "\": \"", pair.value);
    }
    used = append(ret_line, used, is_object ? "\"}" : "", mm_str(""));
    ret_line[used] = '\0';
    return used;
}
