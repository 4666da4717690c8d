// See run_driver.h.

#include "run_driver.h"
#include "caller.h"
#include "child_process.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#define AT_ONCE 5  // real restarts in progress, when nobody has said more
#define SLOTS   16 // of a restarter, when nobody has said more
#define UNKNOWN (-1)

// ---- what the restarter says

// What stands behind `head` where that begins a line; NULL: nowhere.
static char *behind(char *text, const char *head)
{
    char *at = text;
    while (at && strncmp(at, head, strlen(head)) != 0) {
        at = strchr(at, '\n');
        at = at ? at + 1 : NULL;
    }
    return at ? at + strlen(head) : NULL;
}

// The rest of the line that begins with `head`; NULL: there is none. The caller frees it.
static char *find_line(char *text, const char *head)
{
    const char *at = behind(text, head);
    char *line = at ? strndup(at, strcspn(at, "\n")) : NULL;
    assert(line || !at);
    return line;
}

// Where each attribute is named, a line for each.
static void pass_names(arguments_t *arguments, char *text)
{
    static const char head[] = "named: ";
    char *all = strdup("");
    for (char *at = behind(text, head); at; at = behind(at, head)) {
        char *more;
        int size = asprintf(&more, "%s%.*s\n", all, (int)strcspn(at, "\n"), at);
        assert(all && size >= 0);
        free(all);
        all = more;
    }
    if (*all)
        arguments_add(arguments, "--named-by=%s", all);
    free(all);
}

// What it says when it has checked its commands: what they name of a host beside {host}, which the
// publisher reads and nothing else, whether it is a mock, how sure a success is, the driver with
// the digest of what restarts a host, and last, since it may hold anything, the driver in words for
// the record of the run. False: that is not there.
static bool read_check(run_settings_t *self, char *text, size_t size)
{
    static const char end[] = "\nconfiguration ok\n", driver[] = "driver: ";
    arguments_t *arguments = &self->arguments[MM_PROGRAM_PUBLISHER];
    char *words = behind(text, driver);
    if (!words || size < strlen(end) || strcmp(text + size - strlen(end), end) != 0)
        return false;
    text[size - strlen(end)] = '\0';
    arguments_add(arguments, "--run-driver=%s", words);
    self->driver.words = strdup(words);
    assert(self->driver.words);
    words[-(ptrdiff_t)strlen(driver)] = '\0'; // the lines before it are left
    char *mock = find_line(text, "mock: "), *digest = find_line(text, "digest: ");
    char *attributes = find_line(text, "attributes: ");
    self->driver.is_mock = mock != NULL;
    self->driver.proof = find_line(text, "proof: ");
    arguments_add(arguments, "--driver-name=%s", digest ? digest : "mock");
    if (attributes)
        arguments_add(arguments, "--attributes=%s", attributes);
    pass_names(arguments, text);
    if (digest && strrchr(digest, '-'))
        *strrchr(digest, '-') = '\0';
    self->driver.name = digest;
    free(mock);
    free(attributes);
    return self->driver.is_mock || (digest && self->driver.proof);
}

static int ask(run_settings_t *self)
{
    arguments_t words = {0};
    char *program = child_process_sibling("mayhem-restarter"), *text;
    size_t size;
    child_end_t end = {0};
    arguments_add(&words, "%s", program);
    arguments_add_all(&words, &self->arguments[MM_PROGRAM_RESTARTER]);
    arguments_add(&words, "--check");
    text = child_process_capture(words.items, STDERR_FILENO, &size, &end);
    int exit_code = end.code;
    if (!text)
        exit_code =
            caller_fail(EX_UNAVAILABLE, "cannot start %s: %s; is the installation complete?",
                        program, strerror(errno));
    else if (end.signal != 0)
        exit_code = caller_fail(EX_SOFTWARE, "%s was killed by signal %d", program, end.signal);
    else if (exit_code == 0 && !read_check(self, text, size))
        exit_code = caller_fail(EX_UNAVAILABLE,
                                "%s does not say what it does; is it of this release?", program);
    free(text);
    free(program);
    arguments_clear(&words);
    return exit_code;
}

// Invented hosts are for the mock: a real driver might find one of them.
static bool says_which(const mm_options_t programs[MM_PROGRAMS])
{
    return *programs[MM_PROGRAM_PUBLISHER].input != '\0' ||
           *programs[MM_PROGRAM_RESTARTER].exec == '\0' || programs[MM_PROGRAM_RESTARTER].mock;
}

// A list of hosts is not rehearsed by mistake.
static bool says_how(const mm_options_t *restarter)
{
    return *restarter->exec != '\0' || restarter->mock ||
           !mm_options_is_default(restarter, "mock-time") ||
           !mm_options_is_default(restarter, "mock-fail");
}

int run_driver_read(run_settings_t *self, const mm_options_t programs[MM_PROGRAMS])
{
    if (*programs[MM_PROGRAM_PUBLISHER].input != '\0' && !says_how(&programs[MM_PROGRAM_RESTARTER]))
        return caller_fail(EX_USAGE,
                           "say how: --driver ssh, -x 'CMD {host}', or --mock to rehearse");
    if (!says_which(programs))
        return caller_fail(EX_USAGE, "say which hosts: -i FILE, or -i - for standard input");
    return ask(self);
}

void run_driver_clear(run_driver_t *self)
{
    free(self->name);
    free(self->words);
    free(self->proof);
    *self = (run_driver_t){0};
}

// ---- what depends on it

// How many hosts the file names, as lines; UNKNOWN: nobody knows yet, also of a part of a list and
// of an inventory, which has sections.
static int64_t count_hosts(const run_settings_t *self, const mm_options_t *publisher)
{
    bool is_known = self->stream < 0 && *publisher->input != '\0' && *publisher->only == '\0' &&
                    publisher->limit == 0;
    FILE *file = is_known ? fopen(publisher->input, "re") : NULL;
    char *line = NULL;
    size_t capacity = 0;
    int64_t count = 0;
    while (file && count != UNKNOWN && getline(&line, &capacity, file) >= 0) {
        char first = line[strspn(line, " \t\r")];
        if (first == '[')
            count = UNKNOWN;
        else
            count += first != '\n' && first != '\0' && first != '#' && first != ';';
    }
    free(line);
    if (!file)
        return UNKNOWN;
    (void)fclose(file);
    return count;
}

// "at most 3 (25%) at once".
static void name_limit(const run_driver_t *driver, int64_t count, char *text, size_t size)
{
    char share[MM_AMOUNT_TEXT];
    (void)mm_amount_print(driver->at_once_share, share);
    if (driver->at_once_share.is_set && count >= 0)
        (void)snprintf(text, size, "at most %lld (%s) at once",
                       (long long)mm_amount_of(driver->at_once_share, (uint32_t)count), share);
    else if (driver->at_once_share.is_set)
        (void)snprintf(text, size, "at most %s at once", share);
    else if (driver->at_once > 0)
        (void)snprintf(text, size, "at most %lld at once", (long long)driver->at_once);
    else
        (void)snprintf(text, size, "all at once");
}

char *run_driver_headline(const run_settings_t *self, int64_t count, uint64_t done)
{
    const run_driver_t *driver = &self->driver;
    char hosts[80] = "", limit[64], *line;
    if (count >= 0 && done > 0)
        (void)snprintf(hosts, sizeof hosts, "%lld host%s, %llu of them done, ", (long long)count,
                       count == 1 ? "" : "s", (unsigned long long)done);
    else if (count >= 0)
        (void)snprintf(hosts, sizeof hosts, "%lld host%s, ", (long long)count,
                       count == 1 ? "" : "s");
    name_limit(driver, count, limit, sizeof limit);
    int size = driver->is_mock
                   ? asprintf(&line, "%s%s, by the mock: a rehearsal", hosts, limit)
                   : asprintf(&line, "%s%s, by %s, %s", hosts, limit, driver->name, driver->proof);
    assert(size >= 0);
    return line;
}

// Of none nobody knows how many there are elsewhere: what follows from their number is as for one.
static int64_t count_restarters(const run_settings_t *self)
{
    return self->options.restarters > 0 ? self->options.restarters : 1;
}

// Enough slots for what may be in progress; of a share of unknown hosts nobody knows that.
static void settle_slots(run_settings_t *self, const mm_options_t *restarter)
{
    int64_t restarters = count_restarters(self), slots = restarter->slots;
    int64_t needed = (self->driver.at_once + restarters - 1) / restarters;
    char text[32];
    if (needed > SLOTS && mm_options_is_default(restarter, "slots")) { // else the default will do
        slots = needed < MM_SLOTS_MAX ? needed : MM_SLOTS_MAX;
        (void)snprintf(text, sizeof text, "%lld", (long long)slots);
        run_settings_default(self, restarter, "slots", text);
    }
    self->driver.slots = restarters * slots;
}

// Jobs for twice the slots, so that none is idle, but no more than the consumer takes. A policy has
// all of them under lease.
static void settle_leases(run_settings_t *self, const mm_options_t programs[MM_PROGRAMS])
{
    const mm_options_t *publisher = &programs[MM_PROGRAM_PUBLISHER];
    const mm_options_t *consumer = &programs[MM_PROGRAM_CONSUMER];
    int64_t leases = 2 * self->driver.slots;
    char text[32];
    if (leases > consumer->max_in_flight)
        leases = consumer->max_in_flight;
    if (leases <= publisher->leases || mm_policy_is_given(consumer))
        return;
    (void)snprintf(text, sizeof text, "%lld", (long long)leases);
    run_settings_default(self, publisher, "leases", text);
}

static void settle_real(run_settings_t *self, const mm_options_t *consumer,
                        const mm_options_t *restarter)
{
    run_driver_t *driver = &self->driver;
    run_settings_default(self, consumer, "attempts", "2");
    run_settings_default(self, restarter, "attempts", "2");
    if (mm_options_is_default(consumer, "at-once")) {
        char text[32];
        driver->at_once = mm_options_is_default(restarter, "slots") ? AT_ONCE : driver->slots;
        (void)snprintf(text, sizeof text, "%lld", (long long)driver->at_once);
        run_settings_default(self, consumer, "at-once", text);
    }
    settle_slots(self, restarter);
}

void run_driver_settle(run_settings_t *self, const mm_options_t programs[MM_PROGRAMS])
{
    const mm_options_t *consumer = &programs[MM_PROGRAM_CONSUMER];
    const mm_options_t *restarter = &programs[MM_PROGRAM_RESTARTER];
    run_driver_t *driver = &self->driver;
    int64_t slots = count_restarters(self) * restarter->slots;
    int64_t hosts = count_hosts(self, &programs[MM_PROGRAM_PUBLISHER]);
    bool is_share = consumer->at_once.is_percent;
    driver->slots = slots;
    if (is_share)
        driver->at_once_share = consumer->at_once;
    driver->at_once = !is_share   ? consumer->at_once.value
                      : hosts < 0 ? 0
                                  : mm_amount_of(consumer->at_once, (uint32_t)hosts);
    if (!driver->is_mock)
        settle_real(self, consumer, restarter);
    else if (driver->at_once <= 0 || driver->at_once > slots)
        driver->at_once = slots;
    settle_leases(self, programs);
}
