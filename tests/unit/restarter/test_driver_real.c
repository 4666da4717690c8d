// The exec driver with hosts that can be identified: what is sent to them, what is looked at, and
// what the results have. A host is a folder: its ids are in a file, and what happened in another.

#include "commands_run.h"

#include "clock.h"

#include <inttypes.h>

enum { FIRST = 1000000, TIMEOUT = 60000, VERIFY = 30000, SETTLE = 4000 };

#define MACHINE "0123456789abcdef0123456789abcdef"
#define OLD     "11111111-1111-1111-1111-111111111111"
#define NEW     "22222222-2222-2222-2222-222222222222"

typedef struct {
    fixture_t base;
    mm_options_t options;
    char exec[512], identify[128], health[128], harder[128];
    driver_t *driver;
    int64_t now_ms;
    char notes[4096];
} real_t;

static void host_path(const real_t *self, const char *name, char path[64])
{
    int size = snprintf(path, 64, "%s/%s", self->base.folder, name);
    assert_in_range(size, 1, 63);
}

static void write_host(const real_t *self, const char *name, const char *text)
{
    char path[64];
    host_path(self, name, path);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    (void)fputs(text, file);
    assert_int_equal(fclose(file), 0);
}

// What the host says of itself: its boot, and for how long that has been up.
static void is_in_boot(const real_t *self, const char *boot, int64_t up_ms)
{
    char text[160];
    (void)snprintf(text, sizeof text, MACHINE "\n%s\n%" PRId64 ".%02d 1.00\n", boot, up_ms / 1000,
                   (int)(up_ms % 1000 / 10));
    write_host(self, "ids", text);
}

static int count_sent(const real_t *self)
{
    char path[64];
    int lines = 0;
    host_path(self, "sent", path);
    FILE *file = fopen(path, "r");
    for (int c; file && (c = fgetc(file)) != EOF;)
        lines += c == '\n';
    if (file)
        (void)fclose(file);
    return lines;
}

static void take_note(void *arg, uint64_t number, driver_note_t note, const char *text)
{
    real_t *self = arg;
    size_t size = strlen(self->notes);
    (void)snprintf(self->notes + size, sizeof self->notes - size, "%d %s: %s; ", (int)number,
                   note == DRIVER_NOTE_COMMAND ? "command" : "look", text);
}

// A command that tells what it was given, and does what the script says.
static void open_real(real_t *self, const char *script, bool has_health)
{
    const char *folder = self->base.folder;
    (void)snprintf(self->exec, sizeof self->exec,
                   "sh -c \"echo $2 >>$1/sent; cd $1; %s\" x %s {boot_id}", script, folder);
    (void)snprintf(self->identify, sizeof self->identify, "cat %s/ids", folder);
    (void)snprintf(self->health, sizeof self->health, "sh -c \"cat %s/well; test -e %s/good\"",
                   folder, folder);
    self->options = exec_options(self->exec);
    self->options.slots = 4;
    self->options.identify = self->identify;
    self->options.health = has_health ? self->health : "";
    self->options.seed = 7;
    self->options.timeout_ms = TIMEOUT;
    self->options.verify_timeout_ms = VERIFY;
    self->options.settle_ms = SETTLE;
    self->driver = open_driver(&self->options);
    self->driver->note = take_note;
    self->driver->note_arg = self;
}

static int set_up_real(void **state)
{
    assert_int_equal(set_up(state), 0);
    real_t *self = calloc(1, sizeof *self);
    assert_non_null(self);
    self->base = *(fixture_t *)*state;
    free(*state);
    *state = self;
    self->now_ms = FIRST + 100;
    is_in_boot(self, OLD, 500000);
    write_host(self, "well", "degraded\n");
    return 0;
}

static int tear_down_real(void **state)
{
    static const char *const names[] = {"ids", "sent", "well", "good"};
    real_t *self = *state;
    if (self->driver)
        driver_destroy(&self->driver);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char path[64];
        host_path(self, names[i], path);
        (void)unlink(path);
    }
    return tear_down(state);
}

static mm_id_t id_of(const char *text)
{
    mm_id_t id = {0};
    size_t digits = 0;
    for (; *text; text++)
        if (*text != '-') {
            id.bytes[digits / 2] = (uint8_t)(id.bytes[digits / 2] << 4 | mm_hex_value(*text));
            digits++;
        }
    assert_int_equal(digits, 32);
    return id;
}

static void begin(real_t *self, mm_leg_t leg, uint32_t command)
{
    mm_real_t real = {.command = command,
                      .left_ms = FIRST + TIMEOUT + VERIFY - self->now_ms,
                      .age_ms = self->now_ms - FIRST,
                      .first_ms = FIRST,
                      .deadline_ms = FIRST + TIMEOUT + VERIFY,
                      .health = mm_str("degraded")};
    if (leg == MM_LEG_RESTART) {
        real.machine = id_of(MACHINE);
        real.boot = id_of(OLD);
    }
    driver_start(
        self->driver,
        &(mm_task_t){
            .number = 17, .leg = leg, .host = mm_str("web-7"), .attempt = 2, .real = &real},
        self->now_ms);
}

// Until the driver waits for a time, which then is that of the clock. False: a result came first.
static bool next_wait(real_t *self, ended_t *ret_ended)
{
    for (;;) {
        if (take(self->driver, self->now_ms, ret_ended))
            return false;
        int64_t due_ms = driver_deadline(self->driver);
        struct pollfd item = {.fd = driver_descriptor(self->driver), .events = POLLIN};
        // Each process may run for longer: then nothing does.
        if (poll(&item, 1, due_ms - self->now_ms < 9000 ? 0 : LIMIT_MS) == 0) {
            self->now_ms = due_ms > self->now_ms ? due_ms : self->now_ms;
            driver_step(self->driver, self->now_ms);
            return true;
        }
        driver_step(self->driver, self->now_ms);
    }
}

static ended_t run_to_the_end(real_t *self)
{
    ended_t ended;
    while (next_wait(self, &ended))
        continue;
    return ended;
}

static void a_restart_is_proven_by_a_new_boot(void **state)
{
    real_t *self = *state;
    open_real(self, "echo bye; printf '" MACHINE "\\n" NEW "\\n0.50 1.00\\n' >ids; exit 255",
              false);
    begin(self, MM_LEG_RESTART, 1);
    ended_t ended = run_to_the_end(self);
    assert_ok(&ended, "exit=255");
    assert_int_equal(ended.end, MM_END_RESTARTED);
    assert_int_equal(ended.proof, MM_PROOF_PROVEN);
    assert_int_equal(ended.exit, 255);
    assert_true(ended.sent);
    assert_string_equal(ended.words, "bye");
    assert_true(self->now_ms >= FIRST + 100 + SETTLE);
    assert_int_equal(count_sent(self), 1);
    assert_string_equal(self->notes, "17 command: exit 255: bye; ");
}

// What a viewer is shown at each step, each once: "command bye; look bye; ".
static void watch(real_t *self, char *seen, size_t size)
{
    ended_t ended;
    do {
        driver_view_t view;
        char line[256];
        size_t cursor = 0, used = strlen(seen);
        if (!driver_look(self->driver, &cursor, &view))
            continue;
        assert_int_equal(view.number, 17);
        assert_int_equal(view.since_ms, FIRST); // the attempt's begin, not that of the task
        (void)snprintf(line, sizeof line, "%s%s%s; ", view.doing, *view.words ? " " : "",
                       view.words);
        if (!strstr(seen, line))
            (void)snprintf(seen + used, size - used, "%s", line);
        assert_false(driver_look(self->driver, &cursor, &view));
    } while (next_wait(self, &ended));
}

static void a_viewer_sees_what_is_done(void **state)
{
    real_t *self = *state;
    char seen[1024] = "";
    driver_view_t view;
    size_t cursor = 0;
    open_real(self, "echo bye; printf '" MACHINE "\\n" NEW "\\n0.50 1.00\\n' >ids; exit 255",
              false);
    assert_false(driver_look(self->driver, &cursor, &view));
    begin(self, MM_LEG_RESTART, 1);
    watch(self, seen, sizeof seen);
    assert_string_equal(seen, "read; look bye; settle bye; ");
    cursor = 0;
    assert_false(driver_look(self->driver, &cursor, &view));
}

static void a_host_in_another_boot_gets_no_command(void **state)
{
    real_t *self = *state;
    is_in_boot(self, NEW, 20);
    open_real(self, "exit 0", false);
    begin(self, MM_LEG_RESTART, 1);
    ended_t ended = run_to_the_end(self);
    assert_ok(&ended, "");
    assert_false(ended.sent);
    assert_int_equal(count_sent(self), 0);
}

static void a_failure_on_the_old_boot_is_told_at_once(void **state)
{
    real_t *self = *state;
    open_real(self, "echo sudo: a password is required; exit 1", false);
    begin(self, MM_LEG_RESTART, 1);
    ended_t ended = run_to_the_end(self);
    assert_failed(&ended, "exit 1: sudo: a password is required");
    assert_int_equal(ended.end, MM_END_EXIT);
    assert_int_equal(ended.exit, 1);
    assert_string_equal(ended.words, "sudo: a password is required");
    assert_true(self->now_ms < FIRST + 1000);
}

static void what_has_no_effect_is_the_same_boot_at_the_deadline(void **state)
{
    real_t *self = *state;
    open_real(self, "exit 0", false);
    begin(self, MM_LEG_RESTART, 1);
    ended_t ended = run_to_the_end(self);
    assert_failed(&ended, "same-boot; command: exit 0");
    assert_int_equal(ended.end, MM_END_SAME_BOOT);
    assert_true(self->now_ms >= FIRST + TIMEOUT + VERIFY);
    assert_false(ended.more);
    assert_int_equal(count_sent(self), 1);
}

static void who_does_not_answer_is_unreachable_with_the_words_of_identify(void **state)
{
    real_t *self = *state;
    open_real(self, "echo closed; rm ids; exit 255", false);
    begin(self, MM_LEG_RESTART, 1);
    ended_t ended = run_to_the_end(self);
    char expected[256];
    (void)snprintf(expected, sizeof expected,
                   "unreachable: cat: %s/ids: No such file or directory; command: exit 255: closed",
                   self->base.folder);
    assert_failed(&ended, expected);
    assert_non_null(strstr(self->notes, "; 17 look: exit 1: cat: "));
    assert_null(strstr(strstr(self->notes, "look") + 1, "look")); // only the first one
}

static void another_machine_is_named(void **state)
{
    real_t *self = *state;
    open_real(self, "tr 0-9 9876543210 <ids >ids2; mv ids2 ids; exit 0", false);
    begin(self, MM_LEG_RESTART, 1);
    ended_t ended = run_to_the_end(self);
    assert_failed(&ended,
                  "wrong-host: machine 9876543210abcdef9876543210abcdef answers; command: exit 0");
}

static void it_may_be_as_ill_as_before_but_no_worse(void **state)
{
    real_t *self = *state;
    open_real(self, "printf '" MACHINE "\\n" NEW "\\n0.50 1.00\\n' >ids; exit 0", true);
    begin(self, MM_LEG_RESTART, 1);
    ended_t ended = run_to_the_end(self);
    assert_ok(&ended, "exit=0");
    write_host(self, "well", "maintenance\nmore\n");
    is_in_boot(self, OLD, 500000);
    self->now_ms = FIRST + 100;
    begin(self, MM_LEG_RESTART, 1);
    ended = run_to_the_end(self);
    assert_failed(&ended, "unhealthy: maintenance; command: exit 0");
}

// Who prints nothing has ended in some way all the same.
static void of_a_silent_health_its_end_is_told(void **state)
{
    real_t *self = *state;
    open_real(self, "printf '" MACHINE "\\n" NEW "\\n0.50 1.00\\n' >ids; exit 0", true);
    write_host(self, "well", "\n \n");
    begin(self, MM_LEG_RESTART, 1);
    ended_t ended = run_to_the_end(self);
    assert_failed(&ended, "unhealthy: exit 1; command: exit 0");
    is_in_boot(self, NEW, 20);
    self->now_ms = FIRST + 100;
    begin(self, MM_LEG_RESTART, 0);
    ended = run_to_the_end(self);
    assert_failed(&ended, "unhealthy: exit 1");
}

static void who_is_gone_again_did_not_stay_up(void **state)
{
    real_t *self = *state;
    open_real(self, "printf '" MACHINE "\\n" NEW "\\n0.50 1.00\\n' >ids; exit 0", false);
    begin(self, MM_LEG_RESTART, 1);
    ended_t ended;
    while (next_wait(self, &ended) && count_sent(self) == 0)
        continue;
    assert_true(next_wait(self, &ended)); // the look that finds it
    write_host(self, "ids", "");
    ended = run_to_the_end(self);
    assert_failed(&ended, "unhealthy: it did not stay up for long enough; command: exit 0");
}

static void a_probe_brings_the_ids_and_the_health(void **state)
{
    real_t *self = *state;
    open_real(self, "exit 0", true);
    begin(self, MM_LEG_PROBE, 0);
    ended_t ended = run_to_the_end(self);
    assert_ok(&ended, "");
    assert_int_equal(ended.end, MM_END_NOT_STARTED);
    assert_string_equal(ended.health, "degraded");
    assert_int_equal(count_sent(self), 0);
    write_host(self, "good", "");
    begin(self, MM_LEG_PROBE, 0);
    ended = run_to_the_end(self);
    assert_ok(&ended, "");
    assert_string_equal(ended.health, "");
    write_host(self, "ids", "Last login: today\n");
    begin(self, MM_LEG_PROBE, 0);
    int64_t began_ms = self->now_ms;
    ended = run_to_the_end(self);
    assert_failed(&ended, "unreachable; it answered \"Last login: today\", which is no identity");
    assert_true(self->now_ms >= began_ms + VERIFY);
}

#define TENTH  "0123456789"
#define TENTH8 TENTH TENTH TENTH TENTH TENTH TENTH TENTH TENTH

// On record, too, since there are no words of a command.
static void an_answer_that_is_no_identity_is_quoted(void **state)
{
    real_t *self = *state;
    static const char *const answers[][2] = {
        {"\n \nLast login: today\nfrom there\n", "it answered \"Last login: today\""},
        {"Permission denied", "it answered \"Permission denied\""},
        {MACHINE "\ncat: boot_id: I/O error\n", "it answered \"cat: boot_id: I/O error\""},
        {MACHINE "\n" OLD "\nsoon\n", "it answered \"soon\""},
        {MACHINE "\n", "it answered \"" MACHINE "\""},
        {"\033[31mred\033[0m\n", "it answered \"red\""},
        {TENTH8 "\n", "it answered \"" TENTH8 "\""},
        {TENTH8 "x\n", "it answered \"" TENTH8 "...\""},
        {"<html>\n" TENTH8 TENTH8 TENTH8 TENTH8 TENTH8 TENTH8 TENTH8 "\n", // more than is kept
         "it answered \"<html>\""},
        {"\001\002\n", "it answered nothing that can be shown"},
        {"", "it answered nothing"},
    };
    open_real(self, "exit 0", false);
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
        char words[256], error[300];
        bool is_quoted = strchr(answers[i][1], '"') != NULL;
        (void)snprintf(words, sizeof words, "%s%s", answers[i][1],
                       is_quoted ? ", which is no identity" : "");
        (void)snprintf(error, sizeof error, "unreachable; %s", words);
        write_host(self, "ids", answers[i][0]);
        self->notes[0] = '\0';
        begin(self, MM_LEG_PROBE, 0);
        ended_t ended = run_to_the_end(self);
        assert_failed(&ended, error);
        assert_string_equal(ended.words, words);
        (void)snprintf(error, sizeof error, "17 look: %s; ", words);
        assert_string_equal(self->notes, error);
    }
}

static void what_a_command_has_said_stays_on_record_beside_such_an_answer(void **state)
{
    real_t *self = *state;
    open_real(self, "echo closed; echo Welcome >ids; exit 255", false);
    begin(self, MM_LEG_RESTART, 1);
    ended_t ended = run_to_the_end(self);
    assert_failed(&ended, "unreachable; it answered \"Welcome\", which is no identity; command: "
                          "exit 255: closed");
    assert_string_equal(ended.words, "closed");
    begin(self, MM_LEG_RESTART, 0);
    ended = run_to_the_end(self);
    assert_failed(&ended, "unreachable; it answered \"Welcome\", which is no identity");
    assert_string_equal(ended.words, "");
}

static void told_to_drain_it_gives_back_what_waits_at_once(void **state)
{
    real_t *self = *state;
    open_real(self, "exit 0", false);
    begin(self, MM_LEG_RESTART, 1);
    ended_t ended;
    while (count_sent(self) == 0 || !self->notes[0])
        assert_true(next_wait(self, &ended));
    driver_drain(self->driver, self->now_ms);
    assert_true(take(self->driver, self->now_ms, &ended));
    assert_int_equal(ended.status, MM_STATUS_OPEN);
    assert_int_equal(ended.end, MM_END_EXIT);
    assert_int_equal(ended.exit, 0);
    assert_true(ended.sent);
    assert_string_equal(ended.error, ""); // no fault of this machine
}

static void a_look_that_runs_does_not_hold_the_drain_up(void **state)
{
    real_t *self = *state;
    open_real(self, "rm ids; mkfifo ids; exit 0", false); // it hangs from now on
    begin(self, MM_LEG_RESTART, 1);
    while (!self->notes[0]) {
        wait_readable(driver_descriptor(self->driver));
        driver_step(self->driver, self->now_ms);
    }
    driver_drain(self->driver, self->now_ms);
    ended_t ended;
    assert_true(take(self->driver, self->now_ms, &ended));
    assert_int_equal(ended.status, MM_STATUS_OPEN);
}

static void a_command_that_runs_at_the_drain_limit_is_stopped_and_open(void **state)
{
    real_t *self = *state;
    ended_t ended;
    open_real(self, "exec sleep 1000", false);
    begin(self, MM_LEG_RESTART, 1);
    while (count_sent(self) == 0) {
        (void)poll(&(struct pollfd){.fd = driver_descriptor(self->driver), .events = POLLIN}, 1,
                   10);
        driver_step(self->driver, self->now_ms);
    }
    driver_drain(self->driver, self->now_ms);
    assert_false(take(self->driver, self->now_ms, &ended));
    driver_stop(self->driver, self->now_ms);
    ended = wait_finished(self->driver, self->now_ms);
    assert_int_equal(ended.status, MM_STATUS_OPEN);
    assert_int_equal(ended.end, MM_END_STOPPED);
    assert_true(ended.sent);
}

// This process stood still: the instants are those of the task, by the spawner's own clock.
static void a_command_is_not_sent_behind_its_end(void **state)
{
    real_t *self = *state;
    open_real(self, "exit 0", false);
    self->now_ms = FIRST + TIMEOUT + 1;
    begin(self, MM_LEG_RESTART, 1);
    ended_t ended = run_to_the_end(self);
    assert_failed(&ended, "same-boot; this attempt sent no command");
    assert_false(ended.sent);
    assert_int_equal(count_sent(self), 0);
}

static void its_name_follows_from_what_restarts_a_host(void **state)
{
    real_t *self = *state;
    open_real(self, "exit 0", false);
    mm_name_t name = self->driver->name;
    assert_memory_equal(name.text, "exec-", 5);
    assert_int_equal(strlen(name.text), 5 + 16);
    assert_int_equal(self->driver->verbs, MM_VERB_REAL | MM_VERB_IDENTIFY);
    driver_destroy(&self->driver);
    open_real(self, "exit 0", true); // health is not part of it
    assert_string_equal(self->driver->name.text, name.text);
    driver_destroy(&self->driver);
    open_real(self, "exit 1", false);
    assert_string_not_equal(self->driver->name.text, name.text);
    driver_destroy(&self->driver);
    self->options.driver = "/etc/my drivers/IPMI (old).ini";
    self->driver = open_driver(&self->options);
    assert_memory_equal(self->driver->name.text, "IPMIold-", 8);
}

static void ids_are_known_only_with_identify(void **state)
{
    real_t *self = *state;
    char complaint[MM_ERROR_MAX];
    open_real(self, "exit 0", false);
    driver_destroy(&self->driver);
    self->options.identify = "";
    assert_null(driver_exec_kind.new(&self->options, complaint));
    assert_non_null(strstr(complaint, "which are known only with --identify"));
}

#define REAL(NAME) cmocka_unit_test_setup_teardown(NAME, set_up_real, tear_down_real)

int main(void)
{
    const struct CMUnitTest tests[] = {
        REAL(a_restart_is_proven_by_a_new_boot),
        REAL(a_viewer_sees_what_is_done),
        REAL(a_host_in_another_boot_gets_no_command),
        REAL(a_failure_on_the_old_boot_is_told_at_once),
        REAL(what_has_no_effect_is_the_same_boot_at_the_deadline),
        REAL(who_does_not_answer_is_unreachable_with_the_words_of_identify),
        REAL(another_machine_is_named),
        REAL(it_may_be_as_ill_as_before_but_no_worse),
        REAL(of_a_silent_health_its_end_is_told),
        REAL(who_is_gone_again_did_not_stay_up),
        REAL(a_probe_brings_the_ids_and_the_health),
        REAL(an_answer_that_is_no_identity_is_quoted),
        REAL(what_a_command_has_said_stays_on_record_beside_such_an_answer),
        REAL(told_to_drain_it_gives_back_what_waits_at_once),
        REAL(a_look_that_runs_does_not_hold_the_drain_up),
        REAL(a_command_that_runs_at_the_drain_limit_is_stopped_and_open),
        REAL(a_command_is_not_sent_behind_its_end),
        REAL(its_name_follows_from_what_restarts_a_host),
        REAL(ids_are_known_only_with_identify),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
