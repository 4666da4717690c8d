// See run.h.

#include "run.h"
#include "clock.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

// What the run is recorded under. A bounded generator is a run that can be resumed.
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

static int open_source(const mm_options_t *options, uint64_t seed, run_t *run,
                       char error[SOURCE_ERROR_MAX])
{
    if (*options->input) {
        source_file_config_t config = {
            .path = options->input, .skips_bad_lines = options->on_bad_line == MM_ON_BAD_LINE_SKIP};
        run->is_file = true;
        source_t *file = NULL;
        int exit_code = source_file_open(&config, &file, error);
        if (exit_code == 0)
            run->source = source_paced_new(
                &file, &(source_paced_config_t){.rate = options->rate,
                                                .jobs = (uint64_t)options->jobs,
                                                .duration_ms = options->run_for_ms});
        return exit_code;
    }
    source_generate_config_t config = {.seed = seed,
                                       .pace = options->rate == MM_RATE_MAX ? SOURCE_PACE_UNLIMITED
                                               : options->rate > 0          ? SOURCE_PACE_RATE
                                                                            : SOURCE_PACE_RANDOM,
                                       .rate = options->rate,
                                       .jobs = (uint64_t)options->jobs,
                                       .duration_ms = options->run_for_ms};
    run->source = source_generate_new(&config);
    run->is_endless = options->jobs == 0;
    return 0;
}

static int fail_db(outbox_db_t *db, char error[SOURCE_ERROR_MAX])
{
    (void)snprintf(error, SOURCE_ERROR_MAX, "%s", outbox_db_error(db));
    return EX_IOERR;
}

static int refuse_driver(const outbox_run_t *former, const mm_options_t *options, uint64_t left,
                         char error[SOURCE_ERROR_MAX])
{
    (void)snprintf(error, SOURCE_ERROR_MAX,
                   "%" PRIu64 " jobs are left in %s/outbox.db from a run with the driver \"%s\", "
                   "and this one has \"%s\"; finish that run with its own command, or choose "
                   "another --dir",
                   left, options->dir, former->driver, options->driver);
    return EX_CONFIG;
}

// Looks through the unfinished runs: *ret_same is the number of the one that this command resumes,
// 0 when there is none, and *ret_recorded is where its source stood.
static int find_same(const mm_options_t *options, outbox_db_t *db, const char *input,
                     const source_progress_t *source, run_t *run, int64_t *ret_same,
                     source_progress_t *ret_recorded, char error[SOURCE_ERROR_MAX])
{
    *ret_same = 0;
    for (int64_t before = INT64_MAX;;) {
        outbox_run_t former = {0};
        bool found = false;
        if (outbox_db_unfinished(db, before, &former, &found) != OUTBOX_DB_OK)
            return fail_db(db, error);
        if (!found)
            return 0;
        before = former.number;
        uint64_t left = former.accepted - former.restarted - former.dead;
        bool same_driver = strcmp(former.driver, options->driver) == 0;
        bool same_input = strcmp(former.input, input) == 0 &&
                          (source->digest == 0 || source->digest == former.progress.digest);
        int exit_code = 0;
        if (left > 0 && !same_driver) {
            exit_code = refuse_driver(&former, options, left, error);
        } else if (*ret_same == 0 && same_driver && same_input &&
                   !(run->is_endless && former.progress.done)) {
            *ret_same = former.number;
            *ret_recorded = former.progress;
        } else {
            run->left_over += left;
        }
        outbox_run_clear(&former);
        if (exit_code != 0)
            return exit_code;
    }
}

static int begin_or_resume(const mm_options_t *options, outbox_db_t *db, run_t *run,
                           char error[SOURCE_ERROR_MAX])
{
    char input[4096];
    name_input(options, input, sizeof input);
    source_progress_t source, recorded;
    source_progress(run->source, &source);
    int64_t same;
    int exit_code = find_same(options, db, input, &source, run, &same, &recorded, error);
    if (exit_code != 0)
        return exit_code;
    if (same != 0) {
        run->number = same;
        run->resumed = true;
        source_resume(run->source, &recorded);
        return 0;
    }
    outbox_run_t begun = {.input = input,
                          .driver = (char *)(uintptr_t)options->driver,
                          .progress = source,
                          .started_ms = mm_clock_wall_ms()};
    if (outbox_db_begin_run(db, &begun, &run->number) != OUTBOX_DB_OK)
        return fail_db(db, error);
    return 0;
}

int run_open(const mm_options_t *options, uint64_t seed, outbox_db_t *db, run_t *ret_run,
             char error[SOURCE_ERROR_MAX])
{
    run_t run = {0};
    int exit_code = open_source(options, seed, &run, error);
    if (exit_code == 0)
        exit_code = begin_or_resume(options, db, &run, error);
    if (exit_code != 0)
        run_close(&run);
    else
        *ret_run = run;
    return exit_code;
}

void run_close(run_t *run)
{
    source_destroy(&run->source);
}
