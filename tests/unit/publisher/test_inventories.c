// Inventories of all kinds: what each gives, and with which words a malformed or foreign one is
// refused. A list that is taken for another form would restart what nobody has named.

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include <cmocka.h>

#include "source_read.h"
#include "temp_folder.h"

static char error[SOURCE_ERROR_MAX];

// All that a source gives until it ends, as "HOST(ATTRIBUTES) "; a bad end as "!CODE".
static void give_all(source_t *source, char all[1024])
{
    size_t size = 0;
    source_item_t item;
    source_status_t status;
    all[0] = '\0';
    while ((status = source_next(source, 0, &item)) != SOURCE_END && size < 1000) {
        if (status == SOURCE_ITEM)
            size +=
                (size_t)snprintf(all + size, 1024 - size, "%.*s(%.*s) ", (int)item.host.size,
                                 item.host.data, (int)item.attributes.size, item.attributes.data);
        if (status != SOURCE_BAD)
            continue;
        size +=
            (size_t)snprintf(all + size, 1024 - size, item.ends ? "!%d " : "? ", item.exit_code);
        snprintf(error, sizeof error, "%s", item.error);
    }
}

// Opens the bytes as a file, or as standard input, and takes all that is given. Returns the exit
// code with which it is refused, or 0.
static int take(const source_file_config_t *config, const void *data, size_t size, bool is_stream,
                char all[1024])
{
    source_file_config_t own = *config;
    source_t *source = NULL;
    int ends[2] = {-1, -1};
    write_list(data, size);
    own.path = is_stream ? "-" : list_path;
    if (is_stream) {
        int fd = open(list_path, O_RDONLY), count;
        char bytes[8192];
        assert_true(size < sizeof bytes); // what a pipe takes at once
        assert_int_equal(pipe(ends), 0);
        assert_true((count = (int)read(fd, bytes, sizeof bytes)) >= 0);
        assert_int_equal(write(ends[1], bytes, (size_t)count), count);
        close(ends[1]);
        close(fd);
        assert_int_equal(dup2(ends[0], STDIN_FILENO), STDIN_FILENO);
        close(ends[0]);
    }
    all[0] = '\0';
    int code = source_file_open(&own, &source, error);
    if (code == 0)
        give_all(source, all);
    source_destroy(&source);
    const char *end = strrchr(all, '!');
    return code == 0 && end ? atoi(end + 1) : code;
}

static source_file_config_t wanting(const char *attributes)
{
    source_file_config_t config = {0};
    assert_true(mm_attribute_keys_parse(mm_str(attributes), &config.wanted));
    return config;
}

static void gives_by(const source_file_config_t *config, const char *content, const char *expected)
{
    char all[1024];
    for (int is_stream = 0; is_stream < 2; is_stream++) {
        if (take(config, content, strlen(content), is_stream, all) != 0)
            fail_msg("%s\nis refused: %s", content, error);
        assert_string_equal(all, expected);
    }
}

static void gives(const char *content, const char *attributes, const char *expected)
{
    source_file_config_t config = wanting(attributes);
    gives_by(&config, content, expected);
}

static void refuses_by(const source_file_config_t *config, const char *content, const char *words)
{
    char all[1024];
    for (int is_stream = 0; is_stream < 2; is_stream++) {
        assert_int_equal(take(config, content, strlen(content), is_stream, all), EX_DATAERR);
        if (!strstr(error, words))
            fail_msg("%s\nis refused with other words: %s", content, error);
    }
}

static void refuses(const char *content, const char *attributes, const char *words)
{
    source_file_config_t config = wanting(attributes);
    refuses_by(&config, content, words);
}

// ---- what a host is

static void what_is_no_host_is_refused_with_the_form_that_works(void **state)
{
    (void)state;
    char label[80] = "", line[200];
    memset(label, 'a', 64);
    static const char *const hosts[][2] = {
        {"web-01:", "looks like YAML"},
        {"all:", "plain lists, JSON Lines and Ansible inventories as INI are read"},
        {"a..b", "a dot too many"},
        {".web-1", "a dot too many"},
        {"web-1..", "a dot too many"},
        {".", "it has no name"},
        {":", "it has no name"},
        {"root@web-1", "write the user as an attribute: web-1 user=root"},
        {"root@web-1:2222", "web-1 user=root port=2222"},
        {"root@2001:db8::1", "2001:db8::1 user=root"},
        {"@web-1", "user=NAME"},
        {"web-1:2222", "write the port as an attribute: web-1 port=2222"},
        {"10.0.0.1:22", "10.0.0.1 port=22"},
        {"web-1:ssh", "port=N"},
        {"[2001:db8::1]", "write the address without brackets: 2001:db8::1"},
        {"[2001:db8::1]:22", "2001:db8::1 port=22"},
        {"web-[01-20]", "looks like a range"},
        {"web-[01:20]", "begins with a section, as in [web], and has ranges as web-[01:20]"},
        {"web-{1..3}", "looks like a range"},
        {"10.0.0.1-20", "a range of addresses"},
        {"10.0.0.1-10.0.0.20", "a range of addresses"},
        {"10.0.0.0/24", "it is a network"},
        {"1.2.3", "four numbers up to 255 without leading zeros"},
        {"010.1.1.1", "four numbers"},
        {"10.0.0.256", "four numbers"},
        {"10.0.0.1.", "four numbers"},
        {"1.2.3.4.5", "four numbers"},
        {"0x7f.1", "four numbers"},
        {"0x7f000001", "four numbers"},
        {"2001:db8::g", "no valid IPv6 address"},
        {"2001:db8::1::2", "no valid IPv6 address"},
        {"1:2:3", "no valid IPv6 address"},
        {"fe80::1%eth0", "an address with a zone"},
        {"https://web-1", "it is a URL"},
        {"web/1", "it is a path"},
        {"web-*", "choose a part of them with --only"},
        {"web-1;web-2", "several hosts"},
        {"-rf", "could be taken for an option"},
    };
    for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++) {
        refuses(hosts[i][0], "", hosts[i][1]);
        snprintf(line, sizeof line, "{\"host\": \"%s\"}\n", hosts[i][0]);
        refuses(line, "", "' is not a host: ");
        snprintf(line, sizeof line, "[web]\n%s\n", hosts[i][0]);
        if (!strchr(hosts[i][0], '['))
            refuses(line, "", ":2: '");
    }
    refuses(label, "", "longer than 63 bytes");
    snprintf(line, sizeof line, "web.%s.net", label);
    refuses(line, "", "longer than 63 bytes");
}

static void what_is_a_host_is_taken(void **state)
{
    (void)state;
    gives("web-1\nweb-2.example.net.\n10.0.0.1\n2001:db8::1\n::ffff:10.0.0.2\n7up\n17\n"
          "3.example.net\n_srv\nip-10-0-0-1\n10-0-0-1\nweb-1.5\nxn--mll-hoa\nA\n10.0.0.1-old\n",
          "",
          "web-1() web-2.example.net.() 10.0.0.1() 2001:db8::1() ::ffff:10.0.0.2() 7up() 17() "
          "3.example.net() _srv() ip-10-0-0-1() 10-0-0-1() web-1.5() xn--mll-hoa() A() "
          "10.0.0.1-old() ");
    char line[300] = "";
    for (int i = 0; i < 3; i++) { // labels of 63
        memset(line + strlen(line), 'a', 63);
        strcat(line, ".");
    }
    strcat(line, "net");
    char expected[320];
    snprintf(expected, sizeof expected, "%s() ", line);
    gives(line, "", expected);
}

static void spellings_of_a_host_are_one(void **state)
{
    (void)state;
    const char *content = "web-1\nWEB-1\nweb-1.\n2001:db8::1\n2001:DB8:0::0:1\n10.0.0.1\n"
                          "::ffff:10.0.0.1\n{\"host\": \"Web-1\"}\n";
    gives(content, "", "web-1() 2001:db8::1() 10.0.0.1() ");
    source_file_config_t config = {.path = list_path};
    source_t *source = NULL;
    write_list(content, strlen(content));
    assert_int_equal(source_file_open(&config, &source, error), 0);
    assert_int_equal(progress_of(source).total, 3);
    assert_int_equal(progress_of(source).repeated, 5);
    source_destroy(&source);
}

// ---- attributes

static void plain_lines_have_attributes(void **state)
{
    (void)state;
    const char *content = "web-1 address=10.0.0.1 port=2222 groups=web,eu # one\n"
                          "web-2\tpassword='hun ter # 2'  address=10.0.0.2 X_y=\"a b\"\r\n"
                          "web-3 address=\"10.0.0.3\"\n";
    gives(content, "", "web-1() web-2() web-3() ");
    gives(content, "address,port?",
          "web-1(address=10.0.0.1 port=2222) web-2(address=10.0.0.2) "
          "web-3(address=10.0.0.3) ");
    gives(content, "groups?", "web-1(groups=web,eu) web-2() web-3() ");
    gives("{\"host\": \"a\", \"groups\": [\"web\", \"eu\"]}\n{\"host\":\"b\",\"groups\":\"db\"}\n",
          "groups", "a(groups=web,eu) b(groups=db) ");
    gives("{\"host\": \"a\", \"groups\": 7}\n", "", "a() ");
    refuses("web-1 port=1 port=2\n", "port", "host web-1 has port twice");
    refuses("web-1 bmc=-rf\n", "bmc", "begins with '-'");
    refuses("web-1 bmc='a b'\n", "bmc", "\"bmc\" of host web-1 cannot stand in a command");
    refuses("web-1 port=22\nweb-2 bmc=b\n", "bmc",
            "host web-1 has no bmc, which the command names: add bmc=");
    refuses("web-1 down\n", "", "KEY=VALUE, as in port=22");
    refuses("web-1 a-b=c\n", "", "KEY=VALUE");
    refuses("web-1 a='b\n", "", "KEY=VALUE");
    refuses("web-1 =b\n", "", "KEY=VALUE");
}

// An inventory holds passwords, and what is said goes to the log.
static void values_are_never_shown(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "web-1 password=hunter2 x\n", "password=hunter2\n",
        "web-1 a='hunter2\n",         "web-1 bmc=hunter2$\n",
        "we,b password=hunter2\n",    "[web]\nweb-1 password=hunter2 x\n",
        "[web]\npassword=hunter2\n",  "[web]\nweb-1\n[web:vars]\nbmc=hunter2$\n"};
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        refuses(lines[i], "bmc", ":");
        if (strstr(error, "hunter2"))
            fail_msg("%s", error);
    }
}

// ---- Ansible

static void an_ansible_inventory_is_read(void **state)
{
    (void)state;
    const char *content = "; of Ansible\n# hosts\n\n"
                          "[web]\n"
                          "web-[01:03] ansible_port=2222 # three\n"
                          "jump ansible_host=10.0.0.9 ansible_user=\"bob\" "
                          "ansible_ssh_common_args='-o ProxyCommand=x'\n"
                          "\n[db:hosts]\ndb-[a:c:2]\nweb-01\n"
                          "[eu:children] ; both\nweb\ndb\n"
                          "[eu:vars]\nansible_user = root\nbmc=eu.net # theirs\nhttp_x=1\n"
                          "[db:vars]\nbmc=db.net\n"
                          "[all:vars]\nbmc = none\nzone=z\n";
    gives(content, "", "web-01() web-02() web-03() jump() db-a() db-c() ");
    gives(content, "port?,user,bmc",
          "web-01(port=2222 user=root bmc=db.net) web-02(port=2222 user=root bmc=eu.net) "
          "web-03(port=2222 user=root bmc=eu.net) jump(user=bob bmc=eu.net) "
          "db-a(user=root bmc=db.net) db-c(user=root bmc=db.net) ");
    gives(content, "address?,zone",
          "web-01(zone=z) web-02(zone=z) web-03(zone=z) "
          "jump(address=10.0.0.9 zone=z) db-a(zone=z) db-c(zone=z) ");
    gives("[a]\nx groups=b,c\n", "groups", "x(groups=a,b,c) ");
}

static void ranges_are_read_as_ansible_does(void **state)
{
    (void)state;
    gives("[w]\nr[1:2]-[x:y].net\n", "", "r1-x.net() r1-y.net() r2-x.net() r2-y.net() ");
    gives("[w]\nw[08:11]\n", "", "w08() w09() w10() w11() ");
    gives("[w]\nw[8:11]x\n", "", "w8x() w9x() w10x() w11x() ");
    gives("[w]\n10.0.0.[1:2]\n[1:2].net\n", "", "10.0.0.1() 10.0.0.2() 1.net() 2.net() ");
    gives("[w]\nw[1:3]\n[d]\nW[2:4]\n", "", "w1() w2() w3() W4() ");
    refuses("[w]\nw[01-20]\n", "", "write a range as web-[01:20]");
    refuses("[w]\nw[1:2\n", "", "a bracket is not closed");
    refuses("[w]\nw[3:1]\n", "", "runs backwards");
    refuses("[w]\nw[1:9:0]\n", "", "stands still");
    refuses("[w]\nw[001:20]\n", "", "write a range");
    refuses("[w]\nw[a:F]\n", "", "write a range");
    refuses("[w]\nw[1:99999999]\n", "", "more hosts than are read");
    refuses("[w]\nw[1:1000][1:1001]\n", "", "more hosts than are read");
    refuses("[w]\n10.0.0.[250:260]\n", "", "four numbers");
}

static void a_broken_inventory_is_refused(void **state)
{
    (void)state;
    refuses("[web]\nw\n[a:children]\nb\n[b:children]\na\n", "",
            "the groups are a cycle: a -> b -> a; take one of them out");
    refuses("[web]\nw\n[a:children]\na\n", "", "cycle: a -> a");
    refuses("[web]\nw\n[eu:children]\nweb\ndb\n", "", ":5: the group db has no section: add [db]");
    refuses("[web]\nw\n[dbs:vars]\nx=1\n", "", ":3: the group dbs has no section");
    refuses("[web]\nw\n[web:parents]\nx\n", "", ":3: the header of the section cannot be read");
    refuses("[web]\nw\n[w b]\nx\n", "", ":3: the header");
    refuses("[web]\nw\n[eu:children]\nweb db\n", "", ":4: a section [NAME:children] has");
    refuses("[web]\nw\n[web:vars]\nx\n", "", ":4: a section [NAME:vars] has KEY = VALUE");
    refuses("[web]\nw\nx = 1\n", "", ":3: what stands behind a host");
    refuses("[web]\nx=1\n", "", ":2: it looks like a variable");
    refuses("[web]\nw port\n", "", "a value with blanks needs quotes");
    refuses("[web]\nv\nw bmc=b\n", "bmc",
            ":2: host v has no bmc, which the command names: add bmc=");
    refuses("[web]\nw bmc=a$\n", "bmc", "\"bmc\" of host w cannot stand in a command");
    refuses("[web]\n[2001:db8::1]\n", "", "write the address without brackets");
    refuses("web-0\n[web]\nweb-1\n", "",
            "looks like a section of an Ansible inventory, which must "
            "begin with one");
    refuses("[web]\n# none\n", "", "its sections have none");
    source_file_config_t config = {.skips_bad_lines = true};
    gives_by(&config, "[web]\na..b\nw\nx y\n", "? ? w() ");
}

// ---- of other tools

static void what_other_tools_write_is_refused_by_name(void **state)
{
    (void)state;
    static const char *const lists[][2] = {
        {"host,ip,role\nweb-1,10.0.0.1,web\n", "looks like CSV"},
        {"hostname\nweb-1\n", "the header of a table"},
        {"NAME\nweb-1\n", "the header of a table"},
        {"Hostname;IP\nweb-1;10.0.0.1\n", "one host a line"},
        {"web-1, web-2, web-3\n", "looks like CSV"},
        {"NAME     STATUS   ROLES    AGE   VERSION\nnode-1   Ready    <none>   10d   v1.28.2\n",
         "the output of kubectl"},
        {"node-1   Ready    <none>   10d   v1.28.2\n", "the output of kubectl"},
        {"node/web-1\nnode/web-2\n", "write the name without node/"},
        {"127.0.0.1 localhost\n10.0.0.1 web-1 web-1.example.net\n", "a line of /etc/hosts"},
        {"::1 localhost ip6-localhost\n", "a line of /etc/hosts"},
        {"web-1  ntp,compute\n", "a line of genders"},
        {"web-1  ntp,cpu=4\n", "KEY=VALUE"},
        {"web-1 root\n", "KEY=VALUE"}, // pssh
        {"root@web-1:22\n", "user=root port=22"},
        {"all:\n  hosts:\n    web-01:\n", "looks like YAML"},
        {"---\nall:\n", "looks like YAML"},
        {"- web-1\n- web-2\n", "looks like YAML"},
        {"web:\n", "looks like YAML"},
        {"[\n  {\"host\": \"web-1\"}\n]\n", "looks like JSON over several lines"},
        {"[{\"host\": \"web-1\"}]\n", "looks like JSON over several lines"},
        {"[\"web-1\", \"web-2\"]\n", "looks like JSON over several lines"},
        {"{\n  \"host\": \"web-1\"\n}\n", "looks like JSON over several lines"},
        {"<html><body>502</body></html>\n", "HTML or XML"},
        {"<?xml version=\"1.0\"?>\n", "HTML or XML"},
        {"+------+\n| host |\n+------+\n", "looks like a table"},
        {"web-1 ssh-ed25519 AAAAC3Nz\n", "known_hosts"},
        {"Host web-1\n  HostName 10.0.0.1\n", "ssh_config"},
        {"web[1-3],db[1-2]\n", "looks like a range"},
        {"web-1\rweb-2\rweb-3\r", "old Mac files"},
        {"# all\rweb-1\rweb-2\r", "old Mac files"},
        {"web-1\xC2\xA0\n", "no-break space"},
        {"web-1\xC2\xA0port=22\n", "no-break space"},
        {"\xFF\xFEw", "UTF-16"},
        {"\xFE\xFF", "UTF-16"},
        {"\x1F\x8B\x08", "compressed"},
        {"PK\x03\x04", "compressed"},
        {"m\xC3\xBCller\n", "letters, digits"},
        {"[Unit]\nDescription=x\n", "looks like a variable"},
        {"[defaults]\ninventory = hosts\n", "KEY=VALUE"},
        {"$ cat hosts\n", "is not a host"},
        {"cat: hosts: No such file or directory\n", "looks like YAML"},
    };
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
        refuses(lists[i][0], "", lists[i][1]);
}

static void bytes_that_no_text_has_are_refused(void **state)
{
    (void)state;
    source_file_config_t config = {0};
    char all[1024];
    static const char nul[] = "web-1\nweb\0-2\n",
                      utf16[] = "w\0e\0b\0-\0"
                                "1\0\n\0",
                      comment[] = "#\0a\0\n";
    const struct {
        const char *data;
        size_t size;
    } lists[] = {{nul, sizeof nul - 1}, {utf16, sizeof utf16 - 1}, {comment, sizeof comment - 1}};
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
        for (int is_stream = 0; is_stream < 2; is_stream++) {
            assert_int_equal(take(&config, lists[i].data, lists[i].size, is_stream, all),
                             EX_DATAERR);
            if (!strstr(error, "NUL bytes, as UTF-16 does"))
                fail_msg("%s", error);
        }
}

static void a_line_of_100_mb_is_refused(void **state)
{
    (void)state;
    enum { SIZE = 100 * 1024 * 1024 };
    char *content = malloc(SIZE);
    assert_non_null(content);
    memset(content, 'x', SIZE);
    write_list(content, SIZE);
    free(content);
    source_file_config_t config = {.path = list_path};
    source_t *source = NULL;
    assert_int_equal(source_file_open(&config, &source, error), EX_DATAERR);
    assert_non_null(strstr(error, "hosts.txt:1: the line is longer than 65536 bytes"));
}

// ---- nothing to do, and a part of it

static void nothing_to_do_is_no_success(void **state)
{
    (void)state;
    static const char *const lists[][2] = {
        {"", "has no host to restart: it is empty"},
        {"\n \n\r\n", "nothing but comments and empty lines"},
        {"# web-1\n; web-2\n", "nothing but comments and empty lines"},
        {"[web]\n[db]\n", "its sections have none"},
    };
    source_file_config_t config = {.allows_empty = true}, skips = {.skips_bad_lines = true};
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        refuses(lists[i][0], "", lists[i][1]);
        assert_non_null(strstr(error, "--allow-empty"));
        gives_by(&config, lists[i][0], "");
    }
    refuses_by(&skips, "a b\nc d\n", "all its lines are bad");
    refuses_by(&skips, "all:\n  hosts:\n    web-01:\n", "all its lines are bad");
}

static void a_part_of_a_list_is_taken(void **state)
{
    (void)state;
    const char *plain = "web-1 groups=web,eu\nWEB-2. groups=web,us\ndb-1 groups='db, eu'\n"
                        "{\"host\": \"db-2\", \"groups\": [\"db\", \"us\"]}\nweb-3\n";
    const char *ini = "[web]\nweb-1\nWEB-2.\n[db]\ndb-1\ndb-2\n[eu:children]\ndb\n[x]\nweb-3\n";
    static const char *const parts[][3] = {
        {"web-*", "web-1() WEB-2.() web-3() ", "web-1() WEB-2.() web-3() "},
        {"web", "web-1() WEB-2.() ", "web-1() WEB-2.() "},
        {"eu", "web-1() db-1() ", "db-1() db-2() "},
        {"eu,WEB-3", "web-1() db-1() web-3() ", "db-1() db-2() web-3() "},
        {"db-[1], web-?", "web-1() WEB-2.() db-1() web-3() ", "web-1() WEB-2.() db-1() web-3() "},
        {"web-2", "WEB-2.() ", "WEB-2.() "},
    };
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        source_file_config_t config = {.only = parts[i][0]};
        gives_by(&config, plain, parts[i][1]);
        gives_by(&config, ini, parts[i][2]);
    }
    source_file_config_t none = {.only = "mail-*,mail"}, all = {.only = "all"};
    refuses_by(&none, plain, "--only takes none of its hosts");
    refuses_by(&none, ini, "--only takes none of its hosts");
    gives_by(&all, ini, "web-1() WEB-2.() db-1() db-2() web-3() ");
    source_file_config_t first = {.limit = 2}, both = {.only = "db", .limit = 1};
    gives_by(&first, "a\nA\nb\nb\nc\n", "a() b() ");
    gives_by(&first, "a\n", "a() ");
    gives_by(&first, ini, "web-1() WEB-2.() ");
    gives_by(&both, plain, "db-1() ");
}

// ---- the groups of a policy

// A list gives this with a policy of these groups, in each way to write it.
static void gives_groups(const char *groups, const char *attributes, const char *content,
                         const char *expected)
{
    source_file_config_t config = wanting(attributes);
    policy_groups_t *policy = policy_groups_new(groups);
    config.policy = policy;
    gives_by(&config, content, expected);
    policy_groups_destroy(&policy);
}

static void refuses_groups(const char *groups, const char *attributes, const char *content,
                           const char *words)
{
    source_file_config_t config = wanting(attributes);
    policy_groups_t *policy = policy_groups_new(groups);
    config.policy = policy;
    refuses_by(&config, content, words);
    policy_groups_destroy(&policy);
}

static void the_groups_of_a_policy_travel(void **state)
{
    (void)state;
    static const char *const lists[] = {
        "a groups=web,eu,rack9\nb groups=\"eu, web\"\nc groups=rack9\nd\ne groups=eu,eu,Web\n",
        "{\"host\":\"a\",\"groups\":[\"web\",\"eu\",\"rack9\"]}\n"
        "{\"host\":\"b\",\"groups\":\"eu,web\"}\n{\"host\":\"c\",\"groups\":[\"rack9\"]}\n"
        "{\"host\":\"d\",\"groups\":[]}\n{\"host\":\"e\",\"groups\":\"eu,eu,Web\"}\n",
        "[rack9]\na\nb groups=web\nc\n[ungrouped]\nd\n[berlin]\na\n[site]\ne\nb\n"
        "[web]\na\n[eu:children]\nde\nsite\n[de:children]\nberlin\n",
    };
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        gives_groups("web,eu", "", lists[i],
                     "a(groups=eu,web) b(groups=eu,web) c() d() e(groups=eu) ");
        gives_groups("web", "", lists[i], "a(groups=web) b(groups=web) c() d() e() ");
        gives_groups("", "", lists[i], "a() b() c() d() e() ");
    }
    gives_groups("all,de", "", lists[2],
                 "a(groups=all,de) b(groups=all) c(groups=all) d(groups=all) e(groups=all) ");
    gives_groups("web,eu", "bmc?,groups?", "a groups=x,web bmc=1\nb groups=x\n",
                 "a(bmc=1 groups=web) b() ");
    refuses_groups("web", "groups", "a groups=web\nb groups=x\n", "host b has no groups");
}

static void too_many_groups_of_a_policy_are_refused(void **state)
{
    (void)state;
    char names[2048] = "", list[4096], long_names[2048] = "";
    for (int i = 0; i < 17; i++) {
        (void)snprintf(names + strlen(names), 16, "%sg%02d", i > 0 ? "," : "", i);
        (void)snprintf(long_names + strlen(long_names), 64, "%s%060d", i > 0 ? "," : "", i);
    }
    (void)snprintf(list, sizeof list, "a groups=%.63s\n", names); // 16 of them
    char expected[256];
    (void)snprintf(expected, sizeof expected, "a(groups=%.63s) ", names);
    gives_groups(names, "", list, expected);
    (void)snprintf(list, sizeof list, "a groups=%s\n", names);
    refuses_groups(names, "", list, ":1: host a is in too many groups of the policy: 16 at most");
    gives_groups("g03,g11", "", list, "a(groups=g03,g11) "); // the others do not count
    (void)snprintf(list, sizeof list, "[x]\na groups=%s\n", names);
    refuses_groups(names, "", list, ":2: host a is in too many groups of the policy: 16 at most");
    (void)snprintf(list, sizeof list, "{\"host\":\"a\",\"groups\":\"%s\"}\n", names);
    refuses_groups(names, "", list, "host a is in too many groups of the policy: 16 at most");
    (void)snprintf(list, sizeof list, "a groups=%.304s\n", long_names); // 5 of them
    refuses_groups(long_names, "", list, "their names have 256 bytes at most");
    char *much = malloc(8192);
    assert_non_null(much);
    int size = snprintf(much, 64, "[x]\na groups=");
    memset(much + size, 'g', 5000);
    (void)snprintf(much + size + 5000, 16, "\n");
    refuses_groups("x", "", much, "its groups have too many bytes");
    free(much);
}

// A limit counts the hosts of the list, those before a resume, too.
static void a_part_goes_on_where_it_was(void **state)
{
    (void)state;
    const char *content = "a\nb\nA\nc\nd\n";
    write_list(content, strlen(content));
    source_file_config_t config = {.path = list_path, .limit = 3}, whole = {.path = list_path};
    source_t *source = NULL, *other = NULL;
    source_item_t item;
    assert_int_equal(source_file_open(&config, &source, error), 0);
    assert_int_equal(progress_of(source).total, 3);
    for (int i = 0; i < 2; i++)
        assert_int_equal(source_next(source, 0, &item), SOURCE_ITEM);
    source_progress_t recorded = progress_of(source);
    source_destroy(&source);
    assert_int_equal(source_file_open(&config, &source, error), 0);
    assert_int_equal(source_file_open(&whole, &other, error), 0);
    assert_true(progress_of(source).digest == recorded.digest);
    assert_false(progress_of(other).digest == recorded.digest); // another part: another input
    source_resume(source, &recorded);
    char all[1024];
    give_all(source, all);
    assert_string_equal(all, "c() ");
    assert_true(progress_of(source).done);
    source_destroy(&source);
    source_destroy(&other);
}

#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, make_list_folder, remove_temp_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_is_no_host_is_refused_with_the_form_that_works),
        TEST(what_is_a_host_is_taken),
        TEST(spellings_of_a_host_are_one),
        TEST(plain_lines_have_attributes),
        TEST(values_are_never_shown),
        TEST(an_ansible_inventory_is_read),
        TEST(ranges_are_read_as_ansible_does),
        TEST(a_broken_inventory_is_refused),
        TEST(what_other_tools_write_is_refused_by_name),
        TEST(bytes_that_no_text_has_are_refused),
        TEST(a_line_of_100_mb_is_refused),
        TEST(nothing_to_do_is_no_success),
        TEST(a_part_of_a_list_is_taken),
        TEST(a_part_goes_on_where_it_was),
        TEST(the_groups_of_a_policy_travel),
        TEST(too_many_groups_of_a_policy_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
