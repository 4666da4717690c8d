// Whether a frame may come from whoever has sent it. Pure.

#ifndef FRAME_CHECK_H
#define FRAME_CHECK_H

#include "allow_list.h"
#include "wire.h"

// Whether a key of this role may connect to a ZAP domain: "jobs", "inbox", "events" or "viewers".
// Each other domain admits no role by itself.
bool frame_check_domain(mm_key_role_t role, mm_str_t domain);
// row: of the sender's key; is_jobs: on jobs, else on the inbox. NULL when it may; else why not, as
// "a frame that is no restarter's" or "a frame in another's name"; static.
const char *frame_check(const mm_allowed_t *row, bool is_jobs, const mm_frame_t *frame);
// The same of a HELLO of another version of the protocol, of which only the worker is known.
const char *frame_check_foreign(const mm_allowed_t *row, bool is_jobs, mm_str_t worker);
// Whether it may subscribe to this topic, whose NUL byte is a part of it. On events all: consumer;
// publishers: job.NAME of their own and progress; savers and restarters: worker.NAME of their own;
// viewers and operators: viewers and progress. on_viewers: on the viewers socket these two may:
// viewers.
bool frame_check_topic(const mm_allowed_t *row, bool on_viewers, mm_str_t topic);

#endif
