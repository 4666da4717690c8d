// Until when a host is denied, as an operator types it. Pure, but for the zone of this machine.

#ifndef UNTIL_H
#define UNTIL_H

#include <stdint.h>

#define UNTIL_NOW 1 // an instant that is long over: "now"

// Reads "2026-12-24", "2026-12-24 06:00", "+2h" or "now"; a date without a time is its begin, both
// in the zone of this machine. now_ms: Unix time, as *ret_ms. Returns NULL, or the complaint as the
// end of a sentence; *ret_ms is then untouched.
const char *until_parse(const char *text, int64_t now_ms, int64_t *ret_ms);

#define UNTIL_TEXT 64
// "2026-12-24 06:00:00 +0100", in the zone of this machine; "-" when it has no date. Returns
// buffer.
char *until_print(int64_t unix_ms, char buffer[UNTIL_TEXT]);

#endif
