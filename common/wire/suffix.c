// See wire_rules.h: the suffixes that a WELCOME may carry.

#include "wire_rules.h"

#define SUFFIX_PREFIX "task."
#define PORT_DIGITS   5
#define PORT_MAX      65535

static bool is_port(mm_str_t text)
{
    if (text.size > PORT_DIGITS || text.data[0] == '0')
        return false;
    uint32_t port = 0;
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] < '0' || text.data[i] > '9')
            return false;
        port = port * 10 + (uint32_t)(text.data[i] - '0');
    }
    return port <= PORT_MAX;
}

bool mm_wire_is_suffix(mm_str_t text, size_t low, size_t high)
{
    size_t prefix = strlen(SUFFIX_PREFIX);
    if (text.size < low || text.size > high)
        return false;
    if (text.size != MM_SUFFIX_MAX || memcmp(text.data, SUFFIX_PREFIX, prefix) != 0)
        return is_port(text);
    for (size_t i = prefix; i < text.size; i++) {
        char c = text.data[i];
        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')))
            return false;
    }
    return true;
}
