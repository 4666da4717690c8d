// Windows of time as people write them, "Mon..Fri 22:00 +6h Europe/Amsterdam", and the openings
// that they are. A window is a start and a length, so that midnight, weekends and clocks that
// change are no special case. A start that a clock skips is at the next instant there is, one that
// it shows twice is the first; a length is real time.
//
// Zones are those of glibc's tzdata. To read them, TZ is set for a moment: only while the process
// has one thread. A zone that is not there is an error, since glibc would silently take UTC.

#ifndef MM_CALENDAR_H
#define MM_CALENDAR_H

#include "policy.h"
#include "string_view.h"

#define MM_ZONE_MAX         63
#define MM_DAY_MS           INT64_C(86400000)
#define MM_CALENDAR_YEARS   2   // that are expanded
#define MM_CALENDAR_WHY_MAX 640 // bytes of a complaint

typedef struct {
    uint8_t days; // bit 0: Monday, to bit 6: Sunday
    int minute;   // of the day, at which it opens: 0 to 1439
    int64_t length_ms;
    char zone[MM_ZONE_MAX + 1]; // empty: local time
} mm_window_t;

// Days of a calendar, from the first to the last one; days since 1970-01-01.
typedef struct {
    int64_t first;
    int64_t last;
} mm_dates_t;

// When a run, or a group, may begin restarts: the union of the windows without the exceptions.
// Without a window it is always, but for the exceptions, which are days of local time then.
typedef struct {
    mm_window_t *windows;
    size_t window_count, window_capacity;
    mm_dates_t *except;
    size_t except_count, except_capacity;
    int64_t last_start_ms;
} mm_schedule_t;

// Add what a text lists, with commas between: windows, or dates as in
// "2026-12-24..2026-12-26,2027-01-01". False: `why` says what is wrong and which form works, as a
// sentence without its end; the schedule then has some of it.
bool mm_schedule_add_windows(mm_schedule_t *self, mm_str_t text, char why[MM_CALENDAR_WHY_MAX]);
bool mm_schedule_add_except(mm_schedule_t *self, mm_str_t text, char why[MM_CALENDAR_WHY_MAX]);

// The openings from from_ms on for MM_CALENDAR_YEARS years, also one that is open at from_ms, in
// order and merged where they touch; the caller frees *ret_openings. On an excepted date, in the
// window's zone, nothing begins: an opening that would start on it does not happen, and one from
// the day before ends at midnight. False: a zone is not known, or no opening is longer than
// last_start_ms; `why` is a sentence as above. from_ms: Unix time.
bool mm_schedule_expand(const mm_schedule_t *self, int64_t from_ms, mm_opening_t **ret_openings,
                        size_t *ret_count, char why[MM_CALENDAR_WHY_MAX]);
// The same of the window of this number alone, up to `capacity` of them, whatever their length.
// Returns how many.
size_t mm_schedule_next(const mm_schedule_t *self, size_t window, int64_t from_ms,
                        mm_opening_t *ret_openings, size_t capacity);
// Idempotent.
void mm_schedule_clear(mm_schedule_t *self);

// "Mon..Fri 22:00 +6h Europe/Amsterdam", as it is read. Returns buffer.
#define MM_WINDOW_TEXT 160
char *mm_window_print(const mm_window_t *window, char buffer[MM_WINDOW_TEXT]);
// "Fri 2026-10-16 22:00 CEST" in the zone; empty: local time. An unknown zone prints as UTC.
// Returns buffer.
#define MM_INSTANT_TEXT 64
char *mm_calendar_print(int64_t unix_ms, const char *zone, char buffer[MM_INSTANT_TEXT]);

#endif
