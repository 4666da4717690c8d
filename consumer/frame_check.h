// Whether a frame may come from whoever has sent it. Pure.

#ifndef FRAME_CHECK_H
#define FRAME_CHECK_H

#include "allow_list.h"
#include "wire.h"

// row: of the sender's key; is_jobs: on jobs, else on the inbox. NULL when it may; else why not, as
// "a frame that is no restarter's" or "a frame in another's name"; static.
const char *frame_check(const mm_allowed_t *row, bool is_jobs, const mm_frame_t *frame);
// Whether it may subscribe to this topic, whose NUL byte is a part of it; all: consumer; publishers:
// job.NAME of their own and progress; savers and restarters: worker.NAME of their own; viewers and
// operators: viewers and progress. on_viewers: of the viewers socket, else of events.
bool frame_check_topic(const mm_allowed_t *row, bool on_viewers, mm_str_t topic);

#endif
