// A connection to PostgreSQL where there is none: what needs a server is in
// tests/e2e/e2e_pg_link.sh.

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sysexits.h>
#include <unistd.h>

#include <cmocka.h>

#include "clock.h"
#include "pg_link.h"
#include "pg_servers.h"

static int opened(const char *uri, char error[MM_ERROR_MAX])
{
    mm_pg_link_t *link = NULL;
    mm_pg_config_t config = {.uri = uri, .name = "test", .deadline_ms = 400};
    *error = '\0';
    int code = mm_pg_open(&config, &link, error);
    assert_true(code != 0);
    assert_null(link);
    assert_null(strstr(error, "hush"));
    assert_null(strchr(error, '\n'));
    return code;
}

static void what_is_no_uri_is_refused_without_its_password(void **state)
{
    (void)state;
    static const char *const uris[] = {
        "",
        "hush",
        "mayhem.db",
        "host=db password=hush",
        "mysql://u:hush@h/d",
        "postgresql://u:hush@[::1/d",
        "postgresql://u:hush@h:1/d?no_such_thing=1",
        "postgresql://u:hush%zz@h/d",
        "postgresql://u:hush%00@h/d",
        "postgresql://u@h/d?password=hush&password",
        "postgresql://u@h/d?password=hush=1",
        "postgresql://u:hush@h]/d?x",
        "postgresql://u:hush@a,b,c/d?port=1,2",
    };
    for (size_t i = 0; i < sizeof uris / sizeof *uris; i++) {
        char error[MM_ERROR_MAX];
        assert_int_equal(opened(uris[i], error), EX_USAGE);
        assert_non_null(strstr(error, "no URI of PostgreSQL"));
    }
}

// A socket of this test, in *ret_port, which accepts by the kernel and never answers.
static int silent_server(int *ret_port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(descriptor >= 0);
    assert_int_equal(bind(descriptor, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(descriptor, 8), 0);
    assert_int_equal(getsockname(descriptor, (struct sockaddr *)&address, &size), 0);
    *ret_port = ntohs(address.sin_port);
    return descriptor;
}

static void a_server_that_is_silent_is_given_up_in_time(void **state)
{
    (void)state;
    int port, descriptor = silent_server(&port);
    char uri[200], error[MM_ERROR_MAX];
    (void)snprintf(uri, sizeof uri, "postgresql://u:hush@127.0.0.1:%d,127.0.0.1:%d/d", port, port);
    int64_t began_ms = mm_clock_ms();
    assert_int_equal(opened(uri, error), EX_UNAVAILABLE);
    int64_t took_ms = mm_clock_ms() - began_ms;
    assert_true(took_ms >= 790); // both of them
    assert_true(took_ms < 20000);
    assert_non_null(strstr(error, "no answer within 400 ms"));
    (void)close(descriptor);
}

static void nobody_listens(void **state)
{
    (void)state;
    int port, descriptor = silent_server(&port);
    (void)close(descriptor);
    char uri[200], error[MM_ERROR_MAX], server[40];
    (void)snprintf(uri, sizeof uri, "postgresql://u:hush@127.0.0.1:%d/d", port);
    (void)snprintf(server, sizeof server, "127.0.0.1:%d", port);
    assert_int_equal(opened(uri, error), EX_UNAVAILABLE);
    assert_non_null(strstr(error, "refused"));
    assert_non_null(strstr(error, server));
}

static void a_host_that_nobody_knows(void **state)
{
    (void)state;
    char error[MM_ERROR_MAX];
    assert_int_equal(opened("postgresql://u:hush@no-such-host.invalid/d", error), EX_UNAVAILABLE);
    assert_non_null(strstr(error, "no-such-host.invalid:5432"));
}

static void hosts_and_ports_are_paired(void **state)
{
    (void)state;
    char error[MM_ERROR_MAX];
    mm_pg_servers_t *servers = mm_pg_servers_new(
        "postgresql://u@127.0.0.1:11,127.0.0.2,[::1]:13,%2Frun%2Fpg/d?connect_timeout=7", "test",
        400, error);
    assert_non_null(servers);
    assert_int_equal(mm_pg_servers_look_up(servers), 4);
    assert_string_equal(mm_pg_servers_name(servers, 0), "127.0.0.1:11");
    assert_string_equal(mm_pg_servers_name(servers, 1), "127.0.0.2:5432");
    assert_string_equal(mm_pg_servers_name(servers, 2), "[::1]:13");
    assert_string_equal(mm_pg_servers_name(servers, 3), "/run/pg:5432");
    assert_int_equal(mm_pg_servers_connect_ms(servers), 7000);
    mm_pg_servers_destroy(&servers);
    assert_null(servers);
}

// What libpq was given for a keyword; the caller frees all.
static const char *given(PQconninfoOption *options, const char *keyword)
{
    for (; options->keyword != NULL; options++)
        if (strcmp(options->keyword, keyword) == 0)
            return options->val != NULL ? options->val : "";
    return "";
}

static void check_given(const char *uri, const char *keyword, const char *expected)
{
    char error[MM_ERROR_MAX];
    mm_pg_servers_t *servers = mm_pg_servers_new(uri, "test", 400, error);
    assert_non_null(servers);
    PGconn *connection = mm_pg_servers_connect(servers, 0);
    PQconninfoOption *options = PQconninfo(connection);
    assert_non_null(options);
    assert_string_equal(given(options, keyword), expected);
    PQconninfoFree(options);
    PQfinish(connection);
    mm_pg_servers_destroy(&servers);
}

static void the_primary_is_sought_unless_the_uri_says_otherwise(void **state)
{
    (void)state;
    check_given("postgresql://u@127.0.0.1:1/d", "target_session_attrs", "primary");
    check_given("postgresql://u@127.0.0.1:1/d?target_session_attrs=any", "target_session_attrs",
                "any");
    check_given("postgresql://u@127.0.0.1:1/d", "keepalives_idle", "5");
    check_given("postgresql://u@127.0.0.1:1/d?keepalives_idle=9", "keepalives_idle", "9");
    check_given("postgresql://u@127.0.0.1:1/d", "fallback_application_name", "test");
    check_given("postgresql://u@127.0.0.1:1/d", "tcp_user_timeout", "400");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_no_uri_is_refused_without_its_password),
        cmocka_unit_test(a_server_that_is_silent_is_given_up_in_time),
        cmocka_unit_test(nobody_listens),
        cmocka_unit_test(a_host_that_nobody_knows),
        cmocka_unit_test(hosts_and_ports_are_paired),
        cmocka_unit_test(the_primary_is_sought_unless_the_uri_says_otherwise),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
