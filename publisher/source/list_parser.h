// From the lines of a list to hosts: tells the form of the list, keeps an inventory until its end,
// leaves out what --only does not take, and says what is wrong with a line.

#ifndef LIST_PARSER_H
#define LIST_PARSER_H

#include "attribute_lacks.h"
#include "host_filter.h"
#include "hostline.h"
#include "inventory_ini.h"
#include "source.h"

// What the lines are: the first one that says something tells.
typedef enum {
    LIST_UNKNOWN = 0,
    LIST_LINES,     // each says a host
    LIST_INVENTORY, // they say hosts together, at their end
    LIST_RESOLVED   // of what was an inventory
} list_form_t;

typedef struct {
    char *name; // of the list, for messages
    list_form_t form;
    inventory_t *inventory; // NULL: it is none, or is resolved
    hostline_rules_t rules;
    const char *named_by;
    attribute_lacks_t lacks;
    host_filter_t *filter; // NULL: all
    uint64_t left_out;     // hosts that the filter does not take
    hostline_buffer_t host;
    char complaint[ATTRIBUTE_COMPLAINT_MAX]; // about the last bad line
} list_parser_t;

// What the config points to is borrowed, but for `only`.
void list_parser_begin(list_parser_t *self, const source_file_config_t *config, const char *name);
void list_parser_end(list_parser_t *self);

// Parses the next line, whose number counts from 1. False: it is bad, and there is a complaint that
// begins with list and line. A line of an inventory, a comment, and a host that is not to be taken
// say nothing: the host is empty. What is said lives until the next call.
bool list_parser_parse(list_parser_t *self, mm_str_t line, uint64_t number, bool is_too_long,
                       hostline_t *ret_hostline);
// The first line comes again.
void list_parser_rewind(list_parser_t *self);

// The whole inventory was parsed: what comes next are the lines of this file, which is the
// caller's. Returns 0, or a sysexits code with a text in error.
int list_parser_resolve(list_parser_t *self, int *ret_fd, char error[SOURCE_ERROR_MAX]);

// Whether a command names what no host of the list has; then error says that.
bool list_parser_blame(const list_parser_t *self, char error[SOURCE_ERROR_MAX]);

#endif
