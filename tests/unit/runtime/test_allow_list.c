// Tests of common/runtime/allow_list.h: who is on the list, until when, and what becomes of a row
// whose line goes; a list with an error changes nothing.

#include "allow_list.h"

#include <fcntl.h>
#include <sysexits.h>
#include <unistd.h>

#include "temp_folder.h"

#define A   "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID"
#define B   "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7"
#define C   "00000000000000000000000000000000000000C0"
#define DAY INT64_C(86400000)

static char path[TEMP_PATH_MAX], error[MM_ERROR_MAX];
static mm_allow_list_t *list;

static int begin(void **state)
{
    (void)state;
    make_temp_folder();
    temp_path(path, "allowed");
    *error = '\0';
    list = mm_allow_list_new();
    return 0;
}

static int end(void **state)
{
    mm_allow_list_destroy(&list);
    mm_allow_list_destroy(&list); // idempotent
    return remove_temp_folder(state);
}

static void write_text(const char *text)
{
    temp_write(path, text, strlen(text), 0600);
}

static void read_text(const char *text)
{
    write_text(text);
    if (mm_allow_list_read(list, path, error) != 0)
        fail_msg("%s", error);
}

// All rows that count, as "ROLE NAME SERIAL" with commas between.
static const char *listed(void)
{
    static char text[1024];
    size_t place = 0, size = 0;
    *text = '\0';
    for (const mm_allowed_t *row; (row = mm_allow_list_next(list, &place)) != NULL;)
        size += (size_t)snprintf(text + size, sizeof text - size, "%s%s %s %u", size ? ", " : "",
                                 mm_key_role_name(row->role), row->name.text, row->serial);
    return text;
}

// The rows that were revoked since the last call, by serial.
static const char *revoked(void)
{
    static char text[1024];
    size_t size = 0;
    *text = '\0';
    for (const mm_allowed_t *row; (row = mm_allow_list_next_revoked(list)) != NULL;) {
        assert_true(row->is_revoked);
        size +=
            (size_t)snprintf(text + size, sizeof text - size, "%s%u", size ? " " : "", row->serial);
    }
    return text;
}

static uint32_t serial_of(const char *key, int64_t unix_ms)
{
    const mm_allowed_t *row = mm_allow_list_find(list, key, unix_ms);
    return row ? row->serial : 0;
}

static void assert_refused(int code, const char *words)
{
    *error = '\0';
    int exit_code = mm_allow_list_read(list, path, error);
    if (exit_code != code || !strstr(error, words))
        fail_msg("exit %d, '%s', and not %d with '%s'", exit_code, error, code, words);
}

static int64_t date(const char *text)
{
    int64_t end_ms = 0;
    assert_true(mm_key_date(mm_str(text), &end_ms));
    return end_ms;
}

static mm_key_t named(mm_key_role_t role, const char *name, const char *public_key)
{
    mm_key_t key = {.role = role, .not_after_ms = INT64_MAX};
    assert_true(mm_name_from(mm_str(name), &key.name));
    strcpy(key.public_key, public_key);
    return key;
}

// ---- who is on it

static void an_empty_list_lets_nobody_in(void **state)
{
    (void)state;
    assert_int_equal(serial_of(A, 0), 0);
    assert_string_equal(listed(), "");
    assert_string_equal(revoked(), "");
    assert_null(mm_allow_list_row(list, 0));
    assert_null(mm_allow_list_row(list, 1));
    assert_int_equal(mm_allow_list_expire(list, DAY), INT64_MAX);
    read_text("# nobody\n");
    assert_string_equal(listed(), "");
}

static void each_line_is_a_row_in_the_order_of_the_file(void **state)
{
    (void)state;
    read_text("# ROLE NAME PUBLIC\n\nsaver s1 " B "\n  restarter\teu-1 " A
              " not-after=2027-12-01\t\noperator s1 " C "\n");
    assert_string_equal(listed(), "saver s1 1, restarter eu-1 2, operator s1 3");
    const mm_allowed_t *row = mm_allow_list_find(list, A, 0);
    assert_non_null(row);
    assert_int_equal(row->role, MM_KEY_RESTARTER);
    assert_string_equal(row->name.text, "eu-1");
    assert_string_equal(row->public_key, A);
    assert_int_equal(row->not_after_ms, date("2027-12-01"));
    assert_false(row->is_revoked);
    assert_ptr_equal(mm_allow_list_row(list, 2), row);
    assert_null(mm_allow_list_row(list, 4));
    assert_null(mm_allow_list_row(list, UINT32_MAX));
    assert_int_equal(serial_of(C, INT64_MAX - 1), 3); // no end
    assert_int_equal(serial_of("", 0), 0);
    assert_int_equal(serial_of(A "x", 0), 0);
}

static void a_row_whose_line_stays_stays(void **state)
{
    (void)state;
    read_text("saver s1 " B "\nrestarter eu-1 " A "\n");
    const mm_allowed_t *row = mm_allow_list_find(list, A, 0);
    read_text("# a comment\nrestarter   eu-1 " A "\nviewer v " C "\nsaver s1 " B "\n");
    assert_string_equal(listed(), "restarter eu-1 2, viewer v 3, saver s1 1");
    assert_ptr_equal(mm_allow_list_find(list, A, 0), row);
    assert_string_equal(revoked(), "");
}

static void a_row_whose_line_goes_is_revoked_for_good(void **state)
{
    (void)state;
    read_text("saver s1 " B "\nrestarter eu-1 " A "\n");
    read_text("saver s1 " B "\n");
    assert_int_equal(serial_of(A, 0), 0);
    assert_true(mm_allow_list_row(list, 2)->is_revoked);
    assert_string_equal(mm_allow_list_row(list, 2)->name.text, "eu-1");
    assert_string_equal(revoked(), "2");
    assert_string_equal(revoked(), ""); // told once
    // The same line again is another row; who was connected by the old one is not let back in.
    read_text("saver s1 " B "\nrestarter eu-1 " A "\n");
    assert_int_equal(serial_of(A, 0), 3);
    assert_true(mm_allow_list_row(list, 2)->is_revoked);
    assert_string_equal(listed(), "saver s1 1, restarter eu-1 3");
    assert_string_equal(revoked(), "");
}

static void a_line_that_changes_is_a_new_row(void **state)
{
    (void)state;
    static const char *const changes[] = {"saver eu-1 " A "\n", "restarter eu-2 " A "\n",
                                          "restarter eu-1 " B "\n",
                                          "restarter eu-1 " A " not-after=2027-12-01\n",
                                          "restarter eu-1 " A " not-after=2027-12-02\n"};
    read_text("restarter eu-1 " A "\n");
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        char told[16];
        read_text(changes[i]);
        (void)snprintf(told, sizeof told, "%zu", i + 1);
        assert_string_equal(revoked(), told);
        size_t place = 0;
        const mm_allowed_t *row = mm_allow_list_next(list, &place);
        assert_int_equal(row->serial, i + 2);
        assert_null(mm_allow_list_next(list, &place));
    }
}

static void names_that_change_places_are_four_rows(void **state)
{
    (void)state;
    read_text("saver a " A "\nsaver b " B "\n");
    read_text("saver a " B "\nsaver b " A "\n");
    assert_string_equal(listed(), "saver a 3, saver b 4");
    assert_string_equal(revoked(), "1 2");
    assert_int_equal(serial_of(A, 0), 4);
}

static void many_rows_are_all_found(void **state)
{
    (void)state;
    enum { COUNT = 500 };
    static char text[COUNT * 100];
    static mm_key_t keys[COUNT];
    size_t size = 0;
    for (int i = 0; i < COUNT; i++) {
        mm_key_draw(&keys[i]);
        size += (size_t)snprintf(text + size, sizeof text - size, "restarter r-%d %s\n", i,
                                 keys[i].public_key);
    }
    read_text(text);
    for (uint32_t i = 0; i < COUNT; i++) {
        assert_int_equal(serial_of(keys[i].public_key, 0), i + 1);
        assert_string_equal(mm_allow_list_row(list, i + 1)->public_key, keys[i].public_key);
    }
}

// ---- dates

static void a_key_counts_until_the_instant_of_its_end(void **state)
{
    (void)state;
    const int64_t end_ms = date("2027-12-01");
    read_text("restarter eu-1 " A " not-after=2027-12-01\nsaver s " B "\nviewer v " C
              " not-after=2027-12-05\n");
    assert_int_equal(serial_of(A, end_ms - 1), 1);
    assert_int_equal(serial_of(A, end_ms), 0);
    assert_int_equal(mm_allow_list_expire(list, end_ms - 1), end_ms);
    assert_string_equal(revoked(), "");
    assert_int_equal(mm_allow_list_expire(list, end_ms), date("2027-12-05"));
    assert_string_equal(revoked(), "1");
    assert_string_equal(listed(), "saver s 2, viewer v 3");
    assert_int_equal(serial_of(A, end_ms - 1), 0); // a clock that steps back does not bring it back
    assert_int_equal(mm_allow_list_expire(list, end_ms), date("2027-12-05"));
    assert_string_equal(revoked(), "");
    assert_int_equal(mm_allow_list_expire(list, date("2027-12-05")), INT64_MAX);
    assert_string_equal(revoked(), "3");
    assert_string_equal(listed(), "saver s 2");
}

static void an_expired_line_that_stays_is_told_once(void **state)
{
    (void)state;
    static const char text[] = "restarter eu-1 " A " not-after=2027-12-01\n";
    read_text(text);
    (void)mm_allow_list_expire(list, date("2027-12-01"));
    assert_string_equal(revoked(), "1");
    for (int i = 0; i < 3; i++) {
        read_text(text);
        (void)mm_allow_list_expire(list, date("2027-12-01"));
        assert_string_equal(revoked(), "");
        assert_null(mm_allow_list_row(list, 2));
    }
    read_text("restarter eu-1 " A " not-after=2028-12-01\n"); // its life is prolonged
    assert_int_equal(serial_of(A, date("2027-12-01")), 2);
    assert_string_equal(revoked(), "");
}

static void a_line_that_gets_a_date_of_the_past_is_told_once(void **state)
{
    (void)state;
    read_text("restarter eu-1 " A "\nsaver s " B " not-after=2027-12-01\n");
    (void)mm_allow_list_expire(list, date("2027-11-01"));
    read_text("restarter eu-1 " A " not-after=2027-10-01\nsaver s " B " not-after=2027-10-01\n"
              "viewer v " C " not-after=2027-10-01\n");
    assert_int_equal(mm_allow_list_expire(list, date("2027-11-01")), INT64_MAX);
    assert_string_equal(revoked(), "1 2 5"); // not 3 and 4, which have the same keys
    assert_string_equal(listed(), "");
    assert_int_equal(serial_of(A, 0), 0);
}

// ---- what is refused

static void a_list_with_an_error_is_refused_as_a_whole(void **state)
{
    (void)state;
    static const struct {
        const char *line, *words;
    } cases[] = {
        {"king a " C "\n", ":3: 'king' is no role"},
        {"consumer a " C "\n", ":3: 'consumer' is no role of a client"},
        {"saver\n", ":3: '' is no name"},
        {"saver -a " C "\n", ":3: '-a' is no name"},
        {"saver a\n", ":3: '' is no public key"},
        {"saver a abc\n", ":3: 'abc' is no public key"},
        {"saver a ########################################\n", "is no public key"},
        {"saver a " C " # Anna's\n", ":3: 'Anna's' is too much"},
        {"saver a " C " 2027-12-01\n", ":3: '2027-12-01' is no not-after"},
        {"saver a " C " not-after=\n", ":3: 'not-after=' is no not-after"},
        {"saver a " C " not-after=2027-02-30\n", ":3: 'not-after=2027-02-30' is no not-after"},
        {"saver a " C " not-before=2027-02-03\n", "is no not-after"},
        {"saver a " C " not-after=2027-12-01 not-after=2027-12-01\n", "is too much"},
        {"saver a " A "\n", ":3: it has the key of line 1"},
        {"restarter eu-1 " C "\n", ":3: restarter eu-1 has a key already in line 1"},
        {"saver a " C, ":3: the last line has no newline"},
        {"saver a " C "\r\n", ":3: there is a byte 0x0d"},
        {"saver \xc3\xa9 " C "\n", ":3: there is a byte 0xc3"}};
    static const char good[] = "restarter eu-1 " A "\nsaver s " B "\n";
    read_text(good);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[512];
        (void)snprintf(text, sizeof text, "%s%s", good, cases[i].line);
        write_text(text);
        assert_refused(EX_CONFIG, cases[i].words);
        assert_string_equal(listed(), "restarter eu-1 1, saver s 2");
        assert_string_equal(revoked(), "");
    }
}

static void what_was_refused_leaves_the_rows_as_they_were(void **state)
{
    (void)state;
    read_text("restarter eu-1 " A "\nsaver s " B "\n");
    const mm_allowed_t *row = mm_allow_list_find(list, A, 0);
    write_text("viewer v " C "\nrestarter eu-1\n");
    assert_refused(EX_CONFIG, ":2:");
    write_text("");
    assert_refused(EX_CONFIG, "is empty");
    temp_write(path, "saver s " B "\nviewer \0 v\n", 60, 0600);
    assert_refused(EX_CONFIG, ":2: there is a byte 0x00");
    assert_int_equal(unlink(path), 0);
    assert_refused(EX_NOINPUT, "No such file");
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_refused(EX_CONFIG, "is a pipe");
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mkdir(path, 0700), 0);
    assert_refused(EX_CONFIG, "is a folder");
    assert_string_equal(listed(), "restarter eu-1 1, saver s 2");
    assert_ptr_equal(mm_allow_list_find(list, A, 0), row);
    assert_string_equal(revoked(), "");
    assert_null(mm_allow_list_row(list, 3));
}

static void others_may_read_a_list_and_not_write_it(void **state)
{
    (void)state;
    static const char text[] = "saver s " B "\n";
    static const mode_t wide[] = {0602, 0620, 0622, 0666};
    for (size_t i = 0; i < sizeof wide / sizeof *wide; i++) {
        temp_write(path, text, strlen(text), wide[i]);
        assert_refused(EX_NOPERM, "chmod go-w");
    }
    temp_write(path, text, strlen(text), 0644);
    assert_int_equal(mm_allow_list_read(list, path, error), 0);
    assert_int_equal(chmod(folder, 0770), 0);
    assert_refused(EX_NOPERM, "has mode 0770, so that others could put keys there");
    assert_int_equal(chmod(folder, 0755), 0);
    assert_int_equal(mm_allow_list_read(list, path, error), 0);
    if (chown(path, 12345, (gid_t)-1) != 0)
        return; // only root can give it away
    assert_refused(EX_NOPERM, "another user's (12345)");
    assert_int_equal(chown(path, 0, (gid_t)-1), 0);
    assert_int_equal(chown(folder, 12345, (gid_t)-1), 0);
    assert_refused(EX_NOPERM, "another user's (12345)");
    assert_int_equal(chown(folder, 0, (gid_t)-1), 0);
}

// Whoever may put files where the list really is has the list.
static void a_link_must_not_lead_to_a_folder_of_others(void **state)
{
    (void)state;
    char open_folder[TEMP_PATH_MAX], target[TEMP_PATH_MAX], middle[TEMP_PATH_MAX];
    static const char text[] = "saver s " B "\n";
    temp_path(open_folder, "open");
    temp_path(target, "open/list");
    temp_path(middle, "open/link");
    assert_int_equal(mkdir(open_folder, 0700), 0);
    temp_write(target, text, strlen(text), 0600);
    assert_int_equal(symlink("open/list", path), 0);
    assert_int_equal(mm_allow_list_read(list, path, error), 0);
    assert_int_equal(chmod(open_folder, 0777), 0);
    assert_refused(EX_NOPERM, "has mode 0777, so that others could put keys there");
    mm_name_t name = {""};
    mm_key_t key = {.role = MM_KEY_SAVER, .name = name, .public_key = A};
    assert_int_equal(mm_allow_list_add(path, &key, error), EX_NOPERM);
    assert_int_equal(mm_allow_list_remove(path, MM_KEY_SAVER, "s", error), EX_NOPERM);
    assert_int_equal(unlink(path), 0);
    // Also when only a link lies there, which leads back.
    temp_write(path, text, strlen(text), 0600);
    assert_int_equal(unlink(target), 0);
    assert_int_equal(symlink(path, middle), 0);
    assert_int_equal(mm_allow_list_read(list, path, error), 0);
    (void)strcpy(path, middle);
    assert_refused(EX_NOPERM, "has mode 0777, so that others could put keys there");
}

// ---- changing a file

static const char *content(void)
{
    static char text[2048];
    FILE *file = fopen(path, "re");
    assert_non_null(file);
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    (void)fclose(file);
    return text;
}

static void a_key_that_is_added_is_on_the_list(void **state)
{
    (void)state;
    mm_key_t key = named(MM_KEY_RESTARTER, "eu-1", A);
    assert_int_equal(mm_allow_list_add(path, &key, error), 0);
    struct stat status;
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0600);
    key = named(MM_KEY_SAVER, "eu-1", B);
    key.not_after_ms = date("2027-12-01");
    assert_int_equal(mm_allow_list_add(path, &key, error), 0);
    assert_int_equal(mm_allow_list_read(list, path, error), 0);
    assert_string_equal(listed(), "restarter eu-1 1, saver eu-1 2");
    assert_int_equal(serial_of(B, date("2027-12-01") - 1), 2);
    assert_int_equal(serial_of(B, date("2027-12-01")), 0);
    assert_int_equal(*content(), '#');
}

static void a_name_or_key_that_is_there_is_not_added(void **state)
{
    (void)state;
    static const char text[] = "restarter eu-1 " A "\n";
    write_text(text);
    mm_key_t key = named(MM_KEY_RESTARTER, "eu-1", B);
    assert_int_equal(mm_allow_list_add(path, &key, error), EX_DATAERR);
    assert_non_null(strstr(error, ":1: restarter eu-1 is on the list already with another key"));
    key = named(MM_KEY_RESTARTER, "eu-1", A);
    assert_int_equal(mm_allow_list_add(path, &key, error), EX_DATAERR);
    assert_non_null(strstr(error, "already with this key"));
    key = named(MM_KEY_VIEWER, "v", A);
    assert_int_equal(mm_allow_list_add(path, &key, error), EX_DATAERR);
    assert_non_null(strstr(error, ":1: restarter eu-1 is on the list already with this key"));
    assert_string_equal(content(), text);
}

static void removing_leaves_all_other_lines_as_they_are(void **state)
{
    (void)state;
    write_text("# mine\nrestarter eu-1 " A "\n\n  # Anna\n  viewer   anna  " B "\nsaver anna " C
               "\n");
    assert_int_equal(mm_allow_list_remove(path, MM_KEY_VIEWER, "anna", error), 0);
    assert_string_equal(content(), "# mine\nrestarter eu-1 " A "\n\n  # Anna\nsaver anna " C "\n");
    assert_int_equal(mm_allow_list_remove(path, MM_KEY_VIEWER, "anna", error), EX_NOINPUT);
    assert_non_null(strstr(error, "viewer anna is not on the list"));
    assert_int_equal(mm_allow_list_remove(path, MM_KEY_RESTARTER, "eu-1", error), 0);
    assert_int_equal(mm_allow_list_remove(path, MM_KEY_SAVER, "anna", error), 0);
    assert_string_equal(content(), "# mine\n\n  # Anna\n");
}

static void removing_the_only_line_leaves_a_list_that_can_be_read(void **state)
{
    (void)state;
    read_text("restarter eu-1 " A "\n");
    assert_int_equal(mm_allow_list_remove(path, MM_KEY_RESTARTER, "eu-1", error), 0);
    assert_int_equal(mm_allow_list_read(list, path, error), 0);
    assert_string_equal(listed(), "");
    assert_string_equal(revoked(), "1");
}

static void a_list_with_an_error_is_not_changed(void **state)
{
    (void)state;
    static const char text[] = "restarter eu-1 " A "\nking k " B "\n";
    mm_key_t key = named(MM_KEY_VIEWER, "v", C);
    write_text(text);
    assert_int_equal(mm_allow_list_add(path, &key, error), EX_CONFIG);
    assert_int_equal(mm_allow_list_remove(path, MM_KEY_RESTARTER, "eu-1", error), EX_CONFIG);
    assert_non_null(strstr(error, ":2: 'king' is no role"));
    assert_string_equal(content(), text);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mm_allow_list_remove(path, MM_KEY_VIEWER, "v", error), EX_NOINPUT);
}

int main(void)
{
#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, begin, end)
    const struct CMUnitTest tests[] = {
        TEST(an_empty_list_lets_nobody_in),
        TEST(each_line_is_a_row_in_the_order_of_the_file),
        TEST(a_row_whose_line_stays_stays),
        TEST(a_row_whose_line_goes_is_revoked_for_good),
        TEST(a_line_that_changes_is_a_new_row),
        TEST(names_that_change_places_are_four_rows),
        TEST(many_rows_are_all_found),
        TEST(a_key_counts_until_the_instant_of_its_end),
        TEST(an_expired_line_that_stays_is_told_once),
        TEST(a_line_that_gets_a_date_of_the_past_is_told_once),
        TEST(a_list_with_an_error_is_refused_as_a_whole),
        TEST(what_was_refused_leaves_the_rows_as_they_were),
        TEST(others_may_read_a_list_and_not_write_it),
        TEST(a_link_must_not_lead_to_a_folder_of_others),
        TEST(a_key_that_is_added_is_on_the_list),
        TEST(a_name_or_key_that_is_there_is_not_added),
        TEST(removing_leaves_all_other_lines_as_they_are),
        TEST(removing_the_only_line_leaves_a_list_that_can_be_read),
        TEST(a_list_with_an_error_is_not_changed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
