// The publisher's report on the last run in a folder.

#ifndef PUBLISHER_REPORT_H
#define PUBLISHER_REPORT_H

// As "json" or "text"; the caller frees it. NULL: there is none. *ret_exit_code: the report's.
char *publisher_report(const char *dir, const char *format, int *ret_exit_code);

#endif
