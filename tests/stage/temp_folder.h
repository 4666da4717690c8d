// A folder for each test, made before it and removed after it with all that is in it.

#ifndef TEMP_FOLDER_H
#define TEMP_FOLDER_H

#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

enum { TEMP_PATH_MAX = 96 };

static char folder[sizeof "/tmp/mayhem_test.XXXXXX"]; // of the test that runs

static inline void make_temp_folder(void)
{
    strcpy(folder, "/tmp/mayhem_test.XXXXXX");
    assert_non_null(mkdtemp(folder));
}

// Where `name` is, or would be, in the folder.
static inline void temp_path(char ret_path[TEMP_PATH_MAX], const char *name)
{
    (void)snprintf(ret_path, TEMP_PATH_MAX, "%s/%s", folder, name);
}

static inline int remove_temp_entry(const char *name, const struct stat *status, int flag,
                                    struct FTW *ftw)
{
    (void)status, (void)flag, (void)ftw;
    return remove(name);
}

// For the end of a test: 0, or -1 when something could not be removed.
static inline int remove_temp_folder(void **state)
{
    (void)state;
    return nftw(folder, remove_temp_entry, 8, FTW_DEPTH | FTW_PHYS);
}

#endif
