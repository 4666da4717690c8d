// What `mayhem run` asks its restarter, and what the publisher, the consumer and the headline get
// of the answer. The restarter is the real one, but in the last tests.

#include "run_driver.h"
#include "settings_read.h"

#include <sys/stat.h>

// ---- what the publisher is told

static void the_driver_is_told_in_words(void **state)
{
    (void)state;
    assert_read(READ_NOTHING());
    assert_string_equal(value_of(PUBLISHER, "--run-driver="), "mock");
    assert_read(READ("-i", "hosts", "-x", "true {host}"));
    assert_string_equal(value_of(PUBLISHER, "--run-driver="), "exec: true {host}");
    assert_read(READ("-i", "hosts", "-x", "true {host}", "--verify=true {host}", "--dry-run"));
    assert_string_equal(value_of(PUBLISHER, "--run-driver="), "exec: true {host} (dry run)");
    write_text("a.ini", "[restarter]\nexec = true x{host}\nverify = true {host}\n");
    assert_read(READ("-i", "hosts", "--config=a.ini"));
    assert_string_equal(value_of(PUBLISHER, "--run-driver="), "exec: true x{host}");
    setenv("MAYHEM_EXEC", "true y{host}", 1);
    assert_read(READ("-i", "hosts", "--config=a.ini"));
    assert_string_equal(value_of(PUBLISHER, "--run-driver="), "exec: true y{host}");
}

// Of three hosts, one of which is done.
static void assert_headline(const char *wanted)
{
    char *headline = run_driver_headline(&settings, 3, 1);
    assert_string_equal(headline, wanted);
    free(headline);
}

static void any_command_is_told_as_it_is(void **state)
{
    (void)state;
    static const char command[] =
        "true {host} attributes: x\nmock: yes\ndriver: y\nconfiguration ok\n";
    assert_read(READ("-i", "hosts", "-x", command));
    assert_string_equal(value_of(PUBLISHER, "--run-driver=") + strlen("exec: "), command);
    assert_null(value_of(PUBLISHER, "--attributes="));
    assert_false(settings.is_demo);
}

static void a_list_of_hosts_is_not_rehearsed_by_mistake(void **state)
{
    (void)state;
    write_text("hosts", "web-1\n");
    assert_int_equal(READ("-i", "hosts"), 64);
    assert_heard("mayhem run: say how: --driver ssh, -x 'CMD {host}', or --mock to rehearse");
    assert_read(READ("-i", "hosts", "--mock-time=1ms"));
    assert_read(READ("-i", "hosts", "--mock-fail=0%"));
    assert_read(READ("-i", "hosts", "--driver=mock"));
    assert_string_equal(value_of(PUBLISHER, "--driver-name="), "mock");
}

static void a_real_driver_has_careful_defaults_and_says_so(void **state)
{
    (void)state;
    write_text("hosts", "web-1\n\n # none\nweb-2 # two\n{\"host\": \"web-3\"}");
    write_text("my.ini", "[driver]\nrestart = true {host}\nidentify = true {host}\n"
                         "timeout = 1m\nverify-timeout = 2m\n");
    assert_read(READ("-i", "hosts", "--driver=./my.ini"));
    assert_headline("3 hosts, 1 of them done, at most 5 at once, by my, proven by boot id");
    assert_string_equal(value_of(CONSUMER, "--at-once="), "5");
    assert_string_equal(value_of(CONSUMER, "--attempts="), "2");
    assert_null(value_of(RESTARTER, "--slots="));
    assert_memory_equal(value_of(PUBLISHER, "--driver-name="), "my-", 3);
    assert_string_equal(value_of(PUBLISHER, "--run-driver="), "my: true {host}");
    assert_int_equal(count_of(CONSUMER, "--driver=./my.ini"), 1); // it has the times
    assert_int_equal(count_of(RESTARTER, "--driver=./my.ini"), 1);
    assert_read(READ("-i", "hosts", "-x", "true {host}", "-n", "9"));
    assert_headline(
        "3 hosts, 1 of them done, at most 5 at once, by exec, proven by nothing but an exit code");
    assert_read(READ("-i", "hosts", "-x", "true {host}", "-n", "3", "--slots=4", "--attempts=7"));
    assert_string_equal(value_of(CONSUMER, "--at-once="), "12");
    assert_string_equal(value_of(CONSUMER, "--attempts="), "7");
    assert_read(READ("-i", "hosts", "-x", "true {host}", "-n", "2", "--at-once=41",
                     "--verify=true {host}"));
    assert_headline("3 hosts, 1 of them done, at most 41 at once, by exec, verified by a command");
    assert_string_equal(value_of(RESTARTER, "--slots="), "21");
    assert_int_equal(count_of(CONSUMER, "--at-once=41"), 1);
    assert_read(READ("-i", "hosts", "-x", "true {host}", "--at-once=0"));
    assert_headline(
        "3 hosts, 1 of them done, all at once, by exec, proven by nothing but an exit code");
}

static void progress_is_shown_but_for_the_demo_and_quiet(void **state)
{
    (void)state;
    assert_read(READ_NOTHING());
    assert_string_equal(value_of(PUBLISHER, "--progress="), "off");
    assert_read(READ("-i", "hosts", "-x", "true {host}"));
    assert_string_equal(value_of(PUBLISHER, "--progress="), "auto");
    assert_read(READ("-i", "hosts", "-x", "true {host}", "-q"));
    assert_string_equal(value_of(PUBLISHER, "--progress="), "off");
}

static void what_commands_name_of_a_host_is_read_by_the_publisher(void **state)
{
    (void)state;
    write_text("hosts", "{\"host\": \"web-1\", \"bmc\": \"b\", \"zone\": \"z\"}\n");
    assert_read(READ("-i", "hosts", "-x", "true {bmc} {host}", "--verify=true {zone}"));
    assert_string_equal(value_of(PUBLISHER, "--attributes="), "bmc,zone");
    assert_string_equal(value_of(PUBLISHER, "--named-by="), "bmc --exec\nzone --verify\n");
    write_text("my.ini", "[driver]\nrestart = true {host}\nrestart = true {bmc}\n");
    write_text("a.ini", "[restarter]\nskip-if = true {zone}\n");
    setenv("MAYHEM_AFTER", "true {zone} {port?}", 1);
    assert_read(READ("-i", "hosts", "--driver=./my.ini", "--config=a.ini"));
    assert_string_equal(value_of(PUBLISHER, "--attributes="), "bmc,zone,port?");
    assert_string_equal(value_of(PUBLISHER, "--named-by="),
                        "bmc ./my.ini:3: restart\nzone a.ini:2: skip-if\nport MAYHEM_AFTER\n");
    unsetenv("MAYHEM_AFTER");
    assert_read(READ("-i", "hosts", "-x", "true {host}"));
    assert_null(value_of(PUBLISHER, "--attributes="));
    assert_null(value_of(PUBLISHER, "--named-by="));
    assert_int_equal(read_words("-x", "true {host}", (char *)NULL), 64);
    assert_heard("say which hosts: -i FILE");
}

// ---- the restarter's check

static void a_command_that_cannot_work_is_refused_with_its_reason(void **state)
{
    (void)state;
    assert_int_equal(READ("-i", "hosts", "-x", "mayhem-no-such-command {host}"), 78);
    assert_heard("--exec: mayhem-no-such-command is in no folder of PATH");
    write_text("my.ini", "[driver]\nrestart = true {host}\n\nrestart = true \"{host}\n");
    assert_int_equal(READ("-i", "hosts", "--driver=./my.ini"), 78);
    assert_heard("restarter: ./my.ini:4: restart: the quote (\") at character 6 is not closed");
}

static void without_a_restarter_the_installation_is_not_complete(void **state)
{
    (void)state;
    if (getenv("MEMCHECK"))
        skip(); // there, posix_spawn succeeds
    (void)snprintf(restarter, sizeof restarter, "%s/missing", folder);
    assert_int_equal(READ_NOTHING(), 69);
    assert_heard(restarter);
    assert_heard("No such file or directory; is the installation complete?");
}

static void a_restarter_that_crashes_is_told(void **state)
{
    (void)state;
    (void)snprintf(restarter, sizeof restarter, "%s/crashes", folder);
    write_text(restarter, "#!/bin/sh\nkill -9 $$\n");
    assert_int_equal(chmod(restarter, 0700), 0);
    assert_int_equal(READ_NOTHING(), 70);
    assert_heard("was killed by signal 9");
}

static void a_restarter_that_does_not_say_what_it_does_is_told(void **state)
{
    (void)state;
    static const char *const scripts[] = {"#!/bin/sh\necho configuration ok\n",
                                          "#!/bin/sh\necho driver: mock\n",
                                          "#!/bin/sh\nprintf 'driver: '\n"};
    (void)snprintf(restarter, sizeof restarter, "%s/silent", folder);
    for (size_t i = 0; i < sizeof scripts / sizeof *scripts; i++) {
        write_text(restarter, scripts[i]);
        assert_int_equal(chmod(restarter, 0700), 0);
        assert_int_equal(READ_NOTHING(), 69);
        assert_heard("does not say what it does");
    }
}

static void each_slot_has_a_job_that_waits(void **state)
{
    (void)state;
    assert_read(READ("-i", "hosts", "--mock"));
    assert_null(value_of(PUBLISHER, "--leases=")); // the default is more
    assert_read(READ("-i", "hosts", "--mock", "-n", "16"));
    assert_string_equal(value_of(PUBLISHER, "--leases="), "8192");
    assert_read(READ("-i", "hosts", "-x", "true {host}", "--at-once=3000"));
    assert_string_equal(value_of(PUBLISHER, "--leases="), "6000");
    write_text("my.ini", "[consumer]\nmax-in-flight = 5000\n");
    assert_read(READ("-i", "hosts", "--mock", "-n", "16", "--config=my.ini"));
    assert_string_equal(value_of(PUBLISHER, "--leases="), "5000"); // the consumer nacks more
    assert_read(READ("-i", "hosts", "--mock", "-n", "16", "--leases=50"));
    assert_string_equal(value_of(PUBLISHER, "--leases="), "50");
}

static const struct CMUnitTest tests[] = {
    SETTINGS_TEST(the_driver_is_told_in_words),
    SETTINGS_TEST(any_command_is_told_as_it_is),
    SETTINGS_TEST(a_list_of_hosts_is_not_rehearsed_by_mistake),
    SETTINGS_TEST(a_real_driver_has_careful_defaults_and_says_so),
    SETTINGS_TEST(progress_is_shown_but_for_the_demo_and_quiet),
    SETTINGS_TEST(what_commands_name_of_a_host_is_read_by_the_publisher),
    SETTINGS_TEST(a_command_that_cannot_work_is_refused_with_its_reason),
    SETTINGS_TEST(without_a_restarter_the_installation_is_not_complete),
    SETTINGS_TEST(a_restarter_that_crashes_is_told),
    SETTINGS_TEST(a_restarter_that_does_not_say_what_it_does_is_told),
    SETTINGS_TEST(each_slot_has_a_job_that_waits),
};

int main(void)
{
    return cmocka_run_group_tests(tests, find_programs, forget_programs);
}
