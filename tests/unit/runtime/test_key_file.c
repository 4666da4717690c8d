// Tests of common/runtime/key_file.h: what is written is read again, and each file that is not as
// it has to be is refused with what is wrong.

#include "key_file.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/inotify.h>
#include <sysexits.h>
#include <unistd.h>

#include "temp_folder.h"

// The keys of RFC 26's example of Z85 that CZMQ uses, too.
#define PUBLIC "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID"
#define SECRET "D:)Q[IlAW!ahhC2ac:9*A}h:p?([4%wOTJ%JR%cs"
#define OTHER  "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7"

#define GOOD                                                                                       \
    "role = restarter\nname = eu-1\npublic = " PUBLIC "\nsecret = " SECRET "\nserver = " OTHER "\n"

static char path[TEMP_PATH_MAX], error[MM_ERROR_MAX];
static mm_key_t key;

static int begin(void **state)
{
    (void)state;
    make_temp_folder();
    temp_path(path, "eu-1.key");
    *error = '\0';
    memset(&key, 0x55, sizeof key);
    return 0;
}

static void write_text(const char *text)
{
    temp_write(path, text, strlen(text), 0600);
}

// The key is as before, the sentence has these words, and never the secret.
static void assert_refused(int code, const char *words)
{
    mm_key_t before = key;
    *error = '\0';
    int exit_code = mm_key_read(path, &key, error);
    if (exit_code != code || !strstr(error, words))
        fail_msg("exit %d, '%s', and not %d with '%s'", exit_code, error, code, words);
    assert_memory_equal(&before, &key, sizeof key);
    assert_non_null(strstr(error, path));
    assert_null(strstr(error, SECRET));
}

static mm_key_t drawn(mm_key_role_t role)
{
    mm_key_t drawn = {.role = role, .not_after_ms = INT64_MAX};
    assert_true(mm_name_from(mm_str("eu-1"), &drawn.name));
    mm_key_draw(&drawn);
    if (role != MM_KEY_CONSUMER)
        strcpy(drawn.server_keys[drawn.server_count++], OTHER);
    return drawn;
}

static void assert_same(const mm_key_t *a, const mm_key_t *b)
{
    assert_int_equal(a->role, b->role);
    assert_string_equal(a->name.text, b->name.text);
    assert_string_equal(a->public_key, b->public_key);
    assert_string_equal(a->secret_key, b->secret_key);
    assert_int_equal(a->not_after_ms, b->not_after_ms);
    assert_int_equal(a->server_count, b->server_count);
    for (size_t i = 0; i < a->server_count; i++)
        assert_string_equal(a->server_keys[i], b->server_keys[i]);
}

// ---- what is written

// What is in the folder, without . and ..
static int count_files(void)
{
    struct dirent **entries;
    int count = scandir(folder, &entries, NULL, NULL);
    for (int i = 0; i < count; i++)
        free(entries[i]);
    free(entries);
    return count - 2;
}

static void what_is_written_is_read_again(void **state)
{
    (void)state;
    for (int role = MM_KEY_CONSUMER; role <= MM_KEY_OPERATOR; role++) {
        mm_key_t made = drawn((mm_key_role_t)role);
        if (role == MM_KEY_SAVER)
            assert_true(mm_key_date(mm_str("2027-12-01"), &made.not_after_ms));
        if (role == MM_KEY_RESTARTER)
            while (made.server_count < MM_SERVER_KEYS) {
                mm_key_t server = drawn(MM_KEY_CONSUMER);
                strcpy(made.server_keys[made.server_count++], server.public_key);
            }
        assert_int_equal(mm_key_write(&made, path, true, error), 0);
        assert_int_equal(mm_key_read(path, &key, error), 0);
        assert_same(&key, &made);
    }
}

static void two_keys_are_not_the_same(void **state)
{
    (void)state;
    mm_key_t one = drawn(MM_KEY_SAVER), two = drawn(MM_KEY_SAVER);
    assert_string_not_equal(one.public_key, two.public_key);
    assert_true(mm_key_is_valid(mm_str(one.public_key)));
    assert_true(mm_key_is_valid(mm_str(one.secret_key)));
    assert_string_not_equal(one.public_key, one.secret_key);
}

static void a_cleared_key_has_no_secret(void **state)
{
    (void)state;
    static const char zeros[MM_KEY_TEXT];
    mm_key_t made = drawn(MM_KEY_SAVER);
    mm_key_clear(&made);
    assert_memory_equal(made.secret_key, zeros, sizeof zeros);
    assert_true(mm_key_is_valid(mm_str(made.public_key)));
}

static void a_file_that_exists_is_replaced_only_on_demand(void **state)
{
    (void)state;
    mm_key_t one = drawn(MM_KEY_SAVER), two = drawn(MM_KEY_SAVER);
    assert_int_equal(mm_key_write(&one, path, false, error), 0);
    assert_int_equal(count_files(), 1);
    assert_int_equal(mm_key_write(&two, path, false, error), EX_CANTCREAT);
    assert_non_null(strstr(error, "exists already"));
    assert_int_equal(count_files(), 1);
    assert_int_equal(mm_key_read(path, &key, error), 0);
    assert_same(&key, &one);
    assert_int_equal(mm_key_write(&two, path, true, error), 0);
    assert_int_equal(mm_key_read(path, &key, error), 0);
    assert_same(&key, &two);
}

// What happens in the folder while a key is written, by inotify: no mode is ever changed, so a file
// that ends with 0600 has begun with it, and under its own name there is only the whole one.
static void no_file_is_wider_than_0600_at_any_time(void **state)
{
    (void)state;
    char reports[4096] __attribute__((aligned(8)));
    int watch = inotify_init1(IN_NONBLOCK);
    assert_true(watch >= 0 && inotify_add_watch(watch, folder, IN_ALL_EVENTS) >= 0);
    mode_t umask_before = umask(0);
    mm_key_t made = drawn(MM_KEY_SAVER);
    assert_int_equal(mm_key_write(&made, path, true, error), 0);
    (void)umask(umask_before);
    struct stat status;
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0600);
    ssize_t size = read(watch, reports, sizeof reports);
    bool is_moved = false, is_created_beside = false;
    for (ssize_t at = 0; at < size;) {
        const struct inotify_event *event = (const void *)(reports + at);
        bool is_final = event->len > 0 && strcmp(event->name, "eu-1.key") == 0;
        assert_int_equal(event->mask & IN_ATTRIB, 0);
        if (is_final)
            assert_int_equal(event->mask & (IN_CREATE | IN_MODIFY | IN_CLOSE_WRITE), 0);
        is_moved = is_moved || (is_final && event->mask & IN_MOVED_TO);
        is_created_beside = is_created_beside || (event->len > 0 && event->mask & IN_CREATE &&
                                                  strncmp(event->name, ".eu-1.key.", 10) == 0);
        at += (ssize_t)(sizeof *event + event->len);
    }
    (void)close(watch);
    assert_true(is_moved && is_created_beside);
}

static void a_wide_file_in_its_place_gives_nothing_away(void **state)
{
    (void)state;
    temp_write(path, "", 0, 0666);
    int spy = open(path, O_RDONLY);
    mm_key_t made = drawn(MM_KEY_SAVER);
    assert_int_equal(mm_key_write(&made, path, true, error), 0);
    char byte;
    assert_int_equal(read(spy, &byte, 1), 0); // the former file has got nothing
    (void)close(spy);
    struct stat status;
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0600);
}

static void a_symlink_is_replaced_not_followed(void **state)
{
    (void)state;
    char other[TEMP_PATH_MAX];
    struct stat status;
    temp_path(other, "other");
    assert_int_equal(symlink(other, path), 0);
    mm_key_t made = drawn(MM_KEY_SAVER);
    assert_int_equal(mm_key_write(&made, path, false, error), EX_CANTCREAT);
    assert_int_equal(mm_key_write(&made, path, true, error), 0);
    assert_int_not_equal(stat(other, &status), 0);
    assert_int_equal(lstat(path, &status), 0);
    assert_true(S_ISREG(status.st_mode));
}

static void where_no_file_can_be_it_is_said(void **state)
{
    (void)state;
    mm_key_t made = drawn(MM_KEY_SAVER);
    temp_path(path, "none/eu-1.key");
    assert_int_equal(mm_key_write(&made, path, true, error), EX_CANTCREAT);
    assert_non_null(strstr(error, "/none"));
    temp_path(path, "folder");
    assert_int_equal(mkdir(path, 0700), 0);
    assert_int_equal(mm_key_write(&made, path, true, error), EX_IOERR);
    char longer[MM_ERROR_MAX * 16];
    memset(longer, 'a', sizeof longer);
    longer[sizeof longer - 1] = '\0';
    assert_int_equal(mm_key_write(&made, longer, true, error), EX_CANTCREAT);
}

// ---- what is read

static void fields_come_in_any_order_with_blanks_and_comments(void **state)
{
    (void)state;
    write_text("# M\xc3\xbcller's key\n\n\tserver=" OTHER "\n  secret  =\t" SECRET "  \n"
               "not-after = 2027-12-01\npublic=" PUBLIC "\n   # more\nname=eu-1\nrole=viewer\n");
    assert_int_equal(mm_key_read(path, &key, error), 0);
    assert_int_equal(key.role, MM_KEY_VIEWER);
    assert_string_equal(key.name.text, "eu-1");
    assert_string_equal(key.public_key, PUBLIC);
    assert_string_equal(key.secret_key, SECRET);
    assert_int_equal(key.server_count, 1);
    assert_string_equal(key.server_keys[0], OTHER);
    assert_true(mm_key_trusts(&key, OTHER));
    assert_false(mm_key_trusts(&key, PUBLIC));
    assert_int_equal(key.not_after_ms, INT64_C(1827705600000)); // 2027-12-02 00:00 UTC
}

static void a_wrong_line_is_refused_with_its_number(void **state)
{
    (void)state;
    static const struct {
        const char *text, *words;
    } cases[] = {
        {"role = king\n", ":1: 'king' is no role"},
        {"role = Restarter\n", ":1: 'Restarter' is no role"},
        {"role =\n", ":1: '' is no role"},
        {"role = a\tb\n", ":1: 'a b' is no role"},
        {"\n# a\nname = -x\n", ":3: '-x' is no name"},
        {"name = a b\n", ":1: 'a b' is no name"},
        {"public = abc\n", ":1: public is no key"},
        {"public = rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf78\n", "this has 41"},
        {"public = rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf~\n",
         "is no key: its character 40 is '~', which Z85 does not have"},
        {"public = rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf\"\n", "its character 40 is '\"', which"},
        {"secret = " OTHER " # mine\n", ":1: secret is no key"},
        {"server = #####################################  #\n", "its character 38 is ' '"},
        {"server = ########################################\n",
         "characters 1 to 5 are too large"}, // > 2^32
        {"server = " OTHER "\nserver = " OTHER "\n", ":2: this server key is there twice"},
        {"role = saver\nrole = saver\n", ":2: role comes a second time"},
        {"name = a\nname = a\n", ":2: name comes a second time"},
        {"public = " PUBLIC "\npublic = " PUBLIC "\n", ":2: public comes a second time"},
        {"secret = " SECRET "\nsecret = " SECRET "\n", ":2: secret comes a second time"},
        {"not-after = 2027-12-01\nnot-after = 2027-12-01\n", ":2: not-after comes a second"},
        {"not-after = 2027-02-29\n", ":1: '2027-02-29' is no day"},
        {"not-after = tomorrow\n", ":1: 'tomorrow' is no day"},
        {"not-after = 2027-12-01 12:00\n", "is no day"},
        {"expires = 2027-12-01\n", ":1: there is no such field"},
        {"ROLE = saver\n", ":1: there is no such field"},
        {"= saver\n", ":1: there is no such field"},
        {"role: saver\n", ":1: it is not of the form"},
        {"-----BEGIN OPENSSH PRIVATE KEY-----\n", ":1: it is not of the form"},
        {"\xef\xbb\xbfrole = saver\n", ":1: there is a byte 0xef"},
        {"role = s\x1b[31mver\n", ":1: there is a byte 0x1b"},
        {"role = saver\r\n", "dos2unix"},
        {"# a comment\x07\n", ":1: there is a byte 0x07"},
        {GOOD "role = saver", ":6: the last line has no newline"},
        {"", "is empty"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        write_text(cases[i].text);
        assert_refused(EX_CONFIG, cases[i].words);
    }
    temp_write(path, "role = saver\nname = a\0b\n", 24, 0600);
    assert_refused(EX_CONFIG, ":2: there is a byte 0x00");
}

static void a_file_without_one_of_its_fields_is_refused(void **state)
{
    (void)state;
    static const char *const lines[] = {"role = saver\n", "name = a\n", "public = " PUBLIC "\n",
                                        "secret = " SECRET "\n", "server = " OTHER "\n"};
    static const char *const words[] = {"no line 'role", "no line 'name", "no line 'public",
                                        "no line 'secret", "no line 'server"};
    for (size_t missing = 0; missing < 5; missing++) {
        char text[512] = "";
        for (size_t i = 0; i < 5; i++)
            strcat(text, i == missing ? "" : lines[i]);
        write_text(text);
        assert_refused(EX_CONFIG, words[missing]);
    }
    write_text("# nothing\n");
    assert_refused(EX_CONFIG, "no line 'role");
}

static void the_consumers_own_file_has_no_server(void **state)
{
    (void)state;
    write_text("role = consumer\nname = consumer\npublic = " PUBLIC "\nsecret = " SECRET
               "\nserver = " OTHER "\n");
    assert_refused(EX_CONFIG, "has no server");
    write_text("role = consumer\nname = consumer\npublic = " PUBLIC "\nsecret = " SECRET "\n");
    assert_int_equal(mm_key_read(path, &key, error), 0);
}

static void more_server_keys_than_there_is_room_for_are_refused(void **state)
{
    (void)state;
    char text[1024] = GOOD;
    for (int i = 1; i < MM_SERVER_KEYS; i++) {
        strcat(strcat(strcat(text, "server = "), drawn(MM_KEY_CONSUMER).public_key), "\n");
        write_text(text);
        assert_int_equal(mm_key_read(path, &key, error), 0);
    }
    strcat(strcat(strcat(text, "server = "), drawn(MM_KEY_CONSUMER).public_key), "\n");
    write_text(text);
    assert_refused(EX_CONFIG, ":9: there are more than 4 server keys");
}

static void a_public_key_of_another_secret_is_refused(void **state)
{
    (void)state;
    write_text("role = saver\nname = a\npublic = " OTHER "\nsecret = " SECRET "\nserver = " OTHER
               "\n");
    assert_refused(EX_CONFIG, "public does not belong to secret");
}

static void modes_that_let_others_in_are_refused(void **state)
{
    (void)state;
    static const mode_t wide[] = {0604, 0602, 0601, 0640, 0620, 0610, 0644, 0666, 0777};
    for (size_t i = 0; i < sizeof wide / sizeof *wide; i++) {
        temp_write(path, GOOD, strlen(GOOD), wide[i]);
        assert_refused(EX_NOPERM, "chmod 600");
    }
    static const mode_t narrow[] = {0600, 0400, 0700};
    for (size_t i = 0; i < sizeof narrow / sizeof *narrow; i++) {
        temp_write(path, GOOD, strlen(GOOD), narrow[i]);
        assert_int_equal(mm_key_read(path, &key, error), 0);
    }
}

// Only root can give a file away.
static void a_file_of_another_user_is_refused(void **state)
{
    (void)state;
    write_text(GOOD);
    if (chown(path, 12345, (gid_t)-1) != 0)
        skip();
    assert_refused(EX_NOPERM, "another user's (12345)");
}

static void what_is_no_file_is_refused_at_once(void **state)
{
    (void)state;
    assert_refused(EX_NOINPUT, "No such file");
    assert_int_equal(mkdir(path, 0700), 0);
    assert_refused(EX_CONFIG, "is a folder");
    assert_int_equal(rmdir(path), 0);
    assert_int_equal(mkfifo(path, 0600), 0); // nobody writes to it
    assert_refused(EX_CONFIG, "is a pipe");
    assert_int_equal(unlink(path), 0);
    assert_int_equal(symlink(path, path), 0);
    assert_refused(EX_NOINPUT, "cannot read");
    strcpy(path, "/dev/null");
    assert_refused(EX_CONFIG, "device");
}

static void a_file_that_is_too_large_is_not_read(void **state)
{
    (void)state;
    write_text(GOOD);
    assert_int_equal(truncate(path, INT64_C(1) << 40), 0);
    assert_refused(EX_CONFIG, "1099511627776 bytes");
}

// ---- dates, roles, keys

static void a_date_is_the_end_of_its_day(void **state)
{
    (void)state;
    char text[MM_KEY_DATE_TEXT];
    int64_t end_ms = 7;
    static const char *const days[] = {"1970-01-01", "2026-12-31", "2028-02-29", "9999-12-31"};
    for (size_t i = 0; i < sizeof days / sizeof *days; i++) {
        assert_true(mm_key_date(mm_str(days[i]), &end_ms));
        assert_string_equal(mm_key_date_print(end_ms, text), days[i]);
        assert_int_equal(end_ms % 86400000, 0);
    }
    assert_true(mm_key_date(mm_str("1970-01-01"), &end_ms));
    assert_int_equal(end_ms, 86400000);
    assert_string_equal(mm_key_date_print(INT64_MAX, text), "");
    static const char *const wrong[] = {"",           "2027-1-1",   "2027-13-01", "2027-00-01",
                                        "2027-04-31", "2027-01-00", "1969-12-31", "2027-12-01 ",
                                        "2027/12/01", "20271201",   "-027-12-01", "2027-12-0x"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_false(mm_key_date(mm_str(wrong[i]), &end_ms));
    assert_int_equal(end_ms, 86400000);
}

static void days_left_count_up_to_the_last_one(void **state)
{
    (void)state;
    const int64_t day = 86400000, end = 100 * day;
    assert_int_equal(mm_key_days_left(INT64_MAX, end), -1);
    assert_int_equal(mm_key_days_left(end, end - 14 * day - 1), -1);
    assert_int_equal(mm_key_days_left(end, end - 14 * day), 14);
    assert_int_equal(mm_key_days_left(end, end - day - 1), 2);
    assert_int_equal(mm_key_days_left(end, end - day), 1);
    assert_int_equal(mm_key_days_left(end, end - 1), 1);
    assert_int_equal(mm_key_days_left(end, end), 0);
    assert_int_equal(mm_key_days_left(end, end + day), 0);
}

static void each_role_has_its_name(void **state)
{
    (void)state;
    for (int role = MM_KEY_CONSUMER; role <= MM_KEY_OPERATOR; role++) {
        mm_key_role_t found = role == MM_KEY_SAVER ? MM_KEY_VIEWER : MM_KEY_SAVER;
        assert_true(mm_key_role_from(mm_str(mm_key_role_name((mm_key_role_t)role)), &found));
        assert_int_equal(found, role);
    }
    mm_key_role_t found = MM_KEY_VIEWER;
    static const char *const wrong[] = {"", "save", "savers", "Saver", "root", "saver "};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_false(mm_key_role_from(mm_str(wrong[i]), &found));
    assert_int_equal(found, MM_KEY_VIEWER);
}

int main(void)
{
#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, begin, remove_temp_folder)
    const struct CMUnitTest tests[] = {
        TEST(what_is_written_is_read_again),
        TEST(two_keys_are_not_the_same),
        TEST(a_cleared_key_has_no_secret),
        TEST(a_file_that_exists_is_replaced_only_on_demand),
        TEST(no_file_is_wider_than_0600_at_any_time),
        TEST(a_wide_file_in_its_place_gives_nothing_away),
        TEST(a_symlink_is_replaced_not_followed),
        TEST(where_no_file_can_be_it_is_said),
        TEST(fields_come_in_any_order_with_blanks_and_comments),
        TEST(a_wrong_line_is_refused_with_its_number),
        TEST(a_file_without_one_of_its_fields_is_refused),
        TEST(the_consumers_own_file_has_no_server),
        TEST(more_server_keys_than_there_is_room_for_are_refused),
        TEST(a_public_key_of_another_secret_is_refused),
        TEST(modes_that_let_others_in_are_refused),
        TEST(a_file_of_another_user_is_refused),
        TEST(what_is_no_file_is_refused_at_once),
        TEST(a_file_that_is_too_large_is_not_read),
        TEST(a_date_is_the_end_of_its_day),
        TEST(days_left_count_up_to_the_last_one),
        TEST(each_role_has_its_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
