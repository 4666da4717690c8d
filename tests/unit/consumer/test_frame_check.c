// Which frames and topics each key may have: a table of every kind and every role.

#include "frame_check.h"
#include "socket.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const mm_key_role_t roles[] = {MM_KEY_CONSUMER,  MM_KEY_PUBLISHER, MM_KEY_SAVER,
                                      MM_KEY_RESTARTER, MM_KEY_VIEWER,    MM_KEY_OPERATOR};
#define ROLES (sizeof roles / sizeof *roles)

// For each kind, who may send it on jobs and on the inbox: c, p, s, r, v and o, in their order.
static const struct {
    mm_frame_kind_t kind;
    const char *on_jobs;
    const char *on_inbox;
} rights[] = {
    {MM_FRAME_JOBS, "p", ""},       {MM_FRAME_TASKS, "", ""},     {MM_FRAME_HELLO, "", "sr"},
    {MM_FRAME_HEARTBEAT, "", "sr"}, {MM_FRAME_STARTED, "", "sr"}, {MM_FRAME_RESULTS, "", "sr"},
    {MM_FRAME_BYE, "", "sr"},       {MM_FRAME_NOTICES, "", ""},   {MM_FRAME_WELCOME, "", ""},
    {MM_FRAME_REFUSED, "", ""},     {MM_FRAME_REJOIN, "", ""},    {MM_FRAME_BEAT, "", ""},
    {MM_FRAME_LEAVING, "", ""},     {MM_FRAME_QUERY, "", "vo"},   {MM_FRAME_TELL, "p", "sr"},
    {MM_FRAME_ORDER, "", "o"},      {MM_FRAME_ORDERS, "", ""},    {MM_FRAME_RECORDED, "", "s"},
    {MM_FRAME_STATE, "", "s"},      {MM_FRAME_LEASE_ASK, "", ""}, {MM_FRAME_LEASE, "", "s"},
    {MM_FRAME_HANDOVER, "", "o"}};
#define KINDS (sizeof rights / sizeof *rights)

static mm_allowed_t row_of(mm_key_role_t role, const char *name)
{
    mm_allowed_t row = {.serial = 1, .role = role};
    assert_true(mm_name_from(mm_str(name), &row.name));
    return row;
}

// A frame of this kind in this name, if it has one.
static mm_frame_t frame_of(mm_frame_kind_t kind, const char *name, mm_key_role_t role)
{
    mm_frame_t frame = {.kind = kind};
    mm_str_t text = mm_str(name);
    switch ((int)kind) {
    case MM_FRAME_JOBS: frame.as.jobs.publisher = text; break;
    case MM_FRAME_HELLO:
    case MM_FRAME_HEARTBEAT:
        frame.as.report.worker = text;
        frame.as.report.role = role == MM_KEY_SAVER ? MM_ROLE_SAVER : MM_ROLE_RESTARTER;
        break;
    case MM_FRAME_STARTED: frame.as.started.worker = text; break;
    case MM_FRAME_RESULTS: frame.as.results.worker = text; break;
    case MM_FRAME_BYE: frame.as.bye.worker = text; break;
    case MM_FRAME_TELL: frame.as.tell.process = text; break;
    case MM_FRAME_RECORDED: frame.as.recorded.worker = text; break;
    case MM_FRAME_STATE: frame.as.state.worker = text; break;
    case MM_FRAME_LEASE: frame.as.lease.worker = text; break;
    }
    return frame;
}

static void check(size_t kind, mm_key_role_t role, bool is_jobs, bool is_own)
{
    char expected[64];
    mm_allowed_t row = row_of(role, "eu-1");
    mm_frame_t frame = frame_of(rights[kind].kind, is_own ? "eu-1" : "eu-10", role);
    const char *who = is_jobs ? rights[kind].on_jobs : rights[kind].on_inbox;
    const char *why = frame_check(&row, is_jobs, &frame);
    bool has_name = frame.kind != MM_FRAME_QUERY && frame.kind != MM_FRAME_ORDER &&
                    frame.kind != MM_FRAME_HANDOVER;
    (void)snprintf(expected, sizeof expected, "a frame that is no %s's", mm_key_role_name(role));
    if (!strchr(who, "cpsrvo"[role]) || *who == '\0')
        assert_string_equal(why, expected);
    else if (has_name && !is_own)
        assert_string_equal(why, "a frame in another's name");
    else
        assert_null(why);
}

static void each_role_may_send_its_own_frames_in_its_own_name(void **state)
{
    (void)state;
    assert_int_equal(KINDS, MM_FRAME_KINDS);
    for (size_t kind = 0; kind < KINDS; kind++)
        for (size_t role = 0; role < ROLES; role++)
            for (int bits = 0; bits < 4; bits++)
                check(kind, roles[role], (bits & 1) != 0, (bits & 2) != 0);
}

static void a_report_must_say_the_role_of_its_key(void **state)
{
    (void)state;
    static const mm_frame_kind_t kinds[] = {MM_FRAME_HELLO, MM_FRAME_HEARTBEAT};
    mm_allowed_t saver = row_of(MM_KEY_SAVER, "x"), restarter = row_of(MM_KEY_RESTARTER, "x");
    for (size_t i = 0; i < 2; i++) {
        mm_frame_t of_saver = frame_of(kinds[i], "x", MM_KEY_SAVER);
        mm_frame_t of_restarter = frame_of(kinds[i], "x", MM_KEY_RESTARTER);
        assert_null(frame_check(&saver, false, &of_saver));
        assert_null(frame_check(&restarter, false, &of_restarter));
        assert_string_equal(frame_check(&saver, false, &of_restarter),
                            "a frame that is no saver's");
        assert_string_equal(frame_check(&restarter, false, &of_saver),
                            "a frame that is no restarter's");
    }
}

static void a_hello_of_another_version_is_the_keys_own_too(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROLES; i++) {
        mm_allowed_t row = row_of(roles[i], "x");
        bool may = roles[i] == MM_KEY_SAVER || roles[i] == MM_KEY_RESTARTER;
        assert_int_equal(frame_check_foreign(&row, false, mm_str("x")) == NULL, may);
        assert_non_null(frame_check_foreign(&row, false, mm_str("y")));
        assert_non_null(frame_check_foreign(&row, true, mm_str("x")));
    }
}

static void each_socket_has_its_roles(void **state)
{
    (void)state;
    static const struct {
        const char *domain, *who;
    } cases[] = {{"jobs", "p"},     {"inbox", "srvo"}, {"events", "psrvo"},
                 {"viewers", "vo"}, {"", ""},          {"session-0000000000000001", ""},
                 {"probe", ""},     {"job", ""},       {"jobsx", ""}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (size_t role = 0; role < ROLES; role++)
            assert_int_equal(frame_check_domain(roles[role], mm_str(cases[i].domain)),
                             *cases[i].who && strchr(cases[i].who, "cpsrvo"[role]) != NULL);
}

// A topic with its NUL, or cut off to `size` bytes.
static bool may_hear(mm_key_role_t role, bool on_viewers, const char *topic, size_t size)
{
    mm_allowed_t row = row_of(role, "eu-1");
    return frame_check_topic(&row, on_viewers, (mm_str_t){topic, size});
}

static void each_role_may_hear_its_own_topics(void **state)
{
    (void)state;
    static const struct {
        const char *topic, *on_events, *on_viewers;
    } cases[] = {{"consumer", "psrvo", ""}, {"progress", "pvo", ""},   {"viewers", "vo", "vo"},
                 {"job.eu-1", "p", ""},     {"job.eu-10", "", ""},     {"job.", "", ""},
                 {"lease", "s", ""},        {"worker.eu-1", "sr", ""}, {"worker.eu-10", "", ""},
                 {"worker.", "", ""},       {"worker.eu-1x", "", ""},  {"", "", ""},
                 {"consume", "", ""}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t size = strlen(cases[i].topic);
        for (size_t role = 0; role < ROLES; role++) {
            const char letter = "cpsrvo"[role];
            const char *topic = cases[i].topic;
            assert_int_equal(may_hear(roles[role], false, topic, size + 1),
                             *cases[i].on_events && strchr(cases[i].on_events, letter));
            assert_int_equal(may_hear(roles[role], true, topic, size + 1),
                             *cases[i].on_viewers && strchr(cases[i].on_viewers, letter));
            assert_false(may_hear(roles[role], false, topic, size)); // a prefix of more
            assert_false(may_hear(roles[role], true, topic, size));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_role_may_send_its_own_frames_in_its_own_name),
        cmocka_unit_test(a_report_must_say_the_role_of_its_key),
        cmocka_unit_test(a_hello_of_another_version_is_the_keys_own_too),
        cmocka_unit_test(each_socket_has_its_roles),
        cmocka_unit_test(each_role_may_hear_its_own_topics),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
