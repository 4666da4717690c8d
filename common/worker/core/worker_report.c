// The worker core's hellos and heartbeats (R2, R4, R5). See worker.h.

#include "string_view.h"
#include "worker_session_private.h"

#include <assert.h>

#define PART_HELD    256 // tasks in one part of a report
#define PART_RESULTS 32  // results in one part: each may be 1 KiB and a half

static void report_part(mm_report_t *report, size_t *held_left, size_t *results_left,
                        mm_report_t *ret_part)
{
    size_t held = *held_left < PART_HELD ? *held_left : PART_HELD;
    size_t results = held > PART_HELD / 2           ? 0
                     : *results_left < PART_RESULTS ? *results_left
                                                    : PART_RESULTS;
    report->held_count = held;
    report->result_count = results;
    *ret_part = *report;
    report->part++;
    report->held += held;
    report->results += results;
    *held_left -= held;
    *results_left -= results;
}

// Says hello or sends a heartbeat, in as many parts as it takes. A hello may be for a consumer that
// knows nothing, and tells the history too; a heartbeat repeats what was not confirmed in time.
static void report(mm_worker_t *self, bool hello, bool repeats_all)
{
    size_t held_count = 0, result_count = 0;
    uint64_t last = mm_results_last(self->results);
    bool started = true;
    assignment_t *held;
    DL_FOREACH (self->held_list, held) {
        started = started && held != self->waiting;
        self->report_held[held_count++] = (mm_assignment_t){.number = held->number,
                                                            .leg = held->leg,
                                                            .id = held->id,
                                                            .host = {held->host, held->host_size},
                                                            .started = started};
    }
    bool overdue =
        mm_results_waiting_since(self->results) <= self->now_ms - self->config.heartbeat_ms;
    uint64_t serial =
        hello
            ? mm_results_history(self->results, REPORT_RESULTS, HISTORY_EXTRA)
            : (repeats_all || overdue ? mm_results_acknowledged_through(self->results) : last) + 1;
    for (; serial <= last && result_count < REPORT_RESULTS; serial++)
        self->report_results[result_count++] = *mm_results_get(self->results, serial);

    size_t held_left = held_count, results_left = result_count, parts = 0;
    mm_report_t whole = {.is_hello = hello,
                         .worker = mm_str(self->config.name.text),
                         .instance = self->config.instance,
                         .role = self->config.role,
                         .session = hello ? self->highest : self->session,
                         .sequence = ++self->sequence,
                         .stamp_ms = self->boot_ms,
                         .slots = self->draining ? 0 : self->config.slots,
                         .last_serial = last,
                         .held = self->report_held,
                         .results = self->report_results};
    mm_report_t *all = &self->reports[self->report_count];
    do {
        assert(parts < MM_PARTS_MAX && self->report_count < 2 * MM_PARTS_MAX);
        report_part(&whole, &held_left, &results_left, &all[parts++]);
        self->report_count++;
    } while (held_left > 0 || results_left > 0);
    for (size_t i = 0; i < parts; i++) {
        all[i].parts = (uint32_t)parts;
        mm_worker_act(self, MM_WORKER_REPORT)->as.report = &all[i];
    }
}

void mm_worker_heartbeat(mm_worker_t *self, bool repeats_all)
{
    report(self, false, repeats_all);
    self->report_ms = self->now_ms + self->config.heartbeat_ms;
}

void mm_worker_hello(mm_worker_t *self)
{
    report(self, true, true);
    self->report_ms = self->now_ms + self->hello_pause_ms;
    self->hello_pause_ms = 2 * self->hello_pause_ms < self->config.heartbeat_ms
                               ? 2 * self->hello_pause_ms
                               : self->config.heartbeat_ms;
}
