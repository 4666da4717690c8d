// The keys of a consumer, looked at on its machine.

#ifndef KEYS_CHECK_H
#define KEYS_CHECK_H

#include "finding.h"
#include "key_file.h"

// Looks at the folder of --keys: its mode, consumer.key, the list, dates. key: of a client, which
// is to be let in; NULL: none.
void keys_check(findings_t *findings, const char *folder, const mm_key_t *key, int64_t unix_ms);

// What the date of a key comes to: "without an end", "ends 2027-12-01", "ended 2025-12-01".
#define KEY_DATE_TEXT 48
const char *key_date_print(int64_t not_after_ms, int64_t unix_ms, char buffer[KEY_DATE_TEXT]);

#endif
