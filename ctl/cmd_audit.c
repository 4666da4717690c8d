// mayhem audit: the audit of a record, and whether it is what was written.

#include "audit_check.h"
#include "ctl.h"
#include "host_fold.h"
#include "human_format.h"
#include "target.h"
#include "until.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

static const char usage[] =
    "usage: mayhem audit verify|head|show [OPTION]...\n\n"
    "The audit of a pipeline's record: what was begun, how it ended, what was ordered and by "
    "whom.\n"
    "Each row has a hash of itself and of the one before, and the saver logs the last one.\n"
    "  verify  whether nothing was changed, taken out, cut off or replaced (exit 65)\n"
    "  head    number and hash of the last row\n"
    "  show    the rows\n";

typedef struct {
    target_t target;
    const char *store; // NULL: as target_record_of finds it
    const char *host;  // show: of this one alone; NULL: of all
    uint64_t count;    // show: so many, the last ones; 0: all
    bool is_json;
    char path[TARGET_PATH];
} audit_options_t;

// ---- verify

static json_t *missing_json(const audit_missing_t *missing)
{
    return json_pack("{s:I, s:I, s:s?}", "from", (json_int_t)missing->from, "to",
                     (json_int_t)missing->to, "log", missing->head ? missing->head->file : NULL);
}

static json_t *check_json(const audit_check_t *check)
{
    json_t *changed = json_array(), *missing = json_array(), *replaced = json_array();
    for (size_t i = 0; i < check->changed_count && i < AUDIT_CHECK_MAX; i++)
        json_array_append_new(changed, json_integer(check->changed[i]));
    for (size_t i = 0; i < check->missing_count && i < AUDIT_CHECK_MAX; i++)
        json_array_append_new(missing, missing_json(&check->missing[i]));
    for (size_t i = 0; i < check->replaced_count && i < AUDIT_CHECK_MAX; i++)
        json_array_append_new(replaced, json_pack("{s:I, s:s, s:I}", "seq",
                                                  (json_int_t)check->replaced[i]->seq, "log",
                                                  check->replaced[i]->file, "time_ms",
                                                  (json_int_t)check->replaced[i]->time_ms));
    return json_pack("{s:b, s:I, s:I, s:I, s:I, s:I, s:o, s:o, s:o}", "intact", !check->is_broken,
                     "rows", (json_int_t)check->rows, "last", (json_int_t)check->last, "intact_to",
                     (json_int_t)check->intact_to, "heads", (json_int_t)check->heads->count,
                     "heads_agreed", (json_int_t)check->agreed, "changed", changed, "missing",
                     missing, "replaced", replaced);
}

static void print_missing(const audit_missing_t *missing)
{
    char stamp[HUMAN_STAMP], what[64];
    if (missing->from == missing->to)
        (void)snprintf(what, sizeof what, "row %" PRId64 " is", missing->from);
    else
        (void)snprintf(what, sizeof what, "rows %" PRId64 " to %" PRId64 " are", missing->from,
                       missing->to);
    if (missing->head)
        (void)printf("%s missing: %s had a row %" PRId64 " at %s\n", what, missing->head->file,
                     missing->head->seq, human_stamp(missing->head->time_ms, stamp));
    else
        (void)printf("%s missing\n", what);
}

static void print_more(size_t count)
{
    if (count > AUDIT_CHECK_MAX)
        (void)printf("and %zu more of that\n", count - AUDIT_CHECK_MAX);
}

static void print_findings(const audit_check_t *check)
{
    char stamp[HUMAN_STAMP];
    for (size_t i = 0; i < check->changed_count && i < AUDIT_CHECK_MAX; i++)
        (void)printf("row %" PRId64 " was changed: its hash is not that of what it says and of the "
                     "row before\n",
                     check->changed[i]);
    print_more(check->changed_count);
    for (size_t i = 0; i < check->missing_count && i < AUDIT_CHECK_MAX; i++)
        print_missing(&check->missing[i]);
    print_more(check->missing_count);
    for (size_t i = 0; i < check->replaced_count && i < AUDIT_CHECK_MAX; i++)
        (void)printf("row %" PRId64 " is not the one that %s had at %s: the table was replaced, or "
                     "written anew\n",
                     check->replaced[i]->seq, check->replaced[i]->file,
                     human_stamp(check->replaced[i]->time_ms, stamp));
    print_more(check->replaced_count);
}

static void print_check(const audit_check_t *check)
{
    size_t heads = check->heads->count;
    if (check->intact_to > 0)
        (void)printf("intact from row 1 to row %" PRId64 "\n", check->intact_to);
    else
        (void)printf(check->is_broken ? "no row is sure to be intact\n"
                                      : "intact: the audit has no row yet\n");
    print_findings(check);
    if (heads == 0)
        (void)printf("no head is in the logs: a tail that was cut off would not be seen\n");
    else
        (void)printf("%zu of %zu head%s in the logs agree%s, up to row %" PRId64 "\n",
                     check->agreed, heads, heads == 1 ? "" : "s", heads == 1 ? "s" : "",
                     check->agreed_to);
}

static bool check_one(void *arg, const mm_rows_t *row)
{
    audit_check_row(arg, row);
    return true;
}

// The logs are read first: a row that comes meanwhile is then in the table alone.
static int verify(const audit_options_t *options, mm_reader_t *record)
{
    logged_heads_t heads;
    char error[MM_ERROR_MAX];
    if (!logged_heads_read(options->target.dir, &heads, error))
        return ctl_fail(EX_IOERR, "%s", error);
    audit_check_t *check = calloc(1, sizeof *check);
    assert(check);
    check->heads = &heads;
    bool is_good = true;
    int exit_code = audit_table_each(record, INT64_MIN, false, check_one, check, error);
    if (exit_code == 0) {
        audit_check_end(check);
        if (options->is_json)
            is_good = ctl_write_json(stdout, check_json(check), JSON_COMPACT);
        else
            print_check(check);
        exit_code = ctl_end_output(is_good);
        if (exit_code == 0 && check->is_broken)
            exit_code = EX_DATAERR;
    } else {
        exit_code = ctl_fail(exit_code, "%s", error);
    }
    free(check);
    logged_heads_clear(&heads);
    return exit_code;
}

// ---- head

static bool take_head(void *arg, const mm_rows_t *row)
{
    mm_audit_head_t *head = arg;
    head->seq = (uint64_t)audit_row_seq(row);
    audit_row_hash(row, head->hash);
    return false;
}

static int print_head(const audit_options_t *options, mm_reader_t *record)
{
    mm_audit_head_t head = {0};
    char hash[MM_AUDIT_TEXT], error[MM_ERROR_MAX];
    int exit_code = audit_table_each(record, INT64_MIN, true, take_head, &head, error);
    if (exit_code != 0)
        return ctl_fail(exit_code, "%s", error);
    (void)mm_audit_print(head.hash, hash);
    if (options->is_json)
        return ctl_end_output(ctl_write_json(
            stdout, json_pack("{s:I, s:s}", "seq", (json_int_t)head.seq, "hash", hash),
            JSON_COMPACT));
    (void)printf("%" PRIu64 " %s\n", head.seq, hash);
    return ctl_end_output(true);
}

// ---- show

typedef struct {
    const audit_options_t *options;
    mm_str_t host; // folded; empty: all
    char folded[MM_HOST_MAX];
    uint64_t left; // rows still to be counted
    int64_t first; // seq of the first row to be shown
    bool is_later; // one was shown
    bool is_good;
} show_t;

static bool is_wanted(const show_t *self, const mm_rows_t *row)
{
    return self->host.size == 0 || audit_row_is_of(row, self->host);
}

// Downwards, to the first of the last ones.
static bool count_row(void *arg, const mm_rows_t *row)
{
    show_t *self = arg;
    if (!is_wanted(self, row))
        return true;
    self->first = audit_row_seq(row);
    return --self->left > 0;
}

static void print_row(const json_t *row)
{
    char stamp[HUMAN_STAMP];
    const char *host = ctl_text(row, "host"), *groups = ctl_text(row, "groups");
    (void)printf("%-6lld %s  ", json_integer_value(json_object_get(row, "seq")),
                 human_stamp(json_integer_value(json_object_get(row, "time_ms")), stamp));
    (void)printf("%-8s ", ctl_text(row, "action"));
    ctl_put_text(stdout, *host ? host : *groups ? groups : "-");
    if (*host && *groups) {
        (void)printf(" (");
        ctl_put_text(stdout, groups);
        (void)printf(")");
    }
    (void)printf("  by ");
    ctl_put_text(stdout, *ctl_text(row, "actor") ? ctl_text(row, "actor") : "?");
    const char *const more[] = {"outcome", "proof", "reason", "ids"};
    for (size_t i = 0; i < sizeof more / sizeof *more; i++)
        if (*ctl_text(row, more[i])) {
            (void)printf("  ");
            ctl_put_text(stdout, ctl_text(row, more[i]));
        }
    if (json_integer_value(json_object_get(row, "casualty")) != 0)
        (void)printf("  casualty");
    int64_t until_ms = json_integer_value(json_object_get(row, "until_ms"));
    if (until_ms > 0)
        (void)printf("  until %s", until_ms == UNTIL_NOW ? "now" : human_stamp(until_ms, stamp));
    (void)putchar('\n');
}

static bool show_row(void *arg, const mm_rows_t *row)
{
    show_t *self = arg;
    if (!is_wanted(self, row))
        return true;
    json_t *json = audit_row_json(row);
    if (self->options->is_json) {
        (void)fputs(self->is_later ? ",\n" : "", stdout);
        self->is_good = json_dumpf(json, stdout, JSON_COMPACT) == 0 && self->is_good;
    } else {
        print_row(json);
    }
    self->is_later = true;
    json_decref(json);
    return self->is_good;
}

static int show(const audit_options_t *options, mm_reader_t *record)
{
    show_t self = {.options = options, .left = options->count, .first = INT64_MIN, .is_good = true};
    char error[MM_ERROR_MAX];
    int exit_code = 0;
    if (options->host)
        self.host = mm_host_fold(mm_str(options->host), self.folded);
    if (options->count > 0)
        exit_code = audit_table_each(record, INT64_MIN, true, count_row, &self, error);
    if (exit_code == 0 && options->is_json)
        (void)fputs("{\"rows\":[", stdout);
    if (exit_code == 0)
        exit_code = audit_table_each(record, self.first, false, show_row, &self, error);
    if (exit_code != 0)
        return ctl_fail(exit_code, "%s", error);
    if (options->is_json)
        (void)fputs("]}\n", stdout);
    return ctl_end_output(self.is_good);
}

// ---- the command

static int parse(int argc, char **argv, audit_options_t *self, const char **ret_what)
{
    char **names;
    const ctl_option_t options[] = {
        TARGET_DIR_OPTION(&self->target),
        TARGET_STORE_OPTIONS(&self->store),
        {.name = "host", .argument = "HOST", .help = "show: its rows alone", .text = &self->host},
        {.name = "last",
         .argument = "N",
         .help = "show: so many rows, the last ones",
         .number = &self->count,
         .min = 1,
         .max = INT64_MAX},
        {.name = "json", .help = "as a JSON object", .flag = &self->is_json},
        {.name = NULL}};
    int exit_code = ctl_options(argc, argv, usage, options, &names);
    if (exit_code != 0)
        return exit_code;
    *ret_what = names[0] ? names[0] : "";
    if (!names[0] || names[1])
        return ctl_fail(EX_USAGE, "say one of verify, head and show: mayhem audit verify");
    if (self->host && mm_host_complaint(mm_str(self->host)))
        return ctl_fail(EX_USAGE, "--host is '%.100s', which is no host", self->host);
    exit_code = target_folder(&self->target);
    return exit_code != 0 ? exit_code : target_record_of(self->target.dir, self->store, self->path);
}

int ctl_audit(int argc, char **argv)
{
    static const char *const words[] = {"verify", "head", "show", NULL};
    static int (*const commands[])(const audit_options_t *, mm_reader_t *) = {verify, print_head,
                                                                              show};
    audit_options_t options = {0};
    const char *what;
    char error[MM_ERROR_MAX];
    int exit_code = parse(argc, argv, &options, &what);
    if (exit_code != 0)
        return exit_code;
    int place = ctl_find_word(words, what);
    if (place < 0)
        return ctl_fail(EX_USAGE,
                        "there is no mayhem audit %.100s; there are verify, head and show", what);
    mm_reader_t *record = NULL;
    exit_code = audit_table_open(options.path, &record, error);
    if (exit_code != 0)
        return ctl_fail(exit_code, "%s", error);
    exit_code = commands[place](&options, record);
    mm_reader_close(&record);
    return exit_code;
}
