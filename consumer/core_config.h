// What the consumer's options, its epoch and this machine mean for its core.

#ifndef CORE_CONFIG_H
#define CORE_CONFIG_H

#include "gather.h"
#include "options.h"

// is_leased: it leads by a lease, on a record that several consumers and savers share.
gather_config_t core_config(const mm_options_t *options, uint64_t epoch, bool is_leased);

#endif
