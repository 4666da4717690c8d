// The consumer's core with HOSTS jobs in flight at once, each restarted for real: what a job costs
// without a policy, and with 50 groups and all rules. A saver that records at once and restarters
// that take 20 ms are played here; no socket, no disk, a virtual clock.
//
// policy real|policy HOSTS         the whole way of each job; says what CPU time a job took
// policy waiting HOSTS             all wait behind a closed window: the memory that a host needs

#include "gather.h"
#include "string_view.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define GROUPS     50
#define AT_ONCE    4 // percent of the hosts, with and without a policy: both have the same backlog
#define RESTARTERS 4
#define SLOTS      2048
#define TAKES_MS   20
#define LIFE       2
#define RUN        7
#define INSTANCE   7
#define DAY_MS     INT64_C(86400000)
#define UNIX_MS    (20000 * DAY_MS + DAY_MS / 2) // noon
#define OPENINGS   730

typedef struct {
    int64_t due_ms;
    uint64_t number;
    mm_id_t id;
    mm_leg_t leg;
    mm_outcome_t outcome;
    int worker; // 0: the saver
} task_t;

typedef struct {
    gather_t *gather;
    gather_actions_t actions;
    int64_t now_ms;
    bool has_policy;
    uint64_t sessions[1 + RESTARTERS];
    uint64_t serials[1 + RESTARTERS];
    task_t *tasks; // to be answered, in order of their ends; a ring
    size_t first, count, size;
    uint64_t seq;
    uint32_t acked;
    mm_id_t orders[MM_BATCH_ITEMS]; // to be recorded
    size_t order_count;
    uint64_t question; // not answered yet; 0: none
    mm_str_t state_worker;
} bench_t;

static const char *const names[1 + RESTARTERS] = {"s", "r1", "r2", "r3", "r4"};

static void add_task(bench_t *self, const gather_action_t *action)
{
    const mm_task_t *task = &action->as.task.task;
    bool is_saver = *action->as.task.worker == 's';
    assert(self->count < self->size);
    size_t at = self->count++;
    int64_t due_ms = self->now_ms + (is_saver ? 1 : TAKES_MS);
    self->tasks[(self->first + at) % self->size] =
        (task_t){.due_ms = due_ms,
                 .number = task->number,
                 .id = task->id,
                 .leg = task->leg,
                 .outcome = task->outcome,
                 .worker = is_saver ? 0 : action->as.task.worker[1] - '0'};
}

static void apply(bench_t *self, const gather_action_t *action)
{
    switch (action->kind) {
    case GATHER_TASK: add_task(self, action); break;
    case GATHER_VERDICT: self->acked += action->as.verdict.verdict.kind == MM_VERDICT_ACK; break;
    case GATHER_WELCOME:
        for (int i = 0; i <= RESTARTERS; i++)
            if (strcmp(names[i], action->as.answer.worker.text) == 0)
                self->sessions[i] = action->as.answer.session;
        break;
    case GATHER_ORDERS:
        self->question =
            action->as.orders.question > 0 ? action->as.orders.question : self->question;
        for (size_t i = 0; i < action->as.orders.count; i++)
            self->orders[self->order_count++] = action->as.orders.orders[i].id;
        break;
    case GATHER_REFUSED:
    case GATHER_REJOIN:
    case GATHER_LAST:
    case GATHER_LEAVE:
    case GATHER_CLOSE: assert(false && "a worker is sent away"); break;
    case GATHER_OPEN:
    case GATHER_BEAT:
    case GATHER_LOG:
    case GATHER_NEWS:
    case GATHER_ANSWER:
    case GATHER_ASK_GUARD: break;
    }
}

// What callgrind counts: bench/policy.sh knows its name.
__attribute__((noinline)) static void part_step(bench_t *self, gather_event_t *event)
{
    event->now_ms = self->now_ms;
    gather_step(self->gather, event, &self->actions);
    __asm__ volatile(""); // no jump to it
}

static void step(bench_t *self, gather_event_t event)
{
    part_step(self, &event);
    for (size_t i = 0; i < self->actions.count; i++)
        apply(self, &self->actions.items[i]);
}

// ---- the policy

static const char *group_name(int group, char buffer[16])
{
    (void)snprintf(buffer, 16, "group-%02d", group);
    return buffer;
}

static mm_amount_t share(uint32_t percent)
{
    return (mm_amount_t){.value = percent, .is_set = true, .is_percent = true};
}

// Two years of a window each day; is_open: it is now.
static mm_opening_t *openings(bool is_open)
{
    mm_opening_t *items = calloc(OPENINGS, sizeof *items);
    assert(items);
    for (int i = 0; i < OPENINGS; i++) {
        items[i].opens_ms = (20000 + i) * DAY_MS + (is_open ? 0 : DAY_MS * 3 / 4);
        items[i].closes_ms = (20001 + i) * DAY_MS - 1;
    }
    return items;
}

static void set_policy(bench_t *self, mm_rules_t rules[1 + GROUPS], const mm_opening_t *items)
{
    for (int i = 0; i <= GROUPS; i++) {
        rules[i] = (mm_rules_t){.cap = share(i == 0 ? AT_ONCE : 8),
                                .max_unavailable = share(10),
                                .ramp = {{1, true, false}, {10, true, false}, share(10)},
                                .ramp_count = i % 2 ? 3 : 0,
                                .bake_ms = 10,
                                .breakers = {{3, 3}, {50, 500}},
                                .breaker_count = 2,
                                .has_window = true,
                                .openings = items,
                                .opening_count = OPENINGS};
        if (i > 0)
            (void)group_name(i - 1, rules[i].name);
    }
    gather_set_policy(self->gather, &(mm_policy_t){.groups = rules, .count = 1 + GROUPS});
}

// A third of the hosts is in two groups: 300 different sets.
static mm_str_t attributes_of(uint32_t host, char buffer[64])
{
    char first[16], second[16];
    int size = snprintf(buffer, 64, "groups=%s", group_name((int)(host % GROUPS), first));
    if (host % 3 == 0)
        size +=
            snprintf(buffer + size, 64 - (size_t)size, ",%s",
                     group_name((int)((host % GROUPS + 1 + host / GROUPS % 5) % GROUPS), second));
    return (mm_str_t){buffer, (size_t)size};
}

// ---- its peers

static void hello(bench_t *self, int worker)
{
    mm_report_t report = {.is_hello = true,
                          .worker = mm_str(names[worker]),
                          .instance = INSTANCE,
                          .role = worker == 0 ? MM_ROLE_SAVER : MM_ROLE_RESTARTER,
                          .sequence = 1,
                          .stamp_ms = self->now_ms,
                          .slots = worker == 0 ? MM_SLOTS_MAX : SLOTS,
                          .parts = 1,
                          .driver = mm_str(worker == 0 ? "" : "bench"),
                          .verbs = worker == 0 ? 0 : MM_VERB_REAL};
    step(self, (gather_event_t){.kind = GATHER_REPORT, .as.report = &report});
}

static void tell_groups(bench_t *self, uint32_t hosts)
{
    mm_group_t groups[1 + GROUPS];
    char group_names[1 + GROUPS][16] = {""};
    gather_event_t event = {.kind = GATHER_ASK};
    groups[0] = (mm_group_t){.name = mm_str(""), .hosts = hosts};
    for (int i = 0; i < GROUPS; i++)
        groups[1 + i] = (mm_group_t){.name = mm_str(group_name(i, group_names[1 + i])),
                                     .hosts = hosts / GROUPS + hosts / GROUPS / 3};
    event.as.job.publisher = mm_str("p");
    event.as.job.epoch = LIFE;
    event.as.job.run = RUN;
    event.as.job.groups = groups;
    event.as.job.group_count = 1 + GROUPS;
    step(self, event);
}

static void deliver(bench_t *self, uint32_t host)
{
    char name[40], attributes[64];
    int size = snprintf(name, sizeof name, "host-%06" PRIu32 ".example.net", host);
    gather_event_t event = {.kind = GATHER_JOB};
    event.as.job.publisher = mm_str("p");
    event.as.job.epoch = LIFE;
    event.as.job.run = self->has_policy ? RUN : 0;
    event.as.job.job = (mm_job_t){.host = {name, (size_t)size}, .delivery = 1};
    for (int i = 0; i < 4; i++)
        event.as.job.job.id.bytes[15 - i] = (uint8_t)((host + 1) >> 8 * i);
    event.as.job.job.attributes = attributes_of(host, attributes); // the same without a policy
    step(self, event);
}

static void answer(bench_t *self, const task_t *task)
{
    bool is_settle = task->leg == MM_LEG_SETTLE, is_restart = task->worker > 0;
    mm_real_t real = {.exit = MM_EXIT_NONE, .seq = is_settle && self->has_policy ? ++self->seq : 0};
    if (is_restart)
        real = (mm_real_t){
            .end = MM_END_RESTARTED, .exit = 0, .proof = MM_PROOF_UNVERIFIED, .sent = true};
    mm_result_t result = {.serial = ++self->serials[task->worker],
                          .number = task->number,
                          .leg = task->leg,
                          .id = task->id,
                          .outcome = is_settle ? task->outcome : MM_OUTCOME_NONE,
                          .real = is_restart || real.seq > 0 ? &real : NULL};
    gather_event_t event = {.kind = GATHER_RESULT};
    event.as.from.worker = mm_str(names[task->worker]);
    event.as.from.instance = INSTANCE;
    event.as.from.session = self->sessions[task->worker];
    event.as.from.result = &result;
    step(self, event);
}

static void answer_saver(bench_t *self)
{
    mm_recorded_t items[MM_BATCH_ITEMS];
    size_t count = self->order_count;
    for (size_t i = 0; i < count; i++)
        items[i] = (mm_recorded_t){.id = self->orders[i]};
    self->order_count = 0;
    if (count > 0)
        step(self,
             (gather_event_t){.kind = GATHER_RECORDED,
                              .as.recorded = &(mm_recorded_body_t){.worker = mm_str(names[0]),
                                                                   .instance = INSTANCE,
                                                                   .session = self->sessions[0],
                                                                   .items = items,
                                                                   .count = count}});
    uint64_t question = self->question;
    self->question = 0;
    if (question == 0)
        return;
    step(self, (gather_event_t){.kind = GATHER_STATE,
                                .as.state = &(mm_state_body_t){.worker = mm_str(names[0]),
                                                               .instance = INSTANCE,
                                                               .session = self->sessions[0],
                                                               .question = question,
                                                               .run = self->has_policy ? RUN : 0}});
}

// Those that are due now; the others stay in their order.
static void answer_due(bench_t *self)
{
    for (size_t left = self->count; left > 0; left--) {
        task_t task = self->tasks[self->first];
        self->first = (self->first + 1) % self->size;
        self->count--;
        if (task.due_ms <= self->now_ms)
            answer(self, &task);
        else
            self->tasks[(self->first + self->count++) % self->size] = task;
    }
}

static void turn(bench_t *self)
{
    self->now_ms++;
    answer_saver(self);
    answer_due(self);
    if (self->now_ms >= gather_deadline(self->gather)) {
        gather_event_t event = {.kind = GATHER_TIME};
        event.as.time.inbox_empty = true;
        step(self, event);
    }
}

// ---- the run

// Silence is no loss here, and nothing is extended or beaten.
static void open_bench(bench_t *self, uint32_t hosts)
{
    self->now_ms = 1;
    self->size = 2 * (MM_SLOTS_MAX + RESTARTERS * SLOTS); // more are never out
    self->tasks = calloc(self->size, sizeof *self->tasks);
    assert(self->tasks);
    self->gather = gather_new(&(gather_config_t){.epoch = LIFE,
                                                 .first_number = (uint64_t)LIFE << 32,
                                                 .first_session = (uint64_t)LIFE << 32,
                                                 .seed = 2,
                                                 .attempts = 2,
                                                 .backoff_low_ms = 100,
                                                 .backoff_high_ms = 10000,
                                                 .heartbeat_ms = 3600000,
                                                 .lost_after_ms = 3600000,
                                                 .extend_every_ms = 3600000,
                                                 .max_lease_ms = 36000000,
                                                 .drain_ms = 24000,
                                                 .max_in_flight = hosts,
                                                 .at_once = hosts * AT_ONCE / 100,
                                                 .settled_max = 4096,
                                                 .nacked_max = 4096,
                                                 .attempt_ms = 600000,
                                                 .savers_max = 1,
                                                 .restarters_max = RESTARTERS},
                              self->now_ms);
}

static double cpu_seconds(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static long resident_kib(void)
{
    long pages = 0;
    FILE *file = fopen("/proc/self/statm", "re");
    if (!file || fscanf(file, "%*d %ld", &pages) != 1)
        pages = 0;
    if (file)
        (void)fclose(file);
    return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

int main(int argc, char **argv)
{
    bench_t self = {0};
    static mm_rules_t rules[1 + GROUPS];
    uint32_t hosts = argc == 3 ? (uint32_t)strtoul(argv[2], NULL, 10) : 0;
    bool waits = argc == 3 && strcmp(argv[1], "waiting") == 0;
    self.has_policy = waits || (argc == 3 && strcmp(argv[1], "policy") == 0);
    if (hosts == 0 || (!self.has_policy && strcmp(argv[1], "real") != 0)) {
        (void)fprintf(stderr, "usage: policy real|policy|waiting HOSTS\n");
        return 64;
    }
    open_bench(&self, hosts);
    mm_opening_t *items = openings(!waits);
    if (self.has_policy)
        set_policy(&self, rules, items);
    gather_event_t clock = {.kind = GATHER_CLOCK};
    clock.as.clock.unix_ms = UNIX_MS;
    step(&self, clock);
    for (int i = 0; i <= RESTARTERS; i++)
        hello(&self, i);
    if (self.has_policy)
        tell_groups(&self, hosts);
    for (int i = 0; i < 3; i++)
        turn(&self);
    long before_kib = resident_kib();
    double before = cpu_seconds();
    for (uint32_t i = 0; i < hosts; i++) {
        deliver(&self, i);
        if (i % 256 == 255)
            turn(&self);
    }
    for (uint32_t turns = 0; waits ? self.count > 0 : self.acked < hosts; turns++) {
        if (turns == 10 * hosts + 100000) {
            (void)fprintf(stderr, "policy: %u of %u are done\n", self.acked, hosts);
            return 1;
        }
        turn(&self);
    }
    double took = cpu_seconds() - before;
    (void)printf("%-8s %8u hosts  %6.2f us of CPU a host, %lld ms of virtual time", argv[1], hosts,
                 took * 1e6 / hosts, (long long)self.now_ms);
    if (waits)
        (void)printf("  %ld MiB, %ld bytes a host", (resident_kib() - before_kib) / 1024,
                     (resident_kib() - before_kib) * 1024 / (long)hosts);
    (void)printf("\n");
    gather_destroy(&self.gather);
    gather_actions_clear(&self.actions);
    free(self.tasks);
    free(items);
    return 0;
}
