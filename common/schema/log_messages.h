// The log messages that `mayhem explain` and `mayhem tail` know, each written once: who logs
// them and who reads them use these names. The texts are part of the logs' format: an older log is
// read with them too. docs/operations.md lists all messages, these and those of mm_log (docs.sh).

#ifndef LOG_MESSAGES_H
#define LOG_MESSAGES_H

// The publisher, of one job.
#define MM_MESSAGE_PUBLISHED "Published"
#define MM_MESSAGE_EXPIRED   "Neither acked nor extended in time; delivering again"
#define MM_MESSAGE_PUT_OFF   MM_MESSAGE_NACKED "; delivering again later"

// The consumer, of one job.
#define MM_MESSAGE_PULLED        "Pulled"
#define MM_MESSAGE_IN_FLIGHT     "Redelivered while in flight"
#define MM_MESSAGE_EXTENDED      "Extended deadline" // by so many seconds
#define MM_MESSAGE_RETRY         "Retrying for failure"
#define MM_MESSAGE_RETRY_RESTART MM_MESSAGE_RETRY " to restart"
#define MM_MESSAGE_RETRY_SAVE    MM_MESSAGE_RETRY " to save"
#define MM_MESSAGE_RECLAIMED     "Taking back a restart"
#define MM_MESSAGE_BEGUN         "Beginning an attempt"
#define MM_MESSAGE_LOOKING       "Looking at the host first"
#define MM_MESSAGE_INTERRUPTED   "An attempt has no end"
#define MM_MESSAGE_OPEN          "Given back without proof"
#define MM_MESSAGE_HELD          "The host is held; trying again later"
#define MM_MESSAGE_ACKED         "Done. Acked"
#define MM_MESSAGE_SKIPPED       "Skipped: nothing to do"
#define MM_MESSAGE_WITHDRAWN     "Withdrawn: no longer on the list"
#define MM_MESSAGE_NACKED        "Nacked"
#define MM_MESSAGE_DEAD          "Dead"

// Of a peer that says what cannot be: the consumer of a worker, the others of a consumer.
#define MM_MESSAGE_CLAIM_IGNORED "Ignoring what a peer claims"

// The consumer, of its workers.
#define MM_MESSAGE_UNBOUND        "Cannot bind the tasks of a worker; it is to join anew"
#define MM_MESSAGE_WORKER_JOINED  "A worker joins"
#define MM_MESSAGE_WORKER_LEFT    "A worker has left"
#define MM_MESSAGE_WORKER_LOST    "Lost a worker" // older logs have a colon and the reason behind it
#define MM_MESSAGE_WORKER_REFUSED "Refused a worker"
#define MM_MESSAGE_PAUSED         "A worker asks for a pause"
#define MM_MESSAGE_OTHER_DRIVER   "Nacking jobs of another driver"
#define MM_MESSAGE_OTHER_RUN      "Nacking jobs of another run"
#define MM_MESSAGE_STARTS_ENDED   "The starts have ended: what runs is finished, the rest is kept"
#define MM_MESSAGE_ORDERED        "Ordered"
#define MM_MESSAGE_TRIPPED        "A breaker has tripped"
#define MM_MESSAGE_STEP           "The next step of the ramp begins"
#define MM_MESSAGE_UNABLE         "No restarter can start anything: handing out nothing more"
#define MM_MESSAGE_TOO_MANY_DEAD  "Too many dead hosts (--max-dead): handing out nothing more"

// A worker.
#define MM_MESSAGE_JOINED        "Joined the consumer"
#define MM_MESSAGE_SAVED         "Saved into database"
#define MM_MESSAGE_SETTLED       "Settled"
#define MM_MESSAGE_AUDIT_HEAD    "The head of the audit" // its seq and hash: `mayhem audit` reads them
#define MM_MESSAGE_RESTARTED     "restarted"
#define MM_MESSAGE_NOT_RESTARTED "Could not restart"

// The supervisor, behind the name of a process.
#define MM_MESSAGE_KILLED " was killed by signal "

#endif
