// Who a host is, and which boot it is in: what --identify prints. Pure.
//
// The output is that of `cat /etc/machine-id /proc/sys/kernel/random/boot_id /proc/uptime` on the
// host (machine-id(5), random(4), proc(5)):
//
//   0123456789abcdef0123456789abcdef           the machine: 32 hex digits
//   01234567-89ab-cdef-0123-456789abcdef       its boot: a UUID
//   1234.56 2345.67                            seconds since that boot, and idle: may be left out
//
// Anything else is unknown: an error text, a banner, half a line, another line.

#ifndef IDENTITY_H
#define IDENTITY_H

#include "string_view.h"

#include <stdbool.h>
#include <stdint.h>

#define IDENTITY_UPTIME_NONE (-1)
#define IDENTITY_OUTPUT_MAX  256 // more bytes are no identity

typedef struct {
    uint8_t machine[16];
    uint8_t boot[16];
    int64_t uptime_ms; // since that boot; IDENTITY_UPTIME_NONE: not told
} identity_t;

// What is on record of a host that did not answer before its restart, where that is allowed: no
// machine, and as its boot the UUID that no host has (RFC 9562, Max UUID).
identity_t identity_nobody(void);
bool identity_is_nobody(const identity_t *self);

// False, and *ret_identity untouched: unknown. Each line must have its newline, so that a number
// that was cut off is not taken for a smaller one.
bool identity_parse(mm_str_t output, identity_t *ret_identity);

typedef enum {
    IDENTITY_OLD,    // the same machine in a boot that was there before the restart was begun
    IDENTITY_NEW,    // the same machine in a later boot
    IDENTITY_OTHER,  // another machine
    IDENTITY_UNKNOWN // beside nobody: a boot of unknown age
} identity_change_t;

// What a read at now_ms says beside the one on record, for a restart that was first begun at
// begun_ms (both CLOCK_BOOTTIME of the reader, ms). A boot that is older than begun_ms is the old
// one, whatever its id (rule H2): somebody else may have rebooted the host before.
identity_change_t identity_change(const identity_t *before, const identity_t *read,
                                  int64_t begun_ms, int64_t now_ms);
bool identity_is_same(const identity_t *one, const identity_t *other); // machine and boot

#endif
