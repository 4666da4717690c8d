// See drivers.h.

#include "drivers.h"

#define DRIVER(NAME) &driver_##NAME##_kind,
static const driver_kind_t *const kinds[] = {DRIVERS};
#undef DRIVER

const driver_kind_t *drivers_choose(const mm_options_t *options)
{
    size_t i = 0;
    while (!kinds[i]->name(options))
        i++; // ends: the last one is always asked for
    return kinds[i];
}
