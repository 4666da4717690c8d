// See done_hosts.h.

#include "done_hosts.h"
#include "host_fold.h"
#include "kept_list.h"
#include "outbox_db.h"

#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#define PAGE 4096 // jobs of the outbox at a time

typedef struct {
    hostset_t *left; // have a job that is not settled
    hostset_t *done;
} hosts_t;

static bool fail(const outbox_db_t *db, char error[SOURCE_ERROR_MAX])
{
    (void)snprintf(error, SOURCE_ERROR_MAX, "%s", outbox_db_error(db));
    return false;
}

typedef struct {
    int64_t list;    // the number of its kept list; 0: there is no such run
    uint64_t listed; // how many hosts of that were accepted
    uint64_t key;
} former_t;

static bool find_run(outbox_db_t *db, const char *driver, former_t *former,
                     char error[SOURCE_ERROR_MAX])
{
    for (int64_t before = INT64_MAX; former->list == 0;) {
        outbox_run_t run = {0};
        bool found = false;
        if (outbox_db_unfinished(db, before, &run, &found) != OUTBOX_DB_OK)
            return fail(db, error);
        if (!found)
            return true;
        before = run.number;
        if (strcmp(run.driver, driver) == 0)
            *former = (former_t){run.list, run.listed, run.key};
        outbox_run_clear(&run);
    }
    return true;
}

static bool read_left(outbox_db_t *db, hosts_t *hosts, char error[SOURCE_ERROR_MAX])
{
    const outbox_row_t *rows;
    size_t count = PAGE;
    for (uint64_t after = 0; count == PAGE;) {
        outbox_db_status_t status = outbox_db_load(db, after, PAGE, &rows, &count);
        if (status == OUTBOX_DB_RETRY) // a reader waits for nobody for long
            count = PAGE;
        else if (status != OUTBOX_DB_OK)
            return fail(db, error);
        for (size_t i = 0; status == OUTBOX_DB_OK && i < count; i++) {
            char buffer[MM_HOST_MAX];
            (void)hostset_add(hosts->left, mm_host_fold(rows[i].host, buffer));
            after = rows[i].token;
        }
    }
    return true;
}

static void see_accepted(void *arg, mm_str_t host, mm_str_t attributes)
{
    const hosts_t *hosts = arg;
    char buffer[MM_HOST_MAX];
    mm_str_t folded = mm_host_fold(host, buffer);
    (void)attributes;
    if (!hostset_has(hosts->left, folded))
        (void)hostset_add(hosts->done, folded);
}

int done_hosts_read(const mm_options_t *options, hostset_t **ret_done, uint64_t *ret_key,
                    char error[SOURCE_ERROR_MAX])
{
    char path[4096];
    outbox_db_t *db = NULL;
    hosts_t hosts = {hostset_new(), hostset_new()};
    former_t former = {0};
    (void)snprintf(path, sizeof path, "%s/outbox.db", options->dir);
    bool has_outbox = access(path, F_OK) == 0 && !options->take_over;
    int exit_code = has_outbox ? outbox_db_open(path, true, &db, error) : 0;
    if (exit_code == 0 && db && !find_run(db, options->run_driver, &former, error))
        exit_code = EX_IOERR;
    if (exit_code == 0 && former.list > 0 &&
        !(read_left(db, &hosts, error) &&
          kept_list_read(options->dir, former.list, former.listed, see_accepted, &hosts, error)))
        exit_code = EX_IOERR;
    outbox_db_close(&db);
    hostset_destroy(&hosts.left);
    *ret_key = former.key;
    if (exit_code == 0)
        *ret_done = hosts.done;
    else
        hostset_destroy(&hosts.done);
    return exit_code;
}
