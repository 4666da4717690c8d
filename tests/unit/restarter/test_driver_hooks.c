// The exec driver's commands beside a restart, and what it keeps of the output.

#include "commands_run.h"

#include <sys/resource.h>

typedef struct {
    fixture_t base;
    mm_options_t options;
    char exec[256], before[256], after[256], skip_if[256];
    driver_t *driver;
    char notes[2048];
} hooks_t;

static void take_note(void *arg, uint64_t number, driver_note_t note, const char *text)
{
    static const char *const names[] = {[DRIVER_NOTE_COMMAND] = "command",
                                        [DRIVER_NOTE_LOOK] = "look",
                                        [DRIVER_NOTE_BEFORE] = "before",
                                        [DRIVER_NOTE_AFTER] = "after",
                                        [DRIVER_NOTE_OUTPUT] = "output"};
    hooks_t *self = arg;
    size_t size = strlen(self->notes);
    (void)snprintf(self->notes + size, sizeof self->notes - size, "%d %s: %s; ", (int)number,
                   names[note], text);
}

static int set_up_hooks(void **state)
{
    assert_int_equal(set_up(state), 0);
    hooks_t *self = calloc(1, sizeof *self);
    assert_non_null(self);
    self->base = *(fixture_t *)*state;
    free(*state);
    *state = self;
    self->options = exec_options(self->exec);
    self->options.slots = 2;
    self->options.dir = self->base.folder;
    self->options.skip_if = self->skip_if;
    self->options.before = self->before;
    self->options.after = self->after;
    self->options.attempts = 1;
    return 0;
}

static void output_path(const hooks_t *self, char path[64])
{
    (void)snprintf(path, 64, "%s/output/web-7.2", self->base.folder);
}

static int tear_down_hooks(void **state)
{
    hooks_t *self = *state;
    char path[64];
    if (self->driver)
        driver_destroy(&self->driver);
    output_path(self, path);
    (void)unlink(path);
    *strrchr(path, '/') = '\0';
    (void)rmdir(path);
    (void)snprintf(path, sizeof path, "%s/done", self->base.folder);
    (void)unlink(path);
    return tear_down(state);
}

// Each command tells that it was run, then does what its script says; empty: there is none.
static void command(const hooks_t *self, char line[256], const char *name, const char *script)
{
    line[0] = '\0';
    if (*script)
        (void)snprintf(line, 256, "sh -c \"echo %s >>%s/done; %s\" x {host}", name,
                       self->base.folder, script);
}

static void open_hooks(hooks_t *self, const char *skip_if, const char *before, const char *exec,
                       const char *after)
{
    command(self, self->skip_if, "skip", skip_if);
    command(self, self->before, "before", before);
    command(self, self->exec, "restart", exec);
    command(self, self->after, "after", after);
    self->driver = open_driver(&self->options);
    self->driver->note = take_note;
    self->driver->note_arg = self;
}

// Runs a task to its end; what its result owes.
static bool run_task(hooks_t *self, mm_leg_t leg, ended_t *ret_ended)
{
    mm_real_t real = {.command = leg == MM_LEG_RESTART,
                      .left_ms = 15 * MINUTE,
                      .start_ms = 1000 + MINUTE,
                      .first_ms = 1000,
                      .deadline_ms = 1000 + 15 * MINUTE,
                      .owes = leg == MM_LEG_RESTART};
    driver_start(
        self->driver,
        &(mm_task_t){
            .number = 17, .leg = leg, .host = mm_str("web-7"), .attempt = 2, .real = &real},
        1000);
    mm_result_t result;
    while (!driver_next_finished(self->driver, 1500, &result)) {
        wait_readable(driver_descriptor(self->driver));
        driver_step(self->driver, 1500);
    }
    assert_non_null(result.real);
    *ret_ended = (ended_t){.status = result.status, .end = result.real->end};
    (void)snprintf(ret_ended->error, sizeof ret_ended->error, "%.*s", (int)result.error.size,
                   result.error.data);
    (void)snprintf(ret_ended->words, sizeof ret_ended->words, "%.*s", (int)result.real->words.size,
                   result.real->words.data);
    return result.real->owes;
}

static void read_file(const char *path, char *text, size_t size)
{
    FILE *file = fopen(path, "re");
    size_t got = file ? fread(text, 1, size - 1, file) : 0;
    text[got] = '\0';
    if (file)
        (void)fclose(file);
}

static void done(const hooks_t *self, const char *expected)
{
    char path[64], text[256];
    (void)snprintf(path, sizeof path, "%s/done", self->base.folder);
    read_file(path, text, sizeof text);
    assert_string_equal(text, expected);
}

static void before_the_restart_and_after_come_in_turn(void **state)
{
    hooks_t *self = *state;
    ended_t ended;
    open_hooks(self, "", "echo cordoned", "echo rebooting", "echo back");
    assert_int_equal(self->driver->verbs, MM_VERB_REAL | MM_VERB_HOOKS);
    assert_false(run_task(self, MM_LEG_RESTART, &ended));
    assert_int_equal(ended.status, MM_STATUS_OK);
    assert_string_equal(ended.words, "rebooting");
    done(self, "before\nrestart\nafter\n");
    assert_string_equal(self->notes, "17 before: exit 0: cordoned; 17 command: exit 0: rebooting; "
                                     "17 after: exit 0: back; ");
}

static void without_an_after_nothing_is_owed(void **state)
{
    hooks_t *self = *state;
    ended_t ended;
    open_hooks(self, "", "echo cordoned", "echo rebooting", "");
    assert_int_equal(self->driver->verbs, MM_VERB_REAL);
    assert_false(run_task(self, MM_LEG_RESTART, &ended));
    assert_int_equal(ended.status, MM_STATUS_OK);
    done(self, "before\nrestart\n");
}

static void a_before_that_fails_is_told_with_its_words(void **state)
{
    hooks_t *self = *state;
    ended_t ended;
    open_hooks(self, "", "echo cannot evict; exit 3", "true", "echo back");
    assert_false(run_task(self, MM_LEG_RESTART, &ended));
    assert_failed(&ended, "before: exit 3: cannot evict");
    assert_int_equal(ended.end, MM_END_UNPREPARED);
    assert_string_equal(ended.words, "before: exit 3: cannot evict");
    done(self, "before\nafter\n");
}

static void an_after_that_fails_is_on_record_with_its_words(void **state)
{
    hooks_t *self = *state;
    ended_t ended;
    open_hooks(self, "", "", "echo rebooting", "echo no route; exit 4");
    assert_true(run_task(self, MM_LEG_RESTART, &ended));
    assert_int_equal(ended.status, MM_STATUS_OK);
    assert_string_equal(ended.words, "after: exit 4: no route");
    done(self, "restart\nafter\n");
}

static void a_host_that_needs_nothing_is_skipped(void **state)
{
    hooks_t *self = *state;
    ended_t ended;
    open_hooks(self, "exit 0", "", "true", "");
    assert_int_equal(self->driver->verbs, MM_VERB_REAL | MM_VERB_SKIP);
    assert_false(run_task(self, MM_LEG_PROBE, &ended));
    assert_int_equal(ended.status, MM_STATUS_OK);
    assert_int_equal(ended.end, MM_END_SKIPPED);
    done(self, "skip\n");
    driver_destroy(&self->driver);
    open_hooks(self, "exit 1", "", "true", "");
    (void)run_task(self, MM_LEG_PROBE, &ended);
    assert_int_equal(ended.end, MM_END_NOT_STARTED);
}

static void a_rehearsal_has_no_hooks(void **state)
{
    hooks_t *self = *state;
    self->options.dry_run = true;
    open_hooks(self, "true", "true", "true", "true");
    assert_int_equal(self->driver->verbs, MM_VERB_REAL);
}

static void what_is_asked_first_cannot_know_ids(void **state)
{
    hooks_t *self = *state;
    char complaint[MM_ERROR_MAX];
    command(self, self->skip_if, "skip", "test {boot_id}");
    command(self, self->exec, "restart", "true");
    assert_null(driver_exec_kind.new(&self->options, complaint));
    assert_non_null(strstr(complaint, "--skip-if names {boot_id} or {machine_id}"));
    self->skip_if[0] = '\0';
    command(self, self->after, "after", "test {machine_id}");
    assert_null(driver_exec_kind.new(&self->options, complaint));
    assert_non_null(strstr(complaint, "which are known only with --identify"));
}

// ---- output

static void the_whole_output_is_kept_and_added_to(void **state)
{
    hooks_t *self = *state;
    ended_t ended;
    char path[64];
    struct stat status;
    self->options.keep_output = true;
    open_hooks(self, "", "echo not of before", "head -c 100000 /dev/zero; echo out; echo error >&2",
               "echo nor of after");
    output_path(self, path);
    (void)run_task(self, MM_LEG_RESTART, &ended);
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_size, 100000 + 4 + 6);
    assert_int_equal(status.st_mode & 07777, 0600);
    (void)run_task(self, MM_LEG_RESTART, &ended);
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_size, 2 * (100000 + 4 + 6));
    *strrchr(path, '/') = '\0';
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0700);
    assert_null(strstr(self->notes, "output"));
}

static void what_it_leaves_behind_is_kept_too(void **state)
{
    hooks_t *self = *state;
    ended_t ended;
    char path[64], script[128], text[64] = "";
    self->options.keep_output = true;
    (void)snprintf(script, sizeof script, "(read x <%s/go; echo late) & echo early",
                   self->base.folder);
    (void)snprintf(path, sizeof path, "%s/go", self->base.folder);
    assert_int_equal(mkfifo(path, 0600), 0);
    open_hooks(self, "", "", script, "");
    (void)run_task(self, MM_LEG_RESTART, &ended);
    int go = open(path, O_WRONLY | O_CLOEXEC);
    assert_true(go >= 0);
    assert_int_equal(write(go, "x\n", 2), 2);
    (void)close(go);
    (void)unlink(path);
    output_path(self, path);
    while (strcmp(text, "early\nlate\n") != 0) {
        wait_readable(driver_descriptor(self->driver));
        driver_step(self->driver, 1500);
        read_file(path, text, sizeof text);
    }
}

static void a_file_that_cannot_be_written_costs_nothing(void **state)
{
    hooks_t *self = *state;
    ended_t ended;
    char path[64];
    self->options.keep_output = true;
    open_hooks(self, "", "", "echo rebooting", "");
    output_path(self, path);
    assert_int_equal(symlink("/dev/full", path), 0); // another's file is not written to
    (void)run_task(self, MM_LEG_RESTART, &ended);
    assert_int_equal(ended.status, MM_STATUS_OK);
    assert_non_null(strstr(self->notes, "17 output: Too many levels of symbolic links; "));
}

// The limit is this process's own, so that commands must not write files.
static void on_a_full_disk_the_rest_is_missing(void **state)
{
    hooks_t *self = *state;
    ended_t ended;
    struct rlimit former, limit;
    struct stat status;
    char path[64];
    skip_under_valgrind();
    self->options.keep_output = true;
    (void)snprintf(self->exec, sizeof self->exec,
                   "sh -c \"head -c 100000 /dev/zero; echo rebooting\" x {host}");
    self->driver = open_driver(&self->options);
    self->driver->note = take_note;
    self->driver->note_arg = self;
    (void)signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &former), 0);
    limit = (struct rlimit){.rlim_cur = 5000, .rlim_max = former.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    (void)run_task(self, MM_LEG_RESTART, &ended);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &former), 0);
    (void)signal(SIGXFSZ, SIG_DFL);
    assert_int_equal(ended.status, MM_STATUS_OK);
    assert_string_equal(ended.words + strlen(ended.words) - strlen("rebooting"), "rebooting");
    output_path(self, path);
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_size, 5000);
    assert_non_null(strstr(self->notes, "17 output: File too large; "));
}

#define HOOKS(NAME) cmocka_unit_test_setup_teardown(NAME, set_up_hooks, tear_down_hooks)

int main(void)
{
    const struct CMUnitTest tests[] = {
        HOOKS(before_the_restart_and_after_come_in_turn),
        HOOKS(without_an_after_nothing_is_owed),
        HOOKS(a_before_that_fails_is_told_with_its_words),
        HOOKS(an_after_that_fails_is_on_record_with_its_words),
        HOOKS(a_host_that_needs_nothing_is_skipped),
        HOOKS(a_rehearsal_has_no_hooks),
        HOOKS(what_is_asked_first_cannot_know_ids),
        HOOKS(the_whole_output_is_kept_and_added_to),
        HOOKS(what_it_leaves_behind_is_kept_too),
        HOOKS(a_file_that_cannot_be_written_costs_nothing),
        HOOKS(on_a_full_disk_the_rest_is_missing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
