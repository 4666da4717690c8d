// See store_check.h.

#include "store_check.h"
#include "clock.h"
#include "record_reader.h"
#include "record_schema.h"
#include "record_uri.h"

#include <inttypes.h>
#include <stdlib.h>

#define CLOCK_MAX_MS 2000 // between the clocks, before it warns

// Its host and port, as they are in a URI.
static mm_str_t server_of(const char *uri)
{
    const char *begin = strstr(uri, "://") + 3;
    size_t size = strcspn(begin, "/?");
    const char *user = memchr(begin, '@', size);
    return user ? (mm_str_t){user + 1, size - (size_t)(user + 1 - begin)} : (mm_str_t){begin, size};
}

static void check_standby(findings_t *findings, const mm_rows_t *row)
{
    mm_str_t names = mm_rows_text(row, SERVER_SYNCHRONOUS);
    int64_t standbys = mm_rows_number(row, SERVER_STANDBYS);
    if (names.size == 0)
        finding_warn(findings,
                     "record: no synchronous standby: what is acknowledged is on this server "
                     "alone, and a fail-over may lose outcomes, orders and attempts that were "
                     "begun; set synchronous_standby_names");
    else if (standbys == 0 && mm_rows_number(row, SERVER_HIDDEN) == 0)
        finding_fail(findings,
                     "record: no standby of synchronous_standby_names = '%.*s' is connected: every "
                     "commit waits for one",
                     (int)names.size, names.data);
    else if (standbys == 0)
        finding_ok(findings,
                   "record: commits wait for a standby of '%.*s'; whether it is connected is not "
                   "shown to this role (pg_read_all_stats)",
                   (int)names.size, names.data);
    else
        finding_ok(findings, "record: commits wait for a synchronous standby, of '%.*s'",
                   (int)names.size, names.data);
}

// asked_ms: when the server was asked, Unix time; its answer is in between.
static void check_clock(findings_t *findings, int64_t server_ms, int64_t asked_ms,
                        int64_t answered_ms)
{
    int64_t ahead_ms = server_ms > answered_ms ? server_ms - answered_ms
                       : server_ms < asked_ms  ? server_ms - asked_ms
                                               : 0;
    int64_t apart_ms = ahead_ms < 0 ? -ahead_ms : ahead_ms;
    if (apart_ms > CLOCK_MAX_MS)
        finding_warn(findings,
                     "record: its clock is %" PRId64 ".%03d s %s this one: times on record are "
                     "off; synchronise both",
                     apart_ms / 1000, (int)(apart_ms % 1000), ahead_ms > 0 ? "ahead of" : "behind");
    else
        finding_ok(findings, "record: its clock and this one are %" PRId64 " ms apart", apart_ms);
}

// The only row of this SQL; NULL, after a finding, when there is none. It is the reader's.
static mm_rows_t *read_row(findings_t *findings, mm_reader_t *record, const char *sql)
{
    mm_rows_t *row = NULL;
    char error[MM_ERROR_MAX];
    bool has_row = false;
    if (mm_reader_rows(record, sql, &row, error) != 0)
        finding_fail(findings, "%s", error);
    else if (mm_rows_next(row, &has_row) != 0)
        finding_fail(findings, "%s", mm_reader_error(record));
    else if (!has_row)
        finding_fail(findings, "record: the row of the lease is not there: restore it");
    return has_row ? row : NULL;
}

static void check_server(findings_t *findings, mm_reader_t *record, const char *uri)
{
    mm_str_t server = server_of(uri);
    int64_t asked_ms = mm_clock_wall_ms();
    mm_rows_t *row = read_row(findings, record, RECORD_POSTGRESQL_SERVER);
    int64_t answered_ms = mm_clock_wall_ms();
    if (!row)
        return;
    mm_str_t version = mm_rows_text(row, SERVER_VERSION);
    finding_ok(findings, "record %.*s: PostgreSQL %.*s, tables of version %d", (int)server.size,
               server.data, (int)strcspn(version.data, " "), version.data, RECORD_POSTGRESQL);
    if (mm_rows_number(row, SERVER_HAS_FSYNC) == 0)
        finding_fail(findings,
                     "record: fsync is off: a crash of the server loses what was acknowledged, or "
                     "all of it; switch it on");
    check_standby(findings, row);
    check_clock(findings, mm_rows_number(row, SERVER_CLOCK_MS), asked_ms, answered_ms);
}

static void check_lease(findings_t *findings, mm_reader_t *record)
{
    mm_rows_t *row = read_row(findings, record, RECORD_POSTGRESQL_LEASE);
    if (!row)
        return;
    int64_t epoch = mm_rows_number(row, LEASE_EPOCH), left_ms = mm_rows_number(row, LEASE_LEFT_MS);
    mm_str_t holder = mm_rows_text(row, LEASE_HOLDER);
    if (mm_rows_type(row, LEASE_LEFT_MS) == MM_COLUMN_NULL)
        finding_ok(findings, "record: no consumer has ever led");
    else if (left_ms <= 0)
        finding_warn(findings,
                     "record: no consumer leads; epoch %" PRId64 " (%.*s) ended %" PRId64 " s ago",
                     epoch, (int)holder.size, holder.data, -left_ms / 1000);
    else
        finding_ok(findings,
                   "record: epoch %" PRId64 " (%.*s) leads for another %" PRId64 ".%" PRId64 " s",
                   epoch, (int)holder.size, holder.data, left_ms / 1000, left_ms % 1000 / 100);
}

void store_check(findings_t *findings, const char *where)
{
    char error[MM_ERROR_MAX];
    mm_reader_t *record = NULL;
    mm_reader_config_t config = {.where = where, .version = RECORD_VERSION, .oldest = 1};
    if (mm_reader_open_if_there(&config, &record, error) != 0)
        finding_fail(findings, "%s", error);
    else if (!record)
        finding_warn(findings, "record %s: it can be reached, and no saver has made it yet", where);
    else if (!mm_record_is_uri(where))
        finding_ok(findings, "record %s: version %d", where, mm_reader_version(record));
    else {
        check_server(findings, record, where);
        check_lease(findings, record);
    }
    mm_reader_close(&record);
}
