// See hostline.h.

#include "hostline.h"

#include <assert.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "foreign_format.h"
#include "host_grammar.h"
#include "host_words.h"

#define QUOTE_MAX   60                  // bytes of a bad line that are shown
#define QUOTE_BYTES (4 * QUOTE_MAX + 5) // of the text

mm_str_t hostline_without_mark(mm_str_t line)
{
    if (line.size >= 3 && memcmp(line.data, "\xEF\xBB\xBF", 3) == 0)
        return (mm_str_t){line.data + 3, line.size - 3};
    return line;
}

// The text as it can stand in a log line or on a terminal.
static const char *quote(mm_str_t text, char buffer[QUOTE_BYTES])
{
    char *next = buffer;
    for (size_t i = 0; i < text.size && i < QUOTE_MAX; i++) {
        unsigned char c = (unsigned char)text.data[i];
        if (c == '=') { // what follows may be a secret
            strcpy(next, "=...");
            return buffer;
        }
        if (c >= ' ' && c < 0x7f)
            *next++ = (char)c;
        else
            next += sprintf(next, "\\x%02X", c);
    }
    strcpy(next, text.size > QUOTE_MAX ? "..." : "");
    return buffer;
}

bool hostline_check_host(mm_str_t host, char why[HOSTLINE_ERROR_MAX])
{
    char buffer[QUOTE_BYTES], complaint[HOST_GRAMMAR_WHY_MAX];
    bool is_good = host_grammar_check(host, complaint);
    if (!is_good)
        snprintf(why, HOSTLINE_ERROR_MAX, "'%s' is not a host: %s", quote(host, buffer), complaint);
    return is_good;
}

// Begins the list of the names of what could stand in a command.
static void begin_names(hostline_buffer_t *buffer)
{
    (void)snprintf(buffer->names, HOSTLINE_NAMES_MAX, "host, address");
}

// Adds one of them; the last one for which there is no room is "...".
static void add_name(hostline_buffer_t *buffer, mm_str_t name)
{
    size_t size = strlen(buffer->names);
    bool is_told = mm_str_equal(name, mm_str("host")) || mm_str_equal(name, mm_str("address"));
    bool is_full = size > 3 && strcmp(buffer->names + size - 3, "...") == 0;
    if (is_told || is_full || !mm_attribute_is_key(name))
        return;
    bool is_room = size + name.size + strlen(", , ...") < HOSTLINE_NAMES_MAX;
    (void)snprintf(buffer->names + size, HOSTLINE_NAMES_MAX - size, ", %.*s",
                   is_room ? (int)name.size : 3, is_room ? name.data : "...");
}

// Notes which of the wanted attributes a host has, by whether there is a value for each. False: it
// lacks one, and `why` says that, with the form in which it is added to a line.
static bool check_lacks(mm_str_t host, const bool has[MM_ATTRIBUTES_MAX],
                        const mm_attribute_keys_t *wanted, bool is_object,
                        hostline_buffer_t *buffer, char why[HOSTLINE_ERROR_MAX])
{
    for (size_t i = 0; i < wanted->count; i++) {
        buffer->has |= has[i] ? 1U << i : 0U;
        if (!has[i] && !wanted->is_optional[i] && buffer->lacking < 0)
            buffer->lacking = (int)i;
    }
    if (buffer->lacking < 0)
        return true;
    mm_str_t key = wanted->keys[buffer->lacking];
    snprintf(why, HOSTLINE_ERROR_MAX,
             "host %.*s has no %.*s, which the command names: add %s%.*s%s to its line",
             (int)host.size, host.data, (int)key.size, key.data, is_object ? "\"" : "",
             (int)key.size, key.data, is_object ? "\": \"...\"" : "=...");
    return false;
}

static bool refuse_value(mm_str_t host, mm_str_t key, const char *complaint,
                         char why[HOSTLINE_ERROR_MAX])
{
    snprintf(why, HOSTLINE_ERROR_MAX,
             "\"%.*s\" of host %.*s cannot stand in a command: %s; correct it", (int)key.size,
             key.data, (int)host.size, host.data, complaint);
    return false;
}

bool hostline_check_value(mm_str_t host, mm_str_t key, mm_str_t value, char why[HOSTLINE_ERROR_MAX])
{
    const char *complaint = mm_attribute_complaint(value);
    return !complaint || refuse_value(host, key, complaint, why);
}

// Sets the value of the attribute "groups". False: they are too many for a policy.
static bool select_groups(const hostline_t *said, const hostline_rules_t *rules,
                          hostline_buffer_t *buffer, mm_str_t *ret_value, char *why)
{
    *ret_value = said->groups;
    return !rules->policy || policy_groups_select(rules->policy, said->host, said->groups,
                                                  buffer->selected, ret_value, why);
}

static bool is_groups(mm_str_t key)
{
    return mm_str_equal(key, mm_str("groups"));
}

// ---- JSON Lines

// The groups of an object: a list of texts, or one text with commas. Empty when it has none.
static bool read_groups(const json_t *object, char *buffer, mm_str_t *ret_groups, char *why)
{
    const json_t *json = json_object_get(object, "groups"), *one;
    size_t size = 0, i;
    *ret_groups = (mm_str_t){0};
    if (!json)
        return true;
    size_t count = json_is_array(json) ? json_array_size(json) : 1;
    for (i = 0; i < count; i++) {
        one = json_is_array(json) ? json_array_get(json, i) : json;
        size_t length = json_string_length(one);
        if (!json_is_string(one) || size + length + 1 > HOSTLINE_GROUPS_MAX) {
            snprintf(why, HOSTLINE_ERROR_MAX,
                     "\"groups\" is neither a text nor a list of texts, of %d bytes at most",
                     HOSTLINE_GROUPS_MAX - 1);
            return false;
        }
        if (size > 0)
            buffer[size++] = ',';
        memcpy(buffer + size, json_string_value(one), length);
        size += length;
    }
    *ret_groups = (mm_str_t){buffer, size};
    return true;
}

// A text or a whole number as the value of an attribute.
static bool check_value(const json_t *json, mm_str_t host, mm_str_t key, char number[24],
                        mm_str_t *ret_value, char why[HOSTLINE_ERROR_MAX])
{
    if (json_is_string(json)) {
        *ret_value = (mm_str_t){json_string_value(json), json_string_length(json)};
    } else if (json_is_integer(json)) {
        snprintf(number, 24, "%" JSON_INTEGER_FORMAT, json_integer_value(json));
        *ret_value = mm_str(number);
    } else {
        return refuse_value(host, key, "it is neither a text nor a whole number", why);
    }
    return hostline_check_value(host, key, *ret_value, why);
}

static const json_t *get(const json_t *object, mm_str_t key)
{
    char name[MM_ATTRIBUTE_KEY_MAX + 1];
    snprintf(name, sizeof name, "%.*s", (int)key.size, key.data);
    return json_object_get(object, name);
}

static void list_names(const json_t *object, hostline_buffer_t *buffer)
{
    const char *name;
    const json_t *value;
    begin_names(buffer);
    json_object_foreach((json_t *)(uintptr_t)object, name, value)
    {
        if (json_is_string(value) || json_is_integer(value))
            add_name(buffer, mm_str(name));
    }
}

static bool read_attributes(const json_t *object, const hostline_rules_t *rules, hostline_t *said,
                            hostline_buffer_t *buffer, char why[HOSTLINE_ERROR_MAX])
{
    const mm_attribute_keys_t *wanted = &rules->wanted;
    const json_t *values[MM_ATTRIBUTES_MAX] = {NULL};
    bool has[MM_ATTRIBUTES_MAX] = {false};
    size_t size = 0;
    mm_str_t groups;
    if (!select_groups(said, rules, buffer, &groups, why))
        return false;
    for (size_t i = 0; i < wanted->count; i++) {
        values[i] = get(object, wanted->keys[i]);
        has[i] =
            values[i] != NULL && (!rules->policy || !is_groups(wanted->keys[i]) || groups.size > 0);
    }
    if (!check_lacks(said->host, has, wanted, true, buffer, why)) {
        list_names(object, buffer);
        return false;
    }
    for (size_t i = 0; i < wanted->count; i++) {
        mm_str_t key = wanted->keys[i], value = groups;
        char number[24];
        if (!has[i])
            continue;
        bool is_list = is_groups(key) && (rules->policy || json_is_array(values[i]));
        if (is_list ? !hostline_check_value(said->host, key, value, why)
                    : !check_value(values[i], said->host, key, number, &value, why))
            return false;
        bool is_added = mm_attributes_add(buffer->attributes, &size, key, value);
        assert(is_added);
    }
    said->attributes = (mm_str_t){buffer->attributes, size};
    return true;
}

static bool wants_groups(const hostline_rules_t *rules)
{
    bool wants = rules->reads_groups;
    for (size_t i = 0; i < rules->wanted.count; i++)
        wants = wants || is_groups(rules->wanted.keys[i]);
    return wants;
}

static bool parse_object(const json_t *object, const hostline_rules_t *rules,
                         hostline_buffer_t *buffer, hostline_t *ret_hostline,
                         char why[HOSTLINE_ERROR_MAX])
{
    const json_t *value = json_object_get(object, "host");
    hostline_t said = {.host = {json_string_value(value), json_string_length(value)}};
    if (!json_is_string(value)) {
        snprintf(why, HOSTLINE_ERROR_MAX, "the object has no \"host\" that is a text");
        return false;
    }
    if (!hostline_check_host(said.host, why) ||
        (wants_groups(rules) && !read_groups(object, buffer->groups, &said.groups, why)) ||
        !read_attributes(object, rules, &said, buffer, why))
        return false;
    memcpy(buffer->host, said.host.data, said.host.size);
    said.host.data = buffer->host;
    *ret_hostline = said;
    return true;
}

// Text: the object, behind `indent` bytes of its line. jansson refuses doubled keys, bad UTF-8 and
// NUL bytes. What it quotes of the line is cut off: it may be a secret.
static bool parse_json(mm_str_t text, int indent, const hostline_rules_t *rules,
                       hostline_buffer_t *buffer, hostline_t *ret_hostline,
                       char why[HOSTLINE_ERROR_MAX])
{
    json_error_t error;
    json_t *object = json_loadb(text.data, text.size, JSON_REJECT_DUPLICATES, &error);
    if (object == NULL) {
        char *quoted = strstr(error.text, " near '");
        if (quoted != NULL)
            *quoted = '\0';
        for (char *c = error.text; *c != '\0'; c++)
            if (*c < ' ' || *c == 0x7f)
                *c = '?';
        if (host_words_trim(text).size == 1)
            snprintf(error.text, sizeof error.text, "%s", foreign_format(mm_str("[")));
        snprintf(why, HOSTLINE_ERROR_MAX, "column %d: %s", indent + error.column, error.text);
        return false;
    }
    bool is_good = parse_object(object, rules, buffer, ret_hostline, why);
    json_decref(object);
    return is_good;
}

// ---- plain lines

// A line on which something stands behind the host that is no attribute. It is shown only when it
// can hold no value: that may be a secret.
static bool refuse_words(mm_str_t text, mm_str_t host, char why[HOSTLINE_ERROR_MAX])
{
    char buffer[QUOTE_BYTES];
    const char *foreign = foreign_format(text);
    mm_str_t shown = memchr(text.data, '=', text.size) ? host : text;
    snprintf(
        why, HOSTLINE_ERROR_MAX, "'%s' is not a host: %s", quote(shown, buffer),
        foreign
            ? foreign
            : "what stands behind a host is an attribute, KEY=VALUE, as in port=22 or user=root");
    return false;
}

// Which of the wanted keys it is; their number when it is none.
static size_t find_key(const mm_attribute_keys_t *wanted, mm_str_t key)
{
    size_t i = 0;
    while (i < wanted->count && !mm_str_equal(wanted->keys[i], key))
        i++;
    return i;
}

// Of an attribute that stands twice: which one counts would be a guess.
static bool refuse_second(mm_str_t host, mm_str_t key, char why[HOSTLINE_ERROR_MAX])
{
    snprintf(why, HOSTLINE_ERROR_MAX, "host %.*s has %.*s twice: leave one out", (int)host.size,
             host.data, (int)key.size, key.data);
    return false;
}

// Sets what the words behind the host say, as it is written: the values of the wanted keys, and the
// groups in *said.
static bool read_words(mm_str_t text, mm_str_t rest, const hostline_rules_t *rules,
                       mm_str_t values[MM_ATTRIBUTES_MAX], hostline_t *said, char *why)
{
    mm_attribute_t pair;
    for (host_word_t word; (word = host_words_next(&rest, &pair)) != HOST_WORD_END;) {
        if (word == HOST_WORD_OTHER)
            return refuse_words(text, said->host, why);
        size_t i = find_key(&rules->wanted, pair.key);
        bool is_second = (is_groups(pair.key) && said->groups.data) ||
                         (i < rules->wanted.count && values[i].data);
        if (is_second)
            return refuse_second(said->host, pair.key, why);
        if (is_groups(pair.key))
            said->groups = pair.value;
        if (i < rules->wanted.count)
            values[i] = pair.value;
    }
    return true;
}

static bool take_values(const mm_str_t values[MM_ATTRIBUTES_MAX], const mm_attribute_keys_t *wanted,
                        hostline_buffer_t *buffer, hostline_t *said, char why[HOSTLINE_ERROR_MAX])
{
    bool has[MM_ATTRIBUTES_MAX] = {false};
    size_t size = 0;
    for (size_t i = 0; i < wanted->count; i++)
        has[i] = values[i].data != NULL;
    if (!check_lacks(said->host, has, wanted, false, buffer, why))
        return false;
    for (size_t i = 0; i < wanted->count; i++) {
        char unquoted[HOST_VALUE_MAX];
        if (!has[i])
            continue;
        mm_str_t value = host_words_unquote(values[i], unquoted);
        if (!hostline_check_value(said->host, wanted->keys[i], value, why))
            return false;
        bool is_added = mm_attributes_add(buffer->attributes, &size, wanted->keys[i], value);
        assert(is_added);
    }
    said->attributes = (mm_str_t){buffer->attributes, size};
    return true;
}

// The keys of words that are pairs.
static void list_keys(mm_str_t rest, hostline_buffer_t *buffer)
{
    mm_attribute_t pair;
    begin_names(buffer);
    while (host_words_next(&rest, &pair) == HOST_WORD_PAIR)
        add_name(buffer, pair.key);
}

// The groups, which may be in quotes.
static bool take_groups(hostline_t *said, char *buffer, char why[HOSTLINE_ERROR_MAX])
{
    mm_str_t groups = said->groups;
    size_t size = 0;
    if (groups.size >= HOSTLINE_GROUPS_MAX) {
        snprintf(why, HOSTLINE_ERROR_MAX, "the groups of host %.*s are longer than %d bytes",
                 (int)said->host.size, said->host.data, HOSTLINE_GROUPS_MAX - 1);
        return false;
    }
    for (size_t i = 0; i < groups.size; i++)
        if (groups.data[i] != '"' && groups.data[i] != '\'')
            buffer[size++] = groups.data[i];
    said->groups = (mm_str_t){buffer, size};
    return true;
}

// The groups of the policy, instead of all that stand there.
static bool take_selected(const hostline_rules_t *rules, mm_str_t values[MM_ATTRIBUTES_MAX],
                          hostline_buffer_t *buffer, const hostline_t *said, char *why)
{
    size_t key = find_key(&rules->wanted, mm_str("groups"));
    mm_str_t groups;
    if (!rules->policy)
        return true;
    if (!select_groups(said, rules, buffer, &groups, why))
        return false;
    if (key < rules->wanted.count)
        values[key] = groups.size > 0 ? groups : (mm_str_t){0};
    return true;
}

// Reads what stands behind the host.
static bool read_rest(mm_str_t text, mm_str_t rest, const hostline_rules_t *rules,
                      hostline_buffer_t *buffer, hostline_t *said, char why[HOSTLINE_ERROR_MAX])
{
    mm_str_t values[MM_ATTRIBUTES_MAX] = {{0}};
    if (!read_words(text, rest, rules, values, said, why))
        return false;
    if (!rules->reads_groups)
        said->groups = (mm_str_t){0};
    if (said->groups.size > 0 && !take_groups(said, buffer->groups, why))
        return false;
    if (take_selected(rules, values, buffer, said, why) &&
        take_values(values, &rules->wanted, buffer, said, why))
        return true;
    list_keys(rest, buffer);
    return false;
}

// Text: begins with the host.
static bool parse_plain(mm_str_t text, const hostline_rules_t *rules, hostline_buffer_t *buffer,
                        hostline_t *ret_hostline, char why[HOSTLINE_ERROR_MAX])
{
    size_t size = 0;
    while (size < text.size &&
           ((unsigned char)text.data[size] > ' ' || !host_words_is_blank(text.data[size])))
        size++;
    hostline_t said = {.host = {text.data, size}};
    mm_str_t rest = {text.data + size, text.size - size};
    const char *foreign = NULL;
    char shown[QUOTE_BYTES];
    if (rest.size > 0)
        foreign = foreign_bytes(text);
    if (!foreign && !hostline_check_host(said.host, why)) {
        foreign = foreign_format(text);
        if (!foreign)
            return false;
    }
    if (foreign) {
        snprintf(why, HOSTLINE_ERROR_MAX, "'%s' is not a host: %s", quote(said.host, shown),
                 foreign);
        return false;
    }
    if ((rest.size > 0 || rules->wanted.count > 0) &&
        !read_rest(text, rest, rules, buffer, &said, why))
        return false;
    *ret_hostline = said;
    return true;
}

bool hostline_parse(mm_str_t line, bool is_first, const hostline_rules_t *rules,
                    hostline_buffer_t *buffer, hostline_t *ret_hostline,
                    char why[HOSTLINE_ERROR_MAX])
{
    mm_str_t text = is_first ? hostline_without_mark(line) : line;
    buffer->has = 0;
    buffer->lacking = -1;
    if (rules->wanted.count == 0 && host_grammar_is_plain(text)) {
        *ret_hostline = (hostline_t){.host = text};
        return true;
    }
    while (text.size > 0 && host_words_is_blank(text.data[0])) {
        text.data++;
        text.size--;
    }
    if (text.size > 0 && text.data[0] == '{')
        return parse_json(text, (int)(text.data - line.data), rules, buffer, ret_hostline, why);
    if (text.size > 0 && text.data[0] != '#' && text.data[0] != ';')
        return parse_plain(text, rules, buffer, ret_hostline, why);
    const char *foreign = text.size > 0 ? foreign_bytes(text) : NULL;
    if (foreign) {
        snprintf(why, HOSTLINE_ERROR_MAX, "the comment is none: %s", foreign);
        return false;
    }
    *ret_hostline = (hostline_t){0};
    return true;
}
