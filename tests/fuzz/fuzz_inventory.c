// Fuzzing the reader of Ansible inventories. What it makes of one is a list of which each line has
// a number, and is a complaint in printable words or a host with the attributes that were asked
// for; no two hosts are the same. What it refuses whole it explains. The first byte of the input
// says what is asked for, and which part is taken.

#include "fuzz.h"
#include "host_fold.h"
#include "hostset.h"
#include "inventory_ini.h"

#include <assert.h>
#include <string.h>

static void check_words(const char *text, size_t size)
{
    assert(size > 0);
    for (size_t i = 0; i < size; i++)
        assert((unsigned char)text[i] >= ' ' && text[i] != 0x7f);
}

static void check_line(mm_str_t line, const hostline_rules_t *rules, hostset_t *seen)
{
    static hostline_buffer_t buffer;
    char why[HOSTLINE_ERROR_MAX], folded[MM_HOST_MAX];
    hostline_t said = {.host = {0}};
    size_t digits = 0;
    while (digits < line.size && mm_is_digit(line.data[digits]))
        digits++;
    assert(digits > 0 && digits < line.size);
    mm_str_t rest = {line.data + digits + 1, line.size - digits - 1};
    if (line.data[digits] == INVENTORY_BAD_LINE) {
        check_words(rest.data, rest.size);
        return;
    }
    assert(line.data[digits] == ' ');
    if (!hostline_parse(rest, false, rules, &buffer, &said, why)) {
        assert(buffer.lacking >= 0); // nothing else can be wrong
        return;
    }
    assert(said.host.size > 0 && mm_attributes_are_valid(said.attributes));
    bool is_new = hostset_add(seen, mm_host_fold(said.host, folded));
    assert(is_new);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const lists[] = {"", "bmc", "port?,user?,address?", "groups?,bmc?"};
    if (size == 0)
        return 0;
    hostline_rules_t rules = {.reads_groups = false};
    bool is_list = mm_attribute_keys_parse(mm_str(lists[data[0] & 3]), &rules.wanted);
    assert(is_list);
    host_filter_t *filter = host_filter_new(data[0] & 4 ? "web,db-*" : "");
    inventory_t *inventory = inventory_new(&rules, filter);
    mm_str_t text = {(const char *)data + 1, size - 1}, list;
    char why[INVENTORY_ERROR_MAX];
    for (uint64_t number = 1; text.size > 0; number++) {
        const char *end = memchr(text.data, '\n', text.size);
        size_t line = end ? (size_t)(end - text.data) : text.size, taken = line + (end != NULL);
        inventory_put(inventory, (mm_str_t){text.data, line}, number);
        text = (mm_str_t){text.data + taken, text.size - taken};
    }
    if (!inventory_finish(inventory, &list, why))
        check_words(why, strlen(why));
    else {
        hostset_t *seen = hostset_new();
        while (list.size > 0) {
            const char *end = memchr(list.data, '\n', list.size);
            assert(end);
            check_line((mm_str_t){list.data, (size_t)(end - list.data)}, &rules, seen);
            list = (mm_str_t){end + 1, (size_t)(list.data + list.size - end - 1)};
        }
        hostset_destroy(&seen);
    }
    inventory_destroy(&inventory);
    host_filter_destroy(&filter);
    return 0;
}
