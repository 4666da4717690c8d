// The outbox core's events read from the text that outbox_trace.h writes.

#ifndef OUTBOX_READER_H
#define OUTBOX_READER_H

#include "outbox.h"
#include "tokens.h"

// Reading: false for anything unknown. The texts of the event live as long as *words, which the
// caller clears when the call has returned true.
bool outbox_reader_config(const char *line, outbox_config_t *config);
bool outbox_reader_event(const char *line, tokens_t *words, outbox_event_t *ret_event);

#endif
