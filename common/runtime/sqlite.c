// See sqlite.h. All connections of a process belong to one thread.

#include "sqlite.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "clock.h"
#include "file_watch.h"
#include "job.h"
#include "span.h"
#include "uuid.h"
#include "wal_vfs.h"

#define OPEN_BUSY_MS     2000 // at the start another program may be reading the file
#define RUNNING_BUSY_MS  100  // later a heartbeat is due every 500 ms
#define LOOK_MS          500  // for what the kernel does not report of the files
#define CHECKPOINT_PAGES 250 // SQLite has 1000, and commits then wait for longer: p99.9 9 ms, not 6
#define VACUUM_FREE      1024 // free pages that are worth a vacuum,
#define VACUUM_SHARE     4    // if they are so many times as many as the others,
#define VACUUM_LEFT      4096 // and those so few that it takes a moment: copying them takes 70 ms

struct mm_sqlite {
    char *path;
    char *log_path;         // PATH-wal
    mm_file_watch_t *files; // which these two name
    int64_t looked_ms;      // when the paths were last looked at, by the loop's clock
    sqlite3 *db;
    int lock;             // descriptor of the lock file; -1: read-only, no lock
    sqlite3_stmt *begin;  // BEGIN IMMEDIATE
    sqlite3_stmt *commit; // COMMIT
    bool is_broken;       // latched by the first FATAL
    char error[MM_ERROR_MAX];
};

// The errno of the call that failed; 0: none. A failing COMMIT does not set sqlite3_system_errno,
// so errno is set to 0 before each call of SQLite.
static int cause_of(sqlite3 *db)
{
    return errno != 0 ? errno : sqlite3_system_errno(db);
}

// SQLite reports ENOSPC as SQLITE_FULL except for the shared index, and a quota or a file size
// limit as an I/O error. None of them is a failed fsync: SQLite rolls back, and commits are not in
// doubt.
static bool is_no_room(sqlite3 *db)
{
    int code = sqlite3_extended_errcode(db);
    if ((code & 0xff) == SQLITE_FULL)
        return true;
    if ((code & 0xff) != SQLITE_IOERR && (code & 0xff) != SQLITE_CANTOPEN)
        return false;
    if (code == SQLITE_IOERR_FSYNC || code == SQLITE_IOERR_DIR_FSYNC)
        return false;
    int cause = cause_of(db);
    return cause == ENOSPC || cause == EDQUOT || cause == EFBIG;
}

static void describe(const mm_sqlite_t *self, char error[MM_ERROR_MAX])
{
    int code = sqlite3_errcode(self->db) & 0xff;
    if (is_no_room(self->db) && cause_of(self->db) == EFBIG)
        snprintf(error, MM_ERROR_MAX,
                 "no room to write '%s': raise the limit of file sizes (ulimit -f), or free some "
                 "space",
                 self->path);
    else if (is_no_room(self->db))
        snprintf(error, MM_ERROR_MAX, "no room to write '%s'; free some space", self->path);
    else if (code == SQLITE_BUSY || code == SQLITE_LOCKED)
        snprintf(error, MM_ERROR_MAX, "'%s' is busy: another program is writing to it", self->path);
    else if (code == SQLITE_NOTADB)
        snprintf(error, MM_ERROR_MAX, "'%s' is not a database; move it away or name another file",
                 self->path);
    else if (code == SQLITE_ERROR)
        snprintf(error, MM_ERROR_MAX,
                 "'%s' is not what this program expects (%s); name another file", self->path,
                 sqlite3_errmsg(self->db));
    else if (code == SQLITE_CORRUPT)
        snprintf(error, MM_ERROR_MAX, "'%s' is damaged or cut off (%s); restore it or move it away",
                 self->path, sqlite3_errmsg(self->db));
    else if (code == SQLITE_IOERR || code == SQLITE_CANTOPEN)
        snprintf(error, MM_ERROR_MAX, "cannot read or write '%s': %s (%s)", self->path,
                 sqlite3_errmsg(self->db), strerror(cause_of(self->db)));
    else
        snprintf(error, MM_ERROR_MAX, "'%s': %s", self->path, sqlite3_errmsg(self->db));
}

// From now on all calls fail. Closing must not checkpoint pages that the fsync may have lost.
static void break_down(mm_sqlite_t *self)
{
    self->is_broken = true;
    (void)sqlite3_db_config(self->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
}

// The status of a call that has failed while running; rolls back. The statement, if any, is reset
// first, since it would block the rollback.
static mm_sqlite_status_t fail(mm_sqlite_t *self, sqlite3_stmt *statement)
{
    int code = sqlite3_errcode(self->db) & 0xff;
    assert(code != SQLITE_MISUSE && code != SQLITE_RANGE && code != SQLITE_NOMEM);
    bool is_passing = is_no_room(self->db) || code == SQLITE_BUSY || code == SQLITE_LOCKED;
    describe(self, self->error);
    if (statement != NULL)
        (void)sqlite3_reset(statement);
    mm_sqlite_rollback(self);
    if (is_passing)
        return MM_SQLITE_RETRY;
    break_down(self);
    return MM_SQLITE_FATAL;
}

// SQLite's automatic checkpoint hides its errors. A failed fsync there must end the process too,
// although the commit itself is safe in the log.
static int checkpoint(void *context, sqlite3 *db, const char *name, int pages)
{
    mm_sqlite_t *self = context;
    if (pages < CHECKPOINT_PAGES)
        return SQLITE_OK;
    MM_SPAN_WAITS("sqlite checkpoint");
    errno = 0;
    int code = sqlite3_wal_checkpoint_v2(db, name, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
    if (code != SQLITE_OK && code != SQLITE_BUSY && code != SQLITE_LOCKED)
        (void)fail(self, NULL);
    return SQLITE_OK;
}

// ---- opening

static int take_lock(mm_sqlite_t *self, char error[MM_ERROR_MAX])
{
    struct stat status;
    if (stat(self->path, &status) == 0 && S_ISDIR(status.st_mode)) {
        snprintf(error, MM_ERROR_MAX, "'%s' is a folder; name a file", self->path);
        return EX_CANTCREAT;
    }
    char *name = NULL;
    int length = asprintf(&name, "%s.lock", self->path);
    assert(length > 0);
    self->lock = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    int cause = errno;
    free(name);
    if (self->lock < 0) {
        snprintf(error, MM_ERROR_MAX, "cannot create '%s.lock': %s; check the folder", self->path,
                 strerror(cause));
        bool is_io = cause == EIO || cause == ENOSPC || cause == EDQUOT;
        return is_io ? EX_IOERR : EX_CANTCREAT;
    }
    if (flock(self->lock, LOCK_EX | LOCK_NB) == 0)
        return 0;
    if (errno == EWOULDBLOCK) {
        snprintf(error, MM_ERROR_MAX,
                 "'%s' is already in use by another process; stop it or choose another folder",
                 self->path);
        return EX_UNAVAILABLE;
    }
    snprintf(error, MM_ERROR_MAX, "cannot lock '%s.lock': %s", self->path, strerror(errno));
    return EX_IOERR;
}

// The exit code for the last failed call while opening.
static int open_failure(const mm_sqlite_t *self, char error[MM_ERROR_MAX])
{
    describe(self, error);
    if (is_no_room(self->db))
        return EX_IOERR;
    int code = sqlite3_errcode(self->db) & 0xff;
    if (code == SQLITE_BUSY || code == SQLITE_LOCKED)
        return EX_UNAVAILABLE;
    if (code == SQLITE_NOTADB || code == SQLITE_CORRUPT || code == SQLITE_ERROR)
        return EX_DATAERR;
    if (code == SQLITE_CANTOPEN || code == SQLITE_PERM || code == SQLITE_READONLY)
        return EX_CANTCREAT;
    return EX_IOERR;
}

// Runs a query that returns one number.
static int query_number(mm_sqlite_t *self, const char *sql, int *ret_number,
                        char error[MM_ERROR_MAX])
{
    sqlite3_stmt *statement = NULL;
    int code = 0;
    errno = 0;
    if (sqlite3_prepare_v2(self->db, sql, -1, &statement, NULL) == SQLITE_OK &&
        sqlite3_step(statement) == SQLITE_ROW)
        *ret_number = sqlite3_column_int(statement, 0);
    else
        code = open_failure(self, error);
    (void)sqlite3_finalize(statement);
    return code;
}

// *ret_version: of the file; 0: it is new.
static int check_version(mm_sqlite_t *self, const mm_sqlite_config_t *config, int *ret_version,
                         char error[MM_ERROR_MAX])
{
    int version = 0;
    int tables = 0;
    int code = query_number(self, "PRAGMA user_version", &version, error);
    if (code == 0)
        code = query_number(self, "SELECT count(*) FROM sqlite_schema", &tables, error);
    if (code != 0)
        return code;
    bool is_new = version == 0 && tables == 0;
    bool is_old = version > 0 && version < config->version && config->upgrades != NULL;
    bool is_readable = config->oldest > 0 && version >= config->oldest && version < config->version;
    *ret_version = version;
    if (version == config->version || (config->read_only ? is_readable : is_new || is_old))
        return 0;
    if (version == 0) {
        snprintf(error, MM_ERROR_MAX, "'%s' is not a database of this program; name another file",
                 self->path);
        return EX_DATAERR;
    }
    snprintf(error, MM_ERROR_MAX,
             "'%s' has version %d, but this program writes version %d; use the program that made it"
             " or another file",
             self->path, version, config->version);
    return EX_CONFIG;
}

// Creates the tables of a new file, or brings an older one up to date: all of it or nothing.
static int make_tables(mm_sqlite_t *self, const mm_sqlite_config_t *config, int version,
                       char error[MM_ERROR_MAX])
{
    sqlite3_str *steps = sqlite3_str_new(self->db);
    sqlite3_str_appendall(steps, "BEGIN IMMEDIATE;");
    if (version == 0)
        sqlite3_str_appendf(steps, "%s;", config->schema);
    for (int i = version; version > 0 && i < config->version; i++)
        sqlite3_str_appendf(steps, "%s;", config->upgrades[i - 1]);
    sqlite3_str_appendf(steps, "PRAGMA user_version = %d; COMMIT", config->version);
    char *sql = sqlite3_str_finish(steps);
    assert(sql != NULL);
    errno = 0;
    int code = sqlite3_exec(self->db, sql, NULL, NULL, NULL);
    assert(version > 0 || (code & 0xff) != SQLITE_ERROR);
    sqlite3_free(sql);
    code = code == SQLITE_OK ? 0 : open_failure(self, error);
    mm_sqlite_rollback(self);
    return code;
}

// Sets full fsyncs, as mm_wal_vfs needs, and the write-ahead log, and makes the tables. Deleted
// rows are not zeroed: Debian's default is to do so, and the outbox deletes every job.
static int set_up(mm_sqlite_t *self, const mm_sqlite_config_t *config, int version,
                  char error[MM_ERROR_MAX])
{
    static const char *const settings[] = {"PRAGMA synchronous = FULL", "PRAGMA journal_mode = WAL",
                                           "PRAGMA secure_delete = OFF",
                                           "PRAGMA temp_store = MEMORY"};
    errno = 0;
    for (size_t i = 0; i < sizeof settings / sizeof settings[0]; i++)
        if (sqlite3_exec(self->db, settings[i], NULL, NULL, NULL) != SQLITE_OK)
            return open_failure(self, error);
    return version == config->version ? 0 : make_tables(self, config, version, error);
}

int mm_sqlite_prepare(mm_sqlite_t *self, const char *sql, sqlite3_stmt **ret_statement,
                      char error[MM_ERROR_MAX])
{
    sqlite3_stmt *statement = NULL;
    errno = 0;
    int code = sqlite3_prepare_v3(self->db, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, NULL);
    if (code != SQLITE_OK)
        return open_failure(self, error);
    *ret_statement = statement;
    return 0;
}

// Remembers which files are open. SQLite makes the log when it first reads.
static int identify(mm_sqlite_t *self, char error[MM_ERROR_MAX])
{
    int tables = 0;
    int code = query_number(self, "SELECT count(*) FROM sqlite_schema", &tables, error);
    if (code != 0)
        return code;
    if (mm_file_watch_add(self->files, self->path) &&
        mm_file_watch_add(self->files, self->log_path))
        return 0;
    snprintf(error, MM_ERROR_MAX, "'%s' or its '-wal' has gone while it was opened: %s", self->path,
             strerror(errno));
    return EX_IOERR;
}

static int open_database(mm_sqlite_t *self, const mm_sqlite_config_t *config,
                         char error[MM_ERROR_MAX])
{
    if (config->read_only && access(config->path, F_OK) != 0) {
        snprintf(error, MM_ERROR_MAX, "there is no '%s' to read: %s", config->path,
                 strerror(errno));
        return EX_DATAERR;
    }
    // Before the first database of the process; SQLite refuses it later. Only one thread calls
    // SQLite, and no caller asks how much memory it uses.
    (void)sqlite3_config(SQLITE_CONFIG_SINGLETHREAD);
    (void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
    errno = 0;
    int flags =
        config->read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
    const char *vfs = config->read_only ? NULL : mm_wal_vfs();
    if (sqlite3_open_v2(config->path, &self->db, flags | SQLITE_OPEN_NOMUTEX, vfs) != SQLITE_OK)
        return open_failure(self, error);
    (void)sqlite3_extended_result_codes(self->db, 1);
    (void)sqlite3_busy_timeout(self->db, OPEN_BUSY_MS);
    int version = 0;
    int code = check_version(self, config, &version, error);
    if (code != 0)
        return code;
    if (!config->read_only) {
        if (sqlite3_db_readonly(self->db, "main") == 1) {
            snprintf(error, MM_ERROR_MAX, "'%s' may not be written; check its owner and mode",
                     self->path);
            return EX_CANTCREAT;
        }
        code = set_up(self, config, version, error);
        if (code != 0)
            return code;
        (void)sqlite3_wal_hook(self->db, checkpoint, self);
    }
    code = mm_sqlite_prepare(self, "BEGIN IMMEDIATE", &self->begin, error);
    if (code == 0)
        code = mm_sqlite_prepare(self, "COMMIT", &self->commit, error);
    if (code == 0 && !config->read_only)
        code = identify(self, error);
    (void)sqlite3_busy_timeout(self->db, RUNNING_BUSY_MS);
    return code;
}

int mm_sqlite_open(const mm_sqlite_config_t *config, mm_sqlite_t **ret_self,
                   char error[MM_ERROR_MAX])
{
    mm_sqlite_t *self = calloc(1, sizeof *self);
    assert(self != NULL);
    self->lock = -1;
    self->files = mm_file_watch_new();
    self->path = strdup(config->path);
    int length = asprintf(&self->log_path, "%s-wal", config->path);
    assert(self->path != NULL && length > 0);
    int code = config->read_only ? 0 : take_lock(self, error);
    if (code == 0)
        code = open_database(self, config, error);
    if (code != 0) {
        mm_sqlite_close(&self);
        return code;
    }
    *ret_self = self;
    return 0;
}

mm_sqlite_t *mm_sqlite_open_if_there(const char *path, int oldest, int version)
{
    mm_sqlite_t *self = NULL;
    char error[MM_ERROR_MAX];
    mm_sqlite_config_t config = {
        .path = path, .version = version, .oldest = oldest, .read_only = true};
    return access(path, F_OK) == 0 && mm_sqlite_open(&config, &self, error) == 0 ? self : NULL;
}

void mm_sqlite_close(mm_sqlite_t **self_p)
{
    mm_sqlite_t *self = *self_p;
    if (self == NULL)
        return;
    *self_p = NULL;
    if (self->db != NULL) {
        sqlite3_stmt *statement = NULL;
        while ((statement = sqlite3_next_stmt(self->db, NULL)) != NULL)
            (void)sqlite3_finalize(statement);
        int code = sqlite3_close(self->db);
        assert(code == SQLITE_OK);
    }
    if (self->lock >= 0)
        (void)close(self->lock);
    mm_file_watch_delete(&self->files);
    free(self->path);
    free(self->log_path);
    free(self);
}

sqlite3 *mm_sqlite_handle(mm_sqlite_t *self)
{
    return self->db;
}

mm_sqlite_status_t mm_sqlite_check(mm_sqlite_t *self)
{
    if (self->is_broken)
        return MM_SQLITE_FATAL;
    self->looked_ms = mm_clock_ms();
    const char *lost = mm_file_watch_lost(self->files);
    if (lost == NULL)
        return MM_SQLITE_OK;
    snprintf(self->error, sizeof self->error,
             "'%s' was removed, moved or replaced while it was open, and what was written last "
             "may be lost; put it back, and start again",
             lost);
    break_down(self);
    return MM_SQLITE_FATAL;
}

const char *mm_sqlite_error(const mm_sqlite_t *self)
{
    return self->error;
}

// ---- statements

void mm_sqlite_bind_text(sqlite3_stmt *statement, int index, mm_str_t text)
{
    const char *data = text.size > 0 ? text.data : "";
    int code = sqlite3_bind_text(statement, index, data, (int)text.size, SQLITE_STATIC);
    assert(code == SQLITE_OK);
}

void mm_sqlite_bind_text_or_null(sqlite3_stmt *statement, int index, mm_str_t text)
{
    if (text.size > 0)
        mm_sqlite_bind_text(statement, index, text);
    else
        (void)sqlite3_bind_null(statement, index);
}

void mm_sqlite_bind_id(sqlite3_stmt *statement, int index, const mm_id_t *id)
{
    int code = sqlite3_bind_blob(statement, index, id->bytes, (int)sizeof id->bytes, SQLITE_STATIC);
    assert(code == SQLITE_OK);
}

mm_sqlite_status_t mm_sqlite_run(mm_sqlite_t *self, sqlite3_stmt *statement)
{
    bool has_row = false;
    mm_sqlite_status_t status = mm_sqlite_row(self, statement, &has_row);
    assert(status != MM_SQLITE_OK || !has_row);
    return status;
}

mm_sqlite_status_t mm_sqlite_row(mm_sqlite_t *self, sqlite3_stmt *statement, bool *ret_row)
{
    if (self->is_broken)
        return MM_SQLITE_FATAL;
    errno = 0;
    int code = sqlite3_step(statement);
    if (code != SQLITE_ROW && code != SQLITE_DONE)
        return fail(self, statement);
    if (code == SQLITE_DONE)
        (void)sqlite3_reset(statement);
    *ret_row = code == SQLITE_ROW;
    return MM_SQLITE_OK;
}

mm_str_t mm_sqlite_column_text(sqlite3_stmt *statement, int column)
{
    const unsigned char *data = sqlite3_column_text(statement, column);
    if (data == NULL)
        return mm_str("");
    return (mm_str_t){(const char *)data, (size_t)sqlite3_column_bytes(statement, column)};
}

char *mm_sqlite_column_copy(sqlite3_stmt *statement, int column)
{
    mm_str_t text = mm_sqlite_column_text(statement, column);
    char *copy = strndup(text.data, text.size);
    assert(copy != NULL);
    return copy;
}

mm_id_t mm_sqlite_column_id(sqlite3_stmt *statement, int column)
{
    mm_id_t id = {{0}};
    const void *data = sqlite3_column_blob(statement, column);
    size_t size = (size_t)sqlite3_column_bytes(statement, column);
    if (data)
        memcpy(id.bytes, data, size < sizeof id.bytes ? size : sizeof id.bytes);
    return id;
}

mm_id_t mm_sqlite_column_uuid(sqlite3_stmt *statement, int column)
{
    mm_id_t id = {{0}};
    (void)mm_uuid_parse(mm_sqlite_column_text(statement, column), &id);
    return id;
}

// ---- transactions

mm_sqlite_status_t mm_sqlite_begin(mm_sqlite_t *self)
{
    assert(sqlite3_get_autocommit(self->db));
    return mm_sqlite_run(self, self->begin);
}

mm_sqlite_status_t mm_sqlite_commit(mm_sqlite_t *self)
{
    MM_SPAN_WAITS("sqlite commit");
    mm_sqlite_status_t status = mm_sqlite_run(self, self->commit);
    // Its checkpoint may have failed: then the commit was safe.
    if (status != MM_SQLITE_OK || self->is_broken)
        return status;
    bool is_due = mm_clock_ms() >= self->looked_ms + LOOK_MS;
    return mm_file_watch_has_news(self->files) || is_due ? mm_sqlite_check(self) : MM_SQLITE_OK;
}

mm_sqlite_status_t mm_sqlite_vacuum(mm_sqlite_t *self)
{
    if (self->is_broken)
        return MM_SQLITE_FATAL;
    int pages = 0, unused = 0;
    if (query_number(self, "PRAGMA page_count", &pages, self->error) != 0 ||
        query_number(self, "PRAGMA freelist_count", &unused, self->error) != 0)
        return fail(self, NULL);
    int left = pages - unused;
    if (unused < VACUUM_FREE || unused < VACUUM_SHARE * left || left > VACUUM_LEFT)
        return MM_SQLITE_OK;
    MM_SPAN_WAITS("sqlite vacuum");
    errno = 0;
    if (sqlite3_exec(self->db, "VACUUM", NULL, NULL, NULL) != SQLITE_OK)
        return fail(self, NULL);
    (void)checkpoint(self, self->db, "main", CHECKPOINT_PAGES); // which cuts the file off
    return self->is_broken ? MM_SQLITE_FATAL : MM_SQLITE_OK;
}

void mm_sqlite_rollback(mm_sqlite_t *self)
{
    if (!sqlite3_get_autocommit(self->db))
        (void)sqlite3_exec(self->db, "ROLLBACK", NULL, NULL, NULL);
}
