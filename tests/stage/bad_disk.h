// A disk that fails, below SQLite: the calls that write, truncate and sync files stand before those
// of the C library. A sync takes no time here; what it would have made durable is remembered, so
// that the power can be cut.

#ifndef BAD_DISK_H
#define BAD_DISK_H

#include <stdbool.h>

typedef enum {
    DISK_GOOD,
    DISK_WRITE_FAILS, // a write or truncation: EIO
    DISK_FULL,        // a write: ENOSPC
    DISK_SHORT,       // half of a write, and then ENOSPC
    DISK_LONG_FULL,   // several writes one after the other: ENOSPC
    DISK_SYNC_FAILS,  // EIO
    DISK_POWER_CUT,   // this call and all that follow: EIO; see bad_disk_restart
    DISK_KILL         // half of a write, and the process dies as by kill -9
} bad_disk_t;

// From now on the call with this number (from 1), or the first one behind it of the kind, fails.
// The seed is for what is left behind a power cut.
void bad_disk_begin(bad_disk_t kind, unsigned at, unsigned seed);
// Calls since the begin.
unsigned bad_disk_calls(void);
// Whether it has failed; from then on it is good, but for a power cut.
bool bad_disk_has_failed(void);
// Files as they are after a power cut: all that was synced, and of the writes behind that each one,
// a part of it, or nothing. All files must be closed. The disk is good again.
void bad_disk_restart(void);

#endif
