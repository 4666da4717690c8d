// Tests of common/runtime/record_uri.h.

#include "record_uri.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void a_path_is_no_uri(void **state)
{
    static const char *const paths[] = {"run/mayhem.db", "/srv/a:b@c.db", "postgresql:x", "://x",
                                        ""};
    (void)state;
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        assert_false(mm_record_is_uri(paths[i]));
        assert_false(mm_record_is_postgresql(paths[i]));
        assert_null(mm_record_complaint(paths[i]));
    }
}

static void both_schemes_of_libpq_are_known(void **state)
{
    (void)state;
    assert_true(mm_record_is_postgresql("postgresql://db/mayhem"));
    assert_true(mm_record_is_postgresql("postgres://db/mayhem"));
    assert_true(mm_record_is_uri("mysql://db/mayhem"));
    assert_false(mm_record_is_postgresql("mysql://db/mayhem"));
}

static void a_uri_without_a_password_is_fine(void **state)
{
    static const char *const uris[] = {"postgresql://db1.example:5432,db2.example:5432/mayhem",
                                       "postgresql://mayhem@[::1]:5432/mayhem",
                                       "postgresql:///mayhem?host=/run/postgresql&user=m",
                                       "postgresql://db/mayhem?passfile=/etc/mayhem/pgpass",
                                       "postgresql://db:5432/may@hem?application_name=password"};
    (void)state;
    for (size_t i = 0; i < sizeof uris / sizeof *uris; i++)
        assert_null(mm_record_complaint(uris[i]));
}

static void a_password_is_found_wherever_libpq_takes_one(void **state)
{
    static const char *const uris[] = {
        "postgresql://mayhem:secret@db/mayhem",      "postgres://:secret@db",
        "postgresql://m:se%40cret@db1,db2/mayhem",   "postgresql://m:what?ever@db/mayhem",
        "postgresql://db/mayhem?password=secret",    "postgresql://db?a=b&password=secret",
        "postgresql://db/mayhem?pass%77ord=secret",  "postgresql://db/mayhem?sslpassword=secret",
        "postgresql://db/mayhem?user=m&pass%57ord=x"};
    (void)state;
    for (size_t i = 0; i + 1 < sizeof uris / sizeof *uris; i++) {
        const char *complaint = mm_record_complaint(uris[i]);
        assert_non_null(complaint);
        assert_null(strstr(complaint, "secret"));
        assert_non_null(strstr(complaint, "~/.pgpass"));
    }
    assert_null(mm_record_complaint(uris[sizeof uris / sizeof *uris - 1])); // passWord is no name
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_path_is_no_uri),
        cmocka_unit_test(both_schemes_of_libpq_are_known),
        cmocka_unit_test(a_uri_without_a_password_is_fine),
        cmocka_unit_test(a_password_is_found_wherever_libpq_takes_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
