// The events of jobs and workers that the consumer sends to viewers (consumer/event_stream.c), and
// how `mayhem tail` prints them: as the consumer logs them. Those who read these need no other
// list.

#ifndef EVENT_WORDS_H
#define EVENT_WORDS_H

#include "log_messages.h"

// EVENT(word, message, level), level: INFO, WARN or ERROR. The message of a retried save is another
// one.
#define EVENT_WORDS(EVENT)                                                                         \
    EVENT("pulled", MM_MESSAGE_PULLED, INFO)                                                       \
    EVENT("acked", MM_MESSAGE_ACKED, INFO)                                                         \
    EVENT("dead", MM_MESSAGE_DEAD, ERROR)                                                          \
    EVENT("skipped", MM_MESSAGE_SKIPPED, INFO)                                                     \
    EVENT("withdrawn", MM_MESSAGE_WITHDRAWN, INFO)                                                 \
    EVENT("nacked", MM_MESSAGE_NACKED, INFO)                                                       \
    EVENT("retried", MM_MESSAGE_RETRY_RESTART, WARN)                                               \
    EVENT("held", MM_MESSAGE_HELD, WARN)                                                           \
    EVENT("taken_back", MM_MESSAGE_RECLAIMED, WARN)                                                \
    EVENT("begun", MM_MESSAGE_BEGUN, INFO)                                                         \
    EVENT("looking", MM_MESSAGE_LOOKING, INFO)                                                     \
    EVENT("interrupted", MM_MESSAGE_INTERRUPTED, WARN)                                             \
    EVENT("open", MM_MESSAGE_OPEN, WARN)                                                           \
    EVENT("lost", MM_MESSAGE_WORKER_LOST, WARN)                                                    \
    EVENT("left", MM_MESSAGE_WORKER_LEFT, INFO)                                                    \
    EVENT("joined", MM_MESSAGE_WORKER_JOINED, INFO)                                                \
    EVENT("paused", MM_MESSAGE_PAUSED, WARN)                                                       \
    EVENT("unable", MM_MESSAGE_UNABLE, ERROR)                                                      \
    EVENT("ordered", MM_MESSAGE_ORDERED, WARN)                                                     \
    EVENT("tripped", MM_MESSAGE_TRIPPED, ERROR)                                                    \
    EVENT("step", MM_MESSAGE_STEP, INFO)                                                           \
    EVENT("starts_ended", MM_MESSAGE_STARTS_ENDED, INFO)                                           \
    EVENT("too_many_dead", MM_MESSAGE_TOO_MANY_DEAD, ERROR)

#endif
