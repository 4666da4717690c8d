// See wal_vfs.h. A file is one of "unix" with a gather_t behind it: its methods are those of "unix"
// but for the ones below, so that what is not changed costs nothing.

#include "wal_vfs.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

#define NAME        "mayhem"
#define CAPACITY    0x1ffff // bytes; "unix" writes no more at a time
#define WRITER_LOCK 0       // WAL_WRITE_LOCK of the file format

typedef struct gather {
    sqlite3_io_methods methods;
    const sqlite3_io_methods *unix_methods;
    struct gather *other; // of a log: its database; of a database: its log, NULL while it has none
    char *bytes;          // of a log: CAPACITY
    sqlite3_int64 offset; // in the log, of the first byte
    size_t count;
} gather_t;

// The copy of "unix" whose files have a gather_t, and where in a file that is.
static sqlite3_vfs vfs;
static size_t gather_at;

static gather_t *gather_of(sqlite3_file *file)
{
    return (gather_t *)(void *)((char *)file + gather_at);
}

// ---- the log

static int flush(sqlite3_file *file)
{
    gather_t *self = gather_of(file);
    if (self->count == 0)
        return SQLITE_OK;
    int code = self->unix_methods->xWrite(file, self->bytes, (int)self->count, self->offset);
    if (code == SQLITE_OK)
        self->count = 0;
    return code;
}

static int write_log(sqlite3_file *file, const void *data, int size, sqlite3_int64 offset)
{
    gather_t *self = gather_of(file);
    bool is_next = offset == self->offset + (sqlite3_int64)self->count;
    if (!is_next || self->count + (size_t)size > CAPACITY) {
        int code = flush(file);
        if (code != SQLITE_OK)
            return code;
        self->offset = offset;
    }
    assert(size <= CAPACITY); // a page at most
    memcpy(self->bytes + self->count, data, (size_t)size);
    self->count += (size_t)size;
    return SQLITE_OK;
}

static int read_log(sqlite3_file *file, void *data, int size, sqlite3_int64 offset)
{
    gather_t *self = gather_of(file);
    if (offset + size > self->offset && offset < self->offset + (sqlite3_int64)self->count) {
        int code = flush(file);
        if (code != SQLITE_OK)
            return code;
    }
    return self->unix_methods->xRead(file, data, size, offset);
}

static int sync_log(sqlite3_file *file, int flags)
{
    int code = flush(file);
    return code == SQLITE_OK ? gather_of(file)->unix_methods->xSync(file, flags) : code;
}

static int truncate_log(sqlite3_file *file, sqlite3_int64 size)
{
    int code = flush(file);
    return code == SQLITE_OK ? gather_of(file)->unix_methods->xTruncate(file, size) : code;
}

static int size_of_log(sqlite3_file *file, sqlite3_int64 *ret_size)
{
    int code = flush(file);
    return code == SQLITE_OK ? gather_of(file)->unix_methods->xFileSize(file, ret_size) : code;
}

static int close_log(sqlite3_file *file)
{
    gather_t *self = gather_of(file);
    self->other->other = NULL;
    free(self->bytes);
    return self->unix_methods->xClose(file);
}

// ---- the database

// The locks of the log are those of the database's file.
static int lock_database(sqlite3_file *file, int lock, int count, int flags)
{
    gather_t *self = gather_of(file);
    if (lock == WRITER_LOCK && (flags & SQLITE_SHM_UNLOCK) != 0 && self->other != NULL)
        self->other->count = 0;
    return self->unix_methods->xShmLock(file, lock, count, flags);
}

// ---- opening

// Gives the file methods of its own, to change.
static gather_t *add_gather(sqlite3_file *file)
{
    gather_t *self = gather_of(file);
    *self = (gather_t){.methods = *file->pMethods, .unix_methods = file->pMethods};
    if (self->methods.iVersion > 3)
        self->methods.iVersion = 3; // a later one has methods that were not copied
    file->pMethods = &self->methods;
    return self;
}

static void open_database(sqlite3_file *file)
{
    add_gather(file)->methods.xShmLock = lock_database;
}

static void open_log(sqlite3_file *file, const char *name)
{
    gather_t *self = add_gather(file);
    self->other = gather_of(sqlite3_database_file_object(name));
    self->other->other = self;
    self->bytes = malloc(CAPACITY);
    assert(self->bytes != NULL);
    self->methods.xWrite = write_log;
    self->methods.xRead = read_log;
    self->methods.xSync = sync_log;
    self->methods.xTruncate = truncate_log;
    self->methods.xFileSize = size_of_log;
    self->methods.xClose = close_log;
}

static int open_file(sqlite3_vfs *self, const char *name, sqlite3_file *file, int flags,
                     int *ret_flags)
{
    sqlite3_vfs *unix_vfs = self->pAppData;
    int code = unix_vfs->xOpen(unix_vfs, name, file, flags, ret_flags);
    if (code != SQLITE_OK)
        return code;
    if ((flags & SQLITE_OPEN_MAIN_DB) != 0)
        open_database(file);
    else if ((flags & SQLITE_OPEN_WAL) != 0)
        open_log(file, name);
    return SQLITE_OK;
}

const char *mm_wal_vfs(void)
{
    if (sqlite3_vfs_find(NAME) != NULL)
        return NAME;
    sqlite3_vfs *unix_vfs = sqlite3_vfs_find("unix");
    assert(unix_vfs != NULL);
    gather_at = ((size_t)unix_vfs->szOsFile + 15) / 16 * 16;
    vfs = *unix_vfs;
    vfs.zName = NAME;
    vfs.szOsFile = (int)(gather_at + sizeof(gather_t));
    vfs.pAppData = unix_vfs;
    vfs.xOpen = open_file;
    int code = sqlite3_vfs_register(&vfs, 0);
    assert(code == SQLITE_OK);
    return NAME;
}
