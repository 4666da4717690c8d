// See run.h.

#include "run.h"
#include "clock.h"
#include "kept_list.h"
#include "log.h"
#include "other_driver.h"
#include "run_list.h"

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

// ---- sources

// When the starts end, CLOCK_BOOTTIME; 0: never. By the supervisor's word it is the same instant
// for each publisher of the run.
static int64_t starts_end(const mm_options_t *options)
{
    bool is_own = options->starts_end_ms == 0 && options->run_for_ms > 0;
    return is_own ? mm_clock_ms() + options->run_for_ms : options->starts_end_ms;
}

static void pace_source(const mm_options_t *options, source_t *source, run_t *run)
{
    source_paced_config_t pace = {.rate = options->rate};
    int64_t end_ms = starts_end(options);
    if (end_ms > 0)
        pace.duration_ms = mm_later(end_ms - mm_clock_ms(), 1);
    if (run->is_file) { // --jobs and --for cut a list off: the same command goes on with the rest
        pace.jobs = (uint64_t)options->jobs;
        run->starts_end_ms = end_ms;
    } else {
        pace.ends_by_time = true;
    }
    run->source = source_paced_new(&source, &pace);
}

static void open_generator(const mm_options_t *options, uint64_t seed, run_t *run)
{
    run->is_endless = options->jobs == 0;
    pace_source(options, new_generator(options, seed), run);
}

// ---- which run

static int fail_db(outbox_db_t *db, char error[SOURCE_ERROR_MAX])
{
    (void)snprintf(error, SOURCE_ERROR_MAX, "%s", outbox_db_error(db));
    return EX_IOERR;
}

// The run that this command asks for.
typedef struct {
    const mm_options_t *options;
    outbox_db_t *db;
    char input[4096];
    bool is_list;
    outbox_run_t former; // the one that it goes on with; number 0: none
    int64_t last_list;   // the highest number of a kept list
    bool takes_over;
    uint64_t taken_over;    // jobs of other drivers, which --take-over withdraws
    char other_driver[256]; // of the last of them
} wanted_t;

static bool has_driver(const wanted_t *wanted, const outbox_run_t *former)
{
    return strcmp(former->driver, wanted->options->run_driver) == 0;
}

// A list goes on with every other list, the generator only with itself.
static bool is_same(const wanted_t *wanted, const outbox_run_t *former)
{
    if (wanted->is_list)
        return former->list > 0 && has_driver(wanted, former);
    return has_driver(wanted, former) && strcmp(former->input, wanted->input) == 0;
}

// A run of a program that kept no list: nobody knows which of its hosts are done.
static int refuse_unkept(const wanted_t *wanted, const outbox_run_t *former,
                         char error[SOURCE_ERROR_MAX])
{
    (void)snprintf(
        error, SOURCE_ERROR_MAX,
        "an unfinished run in %s/outbox.db was begun by an earlier version, which kept "
        "no list of its hosts (%.1000s); finish it with that version; or begin a new one "
        "with --take-over, which restarts the whole list; or choose another --dir",
        wanted->options->dir, former->input);
    return EX_CONFIG;
}

static bool is_generator(const outbox_run_t *former)
{
    return strncmp(former->input, "generator", 9) == 0;
}

// What --take-over withdraws, and else is refused.
static void take_over(wanted_t *wanted, const outbox_run_t *former, uint64_t left)
{
    wanted->takes_over = true;
    wanted->taken_over += left;
    (void)snprintf(wanted->other_driver, sizeof wanted->other_driver, "%s", former->driver);
}

// Looks at an unfinished run: it is the one to go on with; or its jobs are finished along the way,
// withdrawn, or a reason to refuse.
static int see_former(wanted_t *wanted, outbox_run_t *former, run_t *run,
                      char error[SOURCE_ERROR_MAX])
{
    uint64_t left = outbox_run_left(former);
    uint64_t withdrawn = 0;
    if (outbox_db_withdrawn_of(wanted->db, former->number, &withdrawn) != OUTBOX_DB_OK)
        return fail_db(wanted->db, error);
    bool has_ended = run->is_endless && former->progress.done;
    bool is_others = left > withdrawn && !has_driver(wanted, former);
    bool is_unkept =
        wanted->is_list && former->list == 0 && !is_generator(former) && has_driver(wanted, former);
    if (is_others && !wanted->options->take_over)
        return other_driver_refuse(wanted->options, former, left, error);
    if (is_unkept && !wanted->options->take_over)
        return refuse_unkept(wanted, former, error);
    if (is_others || is_unkept) {
        take_over(wanted, former, left);
    } else if (wanted->former.number == 0 && is_same(wanted, former) && !has_ended) {
        wanted->former = *former;
        *former = (outbox_run_t){0};
    } else if (former->number != wanted->former.number) {
        run->left_over += left;
    }
    return 0;
}

static int see_formers(wanted_t *wanted, run_t *run, char error[SOURCE_ERROR_MAX])
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
        exit_code = see_former(wanted, &former, run, error);
        outbox_run_clear(&former);
    }
    return exit_code;
}

// The run that an earlier publisher of this supervisor has begun: if it was killed behind its last
// commit, all is done, and nothing must begin anew.
static int see_begun(wanted_t *wanted, int64_t number, char error[SOURCE_ERROR_MAX])
{
    outbox_run_t begun = {0};
    bool found = false;
    if (number == 0)
        return 0;
    if (outbox_db_run(wanted->db, number, &begun, &found) != OUTBOX_DB_OK)
        return fail_db(wanted->db, error);
    if (found && is_same(wanted, &begun))
        wanted->former = begun;
    else
        outbox_run_clear(&begun);
    return 0;
}

// ---- going on, and beginning

static int go_on(const wanted_t *wanted, run_t *run, char error[SOURCE_ERROR_MAX])
{
    const outbox_run_t *former = &wanted->former;
    source_t *source = NULL;
    char path[4096];
    int exit_code = 0;
    kept_list_name(wanted->options->dir, former->list, path);
    if (former->grows) {
        run->growing = kept_list_grow(wanted->options->dir, former->list, former->listed, error);
        exit_code = run->growing
                        ? input_open(wanted->options, run->own, run->policy, NULL, &source, error)
                        : EX_IOERR;
    } else {
        exit_code = source_list_open(path, &source, error);
    }
    if (exit_code != 0)
        return exit_code;
    pace_source(wanted->options, source, run);
    source_resume(run->source, &former->progress);
    run->number = former->number;
    run->resumed = true;
    run->waits = true;
    return 0;
}

static outbox_run_t begun_now(const wanted_t *wanted)
{
    return (outbox_run_t){.input = (char *)(uintptr_t)wanted->input,
                          .driver = (char *)(uintptr_t)wanted->options->run_driver,
                          .started_ms = mm_clock_wall_ms()};
}

// Begins a run, and withdraws all that is left of another driver.
static int begin(const wanted_t *wanted, const outbox_run_t *begun, run_t *run,
                 char error[SOURCE_ERROR_MAX])
{
    outbox_relist_t change = {.run = begun, .ends_others = wanted->takes_over};
    uint64_t *tokens = NULL;
    if (wanted->takes_over && (tokens = run_list_backlog(wanted->db, &change.count, error)) == NULL)
        return EX_IOERR;
    change.withdrawn = tokens;
    outbox_db_status_t status =
        outbox_db_relist(wanted->db, &change, mm_clock_wall_ms(), &run->number);
    free(tokens);
    if (status != OUTBOX_DB_OK)
        return fail_db(wanted->db, error);
    run->waits = true;
    if (wanted->takes_over) {
        mm_log(MM_LOG_WARN, "Taking over from another driver",
               MM_STRING("driver", wanted->other_driver), MM_INT("withdrawn", wanted->taken_over));
        (void)fprintf(stderr,
                      "%s: takes over from \"%s\": %" PRIu64 " of its jobs are withdrawn; those "
                      "that have begun are looked at first\n",
                      wanted->options->id, wanted->other_driver, wanted->taken_over);
        run->left_over = 0;
    }
    return 0;
}

static void say_withdrawn(const wanted_t *wanted, const run_merge_t *merge)
{
    mm_log(MM_LOG_INFO, "Going on with another list", MM_INT("added", merge->added),
           MM_INT("withdrawn", merge->withdrawn));
    if (merge->withdrawn > 0)
        (void)fprintf(stderr, "%s: %" PRIu64 " host%s no longer on the list: withdrawn\n",
                      wanted->options->id, merge->withdrawn,
                      merge->withdrawn == 1 ? " is" : "s are");
}

// Reads the whole list, and begins a run with it, or goes on with the former one.
static int take_list(wanted_t *wanted, source_t *source, run_t *run, char error[SOURCE_ERROR_MAX])
{
    outbox_run_t *former = &wanted->former;
    run_list_t list = {.dir = wanted->options->dir,
                       .title = wanted->options->id,
                       .number = wanted->last_list + 1,
                       .is_new = former->number == 0,
                       .has_groups = run->policy != NULL};
    run_merge_t merge = {0};
    int exit_code = run_list_read(source, &list, error);
    if (exit_code != 0)
        return exit_code;
    bool is_new = former->number == 0;
    if (is_new) {
        *former = begun_now(wanted);
        former->progress = list.progress;
        former->list = list.number;
        exit_code = begin(wanted, former, run, error);
        former->number = run->number;
        former->input = former->driver = NULL; // not owned
    } else if (!former->grows && former->progress.digest == list.progress.digest) {
        kept_list_remove(list.dir, list.number); // the same list again
    } else {
        exit_code = run_list_merge(wanted->db, &list, former, &merge, error);
        if (exit_code == 0)
            say_withdrawn(wanted, &merge);
        run->left_over = 0;
    }
    if (exit_code == 0)
        exit_code = go_on(wanted, run, error);
    run->resumed = !is_new;
    if (merge.withdrawn + merge.added > 0)
        run->waits = merge.is_both;
    return exit_code;
}

// A stream of which nothing was read before, without a policy: its hosts are restarted as they
// come.
static int take_stream(wanted_t *wanted, source_t **source_p, run_t *run,
                       char error[SOURCE_ERROR_MAX])
{
    outbox_run_t begun = begun_now(wanted);
    begun.list = wanted->last_list + 1;
    begun.grows = true;
    run->growing = kept_list_new(wanted->options->dir, begun.list, error);
    if (!run->growing || !kept_list_sync(run->growing, error))
        return EX_IOERR;
    pace_source(wanted->options, *source_p, run);
    *source_p = NULL;
    return begin(wanted, &begun, run, error);
}

// begun: the former run is one of this supervisor, and the input was read, or is being read.
static int open_list(wanted_t *wanted, bool begun, run_t *run, char error[SOURCE_ERROR_MAX])
{
    source_t *source = NULL;
    if (outbox_db_last_list(wanted->db, &wanted->last_list) != OUTBOX_DB_OK)
        return fail_db(wanted->db, error);
    if (begun)
        return go_on(wanted, run, error);
    int exit_code = input_open(wanted->options, run->own, run->policy, NULL, &source, error);
    if (exit_code != 0)
        return exit_code;
    bool comes_slowly = source_descriptor(source) >= 0 && !run->policy;
    exit_code = comes_slowly && wanted->former.number == 0
                    ? take_stream(wanted, &source, run, error)
                    : take_list(wanted, source, run, error);
    source_destroy(&source);
    return exit_code;
}

static int open_generated(wanted_t *wanted, run_t *run, char error[SOURCE_ERROR_MAX])
{
    outbox_run_t begun = begun_now(wanted);
    if (wanted->former.number == 0) {
        source_progress(run->source, &begun.progress);
        return begin(wanted, &begun, run, error);
    }
    run->number = wanted->former.number;
    run->resumed = true;
    source_resume(run->source, &wanted->former.progress);
    return 0;
}

static void count_host(void *arg, mm_str_t host, mm_str_t attributes)
{
    (void)host;
    policy_groups_count(arg, attributes);
}

// What a policy needs to know of the run: its key, and how many hosts its groups have.
static int see_run(const wanted_t *wanted, run_t *run, char error[SOURCE_ERROR_MAX])
{
    outbox_run_t row = {0};
    bool found = false;
    if (outbox_db_run(wanted->db, run->number, &row, &found) != OUTBOX_DB_OK)
        return fail_db(wanted->db, error);
    int64_t list = row.list;
    run->key = row.key;
    outbox_run_clear(&row);
    if (!run->policy)
        return 0;
    if (list == 0)
        policy_groups_count_all(run->policy, (uint64_t)wanted->options->jobs);
    if (list != 0 &&
        !kept_list_read(wanted->options->dir, list, KEPT_LIST_ALL, count_host, run->policy, error))
        return EX_IOERR;
    return list == 0 || policy_groups_suffice(run->policy, wanted->options->policy_needs,
                                              wanted->options->allow_empty, error)
               ? 0
               : EX_CONFIG;
}

int run_open(const mm_options_t *options, uint64_t seed, int64_t begun, outbox_db_t *db,
             run_t *ret_run, char error[SOURCE_ERROR_MAX])
{
    run_t run = {.own = input_own_new(options), .is_file = *options->input != '\0'};
    wanted_t wanted = {.options = options, .db = db, .is_list = run.is_file};
    if (options->policy)
        run.policy = policy_groups_new(options->policy_groups);
    name_input(options, wanted.input, sizeof wanted.input);
    if (!run.is_file)
        open_generator(options, seed, &run);
    int exit_code = see_begun(&wanted, begun, error);
    bool is_begun = wanted.former.number != 0;
    if (exit_code == 0)
        exit_code = see_formers(&wanted, &run, error);
    if (wanted.takes_over && !is_begun)
        outbox_run_clear(&wanted.former); // a new run
    if (exit_code == 0)
        exit_code = run.is_file ? open_list(&wanted, is_begun, &run, error)
                                : open_generated(&wanted, &run, error);
    if (exit_code == 0)
        exit_code = see_run(&wanted, &run, error);
    outbox_run_clear(&wanted.former);
    if (exit_code != 0)
        run_close(&run);
    else
        *ret_run = run;
    return exit_code;
}

// ---- the mark

static void name_mark(const char *dir, char path[4096])
{
    (void)snprintf(path, 4096, "%s/publisher.run", dir);
}

static void write_mark(const run_t *run, const char *dir, const char *line, const char *end)
{
    char path[4096];
    name_mark(dir, path);
    FILE *file = fopen(path, "we");
    if (!file)
        return;
    (void)fprintf(file, "%" PRId64 "\n%s%s", run->number, line, end);
    (void)fclose(file);
}

void run_mark(const run_t *run, const char *dir)
{
    write_mark(run, dir, "", "");
}

void run_mark_bad_input(const run_t *run, const char *dir, const char *error)
{
    write_mark(run, dir, error, "\n");
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
    kept_list_close(&run->growing);
    input_own_destroy(&run->own);
    policy_groups_destroy(&run->policy);
}
