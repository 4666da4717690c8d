// See hear.h.

#include "hear.h"
#include "temp_folder.h"

#include <sys/mman.h>
#include <unistd.h>

static int saved = -1, kept;
static char text[16384];

void hear_begin(void)
{
    (void)fflush(stderr);
    saved = dup(STDERR_FILENO);
    kept = memfd_create("heard", MFD_CLOEXEC);
    assert_true(saved >= 0 && kept >= 0);
    assert_int_equal(dup2(kept, STDERR_FILENO), STDERR_FILENO);
}

const char *hear_end(void)
{
    (void)fflush(stderr);
    assert_int_equal(dup2(saved, STDERR_FILENO), STDERR_FILENO);
    close(saved);
    ssize_t size = pread(kept, text, sizeof text - 1, 0);
    close(kept);
    assert_in_range(size, 0, sizeof text - 2);
    text[size] = '\0';
    return text;
}
