// See run_debts.h.

#include "run_debts.h"
#include "caller.h"
#include "child_process.h"
#include "debt_book.h"
#include "publisher_report.h"
#include "record_uri.h"
#include "run_record.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool was_same_driver(const run_settings_t *settings)
{
    int exit_code;
    json_t *json = publisher_report_json(settings->dir, &exit_code);
    const char *driver = json_string_value(json_object_get(json, "driver"));
    bool is_same = driver && settings->driver.words && strcmp(driver, settings->driver.words) == 0;
    json_decref(json);
    return is_same;
}

// record: the path that the restarter reads and writes.
static void pay(const run_settings_t *settings, const char *record, int input, int output)
{
    arguments_t words = {0};
    child_process_t child;
    char *program = child_process_sibling("mayhem-restarter"), parent[32];
    arguments_add(&words, "%s", program);
    arguments_add_all(&words, &settings->arguments[MM_PROGRAM_RESTARTER]);
    arguments_add(&words, "--pay=%s", record);
    (void)snprintf(parent, sizeof parent, "%d", (int)getpid());
    (void)setenv("MAYHEM_PARENT", parent, 1);
    if (child_process_start(words.items, input, output, STDERR_FILENO, &child) == 0)
        (void)child_process_end(&child);
    (void)unsetenv("MAYHEM_PARENT");
    arguments_clear(&words);
    free(program);
}

// The restarter has no libpq, so the record is not one that it can write to.
static void pay_by_book(const run_settings_t *settings, int input, int output)
{
    char error[MM_ERROR_MAX], *path = NULL;
    if (debt_book_open(settings->dir, settings->db, &path, error) != 0) {
        (void)caller_fail(0, "what --after does is still owed, and not made up for now: %s", error);
        return;
    }
    pay(settings, path, input, output);
    if (debt_book_close(settings->dir, settings->db, error) != 0)
        (void)caller_fail(
            0, "what was made up for is not on record yet; the next run does that: %s", error);
    free(path);
}

void run_debts_pay(const run_settings_t *settings, int input, int output)
{
    run_record_t record = {0};
    if (!settings->driver.is_mock && !settings->options.dry_run)
        record = run_record_read(settings->db, settings->dir);
    bool may_pay = record.payable > 0 && was_same_driver(settings);
    if (may_pay && mm_record_is_uri(settings->db))
        pay_by_book(settings, input, output);
    else if (may_pay)
        pay(settings, settings->db, input, output);
    run_record_clear(&record);
}
