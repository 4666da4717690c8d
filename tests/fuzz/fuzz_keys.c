// Fuzzing the readers of key files and of allow lists. What they accept has the form that they
// promise, and is read as the same when it is written again; what they refuse they explain in
// printable words, with the name of the file, and nothing has changed. The file is in memory. The
// first byte of the input says which of the two it is.

#include "allow_list.h"
#include "fuzz.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

static int descriptor = -1; // of the file
static char path[64], folder[] = "/tmp/mayhem_fuzz.XXXXXX", written[64];

static void remove_folder(void)
{
    (void)unlink(written);
    (void)rmdir(folder);
}

static void start(void)
{
    if (descriptor >= 0)
        return;
    descriptor = memfd_create("fuzz.key", MFD_CLOEXEC);
    assert(descriptor >= 0);
    int rc = fchmod(descriptor, 0600);
    assert(rc == 0);
    (void)snprintf(path, sizeof path, "/proc/self/fd/%d", descriptor);
    const char *made = mkdtemp(folder);
    assert(made);
    (void)snprintf(written, sizeof written, "%s/written", folder);
    (void)atexit(remove_folder);
}

static void put(const void *data, size_t size)
{
    int rc = ftruncate(descriptor, 0);
    assert(rc == 0);
    ssize_t done = size ? pwrite(descriptor, data, size, 0) : 0;
    assert(done == (ssize_t)size);
}

static void check_refusal(int exit_code, const char *error)
{
    size_t size = strnlen(error, MM_ERROR_MAX);
    assert(exit_code == EX_CONFIG && size > 0 && size < MM_ERROR_MAX);
    assert(strncmp(error, path, strlen(path)) == 0);
    for (size_t i = 0; i < size; i++)
        assert((unsigned char)error[i] >= ' ' && (unsigned char)error[i] < 0x7f);
}

static void read_key(void)
{
    char error[MM_ERROR_MAX] = "";
    mm_key_t key, before, again;
    memset(&key, 0x55, sizeof key);
    before = key;
    int exit_code = mm_key_read(path, &key, error);
    if (exit_code != 0) {
        check_refusal(exit_code, error);
        assert(memcmp(&key, &before, sizeof key) == 0);
        return;
    }
    assert(mm_is_name(mm_str(key.name.text)) && key.server_count <= MM_SERVER_KEYS);
    assert(mm_key_is_valid(mm_str(key.public_key)) && mm_key_is_valid(mm_str(key.secret_key)));
    assert((key.role == MM_KEY_CONSUMER) == (key.server_count == 0));
    exit_code = mm_key_write(&key, written, true, error);
    assert(exit_code == 0);
    exit_code = mm_key_read(written, &again, error);
    assert(exit_code == 0 && key.role == again.role && key.not_after_ms == again.not_after_ms);
    assert(strcmp(key.secret_key, again.secret_key) == 0);
    assert(key.server_count == again.server_count);
}

static void read_list(void)
{
    char error[MM_ERROR_MAX] = "";
    size_t place = 0;
    mm_allow_list_t *list = mm_allow_list_new();
    int exit_code = mm_allow_list_read(list, path, error);
    if (exit_code != 0)
        check_refusal(exit_code, error);
    uint32_t serial = 0;
    for (const mm_allowed_t *row; (row = mm_allow_list_next(list, &place)) != NULL;) {
        assert(exit_code == 0 && row->serial == ++serial && row->role != MM_KEY_CONSUMER);
        assert(mm_is_name(mm_str(row->name.text)) && mm_key_is_valid(mm_str(row->public_key)));
        assert(mm_allow_list_find(list, row->public_key, 0) == row);
        assert(mm_allow_list_row(list, row->serial) == row);
    }
    if (exit_code == 0) {
        exit_code = mm_allow_list_read(list, path, error);
        assert(exit_code == 0 && !mm_allow_list_row(list, serial + 1)); // no line is another one
    }
    assert(!mm_allow_list_next_revoked(list));
    mm_allow_list_destroy(&list);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    start();
    put(data + 1, size - 1);
    if (data[0] & 1)
        read_list();
    else
        read_key();
    return 0;
}
