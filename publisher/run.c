// See run.h.

#include "run.h"
#include "inherited.h"
#include "clock.h"
#include "log.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

// The name under which the run is recorded. A bounded generator can be resumed.
static void name_input(const mm_options_t *options, char *ret_name, size_t size)
{
    if (*options->input) {
        char *path = strcmp(options->input, "-") == 0 ? NULL : realpath(options->input, NULL);
        (void)snprintf(ret_name, size, "%s", path ? path : options->input);
        free(path);
    } else if (options->jobs > 0) {
        (void)snprintf(ret_name, size, "generator, %" PRId64 " jobs", options->jobs);
    } else {
        (void)snprintf(ret_name, size, "generator");
    }
}

static source_t *new_generator(const mm_options_t *options, uint64_t seed)
{
    return source_generate_new(&(source_generate_config_t){
        .seed = seed,
        .pace = options->rate == 0 ? SOURCE_PACE_RANDOM : SOURCE_PACE_UNLIMITED,
        .jobs = (uint64_t)options->jobs});
}

// Once is enough.
static void see_host(void *arg, mm_str_t host, mm_str_t attributes)
{
    run_own_t *own = arg;
    if (own->is_said || !own_host_is(own->host, host, attributes))
        return;
    own->is_said = true;
    mm_log(MM_LOG_WARN, "The list has this machine itself", MM_STR("host", host));
    (void)fprintf(stderr,
                  "%s: the list has this machine itself, %.*s: its restart ends this run; the same "
                  "command goes on then\n",
                  own->title, (int)host.size, host.data);
}

// Of hosts that are restarted for real.
static run_own_t *new_own(const mm_options_t *options)
{
    if (*options->driver_name == '\0' || strcmp(options->driver_name, "mock") == 0)
        return NULL;
    run_own_t *own = calloc(1, sizeof *own);
    assert(own);
    own->title = options->id;
    own->host = own_host_new();
    return own;
}

// When the starts end, CLOCK_BOOTTIME; 0: never. By the supervisor's word it is the same instant
// for each publisher of the run.
static int64_t starts_end(const mm_options_t *options)
{
    bool is_own = options->starts_end_ms == 0 && options->run_for_ms > 0;
    return is_own ? mm_clock_ms() + options->run_for_ms : options->starts_end_ms;
}

// --jobs and --for cut a file off: the same command then goes on with the rest. Of the generator
// they are the end.
static int open_source(const mm_options_t *options, uint64_t seed, run_t *run,
                       char error[SOURCE_ERROR_MAX])
{
    source_paced_config_t pace = {.rate = options->rate};
    int64_t end_ms = starts_end(options);
    if (end_ms > 0)
        pace.duration_ms = mm_later(end_ms - mm_clock_ms(), 1);
    source_t *source = NULL;
    run->is_file = *options->input != '\0';
    if (run->is_file) {
        char end_mark[4096];
        (void)snprintf(end_mark, sizeof end_mark, "%s/stdin.ended", options->dir);
        source_file_config_t config = {.path = options->input,
                                       .skips_bad_lines =
                                           options->on_bad_line == MM_ON_BAD_LINE_SKIP,
                                       .named_by = options->named_by,
                                       .end_mark = mm_inherited_has_parent() ? end_mark : NULL,
                                       .see = run->own ? see_host : NULL,
                                       .see_arg = run->own};
        bool is_list = mm_attribute_keys_parse(mm_str(options->attributes), &config.wanted);
        assert(is_list); // else the options had been refused
        int exit_code = source_file_open(&config, &source, error);
        if (exit_code != 0)
            return exit_code;
        pace.jobs = (uint64_t)options->jobs;
        run->starts_end_ms = end_ms;
    } else {
        source = new_generator(options, seed);
        run->is_endless = options->jobs == 0;
        pace.ends_by_time = true;
    }
    run->source = source_paced_new(&source, &pace);
    return 0;
}

static int fail_db(outbox_db_t *db, char error[SOURCE_ERROR_MAX])
{
    (void)snprintf(error, SOURCE_ERROR_MAX, "%s", outbox_db_error(db));
    return EX_IOERR;
}

#define DRIVER_TEXT 1024 // of a driver in a message
#define CONTEXT     24   // bytes beside a difference that are told again, and whole words

// A driver beside another one that is told in full: its name, and where their commands differ. What
// they share may be a long line.
static void print_difference(const char *text, const char *other, char ret_text[DRIVER_TEXT])
{
    size_t size = strlen(text), other_size = strlen(other), same = 0, rest = 0;
    const char *behind = strstr(text, ": ");
    size_t name = behind ? (size_t)(behind - text) + 2 : 0;
    while (same < size && text[same] == other[same])
        same++;
    while (rest < size - same && rest < other_size - same &&
           text[size - 1 - rest] == other[other_size - 1 - rest])
        rest++;
    size_t from = same > name + 2 * CONTEXT ? same - CONTEXT : name;
    size_t to = rest > 2 * CONTEXT ? size - rest + CONTEXT : size;
    while (from > name && text[from - 1] != ' ')
        from--;
    while (to < size && text[to] != ' ')
        to++;
    (void)snprintf(ret_text, DRIVER_TEXT, "%.*s%s%.*s%s", (int)name, text,
                   from > name ? "... " : "", (int)(to - from), text + from,
                   to < size ? " ..." : "");
}

static int refuse_driver(const outbox_run_t *former, const mm_options_t *options, uint64_t left,
                         char error[SOURCE_ERROR_MAX])
{
    char difference[DRIVER_TEXT];
    print_difference(options->run_driver, former->driver, difference);
    (void)snprintf(error, SOURCE_ERROR_MAX,
                   "%" PRIu64 " jobs are left in %s/outbox.db from a run with the driver "
                   "\"%.2000s\", and this one has \"%s\"; finish that run with its own command, or "
                   "choose another --dir",
                   left, options->dir, former->driver, difference);
    return EX_CONFIG;
}

// The run that this command asks for.
typedef struct {
    const mm_options_t *options;
    outbox_db_t *db;
    char input[4096];
    source_progress_t source;
} wanted_t;

static bool has_same_names(const wanted_t *wanted, const outbox_run_t *former)
{
    return strcmp(former->driver, wanted->options->run_driver) == 0 &&
           strcmp(former->input, wanted->input) == 0;
}

static bool is_same(const wanted_t *wanted, const outbox_run_t *former)
{
    return has_same_names(wanted, former) &&
           (wanted->source.digest == 0 || wanted->source.digest == former->progress.digest);
}

static void resume(run_t *run, const outbox_run_t *former)
{
    run->number = former->number;
    run->resumed = true;
    source_resume(run->source, &former->progress);
}

// A publisher that was started again must not take a changed file for another run: that would
// restart what it has in common with this one a second time.
static int refuse_changed(const outbox_run_t *begun, char error[SOURCE_ERROR_MAX])
{
    (void)snprintf(error, SOURCE_ERROR_MAX,
                   "%.3000s was changed while this run was reading it; bring back what it was, and "
                   "the same command goes on; or start a new run with it",
                   begun->input);
    return EX_DATAERR;
}

// Resumes the run that an earlier publisher of this supervisor has begun: if it was killed behind
// its last commit, all is done, and nothing must begin anew.
static int resume_begun(const wanted_t *wanted, int64_t number, run_t *run,
                        char error[SOURCE_ERROR_MAX])
{
    outbox_run_t begun = {0};
    bool found = false;
    if (outbox_db_run(wanted->db, number, &begun, &found) != OUTBOX_DB_OK)
        return fail_db(wanted->db, error);
    int exit_code = 0;
    if (found && is_same(wanted, &begun))
        resume(run, &begun);
    else if (found && has_same_names(wanted, &begun))
        exit_code = refuse_changed(&begun, error);
    outbox_run_clear(&begun);
    return exit_code;
}

// Looks through the unfinished runs: resumes the one that the command asks for, if none is resumed
// yet, counts the jobs of the others, and refuses those of another driver.
static int resume_unfinished(const wanted_t *wanted, run_t *run, char error[SOURCE_ERROR_MAX])
{
    int exit_code = 0;
    for (int64_t before = INT64_MAX; exit_code == 0;) {
        outbox_run_t former = {0};
        bool found = false;
        if (outbox_db_unfinished(wanted->db, before, &former, &found) != OUTBOX_DB_OK)
            return fail_db(wanted->db, error);
        if (!found)
            return 0;
        before = former.number;
        uint64_t left = former.accepted - former.restarted - former.dead - former.skipped;
        bool has_ended = run->is_endless && former.progress.done;
        if (left > 0 && strcmp(former.driver, wanted->options->run_driver) != 0)
            exit_code = refuse_driver(&former, wanted->options, left, error);
        else if (!run->resumed && is_same(wanted, &former) && !has_ended)
            resume(run, &former);
        else if (former.number != run->number)
            run->left_over += left;
        outbox_run_clear(&former);
    }
    return exit_code;
}

static int begin(const wanted_t *wanted, run_t *run, char error[SOURCE_ERROR_MAX])
{
    outbox_run_t begun = {.input = (char *)(uintptr_t)wanted->input,
                          .driver = (char *)(uintptr_t)wanted->options->run_driver,
                          .progress = wanted->source,
                          .started_ms = mm_clock_wall_ms()};
    if (outbox_db_begin_run(wanted->db, &begun, &run->number) != OUTBOX_DB_OK)
        return fail_db(wanted->db, error);
    return 0;
}

int run_open(const mm_options_t *options, uint64_t seed, int64_t begun, outbox_db_t *db,
             run_t *ret_run, char error[SOURCE_ERROR_MAX])
{
    run_t run = {.own = new_own(options)};
    wanted_t wanted = {.options = options, .db = db};
    name_input(options, wanted.input, sizeof wanted.input);
    int exit_code = open_source(options, seed, &run, error);
    if (exit_code == 0)
        source_progress(run.source, &wanted.source);
    if (exit_code == 0 && begun != 0)
        exit_code = resume_begun(&wanted, begun, &run, error);
    if (exit_code == 0)
        exit_code = resume_unfinished(&wanted, &run, error);
    if (exit_code == 0 && !run.resumed)
        exit_code = begin(&wanted, &run, error);
    if (exit_code != 0)
        run_close(&run);
    else
        *ret_run = run;
    return exit_code;
}

static void name_mark(const char *dir, char path[4096])
{
    (void)snprintf(path, 4096, "%s/publisher.run", dir);
}

void run_mark(const run_t *run, const char *dir)
{
    char path[4096];
    name_mark(dir, path);
    FILE *file = fopen(path, "we");
    if (!file)
        return;
    (void)fprintf(file, "%" PRId64 "\n", run->number);
    (void)fclose(file);
}

int64_t run_marked(const char *dir)
{
    char path[4096];
    int64_t number = 0;
    name_mark(dir, path);
    FILE *file = fopen(path, "re");
    if (!file)
        return 0;
    if (fscanf(file, "%" SCNd64, &number) != 1)
        number = 0;
    (void)fclose(file);
    return number;
}

void run_close(run_t *run)
{
    source_destroy(&run->source);
    if (run->own)
        own_host_destroy(&run->own->host);
    free(run->own);
    run->own = NULL;
}
