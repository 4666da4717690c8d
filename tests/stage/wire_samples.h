// One frame of each kind with every field set, each to a value of its own, for the tests of the
// wire codec. Each comes with the text that msgpack-c prints for it: the layout of
// docs/protocol.md, held against the bytes by somebody else's reader. Texts and arrays are
// constants.

#ifndef WIRE_SAMPLES_H
#define WIRE_SAMPLES_H

#include "wire.h"

#include <string.h>

#define SAMPLES MM_FRAME_TELL // kinds are counted from 1

#define TEXT(LITERAL)                                                                              \
    {                                                                                              \
        .data = (LITERAL), .size = sizeof(LITERAL) - 1                                             \
    }
// Printable ids, so that layouts can be read.
#define JOB_ID(LAST)                                                                               \
    {                                                                                              \
        {                                                                                          \
            'j', 'o', 'b', '-', 'i', 'd', '-', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f', (LAST)      \
        }                                                                                          \
    }

static const mm_job_t sample_jobs[] = {
    {.id = JOB_ID('1'), .host = TEXT("web-1.example.net"), .delivery = 1},
    {.id = JOB_ID('2'), .host = TEXT("db:2"), .delivery = 70000},
};

static const mm_task_t sample_tasks[] = {
    {.number = 4001,
     .leg = MM_LEG_RESTART,
     .id = JOB_ID('1'),
     .host = TEXT("web-1.example.net"),
     .attempt = 3},
    {.number = 5000000000,
     .leg = MM_LEG_SAVE,
     .id = JOB_ID('2'),
     .host = TEXT("web-2"),
     .deliveries = 2,
     .publisher = TEXT("publisher-1"),
     .received_ms = 1795332314123},
    {.number = 4003,
     .leg = MM_LEG_SETTLE,
     .id = JOB_ID('3'),
     .host = TEXT("web-3"),
     .deliveries = 4,
     .publisher = TEXT("publisher-2"),
     .received_ms = 1795332314124,
     .attempts = 5,
     .extended = 6,
     .outcome = MM_OUTCOME_DEAD,
     .worker = TEXT("restarter-1"),
     .error = TEXT("exit status 1: Gerät weg")},
};

static const mm_assignment_t sample_held[] = {
    {.number = 4001,
     .leg = MM_LEG_RESTART,
     .id = JOB_ID('1'),
     .host = TEXT("web-1"),
     .started = true},
    {.number = 4002, .leg = MM_LEG_SAVE, .id = JOB_ID('2'), .host = TEXT("")},
};

static const mm_result_t sample_results[] = {
    {.serial = 901,
     .number = 4001,
     .leg = MM_LEG_RESTART,
     .id = JOB_ID('1'),
     .status = MM_STATUS_FAILED,
     .took_ms = 412,
     .error = TEXT("timeout"),
     .evidence = (const mm_evidence_t[]){{.key = TEXT("boot"), .value = TEXT("b-7")},
                                         {.key = TEXT("k"), .value = TEXT("")}},
     .evidence_count = 2},
    {.serial = 902,
     .number = 4003,
     .leg = MM_LEG_SETTLE,
     .id = JOB_ID('3'),
     .status = MM_STATUS_OK,
     .outcome = MM_OUTCOME_DEAD,
     .took_ms = 0,
     .error = TEXT("")},
};

static const uint64_t sample_numbers[] = {4001, UINT64_MAX};

static const mm_verdict_t sample_notices[] = {
    {.kind = MM_VERDICT_EXTEND, .id = JOB_ID('1')},
    {.kind = MM_VERDICT_ACK, .id = JOB_ID('2'), .attempts = 8},
    {.kind = MM_VERDICT_NACK, .id = JOB_ID('3'), .delay_ms = 1500},
    {.kind = MM_VERDICT_DEAD, .id = JOB_ID('4'), .attempts = 5, .error = TEXT("exit status 2")},
};

static const mm_acknowledgement_t sample_confirms[] = {
    {.worker = TEXT("saver-1"), .session = 10, .acknowledged_through = 900},
    {.worker = TEXT("restarter-1"), .session = 11, .acknowledged_through = 0},
};

#define SAMPLE_REPORT                                                                              \
    {                                                                                              \
        .worker = TEXT("restarter-1"), .instance = UINT64_MAX - 1, .role = MM_ROLE_RESTARTER,      \
        .session = 11, .sequence = 21, .stamp_ms = 86400000, .slots = 256, .last_serial = 902,     \
        .part = 1, .parts = 3, .held = sample_held, .held_count = 2, .results = sample_results,    \
        .result_count = 2                                                                          \
    }
#define SAMPLE_WORKER   .worker = TEXT("restarter-1"), .instance = 31, .session = 11
#define SAMPLE_CONSUMER .consumer = TEXT("consumer-1"), .epoch = 7

typedef struct {
    mm_frame_t frame;
    const char *layout;
} sample_t;

#define ID_TEXT(LAST) "\"job-id-89abcdef" LAST "\""
#define HELD_TEXT                                                                                  \
    "[[4001, " ID_TEXT("1") ", 2, true, \"web-1\"], [4002, " ID_TEXT("2") ", 1, false, \"\"]]"
#define RESULTS_TEXT                                                                               \
    "[[901, 4001, 2, " ID_TEXT("1") ", 1, 0, 412, \"timeout\", {\"boot\"=>\"b-7\", \"k\"=>\"\"}]," \
                                    " [902, 4003, 3, " ID_TEXT("3") ", 0, 2, 0, \"\", {}]]"
#define REPORT_TEXT                                                                                \
    "\"restarter-1\", 18446744073709551614, 2, 11, 21, 86400000, 256, 902, 1, 3, " HELD_TEXT       \
    ", " RESULTS_TEXT "]"

static const sample_t samples[SAMPLES] = {
    {{MM_FRAME_JOBS, .as.jobs = {TEXT("publisher-1"), 7, sample_jobs, 2}},
     "[1, 1, \"publisher-1\", 7, [[" ID_TEXT("1") ", \"web-1.example.net\", 1], [" ID_TEXT(
         "2") ", \"db:2\", 70000]]]"},
    {{MM_FRAME_TASKS, .as.tasks = {11, 86400001, 899, true, sample_tasks, 3}},
     "[1, 2, 11, 86400001, 899, true, [[4001, 2, " ID_TEXT("1") ", \"web-1.example.net\", 3], "
                                                                "[5000000000, 1, " ID_TEXT(
                                                                    "2") ", \"web-2\", 2, "
                                                                         "\"publisher-1\", "
                                                                         "1795332314123], [4003, "
                                                                         "3, " ID_TEXT("3") ", "
                                                                                            "\"web-"
                                                                                            "3\", "
                                                                                            "4, "
                                                                                            "\"publ"
                                                                                            "isher-"
                                                                                            "2\", "
                                                                                            "179533"
                                                                                            "231412"
                                                                                            "4, 5, "
                                                                                            "6, 2, "
                                                                                            "\"rest"
                                                                                            "arter-"
                                                                                            "1\","
                                                                                            " \"exi"
                                                                                            "t "
                                                                                            "status"
                                                                                            " 1: "
                                                                                            "Gerät "
                                                                                            "weg\"]"
                                                                                            "]]"},
    {{MM_FRAME_HELLO, .as.report = SAMPLE_REPORT}, "[1, 3, " REPORT_TEXT},
    {{MM_FRAME_HEARTBEAT, .as.report = SAMPLE_REPORT}, "[1, 4, " REPORT_TEXT},
    {{MM_FRAME_STARTED, .as.started = {SAMPLE_WORKER, .numbers = sample_numbers, .count = 2}},
     "[1, 5, \"restarter-1\", 31, 11, [4001, 18446744073709551615]]"},
    {{MM_FRAME_RESULTS, .as.results = {SAMPLE_WORKER, .items = sample_results, .count = 2}},
     "[1, 6, \"restarter-1\", 31, 11, " RESULTS_TEXT "]"},
    {{MM_FRAME_BYE, .as.bye = {SAMPLE_WORKER, .last_serial = 902}},
     "[1, 7, \"restarter-1\", 31, 11, 902]"},
    {{MM_FRAME_NOTICES, .as.notices = {SAMPLE_CONSUMER, .items = sample_notices, .count = 4}},
     "[1, 8, \"consumer-1\", 7, [[1, " ID_TEXT("1") "], [2, " ID_TEXT("2") ", 8], [3, " ID_TEXT(
         "3") ", 1500], [4, " ID_TEXT("4") ", 5, \"exit status 2\"]]]"},
    {{MM_FRAME_WELCOME,
      .as.answer = {SAMPLE_CONSUMER, SAMPLE_WORKER, .suffix = TEXT("task.000000000000000b")}},
     "[1, 9, \"consumer-1\", 7, \"restarter-1\", 31, 11, \"task.000000000000000b\"]"},
    {{MM_FRAME_REFUSED,
      .as.answer = {SAMPLE_CONSUMER, SAMPLE_WORKER, .reason = TEXT("this id is taken")}},
     "[1, 10, \"consumer-1\", 7, \"restarter-1\", 31, 11, \"this id is taken\"]"},
    {{MM_FRAME_REJOIN, .as.answer = {SAMPLE_CONSUMER, SAMPLE_WORKER}},
     "[1, 11, \"consumer-1\", 7, \"restarter-1\", 31, 11]"},
    {{MM_FRAME_BEAT,
      .as.beat = {SAMPLE_CONSUMER, .draining = true, .items = sample_confirms, .count = 2}},
     "[1, 12, \"consumer-1\", 7, true, [[\"saver-1\", 10, 900], [\"restarter-1\", 11, 0]]]"},
    {{MM_FRAME_LEAVING, .as.leaving = {SAMPLE_CONSUMER}}, "[1, 13, \"consumer-1\", 7]"},
    {{MM_FRAME_QUERY, .as.query = {77, MM_ABOUT_PROFILE, TEXT("saver-1"), 30, TEXT("web-1 *")}},
     "[1, 14, 77, 2, \"saver-1\", 30, \"web-1 *\"]"},
    {{MM_FRAME_TELL, .as.tell = {TEXT("saver-1"), 77, MM_ABOUT_STATS, TEXT("{}")}},
     "[1, 15, \"saver-1\", 77, 1, \"{}\"]"},
};

// Encodes a frame into memory of exactly its size, so that a sanitizer sees one byte too many read.
// The caller frees *ret_bytes.
static inline size_t sample_encode(mm_encoder_t *encoder, const mm_frame_t *frame, char **ret_bytes)
{
    mm_encode_frame(encoder, frame);
    mm_str_t bytes = mm_encoder_bytes(encoder);
    char *copy = malloc(bytes.size);
    assert(copy != NULL);
    memcpy(copy, bytes.data, bytes.size);
    *ret_bytes = copy;
    return bytes.size;
}

#endif
