// What the consumer logs of what its core decides; docs/operations.md lists the lines.

#ifndef NOTES_H
#define NOTES_H

#include "gather.h"

// A GATHER_NOTICE. extended: the words for an extension; a pointer that is kept by the log.
void notes_log_notice(const gather_action_t *action, const char *extended);
// A GATHER_NOTE.
void notes_log(const gather_action_t *action);

#endif
