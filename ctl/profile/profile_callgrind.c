// See profile_out.h: callgrind's format. A process is an object, whose "loop" calls its handlers. A
// handler that is woken by another process's frames is called by the span that sends them instead,
// so that KCacheGrind shows the pipeline as one program.

#include "profile_out.h"
#include "job.h"
#include "span_names.h"

#include <inttypes.h>
#include <string.h>

// Which span wakes which handler, by their names.
static const struct {
    mm_program_t from_role;
    const char *from;
    mm_program_t to_role;
    const char *to;
} stages[] = {
    {MM_PROGRAM_PUBLISHER, MM_SPAN_SEND_JOBS, MM_PROGRAM_CONSUMER, MM_SPAN_ON_JOBS},
    {MM_PROGRAM_CONSUMER, MM_SPAN_SEND_TASKS, MM_PROGRAM_SAVER, MM_SPAN_ON_TASKS},
    {MM_PROGRAM_CONSUMER, MM_SPAN_SEND_TASKS, MM_PROGRAM_RESTARTER, MM_SPAN_ON_TASKS},
    {MM_PROGRAM_SAVER, MM_SPAN_SEND_RESULTS, MM_PROGRAM_CONSUMER, MM_SPAN_ON_INBOX},
    {MM_PROGRAM_RESTARTER, MM_SPAN_SEND_RESULTS, MM_PROGRAM_CONSUMER, MM_SPAN_ON_INBOX},
    {MM_PROGRAM_CONSUMER, MM_SPAN_SEND_NOTICES, MM_PROGRAM_PUBLISHER, MM_SPAN_ON_EVENTS},
};

#define STAGES (sizeof stages / sizeof stages[0])

static const profile_node_t *find(const profile_t *profile, const char *name)
{
    for (size_t i = 0; i < profile->function_count; i++)
        if (strcmp(profile->functions[i].name, name) == 0)
            return &profile->functions[i];
    return NULL;
}

static bool is_at(const profile_t *profile, mm_program_t role)
{
    return strcmp(profile->role, mm_program_name(role)) == 0;
}

// How often the spans that wake this handler have sent.
static uint64_t calls_into(const profiles_t *profiles, const profile_t *to, const char *name)
{
    uint64_t calls = 0;
    for (size_t i = 0; i < STAGES; i++)
        for (size_t k = 0; k < profiles->count && is_at(to, stages[i].to_role); k++) {
            const profile_t *from = profiles->items[k];
            const profile_node_t *sender = find(from, stages[i].from);
            if (strcmp(stages[i].to, name) == 0 && is_at(from, stages[i].from_role) && sender)
                calls += sender->calls;
        }
    return calls;
}

// Idle time is no cost.
static int64_t waited(const profile_node_t *function, int64_t ns)
{
    return function->kind == MM_SPOT_POLL ? 0 : ns;
}

static void print_function(FILE *file, const profile_t *profile, const char *prefix,
                           const char *source, const char *name)
{
    (void)fprintf(file, "%sob=%s\n%s=%s\n%sfn=%s\n", prefix, profile->process,
                  *prefix ? "cfi" : "fl", *source ? source : "threads", prefix, name);
}

static void print_call(FILE *file, const profile_t *to, const profile_node_t *function, int line,
                       uint64_t calls, double share)
{
    print_function(file, to, "c", function->file, function->name);
    (void)fprintf(file, "calls=%" PRIu64 " %d\n%d %" PRId64 " %" PRId64 "\n", calls, function->line,
                  line, (int64_t)((double)function->all_cpu_ns * share),
                  (int64_t)((double)waited(function, function->all_wait_ns) * share));
}

// The calls by which this span wakes handlers of other processes. Its share of a handler's costs is
// that of its calls among all that wake the handler.
static void print_stages(FILE *file, const profiles_t *profiles, const profile_t *from,
                         const profile_node_t *sender)
{
    for (size_t i = 0; i < STAGES; i++) {
        if (!is_at(from, stages[i].from_role) || strcmp(stages[i].from, sender->name) != 0)
            continue;
        for (size_t k = 0; k < profiles->count; k++) {
            const profile_t *to = profiles->items[k];
            const profile_node_t *handler =
                is_at(to, stages[i].to_role) ? find(to, stages[i].to) : NULL;
            uint64_t all = handler ? calls_into(profiles, to, stages[i].to) : 0;
            if (all > 0 && sender->calls > 0)
                print_call(file, to, handler, sender->line, handler->calls * sender->calls / all,
                           (double)sender->calls / (double)all);
        }
    }
}

// The callees of a function in its own process, summed up over all its nodes.
static void print_callees(FILE *file, const profile_t *profile, size_t caller)
{
    profile_node_t sums[MM_PROFILE_NODES] = {{0}};
    for (size_t i = 1; i < profile->node_count; i++) {
        const profile_node_t *node = &profile->nodes[i];
        if (node->caller == 0 || profile->nodes[node->caller].function != caller)
            continue;
        sums[node->function].calls += node->calls;
        sums[node->function].all_cpu_ns += node->all_cpu_ns;
        sums[node->function].all_wait_ns += node->all_wait_ns;
    }
    for (size_t i = 0; i < profile->function_count; i++) {
        profile_node_t callee = profile->functions[i];
        callee.all_cpu_ns = sums[i].all_cpu_ns;
        callee.all_wait_ns = sums[i].all_wait_ns;
        if (sums[i].calls > 0)
            print_call(file, profile, &callee, profile->functions[caller].line, sums[i].calls, 1);
    }
}

// The loop calls the poller, and the handlers that no other process wakes.
static void print_loop(FILE *file, const profiles_t *profiles, const profile_t *profile)
{
    print_function(file, profile, "", profile->nodes[0].file, "loop");
    (void)fprintf(file, "%d 0 0\n", profile->nodes[0].line);
    for (size_t i = 0; i < profile->node_count; i++) {
        const profile_node_t *node = &profile->nodes[i];
        if (node->caller == 0 && node->kind != MM_SPOT_THREAD && node->calls > 0 &&
            calls_into(profiles, profile, node->name) == 0)
            print_call(file, profile, node, profile->nodes[0].line, node->calls, 1);
    }
    (void)fputc('\n', file);
}

void profile_out_callgrind(FILE *file, const profiles_t *profiles)
{
    int64_t cpu_ns = 0, wait_ns = 0;
    for (size_t i = 0; i < profiles->count; i++)
        for (size_t k = 0; k < profiles->items[i]->function_count; k++) {
            const profile_node_t *function = &profiles->items[i]->functions[k];
            cpu_ns += function->cpu_ns;
            wait_ns += waited(function, function->wait_ns);
        }
    (void)fprintf(file,
                  "# callgrind format\nversion: 1\ncreator: mayhem %s\npid: %d\n"
                  "cmd: the pipeline, by process\npart: 1\n\ndesc: Timerange: %.3f seconds\n\n"
                  "positions: line\nevent: Cpu : CPU time in ns\nevent: Wait : waiting in ns\n"
                  "events: Cpu Wait\nsummary: %" PRId64 " %" PRId64 "\n\n",
                  MM_VERSION, profiles->count > 0 ? profiles->items[0]->pid : 0,
                  profiles->count > 0 ? (double)profiles->items[0]->long_ns / 1e9 : 0, cpu_ns,
                  wait_ns);
    for (size_t i = 0; i < profiles->count; i++) {
        const profile_t *profile = profiles->items[i];
        print_loop(file, profiles, profile);
        for (size_t k = 0; k < profile->function_count; k++) {
            const profile_node_t *function = &profile->functions[k];
            print_function(file, profile, "", function->file, function->name);
            (void)fprintf(file, "%d %" PRId64 " %" PRId64 "\n", function->line, function->cpu_ns,
                          waited(function, function->wait_ns));
            print_callees(file, profile, k);
            print_stages(file, profiles, profile, function);
            (void)fputc('\n', file);
        }
    }
    (void)fprintf(file, "totals: %" PRId64 " %" PRId64 "\n", cpu_ns, wait_ns);
}
