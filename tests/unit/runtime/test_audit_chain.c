// The hash of the audit, against values that were computed by another program (Python's hashlib).

#include "audit_chain.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static mm_audit_value_t integer(int64_t number)
{
    return (mm_audit_value_t){MM_AUDIT_INTEGER, number, {0}};
}

static mm_audit_value_t text(const char *bytes)
{
    return (mm_audit_value_t){MM_AUDIT_STRING, 0, mm_str(bytes)};
}

static const char *hash_of(uint8_t hash[MM_AUDIT_HASH], const mm_audit_value_t *values,
                           size_t count)
{
    static char print[MM_AUDIT_TEXT];
    mm_audit_hash(hash, values, count, hash);
    return mm_audit_print(hash, print);
}

static void two_rows_have_the_hashes_that_another_program_gives_them(void **state)
{
    (void)state;
    uint8_t hash[MM_AUDIT_HASH] = {0};
    const mm_audit_value_t row[] = {
        integer(1),
        integer(1795332314123),
        text("root"),
        text("halt"),
        {MM_AUDIT_NULL, 0, {0}},
        {MM_AUDIT_BLOB, 0, {"\0\1\2\3\4\5\6\7\10\11\12\13\14\15\16\17", 16}},
        integer(-1),
        text(""),
        text("web"),
    };
    assert_string_equal(hash_of(hash, row, sizeof row / sizeof *row),
                        "e1c0c854fc76112138fbd8d9963e8cd3ff354152a37cf5bc23fbdb280fd24d72");
    const mm_audit_value_t next = integer(2);
    assert_string_equal(hash_of(hash, &next, 1),
                        "b47a05a78a88b35b83cc8152e0d50d3077ebb17a0176f01aa4b1368e02ac899d");
}

// What stands in one column cannot be moved into the next.
static void rows_with_the_same_bytes_differ(void **state)
{
    (void)state;
    const mm_audit_value_t rows[][2] = {
        {text("ab"), text("c")},  {text("a"), text("bc")},
        {text("abc"), text("")},  {text("abc"), {MM_AUDIT_NULL, 0, {0}}},
        {integer(0), integer(0)}, {{MM_AUDIT_BLOB, 0, {"ab", 2}}, text("c")}};
    enum { COUNT = sizeof rows / sizeof *rows };
    uint8_t hashes[COUNT][MM_AUDIT_HASH] = {{0}};
    for (size_t i = 0; i < COUNT; i++) {
        mm_audit_hash(hashes[i], rows[i], 2, hashes[i]);
        for (size_t k = 0; k < i; k++)
            assert_memory_not_equal(hashes[i], hashes[k], MM_AUDIT_HASH);
    }
}

static void a_printed_hash_is_read_again_and_nothing_else_is(void **state)
{
    (void)state;
    uint8_t hash[MM_AUDIT_HASH] = {0xab, 1, [MM_AUDIT_HASH - 1] = 0xf0}, read[MM_AUDIT_HASH];
    char print[MM_AUDIT_TEXT];
    assert_true(mm_audit_parse(mm_str(mm_audit_print(hash, print)), read));
    assert_memory_equal(hash, read, sizeof hash);
    print[5] = 'G';
    assert_false(mm_audit_parse(mm_str(print), read));
    print[5] = 'A';
    assert_false(mm_audit_parse(mm_str(print), read));
    assert_false(mm_audit_parse(mm_str("ab"), read));
    assert_memory_equal(hash, read, sizeof hash);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_rows_have_the_hashes_that_another_program_gives_them),
        cmocka_unit_test(rows_with_the_same_bytes_differ),
        cmocka_unit_test(a_printed_hash_is_read_again_and_nothing_else_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
