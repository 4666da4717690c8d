// Tests of ctl/lines/callgrind.h, line_costs.h and line_table.h: callgrind's format is read, and
// becomes the lines of a source file.

#include "line_table.h"
#include "temp_folder.h"

#include <unistd.h>

#define HEAD                                                                                       \
    "# callgrind format\nversion: 1\ncreator: callgrind-3.19.0\npid: 7\n"                          \
    "cmd:  build/mayhem-saver --dir run --id=saver --log-file=x\npart: 1\n\n"                      \
    "desc: I1 cache: \n\npositions: instr line\nevents: Ir\n\n"

static callgrind_t callgrind;
static line_costs_t *costs;

static int start(void **state)
{
    (void)state;
    make_temp_folder();
    return 0;
}

static int stop(void **state)
{
    line_costs_destroy(&costs);
    callgrind_clear(&callgrind);
    return remove_temp_folder(state);
}

static bool parse(const char *text, char error[MM_ERROR_MAX])
{
    char path[TEMP_PATH_MAX];
    temp_path(path, "callgrind.out");
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
    return callgrind_read(&callgrind, path, error);
}

static void parses(const char *text)
{
    char error[MM_ERROR_MAX] = "";
    if (!parse(text, error))
        fail_msg("%s", error);
}

static void refuses(const char *text, const char *why)
{
    char error[MM_ERROR_MAX] = "";
    assert_false(parse(text, error));
    assert_non_null(strstr(error, why));
}

static void is_cost(size_t index, const char *function, const char *file, int line,
                    uint64_t address, uint64_t cost)
{
    assert_true(index < callgrind.count);
    const callgrind_cost_t *item = &callgrind.costs[index];
    assert_string_equal(item->function, function);
    assert_string_equal(item->file, file);
    assert_int_equal(item->line, line);
    assert_int_equal(item->address, address);
    assert_int_equal(item->cost, cost);
}

static void names_and_positions_are_uncompressed(void **state)
{
    (void)state;
    parses(HEAD "ob=(1) build/mayhem-saver\nfl=(3) saver/main.c\nfn=(9) put\n"
                "0x64e0 153 10\n+2 * 20\n* -3 5\n-2 +1 1\n\nfn=(8) turn\n0x7000 7 2\n\n"
                "fn=(9)\n+16 160 4\ntotals: 42\n");
    assert_int_equal(callgrind.count, 6);
    is_cost(0, "put", "saver/main.c", 153, 0x64e0, 10);
    is_cost(1, "put", "saver/main.c", 153, 0x64e2, 20);
    is_cost(2, "put", "saver/main.c", 150, 0x64e2, 5);
    is_cost(3, "put", "saver/main.c", 151, 0x64e0, 1);
    is_cost(4, "turn", "saver/main.c", 7, 0x7000, 2);
    is_cost(5, "put", "saver/main.c", 160, 0x7010, 4);
    assert_string_equal(callgrind.costs[5].process, "saver");
    assert_string_equal(callgrind.costs[5].object, "build/mayhem-saver");
    assert_ptr_equal(callgrind.costs[5].function, callgrind.costs[0].function);
}

static void inlined_lines_belong_to_their_own_file(void **state)
{
    (void)state;
    parses(HEAD "fl=(1) a.c\nfn=(1) outer\n0x10 5 1\nfi=(2) b.h\n+1 70 2\nfe=(1)\n+1 6 3\n");
    is_cost(0, "outer", "a.c", 5, 0x10, 1);
    is_cost(1, "outer", "b.h", 70, 0x11, 2);
    is_cost(2, "outer", "a.c", 6, 0x12, 3);
}

static void a_call_is_a_cost_of_its_line(void **state)
{
    (void)state;
    parses(HEAD "fl=(1) a.c\nfn=(1) outer\n0x10 5 1\ncob=(2) libc.so\ncfi=(4) b.c\ncfn=(2) inner\n"
                "calls=3 0x900 200\n* * 90\n+5 +1 1\ncfn=(3) near\ncalls=1 -8 -2\n* * 7\n+5 * 1\n");
    assert_int_equal(callgrind.count, 5);
    is_cost(1, "outer", "a.c", 5, 0x10, 90);
    assert_string_equal(callgrind.costs[1].callee, "inner");
    assert_string_equal(callgrind.costs[1].callee_file, "b.c");
    is_cost(2, "outer", "a.c", 6, 0x15, 1); // where a call goes moves no position
    assert_null(callgrind.costs[2].callee);
    assert_string_equal(callgrind.costs[3].callee, "near");
    assert_string_equal(callgrind.costs[3].callee_file, "a.c");
    is_cost(4, "outer", "a.c", 6, 0x1a, 1);
}

static void jumps_and_other_events_are_left_out(void **state)
{
    (void)state;
    parses("cmd: /usr/bin/mayhem-saver\npositions: line\nevents: Dr Ir\nfl=a.c\nfn=f\n5 100 7\n"
           "jcnd=3/9 +1\n*\n+1 100\n");
    assert_int_equal(callgrind.count, 1); // costs that are not there are 0
    is_cost(0, "f", "a.c", 5, 0, 7);
    assert_string_equal(callgrind.costs[0].process, "mayhem-saver");
}

static void a_recursion_is_one_function(void **state)
{
    (void)state;
    parses(HEAD "fl=a.c\nfn=(1) f\n0x10 5 1\nfn=(2) f'2\n0x10 5 4\nfn=(3) don't\n0x20 6 1\n");
    assert_ptr_equal(callgrind.costs[0].function, callgrind.costs[1].function);
    assert_string_equal(callgrind.costs[2].function, "don't");
}

static void what_is_not_in_the_format_is_refused(void **state)
{
    (void)state;
    refuses("", "no costs");
    refuses("hello\n", "line 1 is not");
    refuses(HEAD "fl=a.c\nfn=f\n0x10 x 1\n", "is not in callgrind's format");
    refuses(HEAD "fl=a.c\n0x10 5 1\n", "is not in callgrind's format"); // of no function
    refuses(HEAD "fl=a.c\nfn=(7)\n0x10 5 1\n", "is not in callgrind's format");
    refuses(HEAD "fl=a.c\nfn=(99999999999) f\n", "is not in callgrind's format");
    refuses(HEAD "fl=a.c\nfn=f\ncalls=1 2\n", "is not in callgrind's format");
    refuses("positions: line\nevents: Cpu Wait\nfl=a.c\nfn=f\n5 1 1\n", "no instructions (Ir)");
    assert_int_equal(callgrind.count, 0);
}

static void what_is_cut_off_is_refused(void **state)
{
    (void)state;
    refuses("cmd: x\nevents: Ir\nsummary: 2\nfl=a.c\nfn=f\n5 1\n", "cut off");
    callgrind_clear(&callgrind);
    parses("cmd: x\nevents: Ir\nsummary: 2\nfl=a.c\nfn=f\n5 2\ntotals: 2\n"
           "part: 2\nevents: Ir\nsummary: 3\nfn=f\n5 3\ntotals: 3\n");
    assert_int_equal(callgrind.count, 2);
}

static void one_process_or_all_of_a_role_can_be_kept(void **state)
{
    (void)state;
    parses("cmd: r --id restarter-1\nevents: Ir\nfl=a.c\nfn=f\n5 1\n");
    parses("cmd: r --id restarter-10\nevents: Ir\nfl=a.c\nfn=f\n5 1\n");
    parses("cmd: r --id saver\nevents: Ir\nfl=a.c\nfn=f\n5 1\n");
    callgrind_only(&callgrind, "restarter");
    assert_int_equal(callgrind.count, 2);
    callgrind_only(&callgrind, "restarter-1");
    assert_int_equal(callgrind.count, 1);
    callgrind_only(&callgrind, "rest");
    assert_int_equal(callgrind.count, 0);
}

// ---- lines

static const char source[] =
    "#include <x.h>\n"
    "\n"
    "int before(int a);\n"
    "static const int row[] = {1};\n"
    "__attribute__((format(printf, 1, 2))) static int work(const char *a,\n"
    "                                                      int b)\n"
    "{\n"
    "    while (b > 0)\n"
    "        b -= step(a);\n"
    "    return b;\n"
    "}\n"
    "static inline int one(void) { return 1; }\n"
    "int two(void)\n"
    "{\n"
    "    return 2;\n"
    "}\n";

// Writes the source, and makes callgrind's file of it: %s becomes its path.
static void counts(const char *format)
{
    const char *hole = strstr(format, "%s");
    assert_non_null(hole);
    char path[TEMP_PATH_MAX], text[2048];
    temp_path(path, "work.c");
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    (void)fputs(source, file);
    assert_int_equal(fclose(file), 0);
    (void)snprintf(text, sizeof text, "%.*s%s%s", (int)(hole - format), format, path, hole + 2);
    parses(text);
    callgrind.taken = time(NULL) + 60;
    line_costs_destroy(&costs);
    costs = line_costs_new(&callgrind);
}

static const costed_file_t *costed(void)
{
    for (size_t i = 0; i < costs->file_count; i++)
        if (costs->files[i].source)
            return &costs->files[i];
    fail_msg("no source was found");
    abort();
}

static void functions_are_found_in_the_text(void **state)
{
    (void)state;
    counts(HEAD "fl=%s\nfn=work\n0x10 8 1\n");
    const source_t *found = costed()->source;
    assert_int_equal(found->function_count, 3);
    const struct {
        const char *name;
        int first, last;
    } expected[] = {{"work", 5, 11}, {"one", 12, 12}, {"two", 13, 16}};
    for (size_t i = 0; i < 3; i++) {
        assert_string_equal(found->functions[i].name, expected[i].name);
        assert_int_equal(found->functions[i].first, expected[i].first);
        assert_int_equal(found->functions[i].last, expected[i].last);
    }
    assert_null(source_function_at(found, 4));
    assert_ptr_equal(source_function_at(found, 11), &found->functions[0]);
    assert_null(source_function_at(found, 17));
}

static void a_moved_checkout_is_found_below_the_working_directory(void **state)
{
    (void)state;
    counts(HEAD "fl=%s\nfn=work\n0x10 8 1\n");
    char *before = getcwd(NULL, 0);
    assert_non_null(before);
    assert_int_equal(chdir(folder), 0);
    source_t *moved = source_read("/nowhere/built/work.c");
    source_t *foreign = source_read("built/work.c"); // a library's, perhaps
    assert_int_equal(chdir(before), 0);
    free(before);
    assert_non_null(moved);
    assert_string_equal(moved->name, "built/work.c");
    assert_null(foreign);
    source_destroy(&moved);
}

static void hits_are_those_of_the_most_executed_instruction(void **state)
{
    (void)state;
    // The loop: entered 3 times, 30 turns; it was inlined into `two`, too, with 2 turns.
    counts(HEAD "ob=none\nfl=(1) %s\nfn=(1) work\n0x10 8 3\n+1 * 33\n+1 * 33\n+1 9 30\n"
                "cfn=(2) step\ncalls=30 0x90 50\n* * 300\n+1 10 3\nfn=(3) two\n0x40 9 2\n+1 * 2\n");
    const line_cost_t *lines = costed()->costs;
    assert_int_equal(lines[8].hits, 33);
    assert_int_equal(lines[8].all, 69);
    assert_int_equal(lines[9].hits, 32);
    assert_int_equal(lines[9].own, 34);
    assert_int_equal(lines[9].all, 334);
    assert_int_equal(lines[10].hits, 3);
    assert_int_equal(line_costs_of(costed(), &costed()->source->functions[0]).all, 406);
    assert_int_equal(costs->total, 106);
}

static void blocks_that_share_an_instruction_are_added(void **state)
{
    (void)state;
    counts(HEAD "ob=none\nfl=(1) %s\nfn=(1) work\n0x10 8 3\n+1 * 3\n0x11 * 30\n");
    assert_int_equal(costed()->costs[8].hits, 33);
}

// As callgrind counts "rep stosb", executed 2 times with 400 repetitions each: in the block of
// which it is the last instruction, and in one of its own, which ends with a jump to itself.
static void repetitions_are_no_hits(void **state)
{
    (void)state;
    counts(HEAD "ob=none\nfl=(1) %s\nfn=(1) work\n0x10 8 2\n+2 * 2\njcnd=2/2 * *\n* *\n"
                "* * 800\njcnd=798/800 * *\n* *\n+2 9 2\njfi=(2) other.h\njcnd=1/2 -2 -1\n* *\n"
                "fi=(2)\n+2 7 1\n");
    assert_int_equal(costed()->costs[8].hits, 2);
    assert_int_equal(costed()->costs[8].own, 804);
    assert_int_equal(costed()->costs[9].hits, 2); // its jump to line 8 is no repetition
}

static void processes_are_added(void **state)
{
    (void)state;
    counts(HEAD "fl=(1) %s\nfn=(1) work\n0x10 8 3\n");
    counts(
        "cmd: x --id=consumer\npositions: instr line\nevents: Ir\nfl=(1) %s\nfn=work\n0x10 8 4\n");
    assert_int_equal(costed()->costs[8].hits, 7);
}

static void a_call_of_itself_costs_nothing_more(void **state)
{
    (void)state;
    counts(HEAD "fl=(1) %s\nfn=(1) work\n0x10 9 3\ncfn=(2) work'2\ncalls=2 0x10 8\n* * 40\n"
                "fn=(2)\n0x10 9 40\n");
    assert_int_equal(costed()->costs[9].own, 43);
    assert_int_equal(costed()->costs[9].all, 43);
}

static void what_has_no_source_belongs_to_its_object(void **state)
{
    (void)state;
    counts(HEAD "ob=(1) /lib/libx.so\nfl=(1) ???\nfn=(1) inside\n0x10 0 70\n"
                "ob=(2) program\nfl=(2) %s\nfn=(2) work\n0x10 8 30\n");
    assert_int_equal(costs->object_count, 1);
    assert_string_equal(costs->objects[0].name, "/lib/libx.so");
    assert_int_equal(costs->objects[0].own, 70);
    assert_int_equal(costs->total, 100);
}

static void the_table_is_line_profilers(void **state)
{
    (void)state;
    counts(HEAD "ob=none\nfl=(1) %s\nfn=(1) work\n0x10 8 33\n+1 * 33\n+1 9 30\n"
                "cfn=(2) step\ncalls=30 0x90 50\n* * 300\n+1 10 4\n");
    char *text = NULL;
    size_t size;
    FILE *file = open_memstream(&text, &size);
    assert_non_null(file);
    line_table_print(file, costs, costed(), &costed()->source->functions[0]);
    (void)fclose(file);
    assert_non_null(strstr(text, "Total time: 400 instructions\nProcess: saver\nFile: "));
    assert_non_null(strstr(text, "Function: work at line 5\n\nLine #       Hits          Time    "
                                 "Per Hit   % Time  Line Contents\n====="));
    assert_non_null(strstr(
        text, "     8         33            66        2.0     16.5      while (b > 0)\n"
              "     9         30           330       11.0     82.5          b -= step(a);\n"));
    assert_null(strstr(text, "changed"));
    free(text);
}

static void a_name_that_is_not_there_has_near_ones(void **state)
{
    (void)state;
    counts(HEAD "fl=(1) %s\nfn=(1) work\n0x10 8 33\n+1 15 1\n");
    char *text = NULL;
    size_t size;
    FILE *file = open_memstream(&text, &size);
    assert_non_null(file);
    line_table_suggest(file, costs, "wrok");
    (void)fclose(file);
    assert_string_equal(text, "work, two");
    free(text);
}

int main(void)
{
#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, start, stop)
    const struct CMUnitTest tests[] = {
        TEST(names_and_positions_are_uncompressed),
        TEST(inlined_lines_belong_to_their_own_file),
        TEST(a_call_is_a_cost_of_its_line),
        TEST(jumps_and_other_events_are_left_out),
        TEST(a_recursion_is_one_function),
        TEST(what_is_not_in_the_format_is_refused),
        TEST(what_is_cut_off_is_refused),
        TEST(one_process_or_all_of_a_role_can_be_kept),
        TEST(functions_are_found_in_the_text),
        TEST(a_moved_checkout_is_found_below_the_working_directory),
        TEST(hits_are_those_of_the_most_executed_instruction),
        TEST(blocks_that_share_an_instruction_are_added),
        TEST(repetitions_are_no_hits),
        TEST(processes_are_added),
        TEST(a_call_of_itself_costs_nothing_more),
        TEST(what_has_no_source_belongs_to_its_object),
        TEST(the_table_is_line_profilers),
        TEST(a_name_that_is_not_there_has_near_ones),
    };
    return cmocka_run_group_tests_name("callgrind", tests, NULL, NULL);
}
