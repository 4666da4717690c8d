// See run_inventory.h.

#include "run_inventory.h"
#include "array.h"
#include "caller.h"
#include "child_process.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

// Waits until a FIFO has a writer: before that it seems to be at its end.
static void await(int stream)
{
    struct pollfd readable = {.fd = stream, .events = POLLIN};
    (void)poll(&readable, 1, -1);
    int flags = fcntl(stream, F_GETFL);
    if (flags >= 0)
        (void)fcntl(stream, F_SETFL, flags & ~O_NONBLOCK);
}

// What a publisher says of the list; NULL: *ret_exit_code, all has been said.
static char *ask(const run_settings_t *settings, bool with_hosts, int errors, int *ret_exit_code)
{
    arguments_t words = {0};
    child_end_t end = {0};
    size_t size;
    char *program = child_process_sibling("mayhem-publisher"), *text;
    arguments_add(&words, "%s", program);
    arguments_add_all(&words, &settings->arguments[MM_PROGRAM_PUBLISHER]);
    if (settings->config >= 0) // the copy in the folder is not there
        arguments_add(&words, "--config=/proc/%d/fd/%d", (int)getpid(), settings->config);
    arguments_add(&words, "--check");
    if (with_hosts)
        arguments_add(&words, "--show-hosts");
    if (settings->stream >= 0)
        await(settings->stream);
    text = settings->stream >= 0
               ? child_process_capture_fed(words.items, settings->stream, errors, &size, &end)
               : child_process_capture(words.items, errors, &size, &end);
    *ret_exit_code =
        !text ? caller_fail(EX_UNAVAILABLE, "cannot start %s: %s; is the installation complete?",
                            program, strerror(errno))
        : end.signal != 0
            ? caller_fail(EX_SOFTWARE, "%s was killed by signal %d", program, end.signal)
            : end.code;
    if (*ret_exit_code != 0) {
        free(text);
        text = NULL;
    }
    free(program);
    arguments_clear(&words);
    return text;
}

// ---- what it says, line by line

// The index of a group of the policy; 0: it has none of that name.
static size_t find_group(const mm_policy_t *policy, mm_str_t name)
{
    const mm_rules_t *rules = name.size > 0 ? mm_policy_find(policy, name) : NULL;
    return rules ? (size_t)(rules - policy->groups) : 0;
}

// "web-1 web,eu": a host, and its groups, which are those that the policy names.
static void read_host(run_inventory_t *self, const mm_policy_t *policy, char *line, bool is_done)
{
    run_host_t *host = MM_ARRAY_ADD(self->items, self->item_count, self->item_capacity);
    char *groups = line + strcspn(line, " ");
    if (*groups != '\0')
        *groups++ = '\0';
    *host =
        (run_host_t){.name = line, .groups = policy->count > 0 ? groups : "", .is_done = is_done};
}

// "web 12": the hosts of a group.
static void read_size(run_inventory_t *self, const mm_policy_t *policy, const char *line)
{
    size_t size = strcspn(line, " "), group = find_group(policy, (mm_str_t){line, size});
    if (group > 0)
        self->sizes[group] = (uint32_t)strtoul(line + size, NULL, 10);
}

static void read_line(run_inventory_t *self, const mm_policy_t *policy, char *line)
{
    static const char hosts[] = "hosts: ", groups[] = "groups: ", repeated[] = "repeated: ",
                      bad[] = "bad lines: ", host[] = "host: ", done[] = "done: ",
                      group[] = "group: ", run[] = "run: ", all_done[] = "hosts done: ";
    if (strncmp(line, host, strlen(host)) == 0) {
        read_host(self, policy, line + strlen(host), false);
    } else if (strncmp(line, done, strlen(done)) == 0) {
        read_host(self, policy, line + strlen(done), true);
    } else if (strncmp(line, group, strlen(group)) == 0) {
        read_size(self, policy, line + strlen(group));
    } else if (strncmp(line, run, strlen(run)) == 0) {
        self->run = strtoull(line + strlen(run), NULL, 10);
    } else if (strncmp(line, hosts, strlen(hosts)) == 0) {
        self->is_list = true;
        self->hosts = strtoull(line + strlen(hosts), NULL, 10);
    } else if (strncmp(line, groups, strlen(groups)) == 0) {
        self->groups = strtoull(line + strlen(groups), NULL, 10);
    } else if (strncmp(line, repeated, strlen(repeated)) == 0) {
        self->repeated = strtoull(line + strlen(repeated), NULL, 10);
    } else if (strncmp(line, bad, strlen(bad)) == 0) {
        self->bad = strtoull(line + strlen(bad), NULL, 10);
    } else if (strncmp(line, all_done, strlen(all_done)) == 0) {
        self->done = strtoull(line + strlen(all_done), NULL, 10);
    }
}

int run_inventory_read(const run_settings_t *settings, run_inventory_what_t what,
                       run_inventory_t *ret_inventory)
{
    run_inventory_t *self = ret_inventory;
    const mm_policy_t *policy = &settings->policy;
    int exit_code, nothing = -1;
    bool with_hosts = what == RUN_INVENTORY_HOSTS || what == RUN_INVENTORY_QUIET_HOSTS;
    if (what == RUN_INVENTORY_QUIET || what == RUN_INVENTORY_QUIET_HOSTS)
        nothing = open("/dev/null", O_WRONLY | O_CLOEXEC);
    *self = (run_inventory_t){
        .text = ask(settings, with_hosts, nothing >= 0 ? nothing : STDERR_FILENO, &exit_code)};
    if (nothing >= 0)
        close(nothing);
    if (policy->count > 0) {
        self->sizes = calloc(policy->count, sizeof *self->sizes);
        assert(self->sizes);
    }
    for (char *line = self->text, *end; line && *line; line = end) {
        end = line + strcspn(line, "\n");
        if (*end == '\n')
            *end++ = '\0';
        read_line(self, policy, line);
    }
    if (policy->count > 0)
        self->sizes[0] = self->hosts < UINT32_MAX ? (uint32_t)self->hosts : UINT32_MAX;
    return exit_code;
}

void run_inventory_clear(run_inventory_t *self)
{
    free(self->sizes);
    free(self->items);
    free(self->text);
    *self = (run_inventory_t){0};
}

int run_inventory_check(const run_inventory_t *self, const run_settings_t *settings)
{
    const mm_policy_t *policy = &settings->policy;
    char why[MM_POLICY_WHY_MAX];
    if (!self->is_list || policy->count == 0)
        return 0;
    if (!settings->options.allow_empty && policy->count > 1 && self->groups == 0)
        return caller_fail(EX_CONFIG,
                           "the policy has groups, and the list says of no host in which it is: "
                           "write them behind each, as in 'web-1 groups=web,eu', as \"groups\" of "
                           "JSON Lines, or as the sections of an Ansible inventory, or use "
                           "--allow-empty");
    if (!settings->options.allow_empty && !mm_policy_check_groups(policy, self->sizes, why))
        return caller_fail(EX_CONFIG, "%s", why);
    if (!mm_policy_check_amounts(policy, self->sizes, why))
        return caller_fail(EX_CONFIG, "%s", why);
    return 0;
}
