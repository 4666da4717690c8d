// Tests of the wire codec with good frames: layouts, round trips, limits, batches, and that the
// encoder asserts on its caller's bugs. test_wire_bad.c and test_scan.c have the bad bytes.

#include "wire_rules.h"
#include "wire_samples.h"

#include <assert.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <msgpack.h>

static mm_encoder_t *encoder;
static mm_decoder_t *decoder;

// The linker puts these in the place of the codec's calls (tests/unit/wire.mk).
static size_t allocations;
void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);

void *__wrap_malloc(size_t size)
{
    allocations++;
    return __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    allocations++;
    return __real_calloc(count, size);
}

void *__wrap_realloc(void *old, size_t size)
{
    allocations++;
    return __real_realloc(old, size);
}

// ---- what docs/protocol.md shows

// clang-format off
#define LITERAL(STRING) {(STRING), sizeof(STRING) - 1}
#define ID            {{0x01, 0x93, 0x4f, 0x2a, 0x10, 0x00, 0x7a, 0xbc,                            \
                        0x8d, 0xef, 0x00, 0x01, 0x02, 0x03, 0x04, 0x05}}
#define PY_1          .worker = LITERAL("py-1"), .instance = 7
#define CONSUMER      .consumer = LITERAL("consumer"), .epoch = 3
#define REPORT        PY_1, .role = MM_ROLE_RESTARTER, .parts = 1
#define SSH           "ssh-0123456789abcdef"
#define SAVED         .id = ID, .host = LITERAL("web-14"), .deliveries = 1,                         \
                      .publisher = LITERAL("p1"), .received_ms = 1795332314123
#define OF(...)       .real = &(mm_real_t){__VA_ARGS__}
#define BEGUN         .command = 1, .machine = ID, .boot = ID, .control = ID, .first_ms = 4980,    \
                      .deadline_ms = 904980
#define ITEMS(item, member, counter, ...)                                                          \
    .member = (const mm_##item##_t[]){__VA_ARGS__},                                                \
    .counter = sizeof((const mm_##item##_t[]){__VA_ARGS__}) / sizeof(mm_##item##_t)

static const mm_task_t restart = {.number = 901, .leg = MM_LEG_RESTART, .id = ID,
                                  .host = LITERAL("web-14"), .attempt = 1};
static const mm_result_t restarted = {.serial = 1, .number = 901, .leg = MM_LEG_RESTART, .id = ID,
                                      .took_ms = 812};

// Written from the document, by hand: frames.def is not asked which field comes where.
static const struct {
    const char *text;
    mm_frame_t frame;
} examples[] = {
    {"[3, 1, \"p1\", 3, \"\", 0, 0, [], [[ID, \"web-14\", 1]]]",
     {MM_FRAME_JOBS, .as.jobs = {.publisher = LITERAL("p1"), .epoch = 3,
      ITEMS(job, items, count, {.id = ID, .host = LITERAL("web-14"), .delivery = 1})}}},
    {"[3, 2, 12, 5020, 0, false, [[901, 2, ID, \"web-14\", 1]]]",
     {MM_FRAME_TASKS, .as.tasks = {.session = 12, .stamp_ms = 5020, .items = &restart,
                                   .count = 1}}},
    {"[3, 2, 9, 5020, 44, false, [[902, 1, ID, \"web-14\", 1, \"p1\", 1795332314123], "
     "[903, 3, ID, \"web-14\", 1, \"p1\", 1795332314123, 5, 2, 2, \"py-1\", \"exit status 1\"]]]",
     {MM_FRAME_TASKS, .as.tasks = {.session = 9, .stamp_ms = 5020, .acknowledged_through = 44,
      ITEMS(task, items, count,
            {.number = 902, .leg = MM_LEG_SAVE, .id = ID, .host = LITERAL("web-14"), .deliveries = 1,
             .publisher = LITERAL("p1"), .received_ms = 1795332314123},
            {.number = 903, .leg = MM_LEG_SETTLE, .id = ID, .host = LITERAL("web-14"), .deliveries = 1,
             .publisher = LITERAL("p1"), .received_ms = 1795332314123, .attempts = 5, .extended = 2,
             .outcome = MM_OUTCOME_DEAD, .worker = LITERAL("py-1"), .error = LITERAL("exit status 1")})}}},
    {"[3, 1, \"p1\", 3, \"\", 0, 0, [], [[ID, \"web-15\", 1, {\"bmc\": \"10.0.0.1\", \"zone\": \"eu\"}]]]",
     {MM_FRAME_JOBS, .as.jobs = {.publisher = LITERAL("p1"), .epoch = 3,
      ITEMS(job, items, count, {.id = ID, .host = LITERAL("web-15"), .delivery = 1,
                                .attributes = LITERAL("bmc=10.0.0.1 zone=eu")})}}},
    {"[3, 2, 12, 5020, 0, false, [[904, 2, ID, \"web-15\", 1, {\"bmc\": \"10.0.0.1\"}]]]",
     {MM_FRAME_TASKS, .as.tasks = {.session = 12, .stamp_ms = 5020,
      ITEMS(task, items, count, {.number = 904, .leg = MM_LEG_RESTART, .id = ID,
                                 .host = LITERAL("web-15"), .attempt = 1,
                                 .attributes = LITERAL("bmc=10.0.0.1")})}}},
    {"[3, 1, \"p1\", 3, \"\", 0, 0, [], [[ID, \"web-16\", 2, {}, true]]]",
     {MM_FRAME_JOBS, .as.jobs = {.publisher = LITERAL("p1"), .epoch = 3,
      ITEMS(job, items, count, {.id = ID, .host = LITERAL("web-16"), .delivery = 2,
                                .withdrawn = true})}}},
    {"[3, 1, \"p1\", 3, \"ssh-0123456789abcdef\", 2, 0, [], []]",
     {MM_FRAME_JOBS, .as.jobs = {.publisher = LITERAL("p1"), .epoch = 3, .driver = LITERAL(SSH),
                                 .dead = 2}}},
    {"[3, 1, \"p1\", 3, \"ssh-0123456789abcdef\", 2, 7205759403792794, [[\"\", 12], [\"db\", 0], "
     "[\"web\", 9]], []]",
     {MM_FRAME_JOBS, .as.jobs = {.publisher = LITERAL("p1"), .epoch = 3, .driver = LITERAL(SSH),
                                 .dead = 2, .run = 7205759403792794,
      ITEMS(group, groups, group_count, {.name = LITERAL(""), .hosts = 12}, {.name = LITERAL("db")},
            {.name = LITERAL("web"), .hosts = 9})}}},
    {"[3, 2, 12, 5020, 0, false, [[905, 4, ID, \"web-14\", 1, {}, 300000, 0, 6520, 0, NONE, NONE, "
     "\"\", false, false], [906, 2, ID, \"web-14\", 1, {}, 900000, 40, 6520, 1, ID, ID, \"degraded\", "
     "true, false]]]",
     {MM_FRAME_TASKS, .as.tasks = {.session = 12, .stamp_ms = 5020,
      ITEMS(task, items, count,
            {.number = 905, .leg = MM_LEG_PROBE, .id = ID, .host = LITERAL("web-14"), .attempt = 1,
             OF(.left_ms = 300000, .start_ms = 6520)},
            {.number = 906, .leg = MM_LEG_RESTART, .id = ID, .host = LITERAL("web-14"), .attempt = 1,
             OF(.left_ms = 900000, .age_ms = 40, .start_ms = 6520, .command = 1, .machine = ID,
                .boot = ID, .health = LITERAL("degraded"), .owes = true)})}}},
    {"[3, 2, 9, 5020, 45, false, [[907, 1, ID, \"web-14\", 1, \"p1\", 1795332314123, "
     "1, 1, 1, ID, ID, NONE, ID, 4980, 904980, 0, 1000, 0, \"py-1\", \"\", \"degraded\", true, "
     "\"bmc=10.0.0.1\", false, 0], "
     "[908, 3, ID, \"web-14\", 1, \"p1\", 1795332314123, 1, 0, 1, \"py-1\", \"\", "
     "2, 1, 1, ID, ID, ID, ID, 4980, 904980, 1, 0, 1, \"py-1\", \"rebooting\", \"degraded\", "
     "false, \"\", false, 0]]]",
     {MM_FRAME_TASKS, .as.tasks = {.session = 9, .stamp_ms = 5020, .acknowledged_through = 45,
      ITEMS(task, items, count,
            {.number = 907, .leg = MM_LEG_SAVE, SAVED,
             OF(.attempt = 1, .row = MM_ROW_BEGUN, BEGUN, .exit = MM_EXIT_NONE,
                .worker = LITERAL("py-1"), .health = LITERAL("degraded"), .owes = true,
                .attributes = LITERAL("bmc=10.0.0.1"))},
            {.number = 908, .leg = MM_LEG_SETTLE, SAVED, .attempts = 1,
             .outcome = MM_OUTCOME_RESTARTED, .worker = LITERAL("py-1"),
             OF(.attempt = 1, .row = MM_ROW_ENDED, BEGUN, .boot_after = ID,
                .end = MM_END_RESTARTED, .proof = MM_PROOF_PROVEN, .worker = LITERAL("py-1"),
                .words = LITERAL("rebooting"), .health = LITERAL("degraded"))})}}},
    {"[3, 2, 9, 5020, 46, false, [[912, 3, ID, \"web-14\", 1, \"p1\", 1795332314123, 2, 0, 2, "
     "\"py-1\", \"unreachable\", 0, 0, 0, NONE, NONE, NONE, NONE, 0, 0, 0, 1000, 0, \"\", \"\", "
     "\"\", false, \"groups=web,eu\", true, 7]]]",
     {MM_FRAME_TASKS, .as.tasks = {.session = 9, .stamp_ms = 5020, .acknowledged_through = 46,
      ITEMS(task, items, count,
            {.number = 912, .leg = MM_LEG_SETTLE, SAVED, .attempts = 2, .outcome = MM_OUTCOME_DEAD,
             .worker = LITERAL("py-1"), .error = LITERAL("unreachable"),
             OF(.exit = MM_EXIT_NONE, .attributes = LITERAL("groups=web,eu"), .is_casualty = true,
                .run = 7)})}}},
    {"[3, 2, 12, 0, 1, true, []]",
     {MM_FRAME_TASKS, .as.tasks = {.session = 12, .acknowledged_through = 1, .last = true}}},
    {"[3, 3, \"py-1\", 7, 2, 0, 1, 5000, 1, 0, 0, 1, \"\", 0, [], []]",
     {MM_FRAME_HELLO, .as.report = {REPORT, .sequence = 1, .stamp_ms = 5000, .slots = 1}}},
    {"[3, 3, \"py-1\", 7, 2, 0, 1, 5000, 1, 0, 0, 1, \"ssh-0123456789abcdef\", 3, [], []]",
     {MM_FRAME_HELLO, .as.report = {REPORT, .sequence = 1, .stamp_ms = 5000, .slots = 1,
                                    .driver = LITERAL(SSH),
                                    .verbs = MM_VERB_REAL | MM_VERB_IDENTIFY}}},
    {"[3, 4, \"py-1\", 7, 2, 12, 2, 5020, 1, 0, 0, 1, [], []]",
     {MM_FRAME_HEARTBEAT, .as.report = {REPORT, .session = 12, .sequence = 2, .stamp_ms = 5020,
                                        .slots = 1}}},
    {"[3, 4, \"py-1\", 7, 2, 12, 3, 5520, 1, 0, 0, 1, [[901, ID, 2, true, \"web-14\"]], []]",
     {MM_FRAME_HEARTBEAT, .as.report = {REPORT, .session = 12, .sequence = 3, .stamp_ms = 5520,
                                        .slots = 1,
      ITEMS(assignment, held, held_count,
            {.number = 901, .leg = MM_LEG_RESTART, .id = ID, .host = LITERAL("web-14"),
             .started = true})}}},
    {"[3, 4, \"py-1\", 7, 2, 12, 4, 6020, 0, 1, 0, 1, [], []]",
     {MM_FRAME_HEARTBEAT, .as.report = {REPORT, .session = 12, .sequence = 4, .stamp_ms = 6020,
                                        .last_serial = 1}}},
    {"[3, 5, \"py-1\", 7, 12, [901]]",
     {MM_FRAME_STARTED, .as.started = {PY_1, .session = 12, ITEMS(number, numbers, count, 901)}}},
    {"[3, 6, \"py-1\", 7, 12, [[1, 901, 2, ID, 0, 0, 812, \"\", {}]]]",
     {MM_FRAME_RESULTS, .as.results = {PY_1, .session = 12, .items = &restarted, .count = 1}}},
    {"[3, 6, \"saver-1\", 8, 9, [[45, 903, 3, ID, 1, 0, 412, \"disk full\", "
     "{\"host\": \"db-2\"}]]]",
     {MM_FRAME_RESULTS, .as.results = {.worker = LITERAL("saver-1"), .instance = 8, .session = 9,
      ITEMS(result, items, count,
            {.serial = 45, .number = 903, .leg = MM_LEG_SETTLE, .id = ID,
             .status = MM_STATUS_FAILED, .took_ms = 412, .error = LITERAL("disk full"),
             .evidence = (const mm_pair_t[]){{LITERAL("host"), LITERAL("db-2")}},
             .evidence_count = 1})}}},
    {"[3, 6, \"py-1\", 7, 12, [[1, 905, 4, ID, 0, 0, 310, \"\", {}, 12, 1000, 0, ID, ID, false, "
     "false, \"\", \"degraded\", false], "
     "[2, 906, 2, ID, 0, 0, 61200, \"\", {}, 1, 0, 1, ID, ID, true, false, \"rebooting\", \"\", "
     "false]]]",
     {MM_FRAME_RESULTS, .as.results = {PY_1, .session = 12,
      ITEMS(result, items, count,
            {.serial = 1, .number = 905, .leg = MM_LEG_PROBE, .id = ID, .took_ms = 310,
             OF(.end = MM_END_NOT_STARTED, .exit = MM_EXIT_NONE, .machine = ID, .boot = ID,
                .health = LITERAL("degraded"))},
            {.serial = 2, .number = 906, .leg = MM_LEG_RESTART, .id = ID, .took_ms = 61200,
             OF(.end = MM_END_RESTARTED, .proof = MM_PROOF_PROVEN, .machine = ID, .boot = ID,
                .sent = true, .words = LITERAL("rebooting"))})}}},
    {"[3, 6, \"py-1\", 7, 12, [[3, 909, 2, ID, 3, 0, 8000, \"\", {}, 3, 1000, 0, NONE, NONE, true, "
     "true, \"\", \"\", true], [4, 910, 2, ID, 2, 0, 0, \"held by pid 7 of /srv/run\", {}, 5000, true]]]",
     {MM_FRAME_RESULTS, .as.results = {PY_1, .session = 12,
      ITEMS(result, items, count,
            {.serial = 3, .number = 909, .leg = MM_LEG_RESTART, .id = ID,
             .status = MM_STATUS_OPEN, .took_ms = 8000,
             OF(.end = MM_END_TIMEOUT, .exit = MM_EXIT_NONE, .sent = true, .more = true,
                .owes = true)},
            {.serial = 4, .number = 910, .leg = MM_LEG_RESTART, .id = ID,
             .status = MM_STATUS_RETURNED, .error = LITERAL("held by pid 7 of /srv/run"),
             OF(.pause_ms = 5000, .is_held = true)})}}},
    {"[3, 6, \"saver-1\", 8, 9, [[46, 911, 1, ID, 0, 0, 3, \"\", {}, "
     "3, 2, 1, ID, ID, NONE, ID, 4980, 904980, 52000, 2, 255, 1, 0, \"no route\", \"\", true, 0, "
     "\"py-1\"], "
     "[47, 912, 3, ID, 0, 2, 3, \"\", {}, 0, 0, 0, NONE, NONE, NONE, NONE, 0, 0, 0, 0, 1000, 0, 0, "
     "\"\", \"\", false, 118]]]",
     {MM_FRAME_RESULTS, .as.results = {.worker = LITERAL("saver-1"), .instance = 8, .session = 9,
      ITEMS(result, items, count,
            {.serial = 46, .number = 911, .leg = MM_LEG_SAVE, .id = ID, .took_ms = 3,
             OF(.row = MM_ROW_OPEN, .attempt = 2, BEGUN, .age_ms = 52000, .end = MM_END_EXIT,
                .exit = 255, .ended = 1, .words = LITERAL("no route"), .owes = true,
                .worker = LITERAL("py-1"))},
            {.serial = 47, .number = 912, .leg = MM_LEG_SETTLE, .id = ID,
             .outcome = MM_OUTCOME_DEAD, .took_ms = 3, OF(.exit = MM_EXIT_NONE, .seq = 118)})}}},
    {"[3, 7, \"py-1\", 7, 12, 1]",
     {MM_FRAME_BYE, .as.bye = {PY_1, .session = 12, .last_serial = 1}}},
    {"[3, 8, \"consumer\", 3, [[1, ID], [2, ID, 1], [3, ID, 1500], [4, ID, 5, \"exit status 1\"], "
     "[5, ID], [6, ID, 1, \"same-boot\"]]]",
     {MM_FRAME_NOTICES, .as.notices = {CONSUMER,
      ITEMS(verdict, items, count,
            {.kind = MM_VERDICT_EXTEND, .id = ID},
            {.kind = MM_VERDICT_ACK, .id = ID, .attempts = 1},
            {.kind = MM_VERDICT_NACK, .id = ID, .delay_ms = 1500},
            {.kind = MM_VERDICT_DEAD, .id = ID, .attempts = 5, .error = LITERAL("exit status 1")},
            {.kind = MM_VERDICT_SKIPPED, .id = ID},
            {.kind = MM_VERDICT_WITHDRAWN, .id = ID, .attempts = 1,
             .error = LITERAL("same-boot")})}}},
    {"[3, 8, \"consumer\", 3, [[1, ID, 180000]]]",
     {MM_FRAME_NOTICES, .as.notices = {CONSUMER,
      ITEMS(verdict, items, count, {.kind = MM_VERDICT_EXTEND, .id = ID, .lease_ms = 180000})}}},
    {"[3, 9, \"consumer\", 3, \"py-1\", 7, 12, \"task.000000000000000c\"]",
     {MM_FRAME_WELCOME, .as.answer = {CONSUMER, PY_1, .session = 12,
                                      .suffix = LITERAL("task.000000000000000c")}}},
    {"[3, 10, \"consumer\", 3, \"py-1\", 7, 0, \"another process has this id\"]",
     {MM_FRAME_REFUSED, .as.answer = {CONSUMER, PY_1,
                                      .reason = LITERAL("another process has this id")}}},
    {"[3, 11, \"consumer\", 3, \"py-1\", 7, 0]", {MM_FRAME_REJOIN, .as.answer = {CONSUMER, PY_1}}},
    {"[3, 12, \"consumer\", 3, false, false, [[\"py-1\", 12, 0, 5020]]]",
     {MM_FRAME_BEAT, .as.beat = {CONSUMER,
      ITEMS(acknowledgement, items, count, {.worker = LITERAL("py-1"), .session = 12, .stamp_ms = 5020})}}},
    {"[3, 12, \"consumer\", 3, false, false, [[\"py-1\", 12, 1, 5520]]]",
     {MM_FRAME_BEAT, .as.beat = {CONSUMER,
      ITEMS(acknowledgement, items, count,
            {.worker = LITERAL("py-1"), .session = 12, .acknowledged_through = 1,
             .stamp_ms = 5520})}}},
    {"[3, 12, \"consumer\", 3, false, false, [[\"py-1\", 12, 1, 5520]], 1795332314123]",
     {MM_FRAME_BEAT, .as.beat = {CONSUMER,
      ITEMS(acknowledgement, items, count,
            {.worker = LITERAL("py-1"), .session = 12, .acknowledged_through = 1,
             .stamp_ms = 5520}), .unix_ms = 1795332314123}}},
    {"[3, 13, \"consumer\", 3]", {MM_FRAME_LEAVING, .as.leaving = {CONSUMER}}},
    {"[3, 14, 77, 2, \"saver-1\", 30, \"\"]",
     {MM_FRAME_QUERY, .as.query = {.viewer = 77, .about = MM_ABOUT_PROFILE,
                                   .process = LITERAL("saver-1"), .seconds = 30}}},
    {"[3, 15, \"saver-1\", 77, 1, \"{}\"]",
     {MM_FRAME_TELL, .as.tell = {.process = LITERAL("saver-1"), .viewer = 77,
                                 .about = MM_ABOUT_STATS, .text = LITERAL("{}")}}},
    {"[3, 16, 77, [[ID, 1, \"\", 0, 0, \"a bad kernel\", \"root\"]]]",
     {MM_FRAME_ORDER, .as.order = {.viewer = 77,
      ITEMS(order, items, count, {.id = ID, .action = MM_ACTION_HALT, .why = LITERAL("a bad kernel"),
                                  .actor = LITERAL("root")})}}},
    {"[3, 17, 9, 4, 7, 0, [[ID, 5, \"web\", 7, 0, \"3 of the last 10 are dead\", "
     "\"consumer\"]]]",
     {MM_FRAME_ORDERS, .as.orders = {.session = 9, .question = 4, .run = 7,
      ITEMS(order, items, count, {.id = ID, .action = MM_ACTION_TRIP, .name = LITERAL("web"),
                                  .run = 7, .why = LITERAL("3 of the last 10 are dead"),
                                  .actor = LITERAL("consumer")})}}},
    {"[3, 18, \"saver-1\", 8, 9, [[ID, \"\"]]]",
     {MM_FRAME_RECORDED, .as.recorded = {.worker = LITERAL("saver-1"), .instance = 8, .session = 9,
      ITEMS(recorded, items, count, {.id = ID})}}},
    {"[3, 19, \"saver-1\", 8, 9, 7, 4, 0, 0, [[1, 0, \"\", \"\", 1795332314123, 0, 0, false, \"a bad "
     "kernel\"], [7, 0, \"web-14\", \"web,eu\", 1795332314123, 0, 0, false, \"\"], [8, 118, "
     "\"web-15\", \"web\", 1795332314123, 0, 2, true, \"\"]]]",
     {MM_FRAME_STATE, .as.state = {.worker = LITERAL("saver-1"), .instance = 8, .session = 9,
                                   .run = 7, .question = 4,
      ITEMS(entry, items, count,
            {.action = MM_ACTION_HALT, .at_ms = 1795332314123, .why = LITERAL("a bad kernel")},
            {.action = MM_ACTION_BEGUN, .name = LITERAL("web-14"), .groups = LITERAL("web,eu"),
             .at_ms = 1795332314123},
            {.action = MM_ACTION_ENDED, .seq = 118, .name = LITERAL("web-15"),
             .groups = LITERAL("web"), .at_ms = 1795332314123, .outcome = MM_OUTCOME_DEAD,
             .is_casualty = true})}}},
    {"[3, 20, \"consumer\", 71, 2, 1795332314, 6000, 5020, true]",
     {MM_FRAME_LEASE_ASK, .as.lease_ask = {.consumer = LITERAL("consumer"), .asker = 71,
                                           .verb = MM_LEASE_RENEW, .epoch = 1795332314,
                                           .ttl_ms = 6000, .stamp_ms = 5020,
                                           .hears_restarters = true}}},
    {"[3, 21, \"saver-1\", 71, 2, 5020, 1, 1795332314, 6000, false, 118, false]",
     {MM_FRAME_LEASE, .as.lease = {.worker = LITERAL("saver-1"), .asker = 71,
                                   .verb = MM_LEASE_RENEW, .stamp_ms = 5020,
                                   .verdict = MM_LEASE_HELD, .epoch = 1795332314,
                                   .left_ms = 6000, .orders_seq = 118}}},
    {"[3, 22, 77, ID, \"its machine is to be patched\", \"anna\"]",
     {MM_FRAME_HANDOVER, .as.handover = {.viewer = 77, .id = ID,
                                         .why = LITERAL("its machine is to be patched"),
                                         .actor = LITERAL("anna")}}},
};
// clang-format on

#define EXAMPLES (sizeof examples / sizeof *examples)

static char document[1 << 17];

static void read_document(void)
{
    FILE *file = fopen("docs/protocol.md", "r");
    assert_non_null(file);
    size_t size = fread(document, 1, sizeof document - 1, file);
    (void)fclose(file);
    assert_in_range(size, 1000, sizeof document - 2);
    document[size] = '\0';
}

static void replace(char *text, const char *old, const char *new)
{
    for (char *at = text; (at = strstr(at, old)) != NULL; at += strlen(new)) {
        memmove(at + strlen(new), at + strlen(old), strlen(at + strlen(old)) + 1);
        memcpy(at, new, strlen(new));
    }
}

// The bytes as msgpack-c prints them, ids and maps as in the document.
static void print_bytes(mm_str_t bytes, char *ret_text, size_t size)
{
    static const mm_id_t ids[] = {ID, {{0}}};
    static const char *const names[] = {"ID", "NONE"};
    msgpack_unpacked unpacked;
    msgpack_unpacked_init(&unpacked);
    (void)msgpack_unpack_next(&unpacked, bytes.data, bytes.size, NULL);
    assert_in_range(msgpack_object_print_buffer(ret_text, size, unpacked.data), 1, size - 1);
    msgpack_unpacked_destroy(&unpacked);
    for (size_t i = 0; i < 2; i++) {
        char printed[80];
        msgpack_object bin = {MSGPACK_OBJECT_BIN,
                              {.bin = {sizeof(mm_id_t), (const char *)ids[i].bytes}}};
        assert_in_range(msgpack_object_print_buffer(printed, sizeof printed, bin), 1,
                        sizeof printed - 1);
        replace(ret_text, printed, names[i]);
    }
    replace(ret_text, "\"=>\"", "\": \"");
}

static void the_examples_in_the_documentation_are_what_is_sent(void **state)
{
    (void)state;
    unsigned kinds = 0;
    read_document();
    for (size_t i = 0; i < EXAMPLES; i++) {
        char text[1024];
        mm_encode_frame(encoder, &examples[i].frame);
        print_bytes(mm_encoder_bytes(encoder), text, sizeof text);
        assert_string_equal(text, examples[i].text);
        if (strstr(document, text) == NULL)
            fail_msg("docs/protocol.md does not show %s", text);
        kinds |= 1U << examples[i].frame.kind;
    }
    assert_int_equal(kinds, (1U << (MM_FRAME_KINDS + 1)) - 2);
}

static void every_example_in_the_documentation_is_tested(void **state)
{
    (void)state;
    size_t shown = 0;
    read_document();
    for (const char *at = document; (at = strstr(at, "[3, ")) != NULL; at++) {
        char *end;
        unsigned long kind = strtoul(at + 4, &end, 10);
        if (kind < 1 || kind > MM_FRAME_KINDS || strncmp(end, ", ", 2) != 0)
            continue; // an item
        size_t i = 0;
        while (i < EXAMPLES && strncmp(at, examples[i].text, strlen(examples[i].text)) != 0)
            i++;
        if (i == EXAMPLES)
            fail_msg("not tested: %.*s", (int)strcspn(at, "\n"), at);
        shown++;
    }
    assert_in_range(shown, EXAMPLES, 2 * EXAMPLES);
}

static void the_bytes_in_the_documentation_are_what_is_sent(void **state)
{
    (void)state;
    static const char *const shown[] = {
        "[3, 3, \"py-1\", 7, 2, 0, 1, 5000, 1, 0, 0, 1, \"\", 0, [], []]",
        "[3, 2, 12, 5020, 0, false, [[901, 2, ID, \"web-14\", 1]]]",
        "[3, 6, \"py-1\", 7, 12, [[1, 901, 2, ID, 0, 0, 812, \"\", {}]]]"};
    read_document();
    replace(document, "\n", " ");
    for (size_t i = 0; i < sizeof shown / sizeof *shown; i++) {
        char text[1024] = "";
        size_t example = 0;
        while (strcmp(examples[example].text, shown[i]) != 0)
            example++;
        mm_encode_frame(encoder, &examples[example].frame);
        mm_str_t bytes = mm_encoder_bytes(encoder);
        for (size_t j = 0; j < bytes.size; j++)
            (void)snprintf(text + 3 * j, sizeof text - 3 * j, "%02x ", (uint8_t)bytes.data[j]);
        if (strstr(document, text) == NULL)
            fail_msg("docs/protocol.md does not show %s", text);
    }
}

// ---- samples of every kind

// Encodes, decodes, encodes again: the bytes must be the same, and have the layout of frames.def
// with the values of both frames.
static mm_frame_t round_trip(const mm_frame_t *frame)
{
    char *bytes;
    mm_frame_t decoded;
    size_t size = sample_encode(encoder, frame, &bytes);
    assert_true(size <= MM_FRAME_BYTES);
    assert_true(sample_is_frame(bytes, size, frame));
    mm_wire_status_t status = mm_decode(decoder, bytes, size, &decoded);
    if (status != MM_WIRE_OK)
        print_error("kind %d: %s\n", (int)frame->kind, mm_decoder_complaint(decoder));
    assert_int_equal(status, MM_WIRE_OK);
    assert_int_equal(decoded.kind, frame->kind);
    assert_true(sample_is_frame(bytes, size, &decoded));
    mm_encode_frame(encoder, &decoded);
    assert_int_equal(mm_encoder_bytes(encoder).size, size);
    assert_memory_equal(mm_encoder_bytes(encoder).data, bytes, size);
    free(bytes);
    return decoded;
}

static void every_kind_survives_the_round_trip(void **state)
{
    (void)state;
    for (unsigned kind = 1; kind <= MM_FRAME_KINDS; kind++) {
        for (sample_size_t size = SAMPLE_SMALLEST; size <= SAMPLE_LARGEST; size++) {
            mm_frame_t frame = wire_sample((mm_frame_kind_t)kind, size);
            (void)round_trip(&frame);
        }
    }
    for (size_t i = 0; i < EXAMPLES; i++)
        (void)round_trip(&examples[i].frame);
}

static void samples_are_as_large_as_they_say(void **state)
{
    (void)state;
    mm_frame_t frame = wire_sample(MM_FRAME_TASKS, SAMPLE_LARGEST);
    const mm_task_t *last = &frame.as.tasks.items[MM_BATCH_ITEMS - 2]; // then a probe
    assert_int_equal(last[1].leg, MM_LEG_PROBE);
    assert_int_equal(last[1].real->left_ms, INT64_MAX);
    assert_int_equal(last[1].real->command, MM_COMMANDS_MAX);
    assert_int_equal(frame.as.tasks.count, MM_BATCH_ITEMS);
    assert_int_equal(frame.as.tasks.session, UINT64_MAX);
    assert_int_equal(frame.as.tasks.stamp_ms, INT64_MAX);
    assert_int_equal(last->leg, MM_LEG_SETTLE);
    assert_int_equal(last->received_ms, INT64_MAX);
    assert_int_equal(last->host.size, MM_HOST_MAX);
    assert_int_equal(last->worker.size, MM_NAME_MAX);
    assert_int_equal(last->error.size, MM_ERROR_MAX);
    assert_int_equal(last->real->words.size, MM_WORDS_MAX);
    frame = wire_sample(MM_FRAME_HELLO, SAMPLE_LARGEST);
    assert_int_equal(frame.as.report.held_count, MM_BATCH_ITEMS);
    assert_int_equal(frame.as.report.result_count, MM_BATCH_ITEMS);
    assert_int_equal(frame.as.report.results[255].evidence_count, MM_EVIDENCE_MAX);
    assert_int_equal(frame.as.report.results[255].evidence[MM_EVIDENCE_MAX - 1].value.size,
                     MM_EVIDENCE_VALUE_MAX);
    frame = wire_sample(MM_FRAME_BEAT, SAMPLE_SMALLEST);
    assert_int_equal(frame.as.beat.count, 0);
    unsigned legs = 0, statuses = 0, settled = 0;
    frame = wire_sample(MM_FRAME_RESULTS, SAMPLE_DISTINCT);
    for (size_t i = 0; i < frame.as.results.count; i++) {
        const mm_result_t *result = &frame.as.results.items[i];
        legs |= 1U << (unsigned)result->leg;
        statuses |= 1U << (unsigned)result->status;
        settled += result->leg == MM_LEG_SETTLE && result->status == MM_STATUS_OK;
    }
    assert_int_equal(legs, 2 + 4 + 8 + 16);
    assert_int_equal(statuses, 1 + 2 + 4 + 8);
    assert_true(settled > 0);
}

static void a_report_says_whether_it_is_a_hello(void **state)
{
    (void)state;
    mm_frame_t hello = wire_sample(MM_FRAME_HELLO, SAMPLE_DISTINCT);
    assert_true(round_trip(&hello).as.report.is_hello);
    mm_frame_t heartbeat = wire_sample(MM_FRAME_HEARTBEAT, SAMPLE_DISTINCT);
    assert_false(round_trip(&heartbeat).as.report.is_hello);
}

static void fields_of_other_legs_and_verdicts_are_empty(void **state)
{
    (void)state;
    mm_frame_t frame = wire_sample(MM_FRAME_TASKS, SAMPLE_LARGEST);
    (void)round_trip(&frame); // leaves settles behind in the arrays
    mm_task_t tasks[3] = {restart, restart, restart};
    frame.as.tasks.items = tasks;
    frame.as.tasks.count = 3;
    const mm_task_t *task = &round_trip(&frame).as.tasks.items[2];
    assert_int_equal(task->publisher.size + task->worker.size + task->error.size, 0);
    assert_int_equal(task->deliveries + task->attempts + task->extended, 0);
    assert_int_equal(task->outcome, MM_OUTCOME_NONE);
    assert_int_equal(task->received_ms, 0);

    assert_null(task->real);

    frame = wire_sample(MM_FRAME_NOTICES, SAMPLE_LARGEST);
    (void)round_trip(&frame);
    mm_verdict_t extend = {.kind = MM_VERDICT_EXTEND, .id = ID};
    mm_verdict_t notices[4] = {extend, extend, extend, extend};
    frame.as.notices.items = notices;
    frame.as.notices.count = 4;
    const mm_verdict_t *verdict = &round_trip(&frame).as.notices.items[3];
    assert_int_equal(verdict->attempts + verdict->error.size, 0);
    assert_int_equal(verdict->delay_ms, 0);
}

// What the mock's workers say has none of it.
static void fields_of_real_restarts_are_empty_in_results_without(void **state)
{
    (void)state;
    mm_frame_t frame = wire_sample(MM_FRAME_RESULTS, SAMPLE_LARGEST);
    (void)round_trip(&frame);
    mm_result_t returned = {
        .serial = 2, .number = 902, .leg = MM_LEG_RESTART, .status = MM_STATUS_RETURNED};
    mm_result_t saved = {.serial = 3, .number = 903, .leg = MM_LEG_SAVE};
    mm_result_t results[] = {restarted, returned, saved};
    frame.as.results.items = results;
    frame.as.results.count = 3;
    frame = round_trip(&frame);
    for (size_t i = 0; i < 3; i++)
        assert_null(frame.as.results.items[i].real);
}

// P2.12: a worker of version 1 decodes [1, 10, consumer, life, worker, nonce, 0, reason].
static void a_refusal_goes_out_in_the_version_of_the_hello(void **state)
{
    (void)state;
    static const struct {
        uint64_t version;
        mm_str_t bytes;
    } refusals[] = {
        {1, LITERAL("\x98\x01\x0A\xA8"
                    "consumer\x03\xA4py-1\x07\x00\xA2no")},
        {3, LITERAL("\x98\x03\x0A\xA8"
                    "consumer\x03\xA4py-1\x07\x00\xA2no")},
        {300, LITERAL("\x98\xCD\x01\x2C\x0A\xA8"
                      "consumer\x03\xA4py-1\x07\x00\xA2no")},
    };
    mm_frame_t frame = {MM_FRAME_REFUSED, .as.answer = {CONSUMER, PY_1, .reason = LITERAL("no")}};
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
        mm_encode_refused(encoder, &frame, refusals[i].version);
        assert_int_equal(mm_encoder_bytes(encoder).size, refusals[i].bytes.size);
        assert_memory_equal(mm_encoder_bytes(encoder).data, refusals[i].bytes.data,
                            refusals[i].bytes.size);
    }
    (void)round_trip(&frame); // the next frame is of this version
}

static void decoding_allocates_nothing(void **state)
{
    (void)state;
    allocations = 0;
    mm_decoder_t *fresh = mm_decoder_new();
    assert_int_equal(allocations, 1); // they are counted
    for (unsigned kind = 1; kind <= MM_FRAME_KINDS; kind++) {
        char *bytes;
        mm_frame_t frame = wire_sample((mm_frame_kind_t)kind, SAMPLE_LARGEST);
        size_t size = sample_encode(encoder, &frame, &bytes);
        allocations = 0;
        assert_int_equal(mm_decode(fresh, bytes, size, &frame), MM_WIRE_OK);
        assert_int_equal(mm_decode(fresh, bytes, size - 1, &frame), MM_WIRE_MALFORMED);
        assert_int_equal(allocations, 0);
        free(bytes);
    }
    mm_decoder_destroy(&fresh);

    // The most elements that the scan lets through, all behind the last known field.
    static uint8_t most[MM_FRAME_BYTES] = "\x95\x03\x0D\xA1"
                                          "c\x07\xDC"; // [3, 13, "c", 7, [...]]
    size_t size = 7, left = MM_WIRE_ELEMENTS_MAX - 6;
    most[size++] = (uint8_t)(left >> 8);
    most[size++] = (uint8_t)left;
    memset(most + size, 0xC0, left);
    mm_frame_t frame;
    allocations = 0;
    assert_int_equal(mm_decode(decoder, most, size + left, &frame), MM_WIRE_OK);
    assert_int_equal(allocations, 0);
}

// ---- batches

// Encodes a frame as a batch, if it is of a kind that has them.
// clang-format off
#define BODY(body)                                                                                 \
    static bool encode_##body##_batch(const mm_frame_t *frame)                                     \
    {                                                                                              \
        const mm_##body##_body_t *it = &frame->as.body;                                            \
        (void)it;
#define LIST(...)
#define BATCH(item, member, counter, name)                                                         \
        mm_encode_begin(encoder, frame);                                                           \
        for (size_t i = 0; i < it->counter; i++) {                                    \
            assert_int_equal(mm_encoder_count(encoder), i);                                        \
            mm_encode_##item(encoder, &it->member[i]);                                \
        }                                                                                          \
        mm_encode_finish(encoder);                                                                 \
        return true;
#define END_BODY                                                                                   \
        return false;                                                                              \
    }
#include "expand_frames.h"
// clang-format on

static void a_batch_gives_the_bytes_of_the_whole_frame(void **state)
{
    (void)state;
    size_t batches = 0;
    for (unsigned kind = 1; kind <= MM_FRAME_KINDS; kind++) {
        mm_frame_t frame = wire_sample((mm_frame_kind_t)kind, SAMPLE_DISTINCT);
        char *whole;
        size_t size = sample_encode(encoder, &frame, &whole);
        bool is_batch = false;
#define FRAME(number, KIND, body, route)                                                           \
    is_batch = kind == (number) ? encode_##body##_batch(&frame) : is_batch;
#include "expand_frames.h"
        batches += is_batch;
        assert_int_equal(mm_encoder_count(encoder), 0);
        assert_int_equal(mm_encoder_bytes(encoder).size, size);
        assert_memory_equal(mm_encoder_bytes(encoder).data, whole, size);
        free(whole);
    }
    assert_true(batches >= 5);
}

static void a_batch_is_full_at_its_last_item(void **state)
{
    (void)state;
    mm_frame_t decoded;
    assert_false(mm_encoder_is_full(encoder));
    mm_frame_t header = wire_sample(MM_FRAME_JOBS, SAMPLE_DISTINCT);
    mm_encode_begin(encoder, &header);
    for (uint32_t i = 0; i < MM_BATCH_ITEMS; i++) {
        assert_false(mm_encoder_is_full(encoder));
        mm_encode_job(encoder, &(mm_job_t){.id = ID, .host = mm_str("h"), .delivery = 1 + i * i});
    }
    assert_true(mm_encoder_is_full(encoder));
    assert_int_equal(mm_encoder_count(encoder), MM_BATCH_ITEMS);
    mm_encode_finish(encoder);
    mm_str_t bytes = mm_encoder_bytes(encoder);
    assert_int_equal(mm_decode(decoder, bytes.data, bytes.size, &decoded), MM_WIRE_OK);
    assert_int_equal(decoded.as.jobs.count, MM_BATCH_ITEMS);
    assert_int_equal(decoded.as.jobs.items[255].delivery, 1 + 255 * 255);
}

static void a_batch_is_full_at_its_size(void **state)
{
    (void)state;
    mm_frame_t frame = wire_sample(MM_FRAME_RESULTS, SAMPLE_LARGEST);
    mm_encode_begin(encoder, &frame);
    while (!mm_encoder_is_full(encoder))
        mm_encode_result(encoder, &frame.as.results.items[0]);
    size_t count = mm_encoder_count(encoder);
    mm_encode_finish(encoder);
    size_t size = mm_encoder_bytes(encoder).size;
    assert_true(count < MM_BATCH_ITEMS);
    assert_true(size >= MM_BATCH_BYTES);
    assert_true(size - size / count < MM_BATCH_BYTES); // the last item passed the limit
}

// ---- the caller's bugs

static mm_job_t bad_job(mm_str_t host, uint32_t delivery)
{
    return (mm_job_t){.id = ID, .host = host, .delivery = delivery};
}

// Whether encoding the frame ends the process by an assertion.
static bool aborts(const mm_frame_t *frame)
{
    int status = 0;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct rlimit none = {0, 0};
        (void)setrlimit(RLIMIT_CORE, &none);
        (void)close(STDERR_FILENO);
        (void)signal(SIGABRT, SIG_DFL);
        mm_encode_frame(encoder, frame);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}

static void a_bug_of_the_caller_is_asserted(void **state)
{
    (void)state;
    mm_job_t job = bad_job(mm_str("web-1"), 1);
    mm_frame_t frame = {MM_FRAME_JOBS, .as.jobs = {mm_str("p"), .items = &job, .count = 1}};
    assert_false(aborts(&frame));
    job = bad_job(mm_str("-rf"), 1);
    assert_true(aborts(&frame));
    job = bad_job(mm_str("web-1"), 0);
    assert_true(aborts(&frame));
    job = bad_job(mm_str("web-1"), 1);
    job.attributes = mm_str("bmc=10.0.0.1");
    assert_false(aborts(&frame));
    job.attributes = mm_str("bmc=$(reboot)");
    assert_true(aborts(&frame));
    job = bad_job(mm_str("web-1"), 1);
    frame.as.jobs.publisher = mm_str("");
    assert_true(aborts(&frame));

    const mm_task_t settle = examples[2].frame.as.tasks.items[1];
    mm_task_t task = settle;
    frame = (mm_frame_t){MM_FRAME_TASKS, .as.tasks = {1, 0, 0, false, &task, 1}};
    assert_false(aborts(&frame));
    task.error = mm_str("\xFF");
    assert_true(aborts(&frame));
    task = settle;
    task.received_ms = -1;
    assert_true(aborts(&frame));
    task = settle;
    task.outcome = MM_OUTCOME_NONE;
    assert_true(aborts(&frame));
}

static void a_list_too_long_is_asserted(void **state)
{
    (void)state;
    static uint64_t numbers[MM_BATCH_ITEMS + 1];
    mm_frame_t frame = wire_sample(MM_FRAME_STARTED, SAMPLE_DISTINCT);
    frame.as.started.numbers = numbers;
    frame.as.started.count = MM_BATCH_ITEMS;
    assert_false(aborts(&frame));
    frame.as.started.count = MM_BATCH_ITEMS + 1;
    assert_true(aborts(&frame));
}

static int open_codec(void **state)
{
    (void)state;
    encoder = mm_encoder_new();
    decoder = mm_decoder_new();
    return 0;
}

static int close_codec(void **state)
{
    (void)state;
    mm_encoder_destroy(&encoder);
    mm_decoder_destroy(&decoder);
    mm_encoder_destroy(&encoder); // again: harmless
    mm_decoder_destroy(&decoder);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_examples_in_the_documentation_are_what_is_sent),
        cmocka_unit_test(every_example_in_the_documentation_is_tested),
        cmocka_unit_test(the_bytes_in_the_documentation_are_what_is_sent),
        cmocka_unit_test(every_kind_survives_the_round_trip),
        cmocka_unit_test(samples_are_as_large_as_they_say),
        cmocka_unit_test(a_report_says_whether_it_is_a_hello),
        cmocka_unit_test(fields_of_other_legs_and_verdicts_are_empty),
        cmocka_unit_test(fields_of_real_restarts_are_empty_in_results_without),
        cmocka_unit_test(a_refusal_goes_out_in_the_version_of_the_hello),
        cmocka_unit_test(decoding_allocates_nothing),
        cmocka_unit_test(a_batch_gives_the_bytes_of_the_whole_frame),
        cmocka_unit_test(a_batch_is_full_at_its_last_item),
        cmocka_unit_test(a_batch_is_full_at_its_size),
        cmocka_unit_test(a_bug_of_the_caller_is_asserted),
        cmocka_unit_test(a_list_too_long_is_asserted),
    };
    return cmocka_run_group_tests(tests, open_codec, close_codec);
}
