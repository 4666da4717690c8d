// How a job ended, or how far it is, in one sentence. Pure.

#ifndef CONCLUSION_H
#define CONCLUSION_H

#include "timeline.h"

// Prints it without a full stop: "restarted at the 3rd attempt by restarter-2 after 4.2 s;
// restarter-1 was lost with it", "dead after 2 attempts and 10 min: same-boot". Of a finished
// timeline.
void conclusion_print(const timeline_t *timeline, FILE *file);

#endif
