// A line of a kept list (kept_list.h): a host, and behind a blank its attributes.

#ifndef KEPT_LINE_H
#define KEPT_LINE_H

#include "job.h"

// Line: with its newline. False, and untouched: it is damaged.
bool kept_line_parse(const char *line, size_t size, mm_str_t *ret_host, mm_str_t *ret_attributes);

#endif
