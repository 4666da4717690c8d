// See list_parser.h.

#include "list_parser.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sysexits.h>
#include <unistd.h>

#include "foreign_format.h"
#include "host_words.h"
#include "line_reader.h"

#define TEXT_OF_(x) #x
#define TEXT_OF(x)  TEXT_OF_(x)

void list_parser_begin(list_parser_t *self, const source_file_config_t *config, const char *name)
{
    self->name = strdup(name);
    assert(self->name);
    self->filter = host_filter_new(config->only ? config->only : "");
    self->rules =
        (hostline_rules_t){.wanted = config->wanted,
                           .reads_groups = self->filter || config->groups || config->policy,
                           .groups = config->groups,
                           .policy = config->policy};
    if (config->policy) {
        bool has_room = mm_attribute_keys_add_optional(&self->rules.wanted, mm_str("groups"));
        assert(has_room); // else the options had been refused
    }
    self->named_by = config->named_by;
}

void list_parser_end(list_parser_t *self)
{
    inventory_destroy(&self->inventory);
    host_filter_destroy(&self->filter);
    free(self->name);
}

void list_parser_rewind(list_parser_t *self)
{
    if (self->form == LIST_LINES)
        self->form = LIST_UNKNOWN;
}

// The first line that says something tells what the list is. Returns what is wrong with it; NULL:
// nothing.
static const char *find_form(list_parser_t *self, mm_str_t line, uint64_t number)
{
    mm_str_t text = host_words_trim(number == 1 ? hostline_without_mark(line) : line);
    if (text.size == 0 || text.data[0] == '#' || text.data[0] == ';')
        return NULL;
    self->form = inventory_is_header(text) ? LIST_INVENTORY : LIST_LINES;
    if (self->form == LIST_LINES)
        return foreign_header(text);
    self->inventory = inventory_new(&self->rules, self->filter);
    return NULL;
}

// What is wrong with a line before it is parsed; NULL: nothing.
static const char *line_complaint(list_parser_t *self, mm_str_t line, uint64_t number,
                                  bool is_too_long)
{
    if (is_too_long)
        return "the line is longer than " TEXT_OF(LINE_MAX_BYTES) " bytes";
    if (self->form == LIST_UNKNOWN)
        return find_form(self, line, number);
    if (self->form == LIST_LINES && line.size > 0 && line.data[0] == '[' &&
        inventory_is_header(line))
        return "it looks like a section of an Ansible inventory, which must begin with one: write "
               "[ungrouped] in front of the first host";
    return NULL;
}

// Says nothing of a host that is not to be taken.
static void filter(list_parser_t *self, hostline_t *said)
{
    if (self->form == LIST_RESOLVED || said->host.size == 0)
        return;
    if (!self->filter || host_filter_takes(self->filter, said->host, said->groups)) {
        host_groups_add(self->rules.groups, said->groups);
        return;
    }
    self->left_out++;
    *said = (hostline_t){0};
}

// Of a line that an inventory has resolved: takes the number of the line where it was found.
static uint64_t take_number(mm_str_t *line)
{
    uint64_t number = 0;
    for (; line->size > 0 && mm_is_digit(line->data[0]); line->data++, line->size--)
        number = 10 * number + (uint64_t)(line->data[0] - '0');
    return number;
}

// Parses a line without a complaint; false: `why` says what is wrong.
static bool parse_good_line(list_parser_t *self, mm_str_t line, uint64_t number,
                            hostline_t *ret_hostline, char why[HOSTLINE_ERROR_MAX])
{
    bool is_good = hostline_parse(line, number == 1, &self->rules, &self->host, ret_hostline, why);
    attribute_lacks_see(&self->lacks, &self->host);
    if (is_good)
        filter(self, ret_hostline);
    return is_good;
}

bool list_parser_parse(list_parser_t *self, mm_str_t line, uint64_t number, bool is_too_long,
                       hostline_t *ret_hostline)
{
    char why[HOSTLINE_ERROR_MAX];
    if (self->form == LIST_RESOLVED)
        number = take_number(&line);
    const char *complaint = line_complaint(self, line, number, is_too_long);
    if (self->inventory) {
        if (complaint)
            inventory_put_bad(self->inventory, number, complaint);
        else
            inventory_put(self->inventory, line, number);
        *ret_hostline = (hostline_t){0};
        return true;
    }
    self->host.lacking = -1;
    if (self->form == LIST_RESOLVED && line.size > 0 && line.data[0] == INVENTORY_BAD_LINE)
        (void)snprintf(why, sizeof why, "%.*s", (int)line.size - 1, line.data + 1);
    else if (!complaint && parse_good_line(self, line, number, ret_hostline, why))
        return true;
    (void)snprintf(self->complaint, sizeof self->complaint, "%.200s:%" PRIu64 ": %s", self->name,
                   number, complaint ? complaint : why);
    attribute_lacks_keep(&self->lacks, &self->host, self->complaint);
    return false;
}

int list_parser_resolve(list_parser_t *self, int *ret_fd, char error[SOURCE_ERROR_MAX])
{
    char why[INVENTORY_ERROR_MAX];
    mm_str_t list;
    if (!inventory_finish(self->inventory, &list, why)) {
        (void)snprintf(error, SOURCE_ERROR_MAX, "%.200s:%s", self->name, why);
        return EX_DATAERR;
    }
    int fd = memfd_create("hosts", MFD_CLOEXEC);
    for (size_t done = 0; fd >= 0 && done < list.size;) {
        ssize_t size = write(fd, list.data + done, list.size - done);
        if (size < 0 && errno != EINTR)
            break;
        done += size > 0 ? (size_t)size : 0;
    }
    if (fd < 0 || lseek(fd, 0, SEEK_CUR) != (off_t)list.size || lseek(fd, 0, SEEK_SET) != 0) {
        (void)snprintf(error, SOURCE_ERROR_MAX, "cannot keep the hosts of %.200s: %s", self->name,
                       strerror(errno));
        if (fd >= 0)
            (void)close(fd);
        return EX_OSERR;
    }
    inventory_destroy(&self->inventory);
    self->form = LIST_RESOLVED;
    *ret_fd = fd;
    return 0;
}

bool list_parser_blame(const list_parser_t *self, char error[SOURCE_ERROR_MAX])
{
    return attribute_lacks_blame(&self->lacks, &self->rules.wanted, self->named_by, self->name,
                                 error, SOURCE_ERROR_MAX);
}
