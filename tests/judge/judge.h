// The judge: reads a trace of what happened in a run with a policy, line by line, and finds every
// restart that began outside of a limit, and every host that was left waiting although none held it
// back. It shares no header and no code with the pipeline, and computes each limit itself.
//
// One event a line: MS EVENT WORD..., with spaces between. MS is Unix time and never goes back. An
// empty line, and one that begins with `#`, is none. `-` as a GROUP is the whole run.
//
// First the policy, then the hosts:
//   limit GROUP KEY...  hosts=N            hosts of the group; percents are of them
//                       cap=N|P%           hosts that have a place (below)
//                       max-unavailable=N|P%  those and casualties; a host counts once
//                       ramp=N|P%,...      hosts of each step, in which one that ends as a casualty
//                                          trips the group
//                       bake=MS            from the last proof of a step to the next step
//                       breaker=F/W        trips at F dead ones of the last W hosts that ended as
//                                          restarted or dead; repeatable
//                       window=OPENS..CLOSES  Unix time, open up to, not with, the second;
//                                          repeatable; `window=none`: there is one, never open
//                       last-start=MS      nothing begins so long before a window closes, and
//                                          nothing in the last `permit`
//                       rate=N/MS          of `-` only: so many starts in any span of so long
//                       guard              of `-` only: nothing begins without a yes of 10 s
//                       permit=MS          of `-` only: for how long a command may still be sent
//                                          that was handed out before something held it back
//                       before=MS          of `-` only: and for how long what comes before a
//                       command
//                                          may last; only a halt is looked at behind that
//                       late=MS            of `-` only: the trace is of a record (audit.sql): for
//                                          so long a start with that word may be written behind its
//                                          admission, a trip behind its cause, and what frees the
//                                          place of a restart without an outcome (one start in each
//                                          of its groups) behind its effect
//   host HOST [GROUP,...]                  the groups that it is in; each has a `limit` line
//
// Then what happens. A host has a *place* from `start` or `open` on.
//   start HOST [late]    a restart is admitted that may send a command; a host that is `open`
//                        keeps the place that it has
//   hand-out HOST        a task with a command goes to a restarter
//   command HOST [late]  the command is sent to the host
//   return HOST          nothing was sent: the place is given back
//   leave HOST           its end is known, the place is free; the outcome follows
//   open HOST            begun, and nobody knows its end: it keeps its place, or takes one
//   expire HOST          that place may be free by now
//   end HOST restarted|skipped|dead|withdrawn [casualty|absolved|up]
//                        its outcome, as the consumer knows it from the record. Who is skipped or
//                        withdrawn without a word stays a casualty, if it was one.
//                        `absolved`: it ended as one, and was absolved before that
//   end HOST failed [casualty]  an attempt has ended, and the host waits again
//   halt, resume [GROUP], trip GROUP, deny HOST UNTIL, absolve HOST
//                        an order takes effect in the consumer; UNTIL 0: for good. What frees is
//                        in force by the record alone: a consumer says `record`, then `state`
//   record ...           one of `end`, the orders and `new-run` is on record
//   known end ...        as `end`, and it is the last one like that on record
//   lapse ...            an order could not be recorded: the next `state` is without it
//   guard yes|no         the guard has answered
//   epoch N              a new consumer begins; places stay: the writer says `open`, `return` of
//                        each
//   state [N]            it has the record's state, as of its first N `record` lines, or all: they
//                        are in force for it, in that order, and then what it was told itself;
//                        what former consumers knew is forgotten
//   new-run              counts, breakers and ramps begin from zero
//   quiet                nothing is in progress, and nothing changes any more but time
//
// A trace without `record` lines and epochs is fine: the rest is in force at once.

#ifndef JUDGE_H
#define JUDGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define JUDGE_NAME_MAX 255

typedef enum {
    JUDGE_CAP,         // a start exceeds the cap
    JUDGE_UNAVAILABLE, // a start exceeds max-unavailable
    JUDGE_RAMP,        // more start than the step has hosts, or before the bake is over
    JUDGE_WINDOW,      // a start or a command outside of each opening
    JUDGE_LAST_START,  // within one, later than its last start
    JUDGE_RATE,        // more starts than the rate
    JUDGE_HALT,        // a start or a command in a halt
    JUDGE_TRIP,        // the same in a group that has tripped
    JUDGE_BREAKER,     // the same in a group that should have tripped
    JUDGE_DENY,        // the same of a host that is denied
    JUDGE_GUARD,       // the same without a yes of the guard
    JUDGE_TWO_PLACES,  // a host that is in progress starts
    JUDGE_NO_PLACE,    // a command of a host that has no place
    JUDGE_STATE,       // a start before a new consumer has the record's state
    JUDGE_NO_CAUSE,    // a group has tripped though nothing said so
    JUDGE_STARVED,     // a host waits though no limit holds it back
    JUDGE_RULES
} judge_rule_t;

typedef struct {
    judge_rule_t rule;
    uint64_t line; // from 1
    int64_t at_ms;
    char host[JUDGE_NAME_MAX + 1];  // empty: none
    char group[JUDGE_NAME_MAX + 1]; // empty: none; "-": the whole run
    char words[128];                // the numbers
} judgement_t;

typedef struct judge judge_t;

judge_t *judge_new(void);
void judge_destroy(judge_t **self_p);

// Takes the next line, without its end. False: it cannot be read, judge_error says why.
bool judge_take(judge_t *self, const char *line);
const char *judge_error(const judge_t *self);

// What was found so far, in order. A pointer is valid until the next line.
size_t judge_count(const judge_t *self);
const judgement_t *judge_get(const judge_t *self, size_t index);

// How many lines and starts there were.
uint64_t judge_lines(const judge_t *self);
uint64_t judge_starts(const judge_t *self);

// "cap", "max-unavailable", ...
const char *judge_rule_name(judge_rule_t rule);

#endif
