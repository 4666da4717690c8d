// The registry of drivers. To add one: driver_NAME.c, which defines driver_NAME_kind, a row here
// before mock, which stays last, and its options in options.def. CONTRIBUTING.md lists the rest.

#ifndef DRIVERS_H
#define DRIVERS_H

#include "driver.h"

// DRIVER(NAME) for each; the first one that the options ask for is the one.
#define DRIVERS                                                                                    \
    DRIVER(exec) /* a command per host */                                                          \
    DRIVER(mock) /* a wait, as in the article; the last row: asked for when no other is */

#define DRIVER(NAME) extern const driver_kind_t driver_##NAME##_kind;
DRIVERS
#undef DRIVER

// The driver that the options ask for.
const driver_kind_t *drivers_choose(const mm_options_t *options);

#endif
