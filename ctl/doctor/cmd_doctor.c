// mayhem doctor: whether this machine can reach a consumer with a key, step by step, or each of
// several, or whether the keys of a consumer are in order. It asks nothing of a consumer that a
// worker would not, and ends within 10 s for each of them whatever does not answer.

#include "addresses.h"
#include "clock.h"
#include "ctl.h"
#include "dial.h"
#include "finding.h"
#include "keys_check.h"
#include "reach.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#define ALL_S        10   // for each consumer; then it ends, whatever is missing
#define STEP_MS      1500 // at most, of each of six things that are waited for
#define CLOCK_MAX_MS 2000 // between the clocks, before it warns

static const char usage[] =
    "usage: mayhem doctor [OPTION]...\n\n"
    "Looks whether a consumer can be reached from this machine, step by step, a line each: the\n"
    "key file, the address, its ports, the handshake, its heartbeat, the clocks. With --keys,\n"
    "on the consumer's machine: whether its keys are in order. Ends with 1 when a line says "
    "FAIL.\n";

typedef struct {
    const char *consumer;   // NULL: no consumer is looked at
    const char *key_file;   // NULL: no key
    const char *keys;       // NULL: no folder
    const char *task_ports; // NULL: not looked at
    unsigned low, high;     // of them
    mm_addresses_t addresses;
    mm_endpoint_t base; // of the consumer that is looked at
    mm_key_t key;
    bool has_key; // it was read
    findings_t findings;
    char leader[MM_ENDPOINT_MAX + 16]; // of those so far; "": none of them sends heartbeats
    uint64_t epoch;                    // of it
} doctor_t;

// ---- options

static const char *or_variable(const char *value, const char *variable)
{
    const char *text = value ? value : getenv(variable);
    return text && *text ? text : NULL;
}

static bool parse_ports(doctor_t *self)
{
    char rest;
    return sscanf(self->task_ports, "%5u..%5u%c", &self->low, &self->high, &rest) == 2 &&
           self->low >= 1 && self->low <= self->high && self->high <= UINT16_MAX;
}

static int parse(int argc, char **argv, doctor_t *self)
{
    const ctl_option_t options[] = {
        {.name = "consumer",
         .argument = "ADDR",
         .help = "its address, or ADDR,ADDR, as its clients name it (MAYHEM_CONSUMER)",
         .text = &self->consumer},
        {.name = "key",
         .argument = "FILE",
         .help = "the key file of a client (MAYHEM_KEY)",
         .text = &self->key_file},
        {.name = "keys",
         .argument = "DIR",
         .help = "on the consumer's machine: the folder of its keys",
         .text = &self->keys},
        {.name = "task-ports",
         .argument = "A..B",
         .help = "the consumer's --task-ports: whether a firewall drops them",
         .text = &self->task_ports},
        {.name = NULL}};
    char error[MM_ERROR_MAX];
    int exit_code = ctl_options(argc, argv, usage, options, NULL);
    if (exit_code != 0)
        return exit_code;
    self->consumer = or_variable(self->consumer, "MAYHEM_CONSUMER");
    self->key_file = or_variable(self->key_file, "MAYHEM_KEY");
    if (!self->consumer && !self->key_file && !self->keys)
        return ctl_fail(EX_USAGE, "say what to look at: --consumer ADDR --key FILE, or --keys DIR");
    if (self->consumer && !mm_addresses_parse(self->consumer, &self->addresses, error))
        return ctl_fail(EX_USAGE, "%s", error);
    if (self->task_ports &&
        (!parse_ports(self) || !self->consumer || mm_addresses_are_ipc(&self->addresses)))
        return ctl_fail(EX_USAGE,
                        "--task-ports is '%.100s'; it must be A..B, two ports of a "
                        "--consumer tcp://HOST:PORT, as in 40000..40100",
                        self->task_ports);
    return 0;
}

// ---- the key file

static void check_key(doctor_t *self)
{
    char error[MM_ERROR_MAX], date[KEY_DATE_TEXT];
    const mm_key_t *key = &self->key;
    int64_t unix_ms = mm_clock_wall_ms();
    if (mm_key_read(self->key_file, &self->key, error) != 0) {
        finding_fail(&self->findings, "key file: %s", error);
        return;
    }
    const char *role = mm_key_role_name(key->role), *name = key->name.text;
    self->has_key = key->role != MM_KEY_CONSUMER;
    (void)key_date_print(key->not_after_ms, unix_ms, date);
    int days = mm_key_days_left(key->not_after_ms, unix_ms);
    if (!self->has_key)
        finding_fail(
            &self->findings,
            "key file %s is the consumer's own, which stays there: have one made with mayhem "
            "keys new NAME --role ROLE",
            self->key_file);
    else if (days == 0)
        finding_fail(&self->findings,
                     "key file %s: %s %s %s by the clock of this machine: set the clock, or have a "
                     "new one made (mayhem keys new %s --role %s)",
                     self->key_file, role, name, date, name, role);
    else if (days > 0)
        finding_warn(&self->findings,
                     "key file %s: %s %s %s: have a new one made (mayhem keys new %s --role %s)",
                     self->key_file, role, name, date, name, role);
    else
        finding_ok(&self->findings, "key file %s: %s %s %s, server keys %zu", self->key_file, role,
                   name, date, key->server_count);
}

// ---- the way there

// Replaces the name by its address, so that nothing asks for it again.
static bool check_address(doctor_t *self)
{
    char address[REACH_ADDRESS], error[MM_ERROR_MAX];
    if (!reach_resolve(self->base.host, mm_clock_ms() + STEP_MS, address, error)) {
        finding_fail(&self->findings, "address %.200s has no IPv4 address (%s): check its name",
                     self->base.host, error);
        return false;
    }
    finding_ok(&self->findings, "address %.200s is %s", self->base.host, address);
    strcpy(self->base.host, address);
    return true;
}

static const char *say_error(int error)
{
    return error == ETIMEDOUT ? "no answer, a firewall may drop it" : strerror(error);
}

static bool check_ports(doctor_t *self)
{
    static const char *const names[] = {"jobs", "inbox", "events", "viewers"};
    unsigned ports[4];
    int errors[4];
    size_t count = self->has_key ? 4 : 3, open = 0; // without keys viewers have a port of their own
    for (size_t i = 0; i < count; i++)
        ports[i] = self->base.port + (unsigned)i;
    reach_ports(self->base.host, ports, count, mm_clock_ms() + STEP_MS, errors);
    for (size_t i = 0; i < count; i++) {
        open += errors[i] == 0;
        if (errors[i] != 0)
            finding_fail(
                &self->findings,
                "port %u (%s): %s: does the consumer --listen there, and does the firewall "
                "let it through?",
                ports[i], names[i], say_error(errors[i]));
    }
    if (open == count)
        finding_ok(&self->findings, "ports %u to %u are open", ports[0], ports[count - 1]);
    return errors[MM_SOCKET_EVENTS] == 0;
}

// One that is refused is as good as one that is open: a session binds it when it begins.
static void check_task_ports(doctor_t *self)
{
    unsigned ports[REACH_PORTS];
    int errors[REACH_PORTS];
    size_t count = reach_sample(self->low, self->high, REACH_PORTS, ports);
    reach_ports(self->base.host, ports, count, mm_clock_ms() + STEP_MS, errors);
    for (size_t i = 0; i < count; i++)
        if (errors[i] != 0 && errors[i] != ECONNREFUSED) {
            finding_fail(&self->findings,
                         "task port %u: %s: let %u to %u through to the consumer's machine",
                         ports[i], say_error(errors[i]), self->low, self->high);
            return;
        }
    finding_ok(&self->findings, "task ports %u to %u: none of %zu is dropped", self->low,
               self->high, count);
}

// ---- the handshake

static const char *say_failure(const dial_t *dial)
{
    switch (dial->result) {
    case MM_MONITOR_REFUSED:
        return "the key is refused: it was revoked, has ended by the clock there, has another role "
               "there, or is not on that list; see mayhem keys list on the consumer's machine";
    case MM_MONITOR_BROKEN:
        return "the consumer has none of the server keys in the key file, or this is not its port: "
               "have a new key file made there";
    case MM_MONITOR_NONE:
        return "no answer: is the consumer stopped, or something else on its port?";
    case MM_MONITOR_FOREIGN:
    case MM_MONITOR_CONNECTED:
    case MM_MONITOR_CLOSED: break;
    }
    return "it is no consumer: check the port";
}

// What listens says so itself, before any handshake.
static bool check_mechanism(doctor_t *self)
{
    char mechanism[REACH_MECHANISM];
    unsigned port = self->base.port + MM_SOCKET_EVENTS;
    reach_mechanism(self->base.host, port, mm_clock_ms() + STEP_MS, mechanism);
    bool is_curve = strcmp(mechanism, "CURVE") == 0, is_plain = strcmp(mechanism, "NULL") == 0;
    if (!is_curve && !is_plain)
        finding_fail(&self->findings,
                     "what listens on port %u is no consumer, or is stopped: check "
                     "the port",
                     port);
    else if (is_curve && !self->has_key)
        finding_fail(&self->findings, "it wants a key: give one with --key FILE");
    else if (is_plain && self->has_key)
        finding_fail(&self->findings, "there are no keys there: give the port of the consumer's "
                                      "--listen, or leave --key out");
    return is_curve == self->has_key && is_plain != self->has_key;
}

// Of several the one of the highest epoch is followed.
static void note_leader(doctor_t *self, const dial_beat_t *beat)
{
    if (*self->leader && beat->epoch <= self->epoch)
        return;
    (void)mm_addresses_print(&self->base, self->leader);
    self->epoch = beat->epoch;
}

static void check_beat(doctor_t *self, dial_t *dial)
{
    dial_beat_t beat;
    dial_heard_t heard = dial_hear(dial, mm_clock_ms() + STEP_MS, &beat);
    if (heard == DIAL_SILENT && self->addresses.count > 1) {
        finding_ok(&self->findings, "no heartbeat within %d ms: it stands by, or is stopped",
                   STEP_MS);
        return;
    }
    if (heard == DIAL_SILENT) {
        finding_fail(&self->findings, "no heartbeat of the consumer within %d ms: is it stopped?",
                     STEP_MS);
        return;
    }
    if (heard == DIAL_ALIEN) {
        finding_fail(
            &self->findings,
            "the consumer speaks another version of the protocol than %d: install the same "
            "version on both machines",
            MM_WIRE_VERSION);
        return;
    }
    note_leader(self, &beat);
    finding_ok(&self->findings, "%s is heard: protocol %d, epoch %llu%s%s", beat.consumer.text,
               MM_WIRE_VERSION, (unsigned long long)beat.epoch,
               beat.is_draining ? ", draining" : "", beat.is_halted ? ", halted" : "");
    int64_t apart_ms = beat.ahead_ms < 0 ? -beat.ahead_ms : beat.ahead_ms;
    if (beat.ahead_ms == INT64_MIN)
        finding_warn(&self->findings, "the consumer does not say what its clock says: it is older");
    else if (apart_ms > CLOCK_MAX_MS)
        finding_warn(
            &self->findings,
            "clock: the consumer's is %lld.%03lld s %s this one: dates of keys and logs are "
            "off; synchronise both",
            (long long)(apart_ms / 1000), (long long)(apart_ms % 1000),
            beat.ahead_ms > 0 ? "ahead of" : "behind");
    else
        finding_ok(&self->findings, "clock: %lld ms apart", (long long)apart_ms);
}

// What this role needs beside events: the same key may have another role on the list.
static void check_role(doctor_t *self, size_t server)
{
    const struct {
        const char *name;
        int type;
        unsigned port;
        bool is_needed;
    } all[] = {{"jobs", ZMQ_PUSH, MM_SOCKET_JOBS, self->key.role == MM_KEY_PUBLISHER},
               {"inbox", ZMQ_PUSH, MM_SOCKET_INBOX, self->key.role != MM_KEY_PUBLISHER},
               {"viewers", ZMQ_SUB, MM_PORTS_ABOVE, self->key.role >= MM_KEY_VIEWER}};
    enum { ALL = sizeof all / sizeof *all };
    dial_t dials[ALL] = {{0}};
    char endpoint[MM_ENDPOINT_MAX];
    size_t failed = 0;
    for (size_t i = 0; i < ALL; i++) {
        (void)snprintf(endpoint, sizeof endpoint, "tcp://%.200s:%u", self->base.host,
                       self->base.port + all[i].port);
        if (all[i].is_needed)
            dial_open(&dials[i], all[i].type, endpoint, &self->key, server);
        else
            dials[i].result = MM_MONITOR_CONNECTED;
    }
    dial_wait(dials, ALL, mm_clock_ms() + STEP_MS);
    for (size_t i = 0; i < ALL; i++) {
        if (dials[i].result != MM_MONITOR_CONNECTED) {
            finding_fail(&self->findings, "%s, as a %s: %s", all[i].name,
                         mm_key_role_name(self->key.role), say_failure(&dials[i]));
            failed++;
        }
        dial_close(&dials[i]);
    }
    if (failed == 0)
        finding_ok(&self->findings, "a %s may send", mm_key_role_name(self->key.role));
}

// Tries all server keys at once; without a key once without any.
static void check_consumer(doctor_t *self)
{
    const mm_key_t *key = self->has_key && !self->base.is_ipc ? &self->key : NULL;
    size_t count = key ? key->server_count : 1, works = 0;
    dial_t dials[MM_SERVER_KEYS];
    char endpoint[MM_ENDPOINT_MAX];
    (void)mm_endpoint_of(&self->base, MM_SOCKET_EVENTS, endpoint);
    for (size_t i = 0; i < count; i++)
        dial_open(&dials[i], ZMQ_SUB, endpoint, key, i);
    dial_wait(dials, count, mm_clock_ms() + STEP_MS);
    while (works < count && dials[works].result != MM_MONITOR_CONNECTED)
        works++;
    if (works == count) {
        size_t worst = 0; // a key that is refused was the right server's
        for (size_t i = 0; i < count; i++)
            worst = dials[i].result == MM_MONITOR_REFUSED ? i : worst;
        finding_fail(&self->findings, "handshake: %s", say_failure(&dials[worst]));
    } else if (key) {
        finding_ok(&self->findings, "handshake: server key %zu of %zu works", works + 1, count);
    } else {
        finding_ok(&self->findings, "handshake: without keys");
    }
    if (works < count)
        check_beat(self, &dials[works]);
    for (size_t i = 0; i < count; i++)
        dial_close(&dials[i]);
    if (works < count && key)
        check_role(self, works);
}

// ---- the command

static void give_up(int signal)
{
    static const char text[] = "FAIL  it has taken longer than 10 s for each consumer: something "
                               "does not answer\n";
    (void)signal;
    ssize_t written = write(STDOUT_FILENO, text, sizeof text - 1);
    (void)written;
    _exit(1);
}

static void look_at_one(doctor_t *self)
{
    bool is_tcp = !self->base.is_ipc;
    bool may_dial = !is_tcp || (check_address(self) && check_ports(self));
    if (is_tcp && may_dial && self->task_ports)
        check_task_ports(self);
    if (may_dial && (!is_tcp || check_mechanism(self)))
        check_consumer(self);
}

// Each of several has a line before what was found of it, and all together one about who leads.
static void look_at_all(doctor_t *self)
{
    char address[MM_ENDPOINT_MAX + 16];
    size_t count = self->addresses.count;
    for (size_t i = 0; i < count; i++) {
        self->base = self->addresses.items[i];
        if (count > 1)
            finding_ok(&self->findings, "consumer %zu of %zu, %s:", i + 1, count,
                       mm_addresses_print(&self->base, address));
        look_at_one(self);
    }
    if (count > 1 && *self->leader)
        finding_ok(&self->findings, "%s leads: its epoch, %llu, is the highest", self->leader,
                   (unsigned long long)self->epoch);
    else if (count > 1)
        finding_fail(&self->findings, "none of the %zu sends heartbeats: nobody leads", count);
}

int ctl_doctor(int argc, char **argv)
{
    doctor_t self = {0};
    int exit_code = parse(argc, argv, &self);
    if (exit_code != 0)
        return exit_code;
    (void)signal(SIGALRM, give_up);
    (void)alarm(ALL_S * (self.addresses.count > 0 ? (unsigned)self.addresses.count : 1));
    finding_ok(&self.findings, "mayhem %s, protocol %d", MM_VERSION, MM_WIRE_VERSION);
    if (self.key_file)
        check_key(&self);
    if (self.keys)
        keys_check(&self.findings, self.keys, self.has_key ? &self.key : NULL, mm_clock_wall_ms());
    if (self.consumer)
        look_at_all(&self);
    mm_socket_end();
    mm_key_clear(&self.key);
    exit_code = ctl_end_output(true);
    return exit_code != 0 ? exit_code : self.findings.failed > 0;
}
