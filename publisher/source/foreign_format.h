// What a line that is no line of a list looks like. It is asked only about lines that are refused,
// but for headers, which could be hosts.

#ifndef FOREIGN_FORMAT_H
#define FOREIGN_FORMAT_H

#include "string_view.h"

// What the line looks like and what to do, as the end of a sentence ("it looks like a line of
// /etc/hosts: ..."); NULL: like nothing that is known. Line: without its newline.
const char *foreign_format(mm_str_t line);
// The same about the first word of a list: whether it is the header of a table.
const char *foreign_header(mm_str_t word);
// The same about bytes that no line of any text has; for comments, too.
const char *foreign_bytes(mm_str_t line);

#endif
