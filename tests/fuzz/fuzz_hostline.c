// Fuzzing the reader of inventory lines, plain and JSON Lines. What it accepts is a host without a
// complaint (or nothing), which read as a line of its own is the same host, and with it the
// attributes that were asked for; what it refuses it explains in printable words. The first byte of
// the input says whether the line is the first one, and what is asked for.

#include "fuzz.h"
#include "host.h"
#include "hostline.h"

#include <assert.h>
#include <string.h>

static void check_good(const hostline_t *said, const mm_attribute_keys_t *wanted)
{
    hostline_buffer_t buffer;
    char why[HOSTLINE_ERROR_MAX];
    mm_str_t value;
    size_t count = 0;
    assert(mm_attributes_are_valid(said->attributes));
    for (size_t i = 0; i < wanted->count && said->host.size > 0; i++)
        count += mm_attributes_find(said->attributes, wanted->keys[i], &value);
    assert(count == (said->host.size > 0 ? wanted->count : 0));
    mm_attribute_t pair;
    for (mm_str_t rest = said->attributes; mm_attributes_next(&rest, &pair);)
        count--;
    assert(count == 0);
    if (said->host.size > 0)
        assert(mm_host_complaint(said->host) == NULL);
    hostline_t again = {.host = mm_str("untouched")};
    bool is_good = hostline_parse(said->host, false, &(hostline_rules_t){0}, &buffer, &again, why);
    assert(is_good && mm_str_equal(again.host, said->host) && again.attributes.size == 0);
}

static void check_bad(const char *why)
{
    size_t size = strnlen(why, HOSTLINE_ERROR_MAX);
    assert(size > 0 && size < HOSTLINE_ERROR_MAX);
    for (size_t i = 0; i < size; i++)
        assert((unsigned char)why[i] >= ' ' && why[i] != 0x7f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const lists[] = {"", "bmc", "zone,bmc", "a,b,c,d,e,f,g,h"};
    if (size == 0)
        return 0;
    hostline_buffer_t buffer;
    char why[HOSTLINE_ERROR_MAX];
    memset(why, 0x01, sizeof why);
    mm_str_t line = {(const char *)data + 1, size - 1};
    const char *end = memchr(line.data, '\n', line.size);
    if (end)
        line.size = (size_t)(end - line.data);
    hostline_rules_t rules = {.reads_groups = data[0] & 8};
    bool is_list = mm_attribute_keys_parse(mm_str(lists[data[0] >> 1 & 3]), &rules.wanted);
    assert(is_list);
    hostline_t said = {.host = mm_str("untouched")};
    if (hostline_parse(line, data[0] & 1, &rules, &buffer, &said, why)) {
        check_good(&said, &rules.wanted);
    } else {
        check_bad(why);
        assert(mm_str_equal(said.host, mm_str("untouched")));
    }
    return 0;
}
