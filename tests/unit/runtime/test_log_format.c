// Tests of common/runtime/log_format.c: how lines look, whatever they are given.

#include "host.h"
#include "job.h"
#include "log_format.h"
#include "uuid.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#define NOW INT64_C(1795332314123) // 2026-11-22T07:25:14.123Z

// One line as the writer makes it.
static const char *format(bool json, const char *message, const mm_field_t *fields, uint32_t count)
{
    static char line[MM_LOG_LINE_MAX + 1];
    mm_log_format_t format;
    mm_log_format_init(&format, (mm_name_t){"restarter-2"}, 4242, json);
    const mm_log_entry_t entry = {NOW, MM_LOG_INFO, count, message};
    size_t size = mm_log_format(&format, &entry, fields, line);
    assert_true(size <= MM_LOG_LINE_MAX);
    line[size] = '\0';
    return line;
}

// `key=...` of a text field alone.
static void assert_text(const char *text, size_t size, const char *expected)
{
    char line[256];
    (void)snprintf(line, sizeof line, "2026-11-22T07:25:14.123Z INFO restarter-2[4242] m key=%s\n",
                   expected);
    assert_string_equal(format(false, "m", &MM_STR("key", ((mm_str_t){text, size})), 1), line);
}

// `data` as field of a line in JSON, read back.
static void assert_reads_back(const char *data, size_t size, const char *expected)
{
    const char *line = format(true, "m", &MM_STR("key", ((mm_str_t){data, size})), 1);
    json_error_t error;
    json_t *object = json_loads(line, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &error);
    if (object == NULL)
        fail_msg("%s: %s", error.text, line);
    if (expected != NULL)
        assert_string_equal(json_string_value(json_object_get(object, "key")), expected);
    json_decref(object);
}

static void a_line_of_text_looks_like_the_contract(void **state)
{
    (void)state;
    mm_id_t id = {{0x01, 0x93, 0xaa, 0xbb, 0xcc, 0xdd, 0x70, 0, 0x80, 0, 0, 0, 0, 0, 0, 1}};
    const mm_field_t fields[] = {MM_JOB(&id), MM_STRING("host", "web-14"), MM_INT("attempt", 1),
                                 MM_SECONDS("took", 412)};
    assert_string_equal(format(false, "restarted", fields, 4),
                        "2026-11-22T07:25:14.123Z INFO restarter-2[4242] restarted "
                        "job=0193aabbccdd70008000000000000001 host=web-14 attempt=1 took=0.412s\n");
    assert_string_equal(format(false, "joined", NULL, 0),
                        "2026-11-22T07:25:14.123Z INFO restarter-2[4242] joined\n");
}

static void a_line_of_json_has_the_same_keys(void **state)
{
    (void)state;
    mm_id_t id = {{[15] = 17}};
    const mm_field_t fields[] = {MM_JOB(&id), MM_STRING("host", "web-14"), MM_INT("attempt", -1),
                                 MM_SECONDS("took", 12034)};
    assert_string_equal(format(true, "restarted", fields, 4),
                        "{\"ts\":\"2026-11-22T07:25:14.123Z\",\"level\":\"INFO\","
                        "\"process\":\"restarter-2\",\"pid\":4242,\"message\":\"restarted\","
                        "\"job\":\"j17\",\"host\":\"web-14\",\"attempt\":-1,\"took\":12.034}\n");
}

static void numbers_keep_their_extremes(void **state)
{
    (void)state;
    const mm_field_t fields[] = {MM_INT("a", INT64_MIN), MM_INT("b", INT64_MAX),
                                 MM_SECONDS("c", INT64_MIN), MM_SECONDS("d", -1), MM_INT("e", 0)};
    assert_non_null(strstr(format(false, "m", fields, 5),
                           " a=-9223372036854775808 b=9223372036854775807"
                           " c=-9223372036854775.808s d=-0.001s e=0\n"));
}

// A session of a consumer whose epoch is above 2^31.
static void what_is_unsigned_is_not_negative(void **state)
{
    (void)state;
    const mm_field_t fields[] = {MM_INT("session", UINT64_C(0x8000000000000001)),
                                 MM_INT("task", UINT64_MAX), MM_INT("count", (size_t)3)};
    assert_non_null(strstr(format(false, "m", fields, 3),
                           " session=9223372036854775809 task=18446744073709551615 count=3\n"));
    assert_non_null(strstr(format(true, "m", fields, 1), ",\"session\":9223372036854775809}\n"));
}

static void texts_are_quoted_and_escaped_where_they_need_it(void **state)
{
    (void)state;
    assert_text("web-14.example.net", 18, "web-14.example.net");
    assert_text("", 0, "\"\"");
    assert_text("a b", 3, "\"a b\"");
    assert_text("a=b", 3, "\"a=b\"");
    assert_text("a\"b\\", 4, "\"a\\\"b\\\\\"");
    assert_text("a\nb\tc\r\x1b[0m", 10, "\"a\\nb\\tc\\x0d\\x1b[0m\"");
    assert_text("a\0b\x7f", 4, "\"a\\x00b\\x7f\"");
    assert_text("\xc3\xa4", 2, "\"\xc3\xa4\"");
    assert_text("\xc2\x9b", 2, "\"\\x9b\""); // CSI: a terminal would obey it
    assert_text("\xc3", 1, "\"\\xc3\"");
    assert_text("\xc0\x80", 2, "\"\\xc0\\x80\""); // overlong
}

static void json_texts_read_back(void **state)
{
    (void)state;
    assert_reads_back("a \"b\" \\ / \n\t\x01", 13, "a \"b\" \\ / \n\t\x01");
    assert_reads_back("\xf0\x9f\x92\xa5 \xc3\xa4 \xc2\x9b", 10,
                      "\xf0\x9f\x92\xa5 \xc3\xa4 \xc2\x9b");
    assert_reads_back("a\xff"
                      "b\xed\xa0\x80",
                      6,
                      "a\xef\xbf\xbd"
                      "b\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
}

static void any_bytes_make_one_line_and_valid_json(void **state)
{
    (void)state;
    unsigned seed = 1;
    for (int i = 0; i < 3000; i++) {
        char data[64];
        size_t size = (size_t)rand_r(&seed) % sizeof data;
        for (size_t k = 0; k < size; k++)
            data[k] = (char)(rand_r(&seed) >> 3);
        assert_reads_back(data, size, NULL);
        const char *line = format(false, "m", &MM_STR("key", ((mm_str_t){data, size})), 1);
        for (const char *c = line; *c != '\0'; c++)
            assert_true((unsigned char)*c >= ' ' || (*c == '\n' && c[1] == '\0'));
    }
}

static void the_longest_line_fits(void **state)
{
    (void)state;
    static char bytes[2 * MM_ERROR_MAX],
        key[] = "a-key-that-is-longer-than-sixty-three-bytes-and-so-is-cut-off-before-this";
    memset(bytes, 0xff, sizeof bytes);
    bytes[sizeof bytes - 1] = '\0';
    mm_field_t fields[MM_LOG_FIELDS];
    for (size_t i = 0; i < MM_LOG_FIELDS; i++)
        fields[i] = MM_STRING(key, bytes);
    for (int json = 0; json <= 1; json++) {
        const char *line = format(json, bytes, fields, MM_LOG_FIELDS);
        assert_true(strlen(line) > (size_t)MM_LOG_FIELDS * MM_ERROR_MAX * 4);
        assert_null(strstr(line, "before-this"));
    }
}

static void long_texts_are_cut_between_characters(void **state)
{
    (void)state;
    char text[MM_ERROR_MAX + 8];
    for (size_t shift = 0; shift < 4; shift++) {
        memset(text, 'x', sizeof text);
        for (size_t i = shift; i + 4 <= sizeof text; i += 4)
            memcpy(text + i, "\xf0\x9f\x92\xa5", 4);
        size_t size = mm_log_text_size((mm_str_t){text, sizeof text});
        assert_true(size <= MM_ERROR_MAX && size > MM_ERROR_MAX - 4);
        assert_int_equal((size - shift) % 4, 0);
    }
    memset(text, 'x', sizeof text);
    assert_int_equal(mm_log_text_size((mm_str_t){text, sizeof text}), MM_ERROR_MAX);
    assert_int_equal(mm_log_text_size((mm_str_t){text, MM_ERROR_MAX}), MM_ERROR_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_of_text_looks_like_the_contract),
        cmocka_unit_test(a_line_of_json_has_the_same_keys),
        cmocka_unit_test(numbers_keep_their_extremes),
        cmocka_unit_test(what_is_unsigned_is_not_negative),
        cmocka_unit_test(texts_are_quoted_and_escaped_where_they_need_it),
        cmocka_unit_test(json_texts_read_back),
        cmocka_unit_test(any_bytes_make_one_line_and_valid_json),
        cmocka_unit_test(the_longest_line_fits),
        cmocka_unit_test(long_texts_are_cut_between_characters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
