// See inventory_ini.h.

#include "inventory_ini.h"
#include "array.h"
#include "host_range.h"
#include "host_words.h"
#include "ip_address.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef enum { SECTION_HOSTS = 1, SECTION_CHILDREN, SECTION_VARS } section_kind_t;

struct inventory {
    const hostline_rules_t *rules;
    const host_filter_t *filter;
    inventory_tree_t *tree;
    section_kind_t kind;
    size_t group;   // of the section
    uint64_t line;  // that is being read
    mm_str_t words; // behind its host
    char *text;     // the list
    size_t size, capacity;
    char broken[INVENTORY_ERROR_MAX]; // what makes all of it bad; "": nothing
    size_t groups_key;                // of the wanted keys; their number when it is none
};

inventory_t *inventory_new(const hostline_rules_t *rules, const host_filter_t *filter)
{
    inventory_t *self = calloc(1, sizeof *self);
    assert(self);
    self->rules = rules;
    self->filter = filter;
    self->tree = inventory_tree_new();
    self->kind = SECTION_HOSTS;
    while (self->groups_key < rules->wanted.count &&
           !mm_str_equal(rules->wanted.keys[self->groups_key], mm_str("groups")))
        self->groups_key++;
    return self;
}

void inventory_destroy(inventory_t **self_p)
{
    inventory_t *self = *self_p;
    if (!self)
        return;
    inventory_tree_destroy(&self->tree);
    free(self->text);
    free(self);
    *self_p = NULL;
}

// ---- headers

static bool is_group(mm_str_t name)
{
    for (size_t i = 0; i < name.size; i++) {
        char c = name.data[i];
        bool is_letter = (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
        if (!is_letter && !mm_is_digit(c) && c != '.' && c != '_' && c != '-')
            return false;
    }
    return name.size > 0;
}

// Of "[web:children] # comment".
static bool read_header(mm_str_t text, mm_str_t *ret_name, section_kind_t *ret_kind)
{
    text = host_words_trim(text);
    const char *end = text.size > 0 ? memchr(text.data, ']', text.size) : NULL;
    if (!end || text.data[0] != '[')
        return false;
    mm_str_t behind =
        host_words_trim((mm_str_t){end + 1, (size_t)(text.data + text.size - end - 1)});
    if (behind.size > 0 && behind.data[0] != '#' && behind.data[0] != ';')
        return false;
    mm_str_t name = {text.data + 1, (size_t)(end - text.data - 1)};
    const char *colon = name.size > 0 ? memchr(name.data, ':', name.size) : NULL;
    mm_str_t kind = mm_str("hosts");
    if (colon) {
        kind = (mm_str_t){colon + 1, (size_t)(name.data + name.size - colon - 1)};
        name.size = (size_t)(colon - name.data);
    }
    *ret_kind = mm_str_equal(kind, mm_str("hosts"))      ? SECTION_HOSTS
                : mm_str_equal(kind, mm_str("children")) ? SECTION_CHILDREN
                : mm_str_equal(kind, mm_str("vars"))     ? SECTION_VARS
                                                         : (section_kind_t)0;
    *ret_name = name;
    return is_group(name) && *ret_kind != 0;
}

bool inventory_is_header(mm_str_t line)
{
    mm_str_t name;
    section_kind_t kind;
    return read_header(line, &name, &kind);
}

// The first thing that makes the whole inventory bad counts.
static void break_off(inventory_t *self, const char *why)
{
    if (*self->broken == '\0')
        (void)snprintf(self->broken, sizeof self->broken, "%" PRIu64 ": %s", self->line, why);
}

static void put_header(inventory_t *self, mm_str_t text)
{
    mm_str_t name;
    if (!read_header(text, &name, &self->kind)) {
        break_off(self, "the header of the section cannot be read: write [NAME], [NAME:children] "
                        "or [NAME:vars], where a NAME has letters, digits and . _ -");
        self->kind = SECTION_VARS; // what follows is not taken for hosts
        return;
    }
    self->group = inventory_tree_group(self->tree, name);
    if (self->kind == SECTION_VARS)
        inventory_tree_name_group(self->tree, self->group, self->line);
    else
        inventory_tree_define_group(self->tree, self->group);
}

// ---- lines

static void append(inventory_t *self, const char *data, size_t size)
{
    self->text = mm_array_reserve(self->text, &self->capacity, self->size + size, 1);
    if (size > 0)
        memcpy(self->text + self->size, data, size);
    self->size += size;
}

static void append_number(inventory_t *self, uint64_t number, char behind)
{
    char text[32];
    int size = snprintf(text, sizeof text, "%" PRIu64 "%c", number, behind);
    append(self, text, (size_t)size);
}

void inventory_put_bad(inventory_t *self, uint64_t number, const char *why)
{
    append_number(self, number, INVENTORY_BAD_LINE);
    append(self, why, strlen(why));
    append(self, "\n", 1);
}

// Ansible's names of what has a name of its own here.
static mm_str_t own_name(mm_str_t key)
{
    static const char *const names[][2] = {
        {"ansible_host", "address"}, {"ansible_ssh_host", "address"},
        {"ansible_user", "user"},    {"ansible_ssh_user", "user"},
        {"ansible_port", "port"},    {"ansible_ssh_port", "port"}};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (mm_str_equal(key, mm_str(names[i][0])))
            return mm_str(names[i][1]);
    return key;
}

// The number of a wanted key; that of all of them when it is none.
static size_t find_key(const inventory_t *self, mm_str_t key)
{
    const mm_attribute_keys_t *wanted = &self->rules->wanted;
    size_t i = 0;
    key = own_name(key);
    while (i < wanted->count && !mm_str_equal(wanted->keys[i], key))
        i++;
    return i;
}

static void add_groups(inventory_t *self, size_t host, mm_str_t list)
{
    for (mm_str_t name; host_words_next_name(&list, &name);) {
        size_t group = inventory_tree_group(self->tree, name);
        inventory_tree_define_group(self->tree, group);
        inventory_tree_add_host(self->tree, group, host);
    }
}

// Sets what stands behind a host; all words are pairs.
static void set_words(inventory_t *self, size_t host)
{
    mm_str_t rest = self->words;
    mm_attribute_t pair;
    while (host_words_next(&rest, &pair) == HOST_WORD_PAIR) {
        char buffer[HOSTLINE_GROUPS_MAX];
        if (mm_str_equal(pair.key, mm_str("groups"))) {
            if (pair.value.size >= sizeof buffer) {
                inventory_put_bad(self, self->line, "its groups have too many bytes");
                return;
            }
            size_t size = 0;
            for (size_t i = 0; i < pair.value.size; i++)
                if (pair.value.data[i] != '"' && pair.value.data[i] != '\'')
                    buffer[size++] = pair.value.data[i];
            add_groups(self, host, (mm_str_t){buffer, size});
            continue;
        }
        size_t key = find_key(self, pair.key);
        if (key < self->rules->wanted.count)
            inventory_tree_set_of_host(self->tree, host, key,
                                       host_words_unquote(pair.value, buffer));
    }
}

static bool put_host(void *arg, mm_str_t host)
{
    inventory_t *self = arg;
    char why[HOSTLINE_ERROR_MAX];
    if (!hostline_check_host(host, why)) {
        inventory_put_bad(self, self->line, why);
        return false;
    }
    size_t number = inventory_tree_host(self->tree, host, self->line);
    inventory_tree_add_host(self->tree, self->group, number);
    set_words(self, number);
    return true;
}

static bool are_pairs(mm_str_t words)
{
    mm_attribute_t pair;
    host_word_t word;
    while ((word = host_words_next(&words, &pair)) == HOST_WORD_PAIR)
        continue;
    return word == HOST_WORD_END;
}

// "[2001:db8::1]" and what stands behind it: no range.
static bool is_bracketed_address(mm_str_t text)
{
    const char *end = memchr(text.data, ']', text.size);
    uint8_t bytes[16];
    return text.data[0] == '[' && end &&
           mm_ipv6_parse((mm_str_t){text.data + 1, (size_t)(end - text.data - 1)}, bytes);
}

static void put_hosts(inventory_t *self, mm_str_t text)
{
    char why[HOST_RANGE_ERROR_MAX] = "";
    size_t size = 0;
    while (size < text.size && !host_words_is_blank(text.data[size]))
        size++;
    mm_str_t pattern = {text.data, size};
    self->words = (mm_str_t){text.data + size, text.size - size};
    bool is_variable = memchr(pattern.data, '=', pattern.size) != NULL;
    if (is_variable || !are_pairs(self->words)) {
        inventory_put_bad(self, self->line,
                          is_variable ? "it looks like a variable, which stands in a section "
                                        "[NAME:vars], or behind a host"
                                      : "what stands behind a host is KEY=VALUE, as in port=22; "
                                        "a value with blanks needs quotes");
        return;
    }
    uint64_t room = INVENTORY_HOSTS_MAX - inventory_tree_hosts(self->tree);
    if (!memchr(pattern.data, '[', pattern.size) || is_bracketed_address(pattern))
        (void)put_host(self, pattern);
    else if (!host_range_expand(pattern, room, put_host, self, why) && *why)
        inventory_put_bad(self, self->line, why);
}

static void put_child(inventory_t *self, mm_str_t text)
{
    size_t size = 0;
    while (size < text.size && !host_words_is_blank(text.data[size]))
        size++;
    mm_str_t name = {text.data, size};
    mm_str_t rest = host_words_trim((mm_str_t){text.data + size, text.size - size});
    if (!is_group(name) || (rest.size > 0 && rest.data[0] != '#' && rest.data[0] != ';')) {
        break_off(self, "a section [NAME:children] has the name of a group on each line, of "
                        "letters, digits and . _ -");
        return;
    }
    size_t child = inventory_tree_group(self->tree, name);
    inventory_tree_name_group(self->tree, child, self->line);
    inventory_tree_add_child(self->tree, self->group, child);
}

static void put_variable(inventory_t *self, mm_str_t text)
{
    const char *equals = memchr(text.data, '=', text.size);
    char buffer[HOST_VALUE_MAX];
    if (!equals) {
        inventory_put_bad(self, self->line, "a section [NAME:vars] has KEY = VALUE on each line");
        return;
    }
    size_t size = (size_t)(equals - text.data), key;
    mm_str_t value = host_words_trim((mm_str_t){equals + 1, text.size - size - 1});
    for (size_t i = 1; i < value.size; i++)
        if (value.data[i] == '#' && host_words_is_blank(value.data[i - 1]))
            value.size = i;
    key = find_key(self, host_words_trim((mm_str_t){text.data, size}));
    if (key < self->rules->wanted.count)
        inventory_tree_set_of_group(self->tree, self->group, key,
                                    host_words_unquote(host_words_trim(value), buffer));
}

void inventory_put(inventory_t *self, mm_str_t line, uint64_t number)
{
    mm_str_t text = host_words_trim(number == 1 ? hostline_without_mark(line) : line);
    self->line = number;
    if (text.size == 0 || text.data[0] == '#' || text.data[0] == ';')
        return;
    bool is_entry = text.data[0] == '[' && text.data[text.size - 1] == ']';
    if (inventory_is_header(text) || (is_entry && !is_bracketed_address(text)))
        put_header(self, text);
    else if (self->kind == SECTION_HOSTS)
        put_hosts(self, text);
    else if (self->kind == SECTION_CHILDREN)
        put_child(self, text);
    else
        put_variable(self, text);
}

// ---- the list

// A host with its attributes, or what is wrong with them.
static void append_host(inventory_t *self, const inventory_host_t *host)
{
    const mm_attribute_keys_t *wanted = &self->rules->wanted;
    char attributes[MM_ATTRIBUTES_BYTES], selected[MM_GROUPS_BYTES], why[HOSTLINE_ERROR_MAX];
    size_t size = 0;
    mm_str_t groups = host->groups;
    const policy_groups_t *policy = self->rules->policy;
    if (policy &&
        !policy_groups_select(policy, host->host, host->groups_with_all, selected, &groups, why)) {
        inventory_put_bad(self, host->line, why);
        return;
    }
    for (size_t i = 0; i < wanted->count; i++) {
        mm_str_t key = wanted->keys[i], value = mm_str(host->values[i]);
        bool is_there = host->values[i] != NULL;
        if (i == self->groups_key) {
            value = groups;
            is_there = value.size > 0;
        }
        if (!is_there)
            continue; // what it lacks is said of its line
        if (!hostline_check_value(host->host, key, value, why)) {
            inventory_put_bad(self, host->line, why);
            return;
        }
        (void)mm_attributes_add(attributes, &size, key, value);
    }
    append_number(self, host->line, ' ');
    append(self, host->host.data, host->host.size);
    append(self, " ", size > 0);
    append(self, attributes, size);
    append(self, "\n", 1);
}

bool inventory_finish(inventory_t *self, mm_str_t *ret_list, char why[INVENTORY_ERROR_MAX])
{
    if (*self->broken != '\0') {
        (void)snprintf(why, INVENTORY_ERROR_MAX, "%s", self->broken);
        return false;
    }
    if (!inventory_tree_resolve(self->tree, why))
        return false;
    bool takes_all = !self->filter || host_filter_has(self->filter, mm_str("all"));
    for (size_t i = 0; i < inventory_tree_hosts(self->tree); i++) {
        inventory_host_t host;
        inventory_tree_get(self->tree, i, &host);
        if (takes_all || host_filter_takes(self->filter, host.host, host.groups)) {
            host_groups_add(self->rules->groups, host.groups);
            append_host(self, &host);
        }
    }
    *ret_list = (mm_str_t){self->text, self->size};
    return true;
}
