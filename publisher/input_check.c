// See input_check.h.

#include "input_check.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "done_hosts.h"
#include "host_fold.h"
#include "input.h"
#include "other_driver.h"
#include "outbox_db.h"

static void print_host(const source_item_t *item, bool is_done)
{
    mm_str_t groups = {0};
    (void)mm_attributes_find(item->attributes, mm_str("groups"), &groups);
    (void)printf("%s: %.*s%s%.*s\n", is_done ? "done" : "host", (int)item->host.size,
                 item->host.data, groups.size > 0 ? " " : "", (int)groups.size,
                 groups.size > 0 ? groups.data : "");
}

// A host of the list. done: those that an unfinished run has done.
static void see_host(const source_item_t *item, const hostset_t *done, bool is_shown,
                     run_facts_t *facts)
{
    char buffer[MM_HOST_MAX];
    bool is_done = hostset_count(done) > 0 && hostset_has(done, mm_host_fold(item->host, buffer));
    facts->hosts++;
    facts->done += is_done;
    if (facts->policy)
        policy_groups_count(facts->policy, item->attributes);
    if (is_shown)
        print_host(item, is_done);
}

// Reads it to its end, and waits for what a stream still has.
static int read_all(source_t *source, const hostset_t *done, bool is_shown, run_facts_t *facts,
                    char error[SOURCE_ERROR_MAX])
{
    source_item_t item;
    for (;;) {
        struct pollfd readable = {.fd = source_descriptor(source), .events = POLLIN};
        switch (source_next(source, 0, &item)) {
        case SOURCE_ITEM: see_host(&item, done, is_shown, facts); break;
        case SOURCE_WAIT: (void)poll(&readable, 1, -1); break;
        case SOURCE_END: return 0;
        case SOURCE_BAD:
            if (item.ends) {
                (void)snprintf(error, SOURCE_ERROR_MAX, "%s", item.error);
                return item.exit_code;
            }
            break;
        }
    }
}

static int fail_db(const outbox_db_t *db, char error[SOURCE_ERROR_MAX])
{
    (void)snprintf(error, SOURCE_ERROR_MAX, "%s", outbox_db_error(db));
    return EX_IOERR;
}

// Jobs that are left of another driver.
static int check_left(const mm_options_t *options, char error[SOURCE_ERROR_MAX])
{
    char path[4096];
    outbox_db_t *db;
    (void)snprintf(path, sizeof path, "%s/outbox.db", options->dir);
    int exit_code = access(path, F_OK) == 0 ? outbox_db_open(path, true, &db, error) : -1;
    if (exit_code != 0)
        return exit_code < 0 ? 0 : exit_code;
    for (int64_t before = INT64_MAX; exit_code == 0;) {
        outbox_run_t former = {0};
        bool found = false;
        if (outbox_db_unfinished(db, before, &former, &found) != OUTBOX_DB_OK)
            exit_code = fail_db(db, error);
        if (!found)
            break;
        before = former.number;
        uint64_t left = outbox_run_left(&former), withdrawn = 0;
        if (outbox_db_withdrawn_of(db, former.number, &withdrawn) != OUTBOX_DB_OK)
            exit_code = fail_db(db, error);
        bool is_others = left > withdrawn && strcmp(former.driver, options->run_driver) != 0;
        if (exit_code == 0 && is_others && !options->take_over)
            exit_code = other_driver_refuse(options, &former, left, error);
        outbox_run_clear(&former);
    }
    outbox_db_close(&db);
    return exit_code;
}

int run_check(const mm_options_t *options, run_facts_t *ret_facts, char error[SOURCE_ERROR_MAX])
{
    input_own_t *own = input_own_new(options);
    hostset_t *groups = hostset_new(), *done = NULL;
    source_t *source = NULL;
    run_facts_t facts = {.is_list = *options->input != '\0'};
    if (options->policy)
        facts.policy = policy_groups_new(options->policy_groups);
    int exit_code = check_left(options, error);
    if (exit_code == 0 && facts.is_list)
        exit_code = done_hosts_read(options, &done, &facts.key, error);
    if (exit_code == 0 && facts.is_list)
        exit_code = input_open(options, own, facts.policy, groups, &source, error);
    if (exit_code == 0 && facts.is_list)
        exit_code = read_all(source, done, options->show_hosts, &facts, error);
    if (exit_code == 0 && facts.is_list)
        source_progress(source, &facts.source);
    facts.source.total = facts.hosts;
    facts.groups = hostset_count(groups);
    source_destroy(&source);
    hostset_destroy(&groups);
    hostset_destroy(&done);
    input_own_destroy(&own);
    if (exit_code == 0)
        *ret_facts = facts;
    else
        policy_groups_destroy(&facts.policy);
    return exit_code;
}
