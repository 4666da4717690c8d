// Reads the options of a program: the table of options.def as data, flags by getopt_long, the
// environment, and the order in which sources are applied. Every value that is given is checked,
// also one that a stronger source overrides. Nothing here is kept between calls.

#include "options_table.h"

#include <assert.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#ifndef MM_VERSION
#define MM_VERSION "unversioned"
#endif

// The words that options.def is written in.
#define P                       MM_HAS(MM_PROGRAM_PUBLISHER)
#define C                       MM_HAS(MM_PROGRAM_CONSUMER)
#define S                       MM_HAS(MM_PROGRAM_SAVER)
#define R                       MM_HAS(MM_PROGRAM_RESTARTER)
#define ALL                     MM_HAS_ALL
#define FLAG_ONLY               MM_FLAG_ONLY
#define MM_MINUTE               INT64_C(60000)
#define MM_HOUR                 (60 * MM_MINUTE)
#define MM_KIND_OF_CHOICE(ENUM) MM_KIND_CHOICE
#define MM_KIND_OF_TEXT         MM_KIND_TEXT
#define MM_KIND_OF_NAME         MM_KIND_NAME
#define MM_KIND_OF_FLAG         MM_KIND_FLAG
#define MM_KIND_OF_INTEGER      MM_KIND_INTEGER
#define MM_KIND_OF_RATE         MM_KIND_RATE
#define MM_KIND_OF_DURATION     MM_KIND_DURATION
#define MM_KIND_OF_RANGE        MM_KIND_RANGE
#define MM_KIND_OF_PERCENT      MM_KIND_PERCENT

const mm_row_t mm_rows[MM_ROW_COUNT] = {
#define MM_OPTION(PROGRAMS, KIND, FIELD, NAME, DEFAULT, LOW, HIGH, ARGUMENT, HELP)                 \
    [MM_ROW_##FIELD] = {.programs = (PROGRAMS),                                                    \
                        .kind = MM_KIND_OF_##KIND,                                                 \
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

const char *mm_options_keep(mm_options_t *options, const char *data, size_t size)
{
    struct mm_options_origins *origins = options->origins;
    char *copy = malloc(size + 1);
    char **strings =
        realloc(origins->strings, (origins->string_count + 1) * sizeof origins->strings[0]);
    assert(copy != NULL && strings != NULL);
    memcpy(copy, data, size);
    copy[size] = '\0';
    strings[origins->string_count++] = copy;
    origins->strings = strings;
    return copy;
}

char *mm_options_variable(const mm_row_t *row, char buffer[MM_VARIABLE_TEXT])
{
    int size = snprintf(buffer, MM_VARIABLE_TEXT, "MAYHEM_%s", row->name);
    assert(size > 0 && size < MM_VARIABLE_TEXT);
    for (char *c = buffer; *c != '\0'; c++) {
        if (*c == '-')
            *c = '_';
        else if (*c >= 'a' && *c <= 'z')
            *c = (char)(*c - 'a' + 'A');
    }
    return buffer;
}

int mm_options_complain(const mm_options_t *options, mm_row_index_t index,
                        const mm_origin_t *origin, const char *complaint)
{
    const mm_row_t *row = &mm_rows[index];
    char variable[MM_VARIABLE_TEXT];
    fprintf(stderr, "mayhem-%s: ", mm_program_name(options->program));
    switch (origin->source) {
    case MM_BY_FLAG: fprintf(stderr, "--%s=%s: ", row->name, origin->text); break;
    case MM_BY_ENVIRONMENT:
        fprintf(stderr, "%s=%s: ", mm_options_variable(row, variable), origin->text);
        break;
    case MM_BY_FILE:
        fprintf(stderr, "%s:%d: %s = %s: ", options->origins->path, origin->line, row->name,
                origin->text);
        break;
    case MM_BY_DEFAULT: fprintf(stderr, "--%s (not given): ", row->name); break;
    }
    fprintf(stderr, "%s\n", complaint);
    return origin->source == MM_BY_FLAG ? MM_EXIT_USAGE : MM_EXIT_CONFIG;
}

int mm_options_set(mm_options_t *options, mm_row_index_t index, mm_origin_t origin)
{
    char complaint[MM_COMPLAINT];
    origin.text = mm_options_keep(options, origin.text, strlen(origin.text));
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
        // The beginning of a name is nearest to it, however much is missing.
        bool is_prefix = strncmp(mm_rows[i].name, name, strlen(name)) == 0;
        size_t distance = is_prefix ? 0 : mm_edit_distance(name, mm_rows[i].name);
        if (distance < least) {
            least = distance;
            nearest = mm_rows[i].name;
        }
    }
    return nearest;
}

// Says what is wrong with the flag that getopt_long has stumbled over.
static void complain_of_flag(const mm_options_t *options, const char *given)
{
    mm_program_t program = options->program;
    char name[64];
    const char *start = given + strspn(given, "-");
    (void)snprintf(name, sizeof name, "%.*s", (int)strcspn(start, "="), start);
    fprintf(stderr, "mayhem-%s: %s: there is no such option", mm_program_name(program), given);
    for (size_t i = 0; i < MM_ROW_COUNT; i++) {
        if (strcmp(mm_rows[i].name, name) != 0)
            continue;
        for (mm_program_t other = 0; other <= MM_PROGRAM_RESTARTER; other++) {
            if ((mm_rows[i].programs & MM_HAS(other)) == 0)
                continue;
            fprintf(stderr, " here; it belongs to mayhem-%s\n", mm_program_name(other));
            return;
        }
    }
    fprintf(stderr, "; the nearest one is --%s, and --help lists them all\n",
            mm_options_nearest(MM_HAS(program), true, name));
}

// Says which argument of the command line cannot be read. Returns 64.
static int refuse_flag(const mm_options_t *options, int found, char **argv)
{
    const char *program = mm_program_name(options->program);
    if (found == ':') {
        fprintf(stderr, "mayhem-%s: %s: it needs a value; see --help\n", program, argv[optind - 1]);
        return MM_EXIT_USAGE;
    }
    // optopt is set for a letter that is no option, with which argv[optind] may not yet be done.
    if (optopt != 0 && optopt < FIRST_FLAG) {
        char letter[] = {'-', (char)optopt, '\0'};
        fprintf(stderr, "mayhem-%s: %s: options are written out, as in --rate; see --help\n",
                program, letter);
        return MM_EXIT_USAGE;
    }
    complain_of_flag(options, argv[optind - 1]);
    return MM_EXIT_USAGE;
}

// Collects the text of each flag; the last one of a kind counts. Returns 0, or the exit code.
static int read_flags(const mm_options_t *options, int argc, char **argv,
                      const char *texts[MM_ROW_COUNT])
{
    struct option flags[MM_ROW_COUNT + 1] = {{0}};
    int count = 0;
    for (int i = 0; i < MM_ROW_COUNT; i++) {
        if ((mm_rows[i].programs & MM_HAS(options->program)) == 0)
            continue;
        int argument = mm_rows[i].kind == MM_KIND_FLAG ? optional_argument : required_argument;
        flags[count++] = (struct option){mm_rows[i].name, argument, NULL, FIRST_FLAG + i};
    }
    opterr = 0;
    optind = 0; // glibc: forget the last call
    int found;
    while ((found = getopt_long(argc, argv, ":h", flags, NULL)) != -1) {
        if (found == 'h')
            texts[MM_ROW_help] = "yes";
        else if (found >= FIRST_FLAG)
            texts[found - FIRST_FLAG] = optarg != NULL ? optarg : "yes";
        else
            return refuse_flag(options, found, argv);
    }
    if (optind < argc) {
        fprintf(stderr, "mayhem-%s: %s: only options are understood; see --help\n",
                mm_program_name(options->program), argv[optind]);
        return MM_EXIT_USAGE;
    }
    return 0;
}

// An empty variable is one that is not set.
static int read_environment(mm_options_t *options)
{
    for (mm_row_index_t i = 0; i < MM_ROW_COUNT; i++) {
        char variable[MM_VARIABLE_TEXT];
        if ((mm_rows[i].programs & MM_HAS(options->program)) == 0 ||
            (mm_rows[i].programs & MM_FLAG_ONLY) != 0)
            continue;
        const char *text = getenv(mm_options_variable(&mm_rows[i], variable));
        if (text == NULL || *text == '\0')
            continue;
        int code = mm_options_set(options, i, (mm_origin_t){MM_BY_ENVIRONMENT, 0, text});
        if (code != 0)
            return code;
    }
    return 0;
}

// first and second behind each other, owned by the options.
static const char *join(mm_options_t *options, const char *first, const char *second)
{
    char *joined = NULL;
    int size = asprintf(&joined, "%s%s", first, second);
    assert(size >= 0);
    const char *kept = mm_options_keep(options, joined, (size_t)size);
    free(joined);
    return kept;
}

// Defaults that depend on other options.
static void derive_defaults(mm_options_t *options)
{
    if (*options->id == '\0')
        options->id = mm_program_name(options->program);
    if (*options->consumer == '\0')
        options->consumer = join(options, join(options, "ipc://", options->dir), "/consumer");
    if (*options->db == '\0')
        options->db = join(options, options->dir, "/mayhem.db");
    if (options->slots == 0)
        options->slots = *options->exec == '\0' ? 256 : 16;
}

static int read_sources(mm_options_t *options, const char *texts[MM_ROW_COUNT])
{
    int code = 0;
    if (texts[MM_ROW_config] != NULL)
        code = mm_options_read_file(options, texts[MM_ROW_config]);
    if (code == 0)
        code = read_environment(options);
    for (mm_row_index_t i = 0; i < MM_ROW_COUNT && code == 0; i++) {
        if (texts[i] != NULL)
            code = mm_options_set(options, i, (mm_origin_t){MM_BY_FLAG, 0, texts[i]});
    }
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

bool mm_options_parse(mm_program_t program, int argc, char **argv, mm_options_t *ret_options,
                      int *ret_exit_code)
{
    mm_options_t options = {.program = program};
    const char *texts[MM_ROW_COUNT] = {NULL};
    options.origins = calloc(1, sizeof *options.origins);
    assert(options.origins != NULL);
    set_defaults(&options);

    bool is_done = true;
    int code = read_flags(&options, argc, argv, texts);
    if (code != 0)
        goto done;
    if (texts[MM_ROW_help] != NULL) {
        mm_options_print_help(program);
        goto done;
    }
    if (texts[MM_ROW_version] != NULL) {
        printf("mayhem-%s %s\n", mm_program_name(program), MM_VERSION);
        goto done;
    }
    code = read_sources(&options, texts);
    if (code != 0)
        goto done;
    if (options.print_config)
        mm_options_print_config(&options);
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

void mm_options_free(mm_options_t *options)
{
    if (options->origins == NULL)
        return;
    for (size_t i = 0; i < options->origins->string_count; i++)
        free(options->origins->strings[i]);
    free(options->origins->strings);
    free(options->origins);
    memset(options, 0, sizeof *options);
}
