// Fuzzing the reader of inventory lines, plain and JSON Lines. What it accepts is a host without a
// complaint (or nothing), which read as a line of its own is the same host; what it refuses it
// explains in printable words. The first byte of the input says whether the line is the first one.

#include "fuzz.h"
#include "host.h"
#include "hostline.h"

#include <assert.h>
#include <string.h>

static void check_good(mm_str_t host)
{
    hostline_buffer_t buffer;
    char why[HOSTLINE_ERROR_MAX];
    mm_str_t again = {"untouched", 9};
    if (host.size > 0)
        assert(mm_host_complaint(host) == NULL);
    bool is_good = hostline_parse(host, false, &buffer, &again, why);
    assert(is_good && mm_str_equal(again, host));
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
    if (size == 0)
        return 0;
    hostline_buffer_t buffer;
    char why[HOSTLINE_ERROR_MAX];
    memset(why, 0x01, sizeof why);
    mm_str_t line = {(const char *)data + 1, size - 1};
    const char *end = memchr(line.data, '\n', line.size);
    if (end)
        line.size = (size_t)(end - line.data);
    mm_str_t host = {"untouched", 9};
    if (hostline_parse(line, data[0] & 1, &buffer, &host, why)) {
        check_good(host);
    } else {
        check_bad(why);
        assert(mm_str_equal(host, mm_str("untouched")));
    }
    return 0;
}
