// The registry of drivers. To add one: driver_NAME.c, which defines driver_NAME_kind, a row here,
// and its options in options.def. What excludes what is checked in options_check.c; run.sh
// passes an option on when its tables have it, and records the driver with the run (driver_line).

#ifndef DRIVERS_H
#define DRIVERS_H

#include "driver.h"

// DRIVER(NAME) for each; the first one that the options ask for is the one.
#define DRIVERS                                                                                    \
    DRIVER(exec) /* a command per host */                                                          \
    DRIVER(mock) /* a wait, as in the article; asked for when no other is */

#define DRIVER(NAME) extern const driver_kind_t driver_##NAME##_kind;
DRIVERS
#undef DRIVER

// The driver that the options ask for.
const driver_kind_t *drivers_choose(const mm_options_t *options);

#endif
