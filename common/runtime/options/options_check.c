// Whether the options of a program fit together, once each is valid by itself. The complaint names
// the option that was given, and the exit code depends on its source.

#include "addresses.h"
#include "attributes.h"
#include "duration.h"
#include "endpoint.h"
#include "frame.h"
#include "options_table.h"
#include "policy_file.h"
#include "utf8.h"

#include <assert.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

// Complains about the one of two options with the stronger source. Returns the exit code.
__attribute__((format(printf, 4, 5))) static int refuse(const mm_options_t *options,
                                                        mm_row_index_t one, mm_row_index_t other,
                                                        const char *format, ...)
{
    char complaint[MM_COMPLAINT];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(complaint, sizeof complaint, format, arguments);
    va_end(arguments);
    const mm_origin_t *origins = options->origins->rows;
    mm_row_index_t blamed = origins[other].source > origins[one].source ? other : one;
    return mm_options_complain(options, blamed, &origins[blamed], complaint);
}

static int check_heartbeat(const mm_options_t *options)
{
    char beat[MM_DURATION_TEXT], lost[MM_DURATION_TEXT];
    if (options->heartbeat_ms * 2 <= options->lost_after_ms)
        return 0;
    return refuse(options, MM_ROW_heartbeat_ms, MM_ROW_lost_after_ms,
                  "lost-after (%s) must be at least twice heartbeat (%s), or one lost beat would "
                  "give a worker up: lengthen lost-after or shorten heartbeat",
                  mm_duration_print(options->lost_after_ms, lost),
                  mm_duration_print(options->heartbeat_ms, beat));
}

// Of a shared record: a lease is four times as long.
static int check_lease(const mm_options_t *options)
{
    char lost[MM_DURATION_TEXT];
    if (!strstr(options->store, "://") || options->lost_after_ms <= MM_LEASE_TTL_MAX / 4)
        return 0;
    return refuse(options, MM_ROW_lost_after_ms, MM_ROW_store,
                  "lost-after (%s) must be at most 15s with a record that consumers share: a new "
                  "leader waits four times as long",
                  mm_duration_print(options->lost_after_ms, lost));
}

static int check_tcp(const mm_options_t *options, const char *address)
{
    mm_endpoint_t base;
    if (!mm_endpoint_parse(address, &base))
        return refuse(options, MM_ROW_consumer, MM_ROW_consumer,
                      "a tcp address is tcp://HOST:PORT with a port from 1 to %d", MM_PORT_MAX);
    if (strchr(address, ','))
        return refuse(options, MM_ROW_consumer, MM_ROW_consumer,
                      "behind a comma there is another whole address, as in "
                      "tcp://a.example:7000,tcp://b.example:7000");
    if (mm_endpoint_is_loopback(base.host) || *options->key != '\0')
        return 0;
    if (options->program == MM_PROGRAM_CONSUMER)
        return refuse(options, MM_ROW_consumer, MM_ROW_consumer,
                      "this one is without keys, so it is of this machine alone: use 127.0.0.1, "
                      "[::1], localhost or ipc://PATH, and --listen for others");
    return refuse(options, MM_ROW_consumer, MM_ROW_consumer,
                  "beyond this machine tcp needs a key: have one made on the consumer's machine "
                  "(mayhem keys new NAME --role %s), and name its file with --key",
                  mm_program_name(options->program));
}

// In the environment it may be for other commands.
static int check_key(const mm_options_t *options)
{
    char complaint[MM_ERROR_MAX];
    mm_addresses_t addresses;
    bool is_meant =
        *options->key != '\0' && options->origins->rows[MM_ROW_key].source != MM_BY_ENVIRONMENT;
    if (!is_meant || !mm_addresses_parse(options->consumer, &addresses, complaint) ||
        !mm_addresses_are_ipc(&addresses))
        return 0;
    return refuse(options, MM_ROW_key, MM_ROW_key,
                  "%.200s takes no key: name the consumer's --listen with --consumer "
                  "tcp://HOST:PORT, or leave --key out",
                  options->consumer);
}

// Every socket is the path with a suffix. The longest suffix is that of a worker's tasks.
static int check_ipc(const mm_options_t *options, const char *path)
{
    if (*path == '\0' || *path == '*' || *path == '@')
        return refuse(options, MM_ROW_consumer, MM_ROW_consumer,
                      "an ipc address is ipc://PATH with the path of a file");
    size_t size = mm_endpoint_path_bytes(path);
    if (size <= MM_SOCKET_PATH_MAX)
        return 0;
    bool is_given = options->origins->rows[MM_ROW_consumer].source != MM_BY_DEFAULT;
    mm_row_index_t row = is_given ? MM_ROW_consumer : MM_ROW_dir;
    return refuse(options, row, row,
                  "the socket path %.40s....task.XXXXXXXXXXXXXXXX would have %zu bytes, and a Unix "
                  "socket has at most %d: choose a %s that is %zu bytes shorter",
                  path, size, MM_SOCKET_PATH_MAX, is_given ? "path" : "folder",
                  size - MM_SOCKET_PATH_MAX);
}

static int check_one_address(const mm_options_t *options, const char *address)
{
    if (strncmp(address, "tcp://", 6) == 0)
        return check_tcp(options, address);
    if (strncmp(address, "ipc://", 6) == 0)
        return check_ipc(options, address + 6);
    return refuse(options, MM_ROW_consumer, MM_ROW_consumer,
                  "an address begins with ipc:// or tcp://, as in ipc://run/consumer");
}

// Several are a list of consumers, of which one leads; a consumer itself has one.
static int check_address_list(const mm_options_t *options, const mm_str_t *items, size_t count)
{
    char complaint[MM_ERROR_MAX];
    mm_addresses_t addresses;
    if (options->program == MM_PROGRAM_CONSUMER)
        return refuse(options, MM_ROW_consumer, MM_ROW_consumer,
                      "this is the consumer, which has one address: a list is for those that "
                      "follow whichever leads");
    if (!mm_addresses_parse(options->consumer, &addresses, complaint))
        return refuse(options, MM_ROW_consumer, MM_ROW_consumer, "%s", complaint);
    int code = 0;
    for (size_t i = 0; code == 0 && i < count; i++) {
        char *address = strndup(items[i].data, items[i].size);
        assert(address);
        code = check_one_address(options, address);
        free(address);
    }
    return code;
}

static int check_address(const mm_options_t *options)
{
    mm_str_t items[MM_ADDRESSES_MAX];
    if (*options->dir == '\0')
        return refuse(options, MM_ROW_dir, MM_ROW_dir, "it is empty: name a folder");
    size_t count = mm_addresses_split(options->consumer, items);
    if (count > 1)
        return check_address_list(options, items, count);
    return check_one_address(options, options->consumer);
}

// Each session needs a port, and a worker that joins anew has its former one for a moment longer.
static int check_task_ports(const mm_options_t *options)
{
    const mm_ports_t *ports = &options->task_ports;
    if (ports->first != 0 && ports->first == ports->last)
        return refuse(options, MM_ROW_task_ports, MM_ROW_task_ports,
                      "a worker needs two ports: give a range of two for each that is to join, as "
                      "in 7100..7199");
    return 0;
}

static int check_listen(const mm_options_t *options)
{
    mm_endpoint_t address;
    if (*options->listen == '\0')
        return options->task_ports.first == 0
                   ? 0
                   : refuse(options, MM_ROW_task_ports, MM_ROW_task_ports,
                            "they are for workers on other machines: say with --listen where to "
                            "listen for them");
    if (!mm_endpoint_parse(options->listen, &address) || address.is_ipc)
        return refuse(options, MM_ROW_listen, MM_ROW_listen,
                      "it is tcp://ADDRESS:PORT with an address of this machine, or * for all, and "
                      "a port from 1 to %d: the next three are used, too",
                      MM_PORT_MAX);
    if (options->task_ports.first <= address.port + MM_PORTS_ABOVE &&
        options->task_ports.last >= address.port)
        return refuse(options, MM_ROW_task_ports, MM_ROW_listen,
                      "%u to %u are the ports of --listen: choose others for the tasks",
                      address.port, address.port + MM_PORTS_ABOVE);
    return check_task_ports(options);
}

static int check_consumer(const mm_options_t *options)
{
    char one[MM_DURATION_TEXT], two[MM_DURATION_TEXT], sum[MM_DURATION_TEXT];
    if (options->extend_every_ms * 2 >= options->ack_deadline_ms)
        return refuse(options, MM_ROW_extend_every_ms, MM_ROW_ack_deadline_ms,
                      "extend-every (%s) must be less than half of ack-deadline (%s), so that a "
                      "lease survives one lost event: shorten the former or lengthen the latter",
                      mm_duration_print(options->extend_every_ms, one),
                      mm_duration_print(options->ack_deadline_ms, two));
    int64_t needed = options->timeout_ms + options->verify_timeout_ms;
    if (needed <= options->max_lease_ms)
        return 0;
    const mm_origin_t *origins = options->origins->rows;
    mm_row_index_t limit =
        origins[MM_ROW_verify_timeout_ms].source > origins[MM_ROW_timeout_ms].source
            ? MM_ROW_verify_timeout_ms
            : MM_ROW_timeout_ms;
    return refuse(options, MM_ROW_max_lease_ms, limit,
                  "max-lease (%s) must hold timeout (%s) and verify-timeout (%s), or an attempt "
                  "would outlive its lease: make it at least %s or shorten the timeouts",
                  mm_duration_print(options->max_lease_ms, (char[MM_DURATION_TEXT]){0}),
                  mm_duration_print(options->timeout_ms, one),
                  mm_duration_print(options->verify_timeout_ms, two),
                  mm_duration_print(needed, sum));
}

// What each job has by itself: its host, and what does not say which host it is.
static const char *const own[] = {"host", "job", "attempt", "boot_id", "machine_id"};
#define OWN (sizeof own / sizeof *own)

// The groups of a policy travel as one attribute more.
static int check_policy(const mm_options_t *options, const mm_attribute_keys_t *keys)
{
    mm_attribute_keys_t all = *keys;
    const char *name = options->policy_groups;
    if (*name != '\0' && !options->policy)
        return refuse(options, MM_ROW_policy_groups, MM_ROW_policy_groups,
                      "groups are of a policy: add --policy");
    for (size_t size; *name != '\0'; name += size + (name[size] == ',')) {
        size = strcspn(name, ",");
        if (!mm_is_name((mm_str_t){name, size}))
            return refuse(options, MM_ROW_policy_groups, MM_ROW_policy_groups,
                          "it takes names of groups with commas between them, each of 1 to %d "
                          "letters, digits, '.', '_' and '-', not beginning with '.' or '-'",
                          MM_NAME_MAX);
    }
    if (options->policy && !mm_attribute_keys_add_optional(&all, mm_str("groups")))
        return refuse(options, MM_ROW_attributes, MM_ROW_policy,
                      "with a policy, whose groups are one, there are up to %d attributes beside: "
                      "leave one out of the command",
                      MM_ATTRIBUTES_MAX - 1);
    return 0;
}

static int check_publisher(const mm_options_t *options)
{
    bool is_part = *options->only != '\0' || options->limit > 0;
    mm_row_index_t part = *options->only != '\0' ? MM_ROW_only : MM_ROW_limit;
    bool names_none = options->only[strspn(options->only, ", ")] == '\0';
    bool is_empty = *options->only == '\0'; // of a file: it is not given
    if (names_none &&
        (!is_empty || options->origins->rows[MM_ROW_only].source >= MM_BY_ENVIRONMENT))
        return refuse(options, MM_ROW_only, MM_ROW_only,
                      "it names no part: name a group or a pattern, or leave it out to take all");
    if (is_part && *options->input == '\0')
        return refuse(options, part, part,
                      "it takes a part of a list: name a file of hosts with --input");
    mm_attribute_keys_t keys;
    mm_row_index_t row = MM_ROW_attributes;
    if (!mm_attribute_keys_parse(mm_str(options->attributes), &keys))
        return refuse(
            options, row, row,
            "it takes up to %d different names of a-z, 0-9 and _ with commas between them, "
            "as in bmc,zone,port? where ? marks what a host may do without",
            MM_ATTRIBUTES_MAX);
    for (size_t i = 0; i < OWN; i++)
        for (size_t j = 0; j < keys.count; j++)
            if (mm_str_equal(keys.keys[j], mm_str(own[i])))
                return refuse(options, row, row, "every job has a %s already: leave it out",
                              own[i]);
    bool is_needed = false;
    for (size_t i = 0; i < keys.count; i++)
        is_needed = is_needed || !keys.is_optional[i];
    if (is_needed && *options->input == '\0')
        return refuse(options, row, row,
                      "hosts that are invented have none (%s): name a file of hosts with --input",
                      options->attributes);
    return check_policy(options, &keys);
}

// Whether a command line names the host or another attribute of it: what it would do is the same
// for each host otherwise.
static bool names_host(const char *line)
{
    for (const char *at = strchr(line, '{'); at; at = strchr(at + 1, '{')) {
        mm_str_t word = {at + 1, strspn(at + 1, "abcdefghijklmnopqrstuvwxyz0123456789_")};
        const char *end = word.data + word.size + (word.data[word.size] == '?');
        bool is_other = false;
        for (size_t i = 1; i < OWN; i++)
            is_other = is_other || mm_str_equal(word, mm_str(own[i]));
        bool is_word = word.size > 0 && word.data[0] >= 'a' && *end == '}';
        if (is_word && !is_other && (at == line || at[-1] != '\\'))
            return true;
    }
    return false;
}

static int check_command(const mm_options_t *options, mm_row_index_t row, const mm_origin_t *origin,
                         const char *line)
{
    if (*line == '\0' || names_host(line))
        return 0;
    return mm_options_complain(options, row, origin,
                               "it names no host, and would do the same for each: put {host}, or "
                               "another attribute of the hosts, where its name belongs");
}

// Of a driver's list each has a line of its own.
static int check_restarts(const mm_options_t *options)
{
    const struct mm_options_origins *origins = options->origins;
    int code = check_command(options, MM_ROW_exec, &origins->rows[MM_ROW_exec], options->exec);
    for (size_t i = 1; i < options->restart_count && code == 0; i++) {
        mm_origin_t origin = {MM_BY_DRIVER, origins->restart_lines[i], options->restarts[i]};
        code = check_command(options, MM_ROW_exec, &origin, options->restarts[i]);
    }
    return code;
}

static int check_commands(const mm_options_t *options)
{
    const struct {
        mm_row_index_t row;
        const char *line;
    } others[] = {{MM_ROW_identify, options->identify}, {MM_ROW_health, options->health},
                  {MM_ROW_skip_if, options->skip_if},   {MM_ROW_before, options->before},
                  {MM_ROW_after, options->after},       {MM_ROW_verify, options->verify}};
    int code = check_restarts(options);
    for (size_t i = 0; i < sizeof others / sizeof *others && code == 0; i++)
        code = check_command(options, others[i].row, &options->origins->rows[others[i].row],
                             others[i].line);
    return code;
}

// The mock has none of what belongs to a command.
static int check_mock(const mm_options_t *options)
{
    const struct {
        mm_row_index_t row;
        bool is_given;
    } rows[] = {{MM_ROW_verify, *options->verify != '\0'},
                {MM_ROW_identify, *options->identify != '\0'},
                {MM_ROW_health, *options->health != '\0'},
                {MM_ROW_skip_if, *options->skip_if != '\0'},
                {MM_ROW_before, *options->before != '\0'},
                {MM_ROW_after, *options->after != '\0'},
                {MM_ROW_keep_output, options->keep_output},
                {MM_ROW_dry_run, options->dry_run},
                {MM_ROW_allow_unreachable, options->allow_unreachable}};
    if (*options->driver != '\0' && !options->mock)
        return refuse(options, MM_ROW_driver, MM_ROW_driver,
                      "it has no command that restarts a host: add restart = CMD {host} to it, or "
                      "give --exec");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (rows[i].is_given)
            return refuse(options, rows[i].row, rows[i].row,
                          "it needs --exec or --driver: a mock runs no command");
    return 0;
}

static int check_settle(const mm_options_t *options)
{
    char settle[MM_DURATION_TEXT], verify[MM_DURATION_TEXT];
    if (*options->identify == '\0' || options->settle_ms <= options->verify_timeout_ms)
        return 0;
    return refuse(options, MM_ROW_settle_ms, MM_ROW_verify_timeout_ms,
                  "settle (%s) must be at most verify-timeout (%s), or no host could be well for "
                  "long enough: shorten settle or lengthen verify-timeout",
                  mm_duration_print(options->settle_ms, settle),
                  mm_duration_print(options->verify_timeout_ms, verify));
}

static int check_restarter(const mm_options_t *options)
{
    if (*options->exec == '\0')
        return check_mock(options);
    if (*options->health != '\0' && *options->identify == '\0')
        return refuse(options, MM_ROW_health, MM_ROW_health,
                      "it needs identify: without it nobody knows whether the host has been down; "
                      "a single question after the command is --verify");
    if (options->allow_unreachable && *options->identify == '\0')
        return refuse(options, MM_ROW_allow_unreachable, MM_ROW_allow_unreachable,
                      "it needs identify: without it no host is asked before its restart");
    if (*options->verify != '\0' && *options->health != '\0')
        return refuse(options, MM_ROW_verify, MM_ROW_health,
                      "verify and health ask the same of a host that is identified: take one out");
    int code = check_commands(options);
    return code != 0 ? code : check_settle(options);
}

static int check_text(const mm_options_t *options, mm_row_index_t row, const char *text, size_t max)
{
    size_t size = strlen(text);
    if (size > max)
        return refuse(options, row, row, "it has %zu bytes, and may have %zu: shorten it", size,
                      max);
    return mm_utf8_prefix(mm_str(text), size) == size
               ? 0
               : refuse(options, row, row, "it is no UTF-8: write it without other bytes");
}

static int check_saver(const mm_options_t *options)
{
    mm_action_t action = MM_ACTION_HALT;
    mm_id_t id;
    bool is_given = *options->order != '\0';
    if (is_given && (!mm_action_parse(mm_str(options->order), &action) ||
                     (action > MM_ACTION_ABSOLVE && action != MM_ACTION_TAKE_OVER)))
        return refuse(options, MM_ROW_order, MM_ROW_order,
                      "there is no such order: it is halt, resume, deny, absolve or take-over");
    mm_row_index_t part = *options->order_id     ? MM_ROW_order_id
                          : *options->order_name ? MM_ROW_order_name
                          : *options->order_why  ? MM_ROW_order_why
                                                 : MM_ROW_order_actor;
    if (!is_given && (*options->order_id || *options->order_name || *options->order_why ||
                      *options->order_actor))
        return refuse(options, part, part, "it belongs to an order: say which with --order");
    if (*options->order_id && !mm_id_parse(mm_str(options->order_id), &id))
        return refuse(options, MM_ROW_order_id, MM_ROW_order_id, "an id has 32 hex digits");
    if (mm_action_is_of_host(action) && mm_host_complaint(mm_str(options->order_name)))
        return refuse(options, MM_ROW_order, MM_ROW_order,
                      "it needs a host, and '%.100s' is none: name one with --order-name",
                      options->order_name);
    int code = check_text(options, MM_ROW_order_name, options->order_name, MM_HOST_MAX);
    if (code == 0)
        code = check_text(options, MM_ROW_order_why, options->order_why, MM_ERROR_MAX);
    return code == 0 ? check_text(options, MM_ROW_order_actor, options->order_actor, MM_ACTOR_MAX)
                     : code;
}

int mm_options_cross_check(const mm_options_t *options)
{
    int code = check_address(options);
    if (code == 0)
        code = check_key(options);
    if (code == 0)
        code = check_heartbeat(options);
    if (code == 0 && options->program == MM_PROGRAM_CONSUMER)
        code = check_lease(options);
    if (code != 0)
        return code;
    if ((mm_rows[MM_ROW_window].programs & MM_HAS(options->program)) != 0)
        code = mm_policy_check(options);
    if (code != 0)
        return code;
    switch (options->program) {
    case MM_PROGRAM_CONSUMER:
        code = check_listen(options);
        return code != 0 ? code : check_consumer(options);
    case MM_PROGRAM_RESTARTER: return check_restarter(options);
    case MM_PROGRAM_PUBLISHER: return check_publisher(options);
    case MM_PROGRAM_SAVER: return check_saver(options);
    case MM_PROGRAM_RUN: return check_listen(options);
    }
    assert(false);
    return 0;
}
