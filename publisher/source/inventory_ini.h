// An Ansible inventory as INI: hosts in sections, with ranges and variables, groups of groups, and
// variables of groups. It is read whole, and then is a plain list: a line for each host that is
// chosen, with the attributes that the command names.
//
//   [web]                            a section of hosts; behind one of them: key=value
//   web-[01:20] ansible_port=2222
//   [eu:children]                    groups, one a line
//   [eu:vars]                        key = value, one a line

#ifndef INVENTORY_INI_H
#define INVENTORY_INI_H

#include "host_filter.h"
#include "hostline.h"
#include "inventory_tree.h"

typedef struct inventory inventory_t;

// Whether the line is the header of a section. A list that begins with one is such an inventory.
bool inventory_is_header(mm_str_t line);

// The rules and the filter (NULL: all) are borrowed.
inventory_t *inventory_new(const hostline_rules_t *rules, const host_filter_t *filter);
void inventory_destroy(inventory_t **self_p); // idempotent

// Reads the next line, whose number counts from 1.
void inventory_put(inventory_t *self, mm_str_t line, uint64_t number);
// Keeps a line that cannot be read for this reason.
void inventory_put_bad(inventory_t *self, uint64_t number, const char *why);

// Sets the list, which lives as long as the inventory: bad lines with what is wrong with them, then
// the hosts in the order in which they were found. Each line begins with the number of that which
// it is from: "12 web-1 bmc=10.0.0.1", "12!what is wrong". False: what is wrong with its sections
// or groups, as a sentence that begins with such a number, "12: ...". To be called once, behind the
// last line.
#define INVENTORY_BAD_LINE '!'
bool inventory_finish(inventory_t *self, mm_str_t *ret_list, char why[INVENTORY_ERROR_MAX]);

#endif
