// Numbers and times for people to read, in ASCII. Those for tables are at most 7 columns wide
// whatever the value (8 with a minus). Pure.

#ifndef HUMAN_FORMAT_H
#define HUMAN_FORMAT_H

#include <stdint.h>

#define HUMAN_TEXT  32
#define HUMAN_STAMP 64

// Each returns its buffer.

// "850us", "12.3ms", "1.25s", "16m", "3h", "20y"; "-" when it is below 0.
char *human_us(int64_t us, char buffer[HUMAN_TEXT]);
// "1234567", beyond that "12.3M", "4.56G"; "inf" from 1000 E.
char *human_count(int64_t count, char buffer[HUMAN_TEXT]);
// "512K", "14.2M", "1.20G"; "-" when it is below 0.
char *human_bytes(int64_t bytes, char buffer[HUMAN_TEXT]);
// With so many decimals below 100000: "12.5"; else as human_count.
char *human_number(double number, int decimals, char buffer[HUMAN_TEXT]);
// "294 ms", "4.2 s", "12 min 5 s", "3 h 12 min"; "no time" when it is below 0. Of any width.
char *human_duration(int64_t ms, char buffer[HUMAN_TEXT]);
// "2026-11-22 11:21:05Z", of Unix time; "-" when it has no date.
char *human_date(int64_t wall_ms, char buffer[HUMAN_TEXT]);
// "2026-11-22T11:21:05.790Z", as in the logs.
char *human_stamp(int64_t wall_ms, char buffer[HUMAN_STAMP]);

#endif
