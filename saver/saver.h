// The saver: a loop around a worker client and a store. It puts save and settle tasks into the
// store, commits what has come together in one transaction, and passes on the answers, which a
// store gives after its commit only (I2).

#ifndef SAVER_H
#define SAVER_H

#include "addresses.h"
#include "options.h"
#include "store.h"

// Serves the consumer that leads, of those at these addresses, until it has left, or a signal and
// the drain timeout say so; then closes the store and sets *store_p to NULL. The caller has blocked
// the signals (mm_loop_block_signals). Returns 0, or a sysexits code: 69 another process with this
// id stays alive, 74 the store is broken or its last commit failed.
int saver_run(const mm_options_t *options, const mm_addresses_t *addresses, store_t **store_p);

#endif
