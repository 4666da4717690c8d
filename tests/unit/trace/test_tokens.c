// The words of scenario and trace lines: what is printed is read back as one word.

#include "random.h"
#include "string_view.h"
#include "tokens.h"
#include "trace.h"

#include <stdio.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static tokens_t words;

static int clear_words(void **state)
{
    (void)state;
    tokens_clear(&words);
    return 0;
}

// Splits and compares with words joined by '|'.
static void splits(const char *line, const char *expected)
{
    char joined[256] = "";
    tokens_clear(&words);
    assert_true(tokens_split(line, &words));
    for (size_t i = 0; i < words.count; i++) {
        strcat(joined, i ? "|" : "");
        strcat(joined, words.words[i]);
    }
    assert_string_equal(joined, expected);
}

static void blanks_separate_words(void **state)
{
    (void)state;
    splits("job j1 host=web-7", "job|j1|host=web-7");
    splits(" \t job  \t j1\n", "job|j1");
    splits("", "");
    splits(" \n", "");
}

static void quotes_keep_blanks_together(void **state)
{
    (void)state;
    splits("failed error=\"no route; at all\" x", "failed|error=no route; at all|x");
    splits("\"two words\"", "two words");
    splits("a\"b c\"d", "ab cd");
    splits("error=\"\"", "error=");
    splits("\"a \\\"b\\\" \\\\\"", "a \"b\" \\");
    splits("a\\b", "a\\b"); // outside of quotes it is a character like any other
}

static void a_hash_at_the_start_of_a_word_begins_a_comment(void **state)
{
    (void)state;
    splits("# nothing", "");
    splits("job j1 # the first", "job|j1");
    splits("job#1 x=#2 \"#3\"", "job#1|x=#2|#3");
}

static void a_quote_that_is_not_closed_is_refused(void **state)
{
    (void)state;
    assert_false(tokens_split("error=\"no route", &words));
    assert_false(tokens_split("a b \"", &words));
    assert_false(tokens_split("\"a\\\"", &words));
    assert_null(words.copy);
    assert_int_equal(words.count, 0);
}

static void there_is_a_limit_to_words(void **state)
{
    (void)state;
    char *line = calloc(1, 2 * TOKENS_MAX + 3);
    assert_non_null(line);
    for (size_t i = 0; i < TOKENS_MAX; i++)
        memcpy(line + 2 * i, "a ", 2);
    assert_true(tokens_split(line, &words));
    assert_int_equal(words.count, TOKENS_MAX);
    tokens_clear(&words);
    strcat(line, "a");
    assert_false(tokens_split(line, &words));
    assert_null(words.copy);
    free(line);
}

static void values_are_found_by_their_whole_key(void **state)
{
    (void)state;
    assert_true(tokens_split("job host=web-7 delivery=2 host=b life=18446744073709551615 "
                             "empty= at=-5",
                             &words));
    assert_string_equal(tokens_value(&words, "host"), "web-7"); // the first one
    assert_null(tokens_value(&words, "hos"));
    assert_null(tokens_value(&words, "job"));
    assert_string_equal(tokens_value(&words, "empty"), "");
    assert_true(mm_str_equal(tokens_str(&words, "host"), mm_str("web-7")));
    assert_int_equal(tokens_str(&words, "none").size, 0);
    assert_int_equal(tokens_number(&words, "delivery", 1), 2);
    assert_int_equal(tokens_number(&words, "attempt", 7), 7);
    assert_true((uint64_t)tokens_number(&words, "life", 0) == UINT64_MAX);
    assert_true(tokens_number(&words, "at", 0) == -5);
}

// Prints a text, alone or behind a key, and reads it back.
static void comes_back(const char *key, mm_str_t text)
{
    char line[256] = "";
    FILE *file = fmemopen(line, sizeof line, "w");
    assert_non_null(file);
    (void)fputs(key, file);
    mm_trace_print(file, text);
    (void)fputs(" next", file);
    assert_int_equal(fclose(file), 0);
    assert_true(tokens_split(line, &words));
    assert_int_equal(words.count, 2);
    size_t size = strlen(key);
    assert_memory_equal(words.words[0], key, size);
    assert_true(mm_str_equal(mm_str(words.words[0] + size), text));
    assert_string_equal(words.words[1], "next");
    tokens_clear(&words);
}

static void what_is_printed_is_read_back_as_one_word(void **state)
{
    (void)state;
    const char *const texts[] = {"web-7", "two words", "",          "#7",  "say \"no\"",
                                 "a\\",   "a; b",      "\t\r\x01",  "k=v", "\xC3\xA4 \xE2\x82\xAC",
                                 "\"",    "\\\"",      "a\"b c\"d", "->",  "[ 0]"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        comes_back("", mm_str(texts[i]));
        comes_back("error=", mm_str(texts[i]));
    }
}

static void random_texts_come_back_too(void **state)
{
    (void)state;
    const char signs[] = "ab \"\\;#=\t";
    uint64_t random = 42;
    for (int i = 0; i < 5000; i++) {
        char text[16];
        size_t size = mm_random_below(&random, sizeof text);
        for (size_t k = 0; k < size; k++)
            text[k] = signs[mm_random_below(&random, sizeof signs - 1)];
        comes_back("", (mm_str_t){text, size});
    }
}

static void a_line_stays_one_line(void **state)
{
    (void)state;
    char line[64] = "";
    FILE *file = fmemopen(line, sizeof line, "w");
    assert_non_null(file);
    mm_trace_print(file, mm_str("two\nlines"));
    assert_int_equal(fclose(file), 0);
    assert_string_equal(line, "\"two lines\"");
}

#define TEST(NAME) cmocka_unit_test_teardown(NAME, clear_words)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(blanks_separate_words),
        TEST(quotes_keep_blanks_together),
        TEST(a_hash_at_the_start_of_a_word_begins_a_comment),
        TEST(a_quote_that_is_not_closed_is_refused),
        TEST(there_is_a_limit_to_words),
        TEST(values_are_found_by_their_whole_key),
        TEST(what_is_printed_is_read_back_as_one_word),
        TEST(random_texts_come_back_too),
        TEST(a_line_stays_one_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
