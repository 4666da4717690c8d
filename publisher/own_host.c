// See own_host.h.

#include "own_host.h"
#include "array.h"
#include "attributes.h"
#include "host.h"

#include <arpa/inet.h>
#include <assert.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

typedef struct {
    int family;
    uint8_t bytes[16];
} address_t;

struct own_host {
    char name[MM_HOST_MAX + 1];
    address_t *addresses;
    size_t count, capacity;
};

static void add_address(own_host_t *self, const struct sockaddr *from)
{
    address_t address = {.family = from->sa_family};
    const void *bytes = from;
    if (from->sa_family == AF_INET)
        memcpy(address.bytes, &((const struct sockaddr_in *)bytes)->sin_addr, 4);
    else if (from->sa_family == AF_INET6)
        memcpy(address.bytes, &((const struct sockaddr_in6 *)bytes)->sin6_addr, 16);
    else
        return;
    *MM_ARRAY_ADD(self->addresses, self->count, self->capacity) = address;
}

own_host_t *own_host_new(void)
{
    own_host_t *self = calloc(1, sizeof *self);
    struct ifaddrs *all = NULL;
    assert(self);
    if (gethostname(self->name, sizeof self->name - 1) != 0)
        self->name[0] = '\0';
    if (getifaddrs(&all) != 0)
        all = NULL;
    for (const struct ifaddrs *one = all; one; one = one->ifa_next)
        if (one->ifa_addr)
            add_address(self, one->ifa_addr);
    if (all)
        freeifaddrs(all);
    return self;
}

void own_host_destroy(own_host_t **self_p)
{
    if (*self_p)
        free((*self_p)->addresses);
    free(*self_p);
    *self_p = NULL;
}

static bool is_same_word(mm_str_t one, mm_str_t other)
{
    return one.size == other.size && one.size > 0 &&
           strncasecmp(one.data, other.data, one.size) == 0;
}

static bool is_name(mm_str_t own, mm_str_t host)
{
    bool is_short = !memchr(host.data, '.', host.size) || !memchr(own.data, '.', own.size);
    return is_same_word(host, own) || is_same_word(host, mm_str("localhost")) ||
           (is_short && is_same_word(mm_host_label(host), mm_host_label(own)));
}

static bool has_address(const own_host_t *self, mm_str_t text)
{
    char copy[MM_HOST_MAX + 1];
    address_t address = {.family = memchr(text.data, ':', text.size) ? AF_INET6 : AF_INET};
    if (text.size >= sizeof copy)
        return false;
    memcpy(copy, text.data, text.size);
    copy[text.size] = '\0';
    if (inet_pton(address.family, copy, address.bytes) != 1)
        return false;
    for (size_t i = 0; i < self->count; i++)
        if (self->addresses[i].family == address.family &&
            memcmp(self->addresses[i].bytes, address.bytes, sizeof address.bytes) == 0)
            return true;
    return false;
}

static bool is_this(const own_host_t *self, mm_str_t host)
{
    if (host.size > 0 && host.data[host.size - 1] == '.')
        host.size--;
    return host.size > 0 && (is_name(mm_str(self->name), host) || has_address(self, host));
}

bool own_host_is(const own_host_t *self, mm_str_t host, mm_str_t attributes)
{
    mm_str_t address = {0};
    if (mm_attributes_find(attributes, mm_str("address"), &address))
        return is_this(self, address);
    return is_this(self, host);
}
