// When the starts of a run end: --for TIME and --until HH:MM, of which the earlier one counts. It
// is one instant of CLOCK_BOOTTIME for all processes and all their lives, so neither a crash nor a
// clock that is set moves it. Of invented hosts the source ends then, and nothing else.

#ifndef RUN_STARTS_H
#define RUN_STARTS_H

#include "run_settings.h"

#define RUN_STARTS_MAX 96 // bytes of its words

// Takes over --until, and --for from the options of the publisher.
void run_starts_read(run_settings_t *self, const mm_options_t *publisher);

// The run begins: sets the instant, and gives it to the programs.
void run_starts_begin(run_settings_t *self);

// The next time that a clock shows `minute` of the day (0 to 1439), local time, after unix_ms; Unix
// time in ms.
int64_t run_starts_next(int64_t unix_ms, int minute);

// "no start after 06:00 (in 5h12m)", for the first line; "": they have no end. Returns text.
char *run_starts_words(const run_settings_t *self, char text[RUN_STARTS_MAX]);

// Whether that instant is over, and what has ended the starts: "--for 3s".
bool run_starts_are_over(const run_settings_t *self);
char *run_starts_name(const run_settings_t *self, char text[RUN_STARTS_MAX]);

#endif
