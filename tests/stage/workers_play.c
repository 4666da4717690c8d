// See workers_play.h.

#include "workers_play.h"

workers_t *workers;
hosts_t hosts;
static resources_t resources;
uint64_t sequence;
uint64_t first_number = FIRST_NUMBER;
said_t says;

static void say_nothing_special(void)
{
    says = (said_t){.role = MM_ROLE_RESTARTER, .instance = 1, .slots = 2, .parts = 1};
}

int new_workers(void **state)
{
    (void)state;
    now_ms = 10000;
    sequence = 0;
    forget_story();
    say_nothing_special();
    workers = workers_new(&(gather_config_t){.lost_after_ms = LOST_AFTER,
                                             .savers_max = 1,
                                             .restarters_max = 3,
                                             .first_number = first_number,
                                             .first_session = FIRST_SESSION},
                          &hosts, &resources);
    return 0;
}

int end_workers(void **state)
{
    (void)state;
    workers_destroy(&workers);
    assert_null(workers);
    workers_destroy(&workers);
    hosts_clear(&hosts); // whatever was held gave its host back
    return 0;
}

static void tell_change(const workers_change_t *change)
{
    static const char *const whys[] = {"result", "lost", "missing"};
    ended_t ended = change->ended;
    tell_next();
    switch (change->kind) {
    case WORKERS_OPEN: tell("open %" PRIu64, change->session); break;
    case WORKERS_CLOSE: tell("close %" PRIu64, change->session); break;
    case WORKERS_WELCOME: tell("welcome %s %" PRIu64, change->name.text, change->session); break;
    case WORKERS_REFUSED: tell("refused %s: %s", change->name.text, change->reason); break;
    case WORKERS_REJOIN: tell("rejoin %s", change->name.text); break;
    case WORKERS_LAST: tell("last %s", change->name.text); break;
    case WORKERS_LOSS:
        tell("loss %s", change->name.text);
        if (strcmp(change->reason, "no heartbeat") != 0)
            tell(" (%s)", change->reason);
        break;
    case WORKERS_CLAIM: tell("ignored %s: %s", change->name.text, change->reason); break;
    case WORKERS_LEFT: tell("left %s", change->name.text); break;
    case WORKERS_ENDED:
        tell("%" PRIu64 " %s", ended.number, whys[ended.why]);
        hosts_put(&hosts, &ended.host);
        break;
    }
}

static void tell_changes(void)
{
    const workers_change_t *changes;
    size_t count = workers_changes(workers, &changes);
    for (size_t i = 0; i < count; i++)
        tell_change(&changes[i]);
}

void then(const char *expected)
{
    expect_story(expected);
}

void assignment(uint64_t number)
{
    says.held[says.held_count++] = (mm_assignment_t){.number = number,
                                                     .leg = MM_LEG_RESTART,
                                                     .id = id_of(1),
                                                     .host = mm_str("web-7"),
                                                     .started = true};
}

mm_result_t result_of(uint64_t serial, uint64_t number)
{
    mm_result_t result = {
        .serial = serial, .number = number, .leg = MM_LEG_RESTART, .id = id_of(1)};
    for (const worker_t *worker = NULL; (worker = workers_next(workers, worker)) != NULL;)
        for (const assignment_t *held = assignments_first(worker); held;
             held = assignments_next(held))
            if (held->number == number) {
                result.leg = (mm_leg_t)held->leg;
                result.id = held->id;
            }
    return result;
}

void repeating(uint64_t serial, uint64_t number)
{
    says.results[says.result_count++] = result_of(serial, number);
    says.last_serial = serial;
}

void reads(worker_t *worker, const mm_result_t *result, bool in_hello)
{
    ended_t ended = {0};
    if (workers_apply_result(workers, worker, result, in_hello, &ended)) {
        tell_next();
        tell("read %" PRIu64, result->serial);
        if (ended.number != 0)
            tell(" of %s%" PRIu64, ended.why == ENDED_LOST ? "lost " : "", ended.number);
        hosts_put(&hosts, &ended.host);
    }
    tell_changes();
}

static void report(bool is_hello, const char *name, uint64_t session)
{
    mm_report_t whole = {.is_hello = is_hello,
                         .worker = mm_str(name),
                         .instance = says.instance,
                         .role = says.role,
                         .driver = mm_str(says.driver),
                         .session = session,
                         .sequence = says.sequence ? says.sequence : ++sequence,
                         .stamp_ms = says.stamp_ms ? says.stamp_ms : now_ms,
                         .slots = says.slots,
                         .last_serial = says.last_serial,
                         .part = says.part,
                         .parts = says.parts,
                         .held = says.held,
                         .held_count = says.held_count,
                         .results = says.results,
                         .result_count = says.result_count};
    worker_t *worker = workers_report_open(workers, &whole, now_ms);
    for (size_t i = 0; worker && i < says.result_count; i++)
        reads(worker, &says.results[i], is_hello);
    if (worker)
        workers_report_close(workers, worker, &whole);
    tell_changes();
    say_nothing_special();
}

void hello(const char *name, uint64_t session)
{
    report(true, name, session);
}

void heartbeat(const char *name, uint64_t session)
{
    report(false, name, session);
}

worker_t *the(const char *name)
{
    worker_t *worker = workers_find(workers, mm_str(name), 1);
    assert_non_null(worker);
    return worker;
}

void result(const char *name, uint64_t serial, uint64_t number)
{
    mm_result_t result = result_of(serial, number);
    reads(the(name), &result, false);
}

void bye(const char *name, uint64_t session, uint64_t last_serial)
{
    workers_bye(workers, the(name), session, last_serial);
    tell_changes();
}

uint64_t worker_joins(const char *name)
{
    hello(name, 0);
    forget_story();
    return the(name)->session;
}

void check(void)
{
    workers_check(workers, now_ms);
    tell_changes();
}

uint64_t hands_out_for(worker_t *worker, const char *host_name)
{
    assert_non_null(worker);
    mm_id_t id = id_of(1);
    host_t *host = hosts_get(&hosts, mm_str(host_name));
    uint64_t number = workers_hand_out(workers, worker, MM_LEG_RESTART, &id, host, NULL);
    hosts_put(&hosts, &host);
    return number;
}

uint64_t hands_out(const char *name)
{
    return hands_out_for(the(name), "web-7");
}

void r1_is_lost(void)
{
    joins("r1");
    hands_out("r1");
    now_ms += LOST_AFTER;
    check();
    then("loss r1; 101 lost; close 11");
}

const char *picked(mm_role_t role)
{
    const worker_t *worker = workers_pick(workers, role);
    return worker ? worker->name.text : "";
}

worker_t *picked_alone(void)
{
    workers_reserve_quarantine(workers);
    return workers_pick_quarantine(workers);
}

uint32_t busy(const char *host_name)
{
    host_t *host = hosts_get(&hosts, mm_str(host_name));
    uint32_t count = host->restarts.busy;
    hosts_put(&hosts, &host);
    return count;
}
