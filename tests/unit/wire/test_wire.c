// Tests of the wire codec with good frames: layouts, round trips, limits, batches, and that the
// encoder asserts on its caller's bugs. test_wire_bad.c and test_scan.c have the bad bytes.

#include "host.h"
#include "job.h"
#include "wire_rules.h"

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

#include "wire_samples.h"

static mm_encoder_t *encoder;
static mm_decoder_t *decoder;

// All memory that msgpack-c's unpacking asks for beyond what the decoder gave it comes from here:
// this definition takes the place of the library's.
static size_t expansions;
void *msgpack_zone_malloc_expand(msgpack_zone *zone, size_t size)
{
    (void)zone;
    (void)size;
    expansions++;
    return NULL;
}

// Encodes, decodes, encodes again: the bytes must be the same. Returns the decoded frame.
static mm_frame_t round_trip(const mm_frame_t *frame)
{
    char *bytes;
    mm_frame_t decoded;
    size_t size = sample_encode(encoder, frame, &bytes);
    mm_wire_status_t status = mm_decode(decoder, bytes, size, &decoded);
    if (status != MM_WIRE_OK)
        print_error("kind %d: %s\n", (int)frame->kind, mm_decoder_complaint(decoder));
    assert_int_equal(status, MM_WIRE_OK);
    assert_int_equal(decoded.kind, frame->kind);
    mm_encode_frame(encoder, &decoded);
    assert_int_equal(mm_encoder_bytes(encoder).size, size);
    assert_memory_equal(mm_encoder_bytes(encoder).data, bytes, size);
    free(bytes);
    return decoded;
}

static void every_kind_has_the_documented_layout(void **state)
{
    (void)state;
    for (size_t i = 0; i < SAMPLES; i++) {
        char text[2048];
        msgpack_unpacked unpacked;
        msgpack_unpacked_init(&unpacked);
        mm_encode_frame(encoder, &samples[i].frame);
        mm_str_t bytes = mm_encoder_bytes(encoder);
        (void)msgpack_unpack_next(&unpacked, bytes.data, bytes.size, NULL);
        int size = msgpack_object_print_buffer(text, sizeof text, unpacked.data);
        msgpack_unpacked_destroy(&unpacked);
        assert_in_range(size, 1, sizeof text - 1);
        assert_string_equal(text, samples[i].layout);
    }
}

static void every_kind_survives_the_round_trip(void **state)
{
    (void)state;
    for (size_t i = 0; i < SAMPLES; i++) {
        assert_int_equal(samples[i].frame.kind, i + 1);
        (void)round_trip(&samples[i].frame);
    }
}

static void a_report_says_whether_it_is_a_hello(void **state)
{
    (void)state;
    assert_true(round_trip(&samples[MM_FRAME_HELLO - 1].frame).as.report.is_hello);
    assert_false(round_trip(&samples[MM_FRAME_HEARTBEAT - 1].frame).as.report.is_hello);
}

static void the_bytes_in_the_documentation_are_what_it_says(void **state)
{
    (void)state;
    static const char hello[] = "\x9e\x01\x03\xa4py-1\x07\x02\x00\x01\xcd\x13\x88\x01\x00\x00\x01"
                                "\xdc\x00\x00\xdc\x00\x00";
    static const char tasks[] =
        "\x97\x01\x02\x0c\xcd\x13\x9c\x00\xc2\xdc\x00\x01\x95\xcd\x03\x85\x02"
        "\xc4\x10\x01\x93\x4f\x2a\x10\x00\x7a\xbc\x8d\xef\x00\x01\x02\x03\x04"
        "\x05\xa6web-14\x01";
    mm_frame_t frame;
    assert_int_equal(mm_decode(decoder, hello, sizeof hello - 1, &frame), MM_WIRE_OK);
    assert_int_equal(frame.kind, MM_FRAME_HELLO);
    assert_true(mm_str_equal(frame.as.report.worker, mm_str("py-1")));
    assert_int_equal(frame.as.report.stamp_ms, 5000);
    assert_int_equal(frame.as.report.slots, 1);
    assert_int_equal(frame.as.report.parts, 1);
    assert_int_equal(mm_decode(decoder, tasks, sizeof tasks - 1, &frame), MM_WIRE_OK);
    assert_int_equal(frame.as.tasks.session, 12);
    assert_int_equal(frame.as.tasks.stamp_ms, 5020);
    assert_int_equal(frame.as.tasks.items[0].number, 901);
    assert_int_equal(frame.as.tasks.items[0].attempt, 1);
    assert_true(mm_str_equal(frame.as.tasks.items[0].host, mm_str("web-14")));
}

static void empty_lists_survive(void **state)
{
    (void)state;
    mm_frame_t frame = samples[MM_FRAME_JOBS - 1].frame;
    frame.as.jobs.count = 0;
    assert_int_equal(round_trip(&frame).as.jobs.count, 0);
    frame = samples[MM_FRAME_TASKS - 1].frame;
    frame.as.tasks.count = 0;
    assert_int_equal(round_trip(&frame).as.tasks.count, 0);
    frame = samples[MM_FRAME_HEARTBEAT - 1].frame;
    frame.as.report.held_count = 0;
    frame.as.report.result_count = 0;
    assert_int_equal(round_trip(&frame).as.report.held_count, 0);
    frame = samples[MM_FRAME_STARTED - 1].frame;
    frame.as.started.count = 0;
    assert_int_equal(round_trip(&frame).as.started.count, 0);
    frame = samples[MM_FRAME_RESULTS - 1].frame;
    frame.as.results.count = 0;
    assert_int_equal(round_trip(&frame).as.results.count, 0);
    frame = samples[MM_FRAME_NOTICES - 1].frame;
    frame.as.notices.count = 0;
    assert_int_equal(round_trip(&frame).as.notices.count, 0);
    frame = samples[MM_FRAME_BEAT - 1].frame;
    frame.as.beat.count = 0;
    assert_int_equal(round_trip(&frame).as.beat.count, 0);
}

static void fields_of_other_legs_and_verdicts_are_empty(void **state)
{
    (void)state;
    (void)round_trip(&samples[MM_FRAME_TASKS - 1].frame); // leaves a settle behind in the arrays
    mm_frame_t frame = samples[MM_FRAME_TASKS - 1].frame;
    mm_task_t tasks[3] = {sample_tasks[0], sample_tasks[0], sample_tasks[0]};
    frame.as.tasks.items = tasks;
    const mm_task_t *task = &round_trip(&frame).as.tasks.items[2];
    assert_int_equal(task->publisher.size + task->worker.size + task->error.size, 0);
    assert_int_equal(task->deliveries + task->attempts + task->extended, 0);
    assert_int_equal(task->outcome, MM_OUTCOME_NONE);
    assert_int_equal(task->received_ms, 0);

    (void)round_trip(&samples[MM_FRAME_NOTICES - 1].frame);
    frame = samples[MM_FRAME_NOTICES - 1].frame;
    mm_verdict_t notices[4] = {sample_notices[0], sample_notices[0], sample_notices[0],
                               sample_notices[0]};
    frame.as.notices.items = notices;
    const mm_verdict_t *verdict = &round_trip(&frame).as.notices.items[3];
    assert_int_equal(verdict->attempts + verdict->error.size, 0);
    assert_int_equal(verdict->delay_ms, 0);
}

// The longest texts and the largest numbers that each field takes.
static char longest_name[MM_NAME_MAX];
static char longest_host[MM_HOST_MAX];
static char longest_error[MM_ERROR_MAX];
static char longest_value[MM_EVIDENCE_VALUE_MAX];

#define LONGEST(ARRAY)                                                                             \
    (mm_str_t)                                                                                     \
    {                                                                                              \
        (ARRAY), sizeof(ARRAY)                                                                     \
    }

static mm_task_t largest_task(void)
{
    memset(longest_name, 'n', sizeof longest_name);
    memset(longest_host, 'h', sizeof longest_host);
    memset(longest_error, 'e', sizeof longest_error);
    return (mm_task_t){.number = UINT64_MAX,
                       .leg = MM_LEG_SETTLE,
                       .id = JOB_ID('9'),
                       .host = LONGEST(longest_host),
                       .deliveries = UINT32_MAX,
                       .publisher = LONGEST(longest_name),
                       .received_ms = INT64_MAX,
                       .attempts = UINT32_MAX,
                       .extended = UINT32_MAX,
                       .outcome = MM_OUTCOME_DEAD,
                       .worker = LONGEST(longest_name),
                       .error = LONGEST(longest_error)};
}

static mm_result_t largest_result(void)
{
    mm_result_t result = {.serial = UINT64_MAX,
                          .number = UINT64_MAX,
                          .leg = MM_LEG_SETTLE,
                          .id = JOB_ID('9'),
                          .status = MM_STATUS_RETURNED,
                          .outcome = MM_OUTCOME_DEAD,
                          .took_ms = INT64_MAX,
                          .error = LONGEST(longest_error),
                          .evidence_count = MM_EVIDENCE_MAX};
    memset(longest_error, 'e', sizeof longest_error);
    memset(longest_value, 'v', sizeof longest_value);
    static mm_evidence_t evidence[MM_EVIDENCE_MAX];
    for (size_t i = 0; i < MM_EVIDENCE_MAX; i++)
        evidence[i] = (mm_evidence_t){{longest_value, MM_EVIDENCE_KEY_MAX}, LONGEST(longest_value)};
    result.evidence = evidence;
    return result;
}

static void full_lists_of_the_largest_tasks_survive(void **state)
{
    (void)state;
    static mm_task_t tasks[MM_BATCH_ITEMS];
    for (size_t i = 0; i < MM_BATCH_ITEMS; i++)
        tasks[i] = largest_task();
    mm_frame_t frame = {MM_FRAME_TASKS, .as.tasks = {UINT64_MAX, INT64_MAX, UINT64_MAX, false,
                                                     tasks, MM_BATCH_ITEMS}};
    mm_frame_t decoded = round_trip(&frame);
    const mm_task_t *last = &decoded.as.tasks.items[MM_BATCH_ITEMS - 1];
    assert_int_equal(decoded.as.tasks.count, MM_BATCH_ITEMS);
    assert_int_equal(decoded.as.tasks.session, UINT64_MAX);
    assert_int_equal(decoded.as.tasks.stamp_ms, INT64_MAX);
    assert_int_equal(last->received_ms, INT64_MAX);
    assert_int_equal(last->host.size, MM_HOST_MAX);
    assert_int_equal(last->worker.size, MM_NAME_MAX);
    assert_int_equal(last->error.size, MM_ERROR_MAX);
}

static void a_report_with_both_lists_at_their_limits_is_a_frame(void **state)
{
    (void)state;
    static mm_assignment_t held[MM_BATCH_ITEMS];
    static mm_result_t results[MM_BATCH_ITEMS];
    memset(longest_host, 'h', sizeof longest_host);
    for (size_t i = 0; i < MM_BATCH_ITEMS; i++) {
        results[i] = largest_result();
        held[i] = (mm_assignment_t){.number = UINT64_MAX,
                                    .leg = MM_LEG_RESTART,
                                    .host = LONGEST(longest_host),
                                    .started = true};
    }
    mm_frame_t frame = samples[MM_FRAME_HELLO - 1].frame;
    frame.as.report.slots = MM_SLOTS_MAX;
    frame.as.report.part = MM_PARTS_MAX - 1;
    frame.as.report.parts = MM_PARTS_MAX;
    frame.as.report.held = held;
    frame.as.report.held_count = MM_BATCH_ITEMS;
    frame.as.report.results = results;
    frame.as.report.result_count = MM_BATCH_ITEMS;
    mm_frame_t decoded = round_trip(&frame);
    assert_int_equal(decoded.as.report.held_count, MM_BATCH_ITEMS);
    assert_int_equal(decoded.as.report.result_count, MM_BATCH_ITEMS);
    assert_int_equal(decoded.as.report.results[255].evidence_count, MM_EVIDENCE_MAX);
    assert_true(mm_encoder_bytes(encoder).size <= MM_FRAME_BYTES);
}

static void decoding_asks_msgpack_for_no_memory(void **state)
{
    (void)state;
    // The counter counts: an array of 4 G elements makes msgpack-c ask.
    static const char bomb[] = "\xDD\xFF\xFF\xFF\xFF";
    msgpack_zone zone;
    msgpack_object object;
    assert_true(msgpack_zone_init(&zone, 64));
    expansions = 0;
    (void)msgpack_unpack(bomb, sizeof bomb - 1, NULL, &zone, &object);
    msgpack_zone_destroy(&zone);
    assert_int_equal(expansions, 1);

    // The most elements that the scan lets through, all behind the last known field.
    static uint8_t most[MM_FRAME_BYTES];
    size_t size = 0;
    for (size_t i = 0; i < 4; i++)
        most[size++] = (uint8_t) "\x95\x01\x0D\xA1"[i];
    most[size++] = 'c';
    most[size++] = 7; // [1, 13, "c", 7, [...]]
    size_t left = MM_WIRE_ELEMENTS_MAX - 6;
    most[size++] = 0xDC;
    most[size++] = (uint8_t)(left >> 8);
    most[size++] = (uint8_t)left;
    memset(most + size, 0xC0, left);
    size += left;
    expansions = 0;
    for (size_t i = 0; i < 3; i++) {
        mm_frame_t frame;
        assert_int_equal(mm_decode(decoder, most, size, &frame), MM_WIRE_OK);
    }
    assert_int_equal(expansions, 0);
}

// ---- batches

static void encode_item(const mm_frame_t *frame, size_t i)
{
    switch (frame->kind) {
    case MM_FRAME_JOBS: mm_encode_job(encoder, &frame->as.jobs.items[i]); return;
    case MM_FRAME_TASKS: mm_encode_task(encoder, &frame->as.tasks.items[i]); return;
    case MM_FRAME_STARTED: mm_encode_number(encoder, frame->as.started.numbers[i]); return;
    case MM_FRAME_RESULTS: mm_encode_result(encoder, &frame->as.results.items[i]); return;
    case MM_FRAME_NOTICES: mm_encode_verdict(encoder, &frame->as.notices.items[i]); return;
    case MM_FRAME_BEAT: mm_encode_acknowledgement(encoder, &frame->as.beat.items[i]); return;
    case MM_FRAME_HELLO:
    case MM_FRAME_HEARTBEAT:
    case MM_FRAME_BYE:
    case MM_FRAME_WELCOME:
    case MM_FRAME_REFUSED:
    case MM_FRAME_REJOIN:
    case MM_FRAME_LEAVING:
    case MM_FRAME_QUERY:
    case MM_FRAME_TELL: break;
    }
    fail();
}

static void a_batch_gives_the_bytes_of_the_whole_frame(void **state)
{
    (void)state;
    static const struct {
        mm_frame_kind_t kind;
        size_t count;
    } batches[] = {{MM_FRAME_JOBS, 2},    {MM_FRAME_TASKS, 3},   {MM_FRAME_STARTED, 2},
                   {MM_FRAME_RESULTS, 2}, {MM_FRAME_NOTICES, 4}, {MM_FRAME_BEAT, 2}};
    for (size_t b = 0; b < sizeof batches / sizeof *batches; b++) {
        const mm_frame_t *frame = &samples[batches[b].kind - 1].frame;
        char *whole;
        size_t size = sample_encode(encoder, frame, &whole);
        mm_encode_begin(encoder, frame);
        for (size_t i = 0; i < batches[b].count; i++) {
            assert_int_equal(mm_encoder_count(encoder), i);
            encode_item(frame, i);
        }
        mm_encode_finish(encoder);
        assert_int_equal(mm_encoder_count(encoder), 0);
        assert_int_equal(mm_encoder_bytes(encoder).size, size);
        assert_memory_equal(mm_encoder_bytes(encoder).data, whole, size);
        free(whole);
    }
}

static void a_batch_is_full_at_its_last_item(void **state)
{
    (void)state;
    mm_frame_t decoded;
    assert_false(mm_encoder_is_full(encoder));
    mm_encode_begin(encoder, &samples[MM_FRAME_STARTED - 1].frame);
    for (uint64_t i = 0; i < MM_BATCH_ITEMS; i++) {
        assert_false(mm_encoder_is_full(encoder));
        mm_encode_number(encoder, i * i);
    }
    assert_true(mm_encoder_is_full(encoder));
    assert_int_equal(mm_encoder_count(encoder), MM_BATCH_ITEMS);
    mm_encode_finish(encoder);
    mm_str_t bytes = mm_encoder_bytes(encoder);
    assert_int_equal(mm_decode(decoder, bytes.data, bytes.size, &decoded), MM_WIRE_OK);
    assert_int_equal(decoded.as.started.count, MM_BATCH_ITEMS);
    assert_int_equal(decoded.as.started.numbers[255], 255 * 255);
}

static void a_batch_is_full_at_its_size(void **state)
{
    (void)state;
    mm_result_t result = largest_result();
    mm_encode_begin(encoder, &samples[MM_FRAME_RESULTS - 1].frame);
    while (!mm_encoder_is_full(encoder))
        mm_encode_result(encoder, &result);
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
    return (mm_job_t){.id = JOB_ID('1'), .host = host, .delivery = delivery};
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
    mm_frame_t frame = {MM_FRAME_JOBS, .as.jobs = {mm_str("p"), 0, &job, 1}};
    assert_false(aborts(&frame));
    job = bad_job(mm_str("-rf"), 1);
    assert_true(aborts(&frame));
    job = bad_job(mm_str("web-1"), 0);
    assert_true(aborts(&frame));
    job = bad_job(mm_str("web-1"), 1);
    frame.as.jobs.publisher = mm_str("");
    assert_true(aborts(&frame));

    mm_task_t task = sample_tasks[2];
    frame = (mm_frame_t){MM_FRAME_TASKS, .as.tasks = {1, 0, 0, false, &task, 1}};
    assert_false(aborts(&frame));
    task.error = mm_str("\xFF");
    assert_true(aborts(&frame));
    task = sample_tasks[2];
    task.received_ms = -1;
    assert_true(aborts(&frame));
    task = sample_tasks[2];
    task.outcome = MM_OUTCOME_NONE;
    assert_true(aborts(&frame));
}

static void a_list_too_long_is_asserted(void **state)
{
    (void)state;
    static uint64_t numbers[MM_BATCH_ITEMS + 1];
    mm_frame_t frame = samples[MM_FRAME_STARTED - 1].frame;
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
        cmocka_unit_test(every_kind_has_the_documented_layout),
        cmocka_unit_test(every_kind_survives_the_round_trip),
        cmocka_unit_test(a_report_says_whether_it_is_a_hello),
        cmocka_unit_test(the_bytes_in_the_documentation_are_what_it_says),
        cmocka_unit_test(empty_lists_survive),
        cmocka_unit_test(fields_of_other_legs_and_verdicts_are_empty),
        cmocka_unit_test(full_lists_of_the_largest_tasks_survive),
        cmocka_unit_test(a_report_with_both_lists_at_their_limits_is_a_frame),
        cmocka_unit_test(decoding_asks_msgpack_for_no_memory),
        cmocka_unit_test(a_batch_gives_the_bytes_of_the_whole_frame),
        cmocka_unit_test(a_batch_is_full_at_its_last_item),
        cmocka_unit_test(a_batch_is_full_at_its_size),
        cmocka_unit_test(a_bug_of_the_caller_is_asserted),
        cmocka_unit_test(a_list_too_long_is_asserted),
    };
    return cmocka_run_group_tests(tests, open_codec, close_codec);
}
