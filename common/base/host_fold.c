// See host_fold.h. Whether a host is folded already is looked at by eight bytes at a time.

#include "host_fold.h"
#include "ip_address.h"

#define EACH(byte) (UINT64_C(0x0101010101010101) * (byte))

// Whether one of eight bytes below 0x80 is a capital letter or a colon.
static inline bool has_other(uint64_t bytes)
{
    uint64_t from_a = bytes + EACH(0x80 - 'A'), above_z = bytes + EACH(0x80 - 'Z' - 1);
    uint64_t from_colon = bytes + EACH(0x80 - ':'), above_colon = bytes + EACH(0x80 - ':' - 1);
    return (((from_a & ~above_z) | (from_colon & ~above_colon)) & EACH(0x80)) != 0;
}

static bool is_folded(mm_str_t host)
{
    uint64_t bytes = 0;
    size_t i = 0;
    if (host.data[host.size - 1] == '.')
        return false;
    for (; i + sizeof bytes <= host.size; i += sizeof bytes) {
        memcpy(&bytes, host.data + i, sizeof bytes);
        if (has_other(bytes))
            return false;
    }
    bytes = 0;
    for (; i < host.size; i++)
        bytes = bytes << 8 | (unsigned char)host.data[i];
    return !has_other(bytes);
}

static size_t fold_address(const uint8_t address[16], char buffer[MM_HOST_MAX])
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    if (memcmp(address, mapped, sizeof mapped) == 0)
        return mm_ipv4_print(address + sizeof mapped, buffer);
    return mm_ipv6_print(address, buffer);
}

mm_str_t mm_host_fold(mm_str_t host, char buffer[MM_HOST_MAX])
{
    uint8_t address[16];
    if (host.size == 0 || host.size > MM_HOST_MAX || is_folded(host))
        return host;
    while (host.size > 1 && host.data[host.size - 1] == '.')
        host.size--;
    if (mm_ipv6_parse(host, address))
        return (mm_str_t){buffer, fold_address(address, buffer)};
    for (size_t i = 0; i < host.size; i++) {
        char c = host.data[i];
        buffer[i] = c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
    }
    return (mm_str_t){buffer, host.size};
}
