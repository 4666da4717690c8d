// mayhemctl explain.

#include "ctl.h"
#include "explain_out.h"
#include "host.h"
#include "job.h"
#include "live.h"
#include "logscan.h"
#include "uuid.h"

#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

static const char explain_help[] =
    "usage: mayhemctl explain [OPTION]... HOST|JOB\n"
    "\n"
    "Tells the life of a host's newest job, or of this job, from outbox.db, mayhem.db and\n"
    "log/*.log in the pipeline's folder, and from the consumer while it works.\n"
    "\n"
    "  --dir DIR   the folder of the pipeline (MAYHEM_DIR, or run)\n"
    "  --db FILE   the record, if the saver keeps it elsewhere (DIR/mayhem.db)\n"
    "  --consumer ADDRESS   of the consumer, if it is elsewhere (ipc://DIR/consumer)\n"
    "  --json      as a JSON object\n";

typedef struct {
    records_query_t query;
    const char *what; // as it was given
    mm_id_t id;
    const char *consumer; // NULL: as DIR has it
    bool json;
} explain_options_t;

// "01a202fd00f07000bfeb9c75585df9f7" or "01a202fd-00f0-7000-bfeb-9c75585df9f7".
static bool parse_id(const char *text, mm_id_t *ret_id)
{
    char digits[MM_ID_TEXT];
    size_t count = 0, size = strlen(text);
    if (size != 32 && size != 36)
        return false;
    for (size_t i = 0; i < size; i++) {
        if (size == 36 && (i == 8 || i == 13 || i == 18 || i == 23)) {
            if (text[i] != '-')
                return false;
            continue;
        }
        if (!isxdigit((unsigned char)text[i]) || count == 32)
            return false;
        digits[count++] = (char)tolower((unsigned char)text[i]);
    }
    return mm_id_parse((mm_str_t){digits, count}, ret_id);
}

static int parse_what(explain_options_t *options, const char *what)
{
    options->what = what;
    if (parse_id(what, &options->id)) {
        options->query.id = &options->id;
        return 0;
    }
    const char *complaint = mm_host_complaint(mm_str(what));
    if (complaint)
        return ctl_fail(EX_USAGE, "'%s' is no host and no job: %s", what, complaint);
    options->query.host = what;
    return 0;
}

// False: end with *ret_exit_code.
static bool parse(int argc, char **argv, explain_options_t *ret_options, int *ret_exit_code)
{
    static const struct option names[] = {
        {"dir", required_argument, NULL, 'd'},      {"db", required_argument, NULL, 'b'},
        {"consumer", required_argument, NULL, 'c'}, {"json", no_argument, NULL, 'j'},
        {"help", no_argument, NULL, 'h'},           {NULL, 0, NULL, 0}};
    const char *dir = getenv("MAYHEM_DIR");
    ret_options->query.dir = dir && *dir ? dir : "run";
    *ret_exit_code = EX_USAGE;
    for (int option; (option = getopt_long(argc, argv, "h", names, NULL)) >= 0;)
        switch (option) {
        case 'd': ret_options->query.dir = optarg; break;
        case 'b': ret_options->query.db = optarg; break;
        case 'c': ret_options->consumer = optarg; break;
        case 'j': ret_options->json = true; break;
        case 'h':
            (void)fputs(explain_help, stdout);
            *ret_exit_code = 0;
            return false;
        default: (void)fputs("mayhemctl explain --help says more\n", stderr); return false;
        }
    if (argc - optind != 1) {
        *ret_exit_code = ctl_fail(EX_USAGE, "say one host or job: mayhemctl explain HOST");
        return false;
    }
    *ret_exit_code = parse_what(ret_options, argv[optind]);
    return *ret_exit_code == 0;
}

// The job that is asked for, or the newest of the host; NULL: there is none.
static const record_t *choose(const records_t *records, const mm_id_t *id)
{
    for (size_t i = 0; id && i < records->count; i++)
        if (mm_id_equal(&records->items[i].id, id))
            return &records->items[i];
    return records->count > 0 ? &records->items[records->count - 1] : NULL;
}

static void parse_line(void *arg, mm_str_t line)
{
    timeline_take(arg, line);
}

// A long input is read as there is room for it.
static int not_found(const explain_options_t *options, const records_t *records)
{
    bool is_id = options->query.id != NULL;
    bool is_read = records->run_count == 0 || records->runs[records->run_count - 1].is_read;
    return ctl_fail(EX_DATAERR,
                    "%s '%s' is not known in '%s': neither outbox.db nor the record%s has it%s; "
                    "check its spelling, and --dir",
                    is_id ? "the job" : "the host", options->what, options->query.dir,
                    is_id ? " nor a log" : "",
                    is_id || is_read ? "" : ", but its input has not been read to the end yet");
}

static int write_out(const explain_options_t *options, const explain_t *explain)
{
    if (options->json)
        explain_out_json(stdout, explain);
    else
        explain_out_text(stdout, explain);
    return fflush(stdout) == 0 && !ferror(stdout)
               ? 0
               : ctl_fail(EX_IOERR, "cannot write the output: %s", strerror(errno));
}

// What the consumer knows of a job that is not settled; NULL: nothing.
static json_t *ask_consumer(const explain_options_t *options, const record_t *record)
{
    char address[4096], id[MM_ID_TEXT];
    mm_endpoint_t base;
    (void)snprintf(address, sizeof address, "ipc://%s/consumer", options->query.dir);
    if (record->outcome != MM_OUTCOME_NONE ||
        !mm_endpoint_parse(options->consumer ? options->consumer : address, &base) ||
        mm_endpoint_complaint(&base))
        return NULL;
    return live_job(&base, mm_id_print(&record->id, id));
}

static int explain_record(const explain_options_t *options, const records_t *records,
                          const record_t *record)
{
    timeline_t timeline;
    char job[MM_ID_TEXT], error[MM_ERROR_MAX];
    const char *words[TIMELINE_WORDS];
    timeline_words(record, job, words);
    timeline_begin(&timeline, record);
    json_t *now = ask_consumer(options, record);
    int exit_code =
        logscan(options->query.dir, words, TIMELINE_WORDS, parse_line, &timeline, error);
    timeline_end(&timeline);
    if (exit_code != 0)
        exit_code = ctl_fail(exit_code, "%s", error);
    else if (!timeline_knows(&timeline))
        exit_code = not_found(options, records);
    else
        exit_code = write_out(options, &(explain_t){records, &timeline, now});
    json_decref(now);
    timeline_clear(&timeline);
    return exit_code;
}

int ctl_explain(int argc, char **argv)
{
    explain_options_t options = {0};
    int exit_code;
    if (!parse(argc, argv, &options, &exit_code))
        return exit_code;
    records_t records;
    char error[MM_ERROR_MAX];
    exit_code = records_read(&options.query, &records, error);
    if (exit_code != 0)
        return ctl_fail(exit_code, "%s", error);
    const record_t *record = choose(&records, options.query.id);
    exit_code = record ? explain_record(&options, &records, record) : not_found(&options, &records);
    records_clear(&records);
    return exit_code;
}
