// What one line of an inventory says: a host, nothing (empty, a comment), or something wrong. Plain
// lines, with attributes behind the host, and JSON Lines. It reads the host, the attributes that
// are asked for, and the groups; what else a line says, passwords maybe, is never looked at. Pure
// but for jansson's allocations.

#ifndef HOSTLINE_H
#define HOSTLINE_H

#include "hostset.h"
#include "policy_groups.h"

#define HOSTLINE_ERROR_MAX  640
#define HOSTLINE_GROUPS_MAX 4096 // bytes of the groups of an object, as one text

// What is read of a line. The texts are borrowed.
typedef struct {
    mm_attribute_keys_t wanted;
    bool reads_groups;
    hostset_t *groups; // those of each host that is taken are added; NULL: nobody counts them
    // The attribute "groups", if it is wanted, has those that this policy names; NULL: all. It
    // needs reads_groups.
    const policy_groups_t *policy;
} hostline_rules_t;

// What a line says. The texts live as long as the line and the buffer.
typedef struct {
    mm_str_t host; // valid; empty: the line says nothing
    mm_str_t attributes;
    mm_str_t groups; // with commas between them; empty, too, unless they are read
} hostline_t;

// Memory for what has to be taken out of its line, and what is known of a host's attributes whether
// the line is bad or not.
#define HOSTLINE_NAMES_MAX 160
typedef struct {
    char host[MM_HOST_MAX];
    char attributes[MM_ATTRIBUTES_BYTES];
    char groups[HOSTLINE_GROUPS_MAX];
    char selected[MM_GROUPS_BYTES]; // of these, those of the policy
    uint32_t has;                   // those of the wanted ones that it has: bits by their index
    int lacking;                    // the one for whose lack the line is bad; -1: none
    char names[HOSTLINE_NAMES_MAX]; // then: what it has instead, "host, address, port"
} hostline_buffer_t;

// False: the line is bad, and `why` says how and how to fix it, printable, without file and line;
// *ret_hostline is untouched. A host without a wanted attribute that is not optional is a bad line.
// Line: without its newline, at most 64 KiB. is_first: a byte order mark in front is no part of it.
bool hostline_parse(mm_str_t line, bool is_first, const hostline_rules_t *rules,
                    hostline_buffer_t *buffer, hostline_t *ret_hostline,
                    char why[HOSTLINE_ERROR_MAX]);

// For other readers of inventories. False: `why` says that it is no host.
bool hostline_check_host(mm_str_t host, char why[HOSTLINE_ERROR_MAX]);
// False: `why` says that the value of an attribute cannot stand in a command. It is not shown: it
// may be a secret.
bool hostline_check_value(mm_str_t host, mm_str_t key, mm_str_t value,
                          char why[HOSTLINE_ERROR_MAX]);
// The text without a byte order mark.
mm_str_t hostline_without_mark(mm_str_t line);

#endif
