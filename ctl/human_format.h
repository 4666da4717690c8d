// Numbers as people read them in a table: short, in ASCII, of a known width at most. Pure.

#ifndef UNITS_H
#define UNITS_H

#include <stdint.h>

#define UNITS_TEXT 24

// Each returns its buffer. None is wider than 7 columns for numbers that can be.

// "850us", "12.3ms", "1.25s", "16m", "3h"; "-" when it is below 0.
char *units_us(int64_t us, char buffer[UNITS_TEXT]);
// "1234567", beyond that "12.3M", "4.56G".
char *units_count(double count, char buffer[UNITS_TEXT]);
// "512K", "14.2M", "1.20G".
char *units_bytes(int64_t bytes, char buffer[UNITS_TEXT]);
// "2026-11-22 11:21:05Z", of Unix time.
char *units_date(int64_t wall_ms, char buffer[UNITS_TEXT]);

#endif
