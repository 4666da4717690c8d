// getpid () without a system call, and in children.

#include "known_pid.h"

#include <dlfcn.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static bool is_right(void)
{
    return getpid() == (pid_t)syscall(SYS_getpid);
}

static void a_child_has_its_own(void **state)
{
    (void)state;
    assert_true(is_right());
    mm_known_pid_start();
    assert_true(is_right());
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        _exit(is_right() ? 0 : 1);
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_true(is_right());
}

// Else nothing is saved.
static void libraries_find_this_one(void **state)
{
    (void)state;
    void *found = dlsym(RTLD_DEFAULT, "getpid");
    pid_t (*own)(void) = getpid;
    assert_memory_equal(&found, &own, sizeof found);
    Dl_info program, there;
    assert_true(dladdr((void *)(uintptr_t)mm_known_pid_start, &program) != 0);
    assert_true(dladdr(found, &there) != 0);
    assert_string_equal(there.dli_fname, program.dli_fname);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_child_has_its_own),
        cmocka_unit_test(libraries_find_this_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
