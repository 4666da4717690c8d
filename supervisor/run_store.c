// See run_store.h.

#include "run_store.h"
#include "caller.h"
#include "kept_record.h"
#include "outbox_schema.h"
#include "record_reader.h"
#include "record_uri.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

int run_store_find(run_settings_t *settings, const mm_options_t *saver,
                   const mm_options_t *consumer)
{
    char kept[KEPT_RECORD_MAX] = "", error[MM_ERROR_MAX];
    bool is_named = !mm_options_is_default(saver, "store") || !mm_options_is_default(saver, "db");
    int code = is_named ? 0 : kept_record_read(settings->dir, kept, error);
    if (code != 0)
        return caller_fail(code, "%s", error);
    if (*kept)
        arguments_add(&settings->arguments[MM_PROGRAM_SAVER], "--store=%s", kept);
    settings->db = strdup(*kept ? kept : saver->store);
    assert(settings->db);
    if (strcmp(consumer->store, settings->db) != 0)
        arguments_add(&settings->arguments[MM_PROGRAM_CONSUMER], "--store=%s", settings->db);
    return 0;
}

static bool take_one(void *arg, const mm_rows_t *row)
{
    (void)row;
    *(bool *)arg = true;
    return false;
}

// What cannot be read is said by the publisher, which then begins nothing.
static bool has_unfinished(const char *dir)
{
    char path[4096], error[MM_ERROR_MAX];
    bool is_found = false;
    mm_reader_t *outbox = NULL;
    mm_rows_t *rows = NULL;
    (void)snprintf(path, sizeof path, "%s/outbox.db", dir);
    mm_reader_config_t config = {.where = path, .version = OUTBOX_VERSION, .oldest = 1};
    if (mm_reader_open_if_there(&config, &outbox, error) == 0 && outbox &&
        mm_reader_rows(outbox, "SELECT 1 FROM runs WHERE finished_ms IS NULL", &rows, error) == 0)
        (void)mm_rows_each(&rows, take_one, &is_found, error);
    mm_reader_close(&outbox);
    return is_found;
}

int run_store_keep(const run_settings_t *settings)
{
    char kept[KEPT_RECORD_MAX], error[MM_ERROR_MAX];
    const char *wanted = mm_record_is_uri(settings->db) ? settings->db : "";
    int code = kept_record_read(settings->dir, kept, error);
    if (code != 0)
        return caller_fail(code, "%s", error);
    if (strcmp(kept, wanted) == 0)
        return 0;
    if (has_unfinished(settings->dir))
        return caller_fail(EX_CONFIG,
                           "what is unfinished in %s is on record in %s, and --store says %s: name "
                           "that one until it is finished, or another folder with --dir",
                           settings->dir, *kept ? kept : "a file", settings->db);
    code = kept_record_write(settings->dir, settings->db, error);
    return code == 0 ? 0 : caller_fail(code, "%s", error);
}
