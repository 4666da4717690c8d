// What one line of an inventory says: a host, nothing (empty, a comment), or something wrong. Plain
// lines and JSON Lines. Of an object it reads the host and the attributes that are asked for; what
// else it says, passwords maybe, is never looked at. Pure but for jansson's allocations.

#ifndef HOSTLINE_H
#define HOSTLINE_H

#include "job.h"

#define HOSTLINE_ERROR_MAX 512

// What a line says. The texts live as long as the line and the buffer.
typedef struct {
    mm_str_t host; // valid; empty: the line says nothing
    mm_str_t attributes;
} hostline_t;

// Memory for what has to be taken out of its line, and what is known of a host's attributes whether
// the line is bad or not.
#define HOSTLINE_NAMES_MAX 160
typedef struct {
    char host[MM_HOST_MAX];
    char attributes[MM_ATTRIBUTES_BYTES];
    uint32_t has;                   // those of the wanted ones that it has: bits by their index
    int lacking;                    // the one for whose lack the line is bad; -1: none
    char names[HOSTLINE_NAMES_MAX]; // then: what it has instead, "host, address, port"
} hostline_buffer_t;

// False: the line is bad, and `why` says how and how to fix it, printable, without file and line;
// *ret_hostline is untouched. A host without a wanted attribute that is not optional is a bad line.
// Line: without its newline, at most 64 KiB. is_first: a byte order mark in front is no part of it.
bool hostline_parse(mm_str_t line, bool is_first, const mm_attribute_keys_t *wanted,
                    hostline_buffer_t *buffer, hostline_t *ret_hostline,
                    char why[HOSTLINE_ERROR_MAX]);

#endif
