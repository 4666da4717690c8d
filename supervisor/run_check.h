// `mayhem run --check`: reads everything that a run would read, says what it would do, and starts
// nothing. `mayhem plan` says the same, and more. A run begins with the same checks.

#ifndef RUN_CHECK_H
#define RUN_CHECK_H

#include "run_inventory.h"

#include <jansson.h>

// Has a publisher read the list, a stream as well, and prints how many hosts would be restarted, at
// most how many at once, by what and proven how, and what the policy says. Returns 0, or what the
// run would have ended with, after a complaint; 75 when a breaker on record lets nothing begin.
int run_check_print(const run_settings_t *settings);

// Before a run begins: whether the policy can be met with the hosts of the list, which a publisher
// reads for that, unless it is a stream. Sets settings->headline, of a real driver. Returns 0, or
// 78 after a complaint.
int run_check_begin(run_settings_t *settings);

// That, as text but for "configuration ok", and as JSON. now_ms: Unix time.
void run_check_text(const run_settings_t *settings, const run_inventory_t *list, int64_t now_ms);
json_t *run_check_json(const run_settings_t *settings, const run_inventory_t *list, int64_t now_ms);
// Writes JSON and a newline; takes the reference. False, with errno, when it cannot be written.
bool run_check_write_json(json_t *json);
// 0, or 74 after a complaint when the output cannot be written. is_good: it could so far.
int run_check_end(bool is_good);

#endif
