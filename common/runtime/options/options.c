// Reads the options of a program: the table of options.def as data, flags by getopt_long, the
// environment, and the order of the sources; prints --help and --print-config. Every given value is
// checked, also one that a stronger source overrides. No state is kept between calls.

#include "array.h"
#include "options_table.h"

#include <assert.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#ifndef MM_VERSION
#define MM_VERSION "unversioned"
#endif

// The words that options.def is written in.
#define P                    MM_HAS(MM_PROGRAM_PUBLISHER)
#define C                    MM_HAS(MM_PROGRAM_CONSUMER)
#define S                    MM_HAS(MM_PROGRAM_SAVER)
#define R                    MM_HAS(MM_PROGRAM_RESTARTER)
#define ALL                  MM_HAS_ALL
#define RUN                  MM_HAS(MM_PROGRAM_RUN)
#define FLAG_ONLY            MM_FLAG_ONLY
#define DRIVER               MM_IN_DRIVER
#define POLICY               MM_OF_POLICY
#define MM_MINUTE            INT64_C(60000)
#define MM_HOUR              (60 * MM_MINUTE)
#define MM_KIND_CHOICE(ENUM) MM_KIND_CHOICE

const mm_row_t mm_rows[MM_ROW_COUNT] = {
#define MM_OPTION(PROGRAMS, KIND, FIELD, NAME, DEFAULT, LOW, HIGH, ARGUMENT, HELP)                 \
    [MM_ROW_##FIELD] = {.programs = (PROGRAMS),                                                    \
                        .kind = MM_KIND_##KIND,                                                    \
                        .offset = offsetof(mm_options_t, FIELD),                                   \
                        .name = (NAME),                                                            \
                        .fallback = (DEFAULT),                                                     \
                        .low = (LOW),                                                              \
                        .high = (HIGH),                                                            \
                        .argument = (ARGUMENT),                                                    \
                        .help = (HELP)},
#include "options.def"
};

// getopt_long's number for the row with index 0: above all characters.
#define FIRST_FLAG 256

// The letters of `mayhem run`; each program has -h only.
static const struct {
    char letter;
    mm_row_index_t row;
} letters[] = {
    {'i', MM_ROW_input}, {'n', MM_ROW_restarters}, {'x', MM_ROW_exec}, {'q', MM_ROW_quiet}};
#define LETTERS (sizeof letters / sizeof *letters)

const char *mm_options_title(mm_program_t program)
{
    static const char *const titles[] = {
        [MM_PROGRAM_PUBLISHER] = "mayhem-publisher",
        [MM_PROGRAM_CONSUMER] = "mayhem-consumer",
        [MM_PROGRAM_SAVER] = "mayhem-saver",
        [MM_PROGRAM_RESTARTER] = "mayhem-restarter",
        [MM_PROGRAM_RUN] = "mayhem run",
    };
    return titles[program];
}

const char *mm_options_keep(mm_options_t *options, const char *format, ...)
{
    struct mm_options_origins *origins = options->origins;
    char **text = MM_ARRAY_ADD(origins->strings, origins->string_count, origins->string_capacity);
    va_list arguments;
    va_start(arguments, format);
    int size = vasprintf(text, format, arguments);
    va_end(arguments);
    assert(size >= 0);
    return *text;
}

// "MAYHEM_DRAIN_TIMEOUT" of "drain-timeout".
#define VARIABLE_TEXT 64
static char *variable_of(const mm_row_t *row, char buffer[VARIABLE_TEXT])
{
    int size = snprintf(buffer, VARIABLE_TEXT, "MAYHEM_%s", row->name);
    assert(size > 0 && size < VARIABLE_TEXT);
    for (char *c = buffer; *c != '\0'; c++) {
        if (*c == '-')
            *c = '_';
        else if (*c >= 'a' && *c <= 'z')
            *c = (char)(*c - 'a' + 'A');
    }
    return buffer;
}

static mm_row_index_t row_named(const char *name)
{
    mm_row_index_t row = 0;
    while (row < MM_ROW_COUNT && strcmp(mm_rows[row].name, name) != 0)
        row++;
    assert(row < MM_ROW_COUNT);
    return row;
}

char *mm_options_origin(const mm_options_t *options, const char *name, size_t number,
                        char buffer[MM_ORIGIN_TEXT])
{
    const struct mm_options_origins *origins = options->origins;
    mm_row_index_t row = row_named(name);
    mm_origin_t origin = origins ? origins->rows[row] : (mm_origin_t){.source = MM_BY_FLAG};
    char variable[VARIABLE_TEXT];
    bool is_restart = row == MM_ROW_exec;
    switch (origin.source) {
    case MM_BY_DEFAULT:
    case MM_BY_FLAG: (void)snprintf(buffer, MM_ORIGIN_TEXT, "--%s", name); break;
    case MM_BY_ENVIRONMENT:
        (void)snprintf(buffer, MM_ORIGIN_TEXT, "%s", variable_of(&mm_rows[row], variable));
        break;
    case MM_BY_FILE:
        (void)snprintf(buffer, MM_ORIGIN_TEXT, "%.200s:%d: %s", origins->path, origin.line, name);
        break;
    case MM_BY_DRIVER:
        (void)snprintf(buffer, MM_ORIGIN_TEXT, "%.200s:%d: %s", origins->driver,
                       is_restart ? origins->restart_lines[number] : origin.line,
                       is_restart ? "restart" : name);
        break;
    }
    return buffer;
}

int mm_options_complain(const mm_options_t *options, mm_row_index_t index,
                        const mm_origin_t *origin, const char *complaint)
{
    const mm_row_t *row = &mm_rows[index];
    char variable[VARIABLE_TEXT];
    fprintf(stderr, "%s: ", mm_options_title(options->program));
    switch (origin->source) {
    case MM_BY_FLAG: fprintf(stderr, "--%s=%s: ", row->name, origin->text); break;
    case MM_BY_ENVIRONMENT:
        fprintf(stderr, "%s=%s: ", variable_of(row, variable), origin->text);
        break;
    case MM_BY_FILE:
        fprintf(stderr, "%s:%d: %s = %s: ", options->origins->path, origin->line, row->name,
                origin->text);
        break;
    case MM_BY_DRIVER:
        fprintf(stderr, "%s:%d: %s = %s: ", options->origins->driver, origin->line,
                index == MM_ROW_exec ? "restart" : row->name, origin->text);
        break;
    case MM_BY_DEFAULT: fprintf(stderr, "--%s (not given): ", row->name); break;
    }
    if (options->program == MM_PROGRAM_RUN)
        fprintf(stderr, "%s (%s)\n", complaint, row->help);
    else
        fprintf(stderr, "%s\n", complaint);
    return origin->source == MM_BY_FLAG ? MM_EXIT_USAGE : MM_EXIT_CONFIG;
}

int mm_options_set(mm_options_t *options, mm_row_index_t index, mm_origin_t origin)
{
    char complaint[MM_COMPLAINT];
    origin.text = mm_options_keep(options, "%s", origin.text);
    if (!mm_value_parse(options, &mm_rows[index], origin.text, complaint))
        return mm_options_complain(options, index, &origin, complaint);
    options->origins->rows[index] = origin;
    return 0;
}

const char *mm_options_nearest(unsigned programs, bool flags, const char *name)
{
    const char *nearest = NULL;
    size_t least = SIZE_MAX;
    for (size_t i = 0; i < MM_ROW_COUNT; i++) {
        if ((mm_rows[i].programs & programs) != programs ||
            (!flags && (mm_rows[i].programs & MM_FLAG_ONLY) != 0))
            continue;
        // A name's own beginning is nearest to it, however much is missing.
        bool is_prefix = strncmp(mm_rows[i].name, name, strlen(name)) == 0;
        size_t distance = is_prefix ? 0 : mm_edit_distance(name, mm_rows[i].name);
        if (distance < least) {
            least = distance;
            nearest = mm_rows[i].name;
        }
    }
    return nearest;
}

// Prints what is wrong with the flag at which getopt_long has failed.
static void complain_of_flag(const mm_options_t *options, const char *given)
{
    char name[64];
    const char *start = given + strspn(given, "-"), *title = mm_options_title(options->program);
    (void)snprintf(name, sizeof name, "%.*s", (int)strcspn(start, "="), start);
    if (options->program == MM_PROGRAM_RUN)
        fprintf(stderr, "%s: unknown option %s", title, given);
    else
        fprintf(stderr, "%s: %s: there is no such option", title, given);
    for (size_t i = 0; i < MM_ROW_COUNT; i++) {
        if (strcmp(mm_rows[i].name, name) != 0)
            continue;
        for (mm_program_t other = 0; other < MM_PROGRAMS; other++) {
            if ((mm_rows[i].programs & MM_HAS(other)) == 0)
                continue;
            fprintf(stderr, " here; it belongs to %s\n", mm_options_title(other));
            return;
        }
    }
    fprintf(stderr, "; the nearest one is --%s, and --help lists them all\n",
            mm_options_nearest(MM_HAS(options->program), true, name));
}

// Prints which argument of the command line cannot be read. Returns 64.
static int refuse_flag(const mm_options_t *options, int found, char **argv)
{
    const char *title = mm_options_title(options->program);
    bool is_run = options->program == MM_PROGRAM_RUN;
    char letter[] = {'-', (char)optopt, '\0'};
    if (found == ':' && is_run)
        fprintf(stderr, "%s: %s needs a value; see --help\n", title, argv[optind - 1]);
    else if (found == ':')
        fprintf(stderr, "%s: %s: it needs a value; see --help\n", title, argv[optind - 1]);
    // optopt: a letter that is no option. argv[optind] may still be its word.
    else if (optopt != 0 && optopt < FIRST_FLAG && is_run)
        fprintf(stderr, "%s: unknown option %s; see --help\n", title, letter);
    else if (optopt != 0 && optopt < FIRST_FLAG)
        fprintf(stderr, "%s: %s: options are written out, as in --rate; see --help\n", title,
                letter);
    else
        complain_of_flag(options, argv[optind - 1]);
    return MM_EXIT_USAGE;
}

static int refuse_argument(const mm_options_t *options, const char *word)
{
    const char *title = mm_options_title(options->program);
    if (options->program == MM_PROGRAM_RUN)
        fprintf(stderr, "%s: unknown argument %s: hosts are given as a file with -i FILE\n", title,
                word);
    else
        fprintf(stderr, "%s: %s: only options are understood; see --help\n", title, word);
    return MM_EXIT_USAGE;
}

// A flag may do without a value: that is "yes".
static bool is_bare(const mm_row_t *row)
{
    return row->kind == MM_KIND_FLAG || *row->argument == '[';
}

// The row of a flag or letter that getopt_long has found; -1: there is none.
static int row_of(int found)
{
    if (found >= FIRST_FLAG)
        return found - FIRST_FLAG;
    for (size_t i = 0; i < LETTERS; i++)
        if (letters[i].letter == found)
            return (int)letters[i].row;
    return found == 'h' ? MM_ROW_help : -1;
}

// What the publisher calls --leases was --window before windows were times: its flag is still
// understood, and so is a plain number at `mayhem run`.
static int without_clash(const mm_options_t *options, int row, const char *text)
{
    bool is_number = text && *text != '\0' && text[strspn(text, "0123456789")] == '\0';
    bool is_other = options->program == MM_PROGRAM_PUBLISHER ||
                    (options->program == MM_PROGRAM_RUN && is_number);
    return row == MM_ROW_window && is_other ? MM_ROW_leases : row;
}

// A folder, file or address that is empty is a shell's variable that was not set: it must not mean
// the default. In a file it may be what --print-config has written.
static bool is_unset(const mm_row_t *row, const char *text)
{
    static const char *const places[] = {"ADDRESS", "DIR",      "FILE",
                                         "FOLDER",  "FILE|URI", "NAME|FILE"};
    for (size_t i = 0; text && *text == '\0' && i < sizeof places / sizeof *places; i++)
        if (strcmp(row->argument, places[i]) == 0)
            return true;
    return false;
}

// Whether this flag may be given so, after `former`. Returns 0, or the exit code.
static int check_flag(const mm_options_t *options, mm_row_index_t row, const char *former,
                      const char *text)
{
    const mm_origin_t origin = {MM_BY_FLAG, 0, text};
    if (is_unset(&mm_rows[row], text))
        return mm_options_complain(options, row, &origin, "it is empty: name one, or leave it out");
    if (row == MM_ROW_listen && former)
        return mm_options_complain(options, row, &origin,
                                   "it is there twice, and a consumer listens at one such "
                                   "address: give one, or * for all of this machine");
    return 0;
}

// Collects the text of each flag; the last one of a name counts, of lists all do. Returns 0, or the
// exit code.
static int read_flags(mm_options_t *options, int argc, char **argv, const char *texts[MM_ROW_COUNT])
{
    struct option flags[MM_ROW_COUNT + 1] = {{0}};
    int count = 0;
    for (int i = 0; i < MM_ROW_COUNT; i++) {
        bool is_older = i == MM_ROW_window && options->program == MM_PROGRAM_PUBLISHER;
        if ((mm_rows[i].programs & MM_HAS(options->program)) != 0 || is_older)
            flags[count++] = (struct option){
                mm_rows[i].name, is_bare(&mm_rows[i]) ? optional_argument : required_argument, NULL,
                FIRST_FLAG + i};
    }
    const char *short_flags = options->program == MM_PROGRAM_RUN ? ":hqi:n:x:" : ":h";
    opterr = 0;
    optind = 0; // glibc: forget the last call
    int found;
    while ((found = getopt_long(argc, argv, short_flags, flags, NULL)) != -1) {
        int row = row_of(found);
        if (row < 0)
            return refuse_flag(options, found, argv);
        row = without_clash(options, row, optarg);
        int code = check_flag(options, (mm_row_index_t)row, texts[row], optarg);
        if (code != 0)
            return code;
        if (mm_rows[row].kind == MM_KIND_LIST && texts[row] != NULL)
            texts[row] = mm_options_keep(options, "%s,%s", texts[row], optarg);
        else
            texts[row] = optarg != NULL ? optarg : "yes";
    }
    if (optind < argc)
        return refuse_argument(options, argv[optind]);
    return 0;
}

// An empty variable counts as not set.
static int read_environment(mm_options_t *options)
{
    for (mm_row_index_t i = 0; i < MM_ROW_COUNT; i++) {
        char variable[VARIABLE_TEXT];
        if ((mm_rows[i].programs & MM_HAS(options->program)) == 0 ||
            (mm_rows[i].programs & MM_FLAG_ONLY) != 0)
            continue;
        const char *text = getenv(variable_of(&mm_rows[i], variable));
        if (text == NULL || *text == '\0')
            continue;
        int code = mm_options_set(options, i, (mm_origin_t){MM_BY_ENVIRONMENT, 0, text});
        if (code != 0)
            return code;
    }
    return 0;
}

// Both names of the record get its place: the one that counts more, and --store before --db.
static void derive_record(mm_options_t *options)
{
    const mm_origin_t *rows = options->origins->rows;
    if (*options->store == '\0' ||
        (*options->db != '\0' && rows[MM_ROW_db].source > rows[MM_ROW_store].source))
        options->store = options->db;
    if (*options->store == '\0')
        options->store = mm_options_keep(options, "%s/mayhem.db", options->dir);
    options->db = options->store;
}

// Defaults that depend on other options.
static void derive_defaults(mm_options_t *options)
{
    if (*options->id == '\0')
        options->id = mm_program_name(options->program);
    if (*options->consumer == '\0')
        options->consumer = mm_options_keep(options, "ipc://%s/consumer", options->dir);
    if (*options->keys == '\0')
        options->keys = mm_options_keep(options, "%s/keys", options->dir);
    derive_record(options);
    if (options->slots == 0)
        options->slots = *options->exec == '\0' ? 256 : 16;
}

static int set_flag(mm_options_t *options, mm_row_index_t row, const char *text)
{
    return text != NULL ? mm_options_set(options, row, (mm_origin_t){MM_BY_FLAG, 0, text}) : 0;
}

// What is answered whatever else is given, however wrong that is.
static int read_questions(mm_options_t *options, const char *texts[MM_ROW_COUNT])
{
    int code = set_flag(options, MM_ROW_help, texts[MM_ROW_help]);
    return code != 0 ? code : set_flag(options, MM_ROW_version, texts[MM_ROW_version]);
}

static int read_sources(mm_options_t *options, const char *texts[MM_ROW_COUNT])
{
    int code = 0;
    if (texts[MM_ROW_config] != NULL)
        code = mm_options_read_file(
            options, texts[MM_ROW_config],
            texts[texts[MM_ROW_config_name] ? MM_ROW_config_name : MM_ROW_config]);
    if (code == 0)
        code = read_environment(options);
    for (mm_row_index_t i = 0; i < MM_ROW_COUNT && code == 0; i++)
        code = set_flag(options, i, texts[i]);
    if (code == 0)
        code = mm_options_read_driver(options);
    if (code != 0)
        return code;
    derive_defaults(options);
    return mm_options_cross_check(options);
}

static void set_defaults(mm_options_t *options)
{
    for (mm_row_index_t i = 0; i < MM_ROW_COUNT; i++) {
        int failed =
            mm_options_set(options, i, (mm_origin_t){MM_BY_DEFAULT, 0, mm_rows[i].fallback});
        assert(!failed);
    }
}

// ---- printing

#define HELP_COLUMN 30

// '\0': the program has none for this option.
static char letter_of(mm_program_t program, const mm_row_t *row)
{
    for (size_t i = 0; program == MM_PROGRAM_RUN && i < LETTERS; i++)
        if (row == &mm_rows[letters[i].row])
            return letters[i].letter;
    return '\0';
}

static void print_row_help(mm_program_t program, const mm_row_t *row)
{
    const char *blank = is_bare(row) ? "" : " ";
    char letter[] = "-?, ";
    letter[1] = letter_of(program, row);
    int width = printf("  %s--%s%s%s", letter[1] ? letter : "", row->name, blank, row->argument);
    if (width >= HELP_COLUMN) {
        printf("\n");
        width = 0;
    }
    printf("%*s%s", HELP_COLUMN - width, "", row->help);
    // A default that depends on another option is part of the help text.
    if (row->kind != MM_KIND_FLAG && *row->fallback != '\0')
        printf(" [%s]", row->fallback);
    printf("\n");
}

static void print_help(mm_program_t program)
{
    static const char *const tasks[] = {
        [MM_PROGRAM_PUBLISHER] = "emits one job per host and delivers it until it is settled",
        [MM_PROGRAM_CONSUMER] = "gives each job to a saver and a restarter and gathers the results",
        [MM_PROGRAM_SAVER] = "keeps the record of all jobs",
        [MM_PROGRAM_RESTARTER] = "restarts hosts",
        [MM_PROGRAM_RUN] =
            "starts the pipeline, keeps it running until each host is restarted, and "
            "prints a summary.\n\nWithout -i and -x it is the demo: hosts at random, "
            "a mock restart, one in four fails",
    };
    const char *name = mm_program_name(program), *title = mm_options_title(program);
    printf("%s: %s.\n\nUsage: %s [OPTION]...\n\n", title, tasks[program], title);
    for (size_t i = 0; i < MM_ROW_COUNT; i++) {
        if ((mm_rows[i].programs & MM_HAS(program)) != 0)
            print_row_help(program, &mm_rows[i]);
    }
    printf("\nTimes have a unit: 500ms, 1.5s, 5m, 1h. Defaults are in brackets. Instead of\n"
           "--seed 5 you can set MAYHEM_SEED=5 in the environment, or seed = 5 under ");
    if (program == MM_PROGRAM_RUN)
        printf(
            "[common]\nin the file of --config; what only one program has is under its name, and "
            "what none of\nthe four has, under [run].\n");
    else
        printf("[%s]\nor, when other programs have the option too, [common] in the file of "
               "--config.\n",
               name);
    printf("A flag counts more than the environment, that more than the file.\n");
    if (program == MM_PROGRAM_RUN)
        printf(
            "\nExit: 0 all restarted, 1 some dead, 75 stopped with work left (the same command goes"
            " on),\n64 usage, 65 bad input, 69 unavailable, 70 bug, 73 cannot create, 74 I/O,"
            " 78 configuration,\n130 second Ctrl-C.\n");
}

static void print_origin(const mm_options_t *options, mm_row_index_t index)
{
    const mm_origin_t *origin = &options->origins->rows[index];
    char variable[VARIABLE_TEXT];
    switch (origin->source) {
    case MM_BY_DEFAULT: printf("# default\n"); return;
    case MM_BY_DRIVER: printf("# driver %s:%d\n", options->origins->driver, origin->line); return;
    case MM_BY_FILE: printf("# file %s:%d\n", options->origins->path, origin->line); return;
    case MM_BY_ENVIRONMENT:
        printf("# environment %s\n", variable_of(&mm_rows[index], variable));
        return;
    case MM_BY_FLAG: printf("# flag --%s\n", mm_rows[index].name); return;
    }
    assert(false);
}

static void print_config(const mm_options_t *options)
{
    printf("[%s]\n", mm_program_name(options->program));
    for (mm_row_index_t i = 0; i < MM_ROW_COUNT; i++) {
        unsigned programs = mm_rows[i].programs;
        if ((programs & MM_HAS(options->program)) == 0 || (programs & MM_FLAG_ONLY) != 0)
            continue;
        print_origin(options, i);
        // It is read from there again.
        bool is_drivers = options->origins->rows[i].source == MM_BY_DRIVER;
        printf("%s%s = ", is_drivers ? "# " : "", mm_rows[i].name);
        mm_value_print(options, &mm_rows[i], stdout);
        printf("\n");
    }
}

void mm_options_print_set(const mm_options_t *options, const mm_options_t *run)
{
    for (mm_row_index_t i = 0; i < MM_ROW_COUNT; i++) {
        mm_source_t source = options->origins->rows[i].source;
        bool is_own = (mm_rows[i].programs & MM_HAS(options->program)) != 0 &&
                      (mm_rows[i].programs & MM_FLAG_ONLY) == 0;
        bool is_passed_on =
            run && (source == MM_BY_FLAG || run->origins->rows[i].source != MM_BY_DEFAULT);
        if (!is_own || source == MM_BY_DEFAULT || is_passed_on)
            continue;
        printf("%s = ", mm_rows[i].name);
        mm_value_print(options, &mm_rows[i], stdout);
        printf(" ");
        print_origin(options, i);
    }
}

// ---- all together

bool mm_options_parse(mm_program_t program, int argc, char **argv, mm_options_t *ret_options,
                      int *ret_exit_code)
{
    mm_options_t options = {.program = program};
    const char *texts[MM_ROW_COUNT] = {NULL};
    options.origins = calloc(1, sizeof *options.origins);
    assert(options.origins);
    set_defaults(&options);

    bool is_done = true;
    int code = read_flags(&options, argc, argv, texts);
    if (code != 0)
        goto done;
    code = read_questions(&options, texts);
    if (code != 0)
        goto done;
    if (options.help) {
        print_help(program);
        goto done;
    }
    if (options.version) {
        printf("%s %s\n", mm_options_title(program), MM_VERSION);
        goto done;
    }
    code = read_sources(&options, texts);
    if (code != 0)
        goto done;
    if (options.print_config)
        print_config(&options);
    else
        is_done = false;
done:
    if (is_done) {
        mm_options_free(&options);
        *ret_exit_code = code;
        return false;
    }
    *ret_options = options;
    return true;
}

bool mm_options_is_default(const mm_options_t *options, const char *name)
{
    return options->origins->rows[row_named(name)].source == MM_BY_DEFAULT;
}

const char *mm_options_flag_for(mm_options_t *options, mm_program_t program, size_t *place)
{
    while (*place < MM_ROW_COUNT) {
        const mm_row_t *row = &mm_rows[*place];
        const mm_origin_t *origin = &options->origins->rows[(*place)++];
        if (origin->source == MM_BY_FLAG && (row->programs & MM_HAS(program)) != 0)
            return mm_options_keep(options, "--%s=%s", row->name, origin->text);
    }
    return NULL;
}

char *mm_options_value(const mm_options_t *options, const char *name)
{
    char *text = NULL;
    size_t size;
    FILE *file = open_memstream(&text, &size);
    assert(file);
    mm_value_print(options, &mm_rows[row_named(name)], file);
    (void)fclose(file);
    return text;
}

const mm_group_line_t *mm_options_group_lines(const mm_options_t *options, size_t *ret_count)
{
    *ret_count = options->origins ? options->origins->group_line_count : 0;
    return options->origins ? options->origins->group_lines : NULL;
}

bool mm_options_has_policy_lines(const mm_options_t *options)
{
    const struct mm_options_origins *origins = options->origins;
    bool has_lines = origins && origins->group_line_count > 0;
    for (mm_row_index_t i = 0; i < MM_ROW_COUNT && origins && !has_lines; i++)
        has_lines =
            (mm_rows[i].programs & MM_OF_POLICY) != 0 && origins->rows[i].source == MM_BY_FILE;
    return has_lines;
}

const char *mm_options_file(const mm_options_t *options)
{
    return options->origins && options->origins->path ? options->origins->path : "";
}

int mm_options_refuse(const mm_options_t *options, const char *name, const char *complaint)
{
    mm_row_index_t row = row_named(name);
    return mm_options_complain(options, row, &options->origins->rows[row], complaint);
}

int mm_options_refuse_line(const mm_options_t *options, const mm_group_line_t *line,
                           const char *complaint)
{
    fprintf(stderr, "%s: %s:%d: [group %s]", mm_options_title(options->program),
            mm_options_file(options), line->line, line->group);
    if (line->key)
        fprintf(stderr, " %s = %s", line->key, line->text);
    fprintf(stderr, ": %s\n", complaint);
    return MM_EXIT_CONFIG;
}

void mm_options_free(mm_options_t *options)
{
    if (options->origins == NULL)
        return;
    free(options->origins->group_lines);
    for (size_t i = 0; i < options->origins->string_count; i++)
        free(options->origins->strings[i]);
    free(options->origins->strings);
    free(options->origins);
    memset(options, 0, sizeof *options);
}
