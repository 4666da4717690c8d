// Numbers as people read them in a table: short, in ASCII, of a known width at most. Pure.

#ifndef HUMAN_FORMAT_H
#define HUMAN_FORMAT_H

#include <stdint.h>

#define HUMAN_TEXT 24

// Each returns its buffer. None is wider than 7 columns for numbers that can be.

// "850us", "12.3ms", "1.25s", "16m", "3h"; "-" when it is below 0.
char *human_us(int64_t us, char buffer[HUMAN_TEXT]);
// "1234567", beyond that "12.3M", "4.56G".
char *human_count(double count, char buffer[HUMAN_TEXT]);
// "512K", "14.2M", "1.20G".
char *human_bytes(int64_t bytes, char buffer[HUMAN_TEXT]);
// "2026-11-22 11:21:05Z", of Unix time.
char *human_date(int64_t wall_ms, char buffer[HUMAN_TEXT]);

#endif
