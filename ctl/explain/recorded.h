// An attempt at a real restart as the record has it, in words. Pure.

#ifndef RECORDED_H
#define RECORDED_H

#include "records.h"

#include <stdio.h>

// "restarted, proven", "same-boot (exit 255)", "exit 1", "open: its command has ended (signal 9),
// not proven yet". Without the command's words.
void recorded_print_state(FILE *file, const recorded_t *recorded);
// All of it, in lines that are indented: its state, times, machine and boots. accepted_ms: Unix
// time of its job.
void recorded_print(FILE *file, const recorded_t *recorded, int64_t accepted_ms);

#endif
