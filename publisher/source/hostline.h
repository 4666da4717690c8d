// What one line of an inventory says: a host, nothing (empty, a comment), or something wrong. Plain
// lines and JSON Lines. Pure but for jansson's allocations; it keeps nothing.

#ifndef HOSTLINE_H
#define HOSTLINE_H

#include "job.h"

#define HOSTLINE_ERROR_MAX 512

// Holds a host that had to be taken out of its line.
typedef struct {
    char bytes[MM_HOST_MAX];
} hostline_buffer_t;

// True: *ret_host is a valid host in line or buffer, or empty when the line says nothing. False:
// why says what is wrong, printable, without file and line; *ret_host is untouched. Line: without
// its newline, at most 64 KiB. is_first: a byte order mark in front is no part of it.
bool hostline_parse(mm_str_t line, bool is_first, hostline_buffer_t *buffer, mm_str_t *ret_host,
                    char why[HOSTLINE_ERROR_MAX]);

#endif
