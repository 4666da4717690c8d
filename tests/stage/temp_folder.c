// See temp_folder.h.

#include "temp_folder.h"

#include <fcntl.h>
#include <unistd.h>
#include <ftw.h>

char folder[sizeof "/tmp/mayhem_test.XXXXXX"];

void make_temp_folder(void)
{
    strcpy(folder, "/tmp/mayhem_test.XXXXXX");
    assert_non_null(mkdtemp(folder));
}

void temp_path(char ret_path[TEMP_PATH_MAX], const char *name)
{
    (void)snprintf(ret_path, TEMP_PATH_MAX, "%s/%s", folder, name);
}

static int remove_temp_entry(const char *name, const struct stat *status, int flag, struct FTW *ftw)
{
    (void)status, (void)flag, (void)ftw;
    return remove(name);
}

int remove_temp_folder(void **state)
{
    (void)state;
    return nftw(folder, remove_temp_entry, 8, FTW_DEPTH | FTW_PHYS);
}

void temp_write(const char *path, const char *bytes, size_t size, mode_t mode)
{
    (void)unlink(path);
    int descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
    assert_true(descriptor >= 0);
    assert_int_equal(write(descriptor, bytes, size), size);
    assert_int_equal(fchmod(descriptor, mode), 0);
    (void)close(descriptor);
}
