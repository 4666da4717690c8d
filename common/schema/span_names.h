// The spans that carry frames from one process to another, each name written once: `mayhem
// profile` finds the senders and the handlers that they wake by these names.

#ifndef SPAN_NAMES_H
#define SPAN_NAMES_H

#define MM_SPAN_SEND_JOBS    "send jobs"
#define MM_SPAN_ON_JOBS      "on_jobs"
#define MM_SPAN_SEND_TASKS   "send tasks"
#define MM_SPAN_ON_TASKS     "on_tasks"
#define MM_SPAN_SEND_RESULTS "send results"
#define MM_SPAN_ON_INBOX     "on_inbox"
#define MM_SPAN_SEND_NOTICES "send notices"
#define MM_SPAN_ON_EVENTS    "on_events"

#endif
