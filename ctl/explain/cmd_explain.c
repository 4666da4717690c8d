// mayhem explain.

#include "attach.h"
#include "clock.h"
#include "ctl.h"
#include "explain_out.h"
#include "host.h"
#include "logscan.h"
#include "target.h"
#include "uuid.h"

#include <ctype.h>
#include <sysexits.h>
#include <unistd.h>

#define ANSWER_MS 1000 // for the consumer's answer

static const char explain_usage[] =
    "usage: mayhem explain [OPTION]... HOST|JOB\n\n"
    "Tells the life of a host's newest job, or of this job, from outbox.db, mayhem.db and\n"
    "log/*.log in the pipeline's folder, and from the consumer while it works.\n";

typedef struct {
    target_t target;
    bool has_target; // false: the directory has no address for a socket, but its files can be read
    records_query_t query;
    const char *what; // as it was given
    mm_id_t id;
    bool is_json;
    char record[TARGET_PATH];
} explain_options_t;

// "01a202fd00f07000bfeb9c75585df9f7" or "01A202FD-00F0-7000-BFEB-9C75585DF9F7".
static bool parse_id(const char *text, mm_id_t *ret_id)
{
    char small[MM_UUID_TEXT];
    size_t size = strlen(text);
    for (size_t i = 0; i < size && i < sizeof small; i++)
        small[i] = (char)tolower((unsigned char)text[i]);
    return size < sizeof small && mm_uuid_parse((mm_str_t){small, size}, ret_id);
}

static int parse(int argc, char **argv, explain_options_t *self)
{
    const ctl_option_t options[] = {
        TARGET_OPTIONS(&self->target),
        {.name = "db",
         .argument = "FILE",
         .help = "the record, if the saver keeps it elsewhere (MAYHEM_DB, or DIR/mayhem.db)",
         .text = &self->query.db},
        {.name = "json", .help = "as a JSON object", .flag = &self->is_json},
        {.name = NULL}};
    char **names, error[MM_ERROR_MAX];
    int exit_code = ctl_options(argc, argv, explain_usage, options, &names);
    if (exit_code != 0)
        return exit_code;
    self->has_target = target_resolve(&self->target, error);
    self->query.dir = self->target.dir;
    bool is_flag = self->query.db && *self->query.db;
    // Also with the address of a consumer: the files of the folder are shown beside its answer.
    self->query.db = target_record_of(self->target.dir, self->query.db, self->record);
    if (strstr(self->query.db, "://"))
        return ctl_fail(is_flag ? EX_USAGE : EX_CONFIG,
                        "%s: explain reads SQLite files, no URL: ask the database",
                        is_flag ? "--db" : "MAYHEM_DB");
    self->what = names[0];
    if (!names[0] || names[1])
        return ctl_fail(EX_USAGE, "say one host or job: mayhem explain HOST");
    if (parse_id(self->what, &self->id)) {
        self->query.id = &self->id;
        return 0;
    }
    const char *complaint = mm_host_complaint(mm_str(self->what));
    self->query.host = self->what;
    return complaint ? ctl_fail(EX_USAGE, "'%s' is no host and no job: %s", self->what, complaint)
                     : 0;
}

static void add_line(void *arg, mm_str_t line)
{
    timeline_add(arg, line);
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

// ---- the consumer

// Whether a consumer may be there: it is not worth waiting when no socket of one exists.
static bool may_answer(const mm_addresses_t *addresses)
{
    char endpoint[MM_ENDPOINT_MAX];
    for (size_t i = 0; i < addresses->count; i++) {
        const mm_endpoint_t *base = &addresses->items[i];
        (void)mm_endpoint_of(base, MM_SOCKET_INBOX, endpoint);
        if (!base->is_ipc || access(endpoint + strlen("ipc://"), F_OK) == 0)
            return true;
    }
    return false;
}

// The consumer's state of a job, as docs/profiling.md has it ({"store": "out", …}). A new
// reference; NULL: the job is not in flight, or there is no answer.
static json_t *ask_consumer(const explain_options_t *options, const timeline_t *timeline)
{
    const mm_addresses_t *addresses = &options->target.addresses;
    if (timeline->record->outcome != MM_OUTCOME_NONE || !options->has_target ||
        !may_answer(addresses))
        return NULL;
    attach_t *attach = attach_new(addresses, target_key(&options->target));
    attach_ask_job(attach, timeline->job);
    news_t news = {.kind = NEWS_NOTHING};
    int64_t end_ms = mm_clock_ms() + ANSWER_MS;
    for (int64_t now_ms; news.kind != NEWS_JOB && (now_ms = mm_clock_ms()) < end_ms;)
        news = attach_next(attach, -1, (int)(end_ms - now_ms));
    json_t *jobs = news.kind == NEWS_JOB ? json_object_get(news.json, "jobs") : NULL;
    json_t *job = json_incref(json_array_get(jobs, 0));
    attach_destroy(&attach);
    return job;
}

// ---- the command

static int explain_record(const explain_options_t *options, const records_t *records)
{
    timeline_t timeline;
    char error[MM_ERROR_MAX];
    int exit_code;
    timeline_begin(&timeline, records->asked);
    const char *const words[] = {timeline.job, TIMELINE_WORDS};
    json_t *now = ask_consumer(options, &timeline);
    bool is_good = logscan(options->query.dir, words, sizeof words / sizeof *words, add_line,
                           &timeline, error);
    timeline_end(&timeline);
    explain_t explain = {records, &timeline, now};
    if (!is_good)
        exit_code = ctl_fail(EX_IOERR, "%s", error);
    else if (!timeline_knows(&timeline))
        exit_code = not_found(options, records);
    else
        exit_code = ctl_end_output(options->is_json ? explain_out_json(stdout, &explain)
                                                    : explain_out_text(stdout, &explain));
    json_decref(now);
    timeline_clear(&timeline);
    return exit_code;
}

int ctl_explain(int argc, char **argv)
{
    explain_options_t options = {0};
    int exit_code = parse(argc, argv, &options);
    if (exit_code != 0)
        return exit_code;
    records_t records;
    char error[MM_ERROR_MAX];
    exit_code = records_read(&options.query, &records, error);
    if (exit_code != 0)
        return ctl_fail(exit_code, "%s", error);
    exit_code = records.asked ? explain_record(&options, &records) : not_found(&options, &records);
    records_clear(&records);
    return exit_code;
}
