// The publisher's report on the last run in a folder.

#ifndef PUBLISHER_REPORT_H
#define PUBLISHER_REPORT_H

#include <jansson.h>

// As "json" or "text"; the caller frees it. NULL: there is none. *ret_exit_code: the report's.
char *publisher_report(const char *dir, const char *format, int *ret_exit_code);
// "json", read; the caller's. NULL: there is none.
json_t *publisher_report_json(const char *dir, int *ret_exit_code);
// Takes how long the rest takes at this rate out of a text.
void publisher_report_without_estimate(char *text);

#endif
