// Hosts that a run leaves in mid-boot, by the record.

#ifndef MID_BOOT_H
#define MID_BOOT_H

#include <stdint.h>

// The hosts whose restart has begun and is neither proven nor ended, by DIR/mayhem.db. 0 also when
// that cannot be read, or is of a version that kept no attempts.
int64_t mid_boot_count(const char *dir);

#endif
