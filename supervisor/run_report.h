// The end of a run on the user's screen: the profile, the summary, and why the run ended.

#ifndef RUN_REPORT_H
#define RUN_REPORT_H

#include "run_breaker.h"
#include "run_settings.h"
#include "supervisor.h"

#define RUN_AT_ONCE 130 // the exit code of a second Ctrl-C

typedef struct {
    const supervisor_action_t *end; // its SUPERVISOR_EXIT
    int exit_code;                  // -1: what the publisher's report says
    int signal;                     // the first one that has come; 0: none
    bool is_input_open;             // it is a stream that had not ended yet
    const char *unclean;            // which processes did not end in order; "": all did
    int64_t stop_ms;                // from the stop to the last end
    int shown;                      // descriptor for what is not the summary
    const run_breaker_t *breaker;   // that let nothing begin; NULL: it ran
} run_report_t;

// Prints it. Returns the exit code of the run: 74 when the summary cannot be written.
int run_report_print(const run_settings_t *settings, const run_report_t *report);
// The same of a run whose breaker has let nothing be started.
int run_report_stopped(const run_settings_t *settings, const run_breaker_t *breaker);

#endif
