// Scenarios of the lease core as text: its events are read, its actions written.
//
//   config ttl=6000 renew=2000 margin=1800 look=1000 lonely=10000 yield=3000 lost_after=1500
//   [ms] time | restarter | hand-over | finished | left | rival EPOCH
//   [ms] answer take|renew|release|look held|other|free|unknown stamp=MS epoch=N left=MS
//        [orders=SEQ] [halted] [elsewhere] [asker=N]
//   -> ask VERB [epoch=N] [hears] | lead EPOCH | trust until=MS | suspend | stop | orders [halted]
//      | leave "REASON"

#ifndef LEASE_READER_H
#define LEASE_READER_H

#include "lease.h"

#include <stdio.h>

#define LEASE_READER_ASKER 71 // of the process under test

// Fills in what the line says; false for anything unknown.
bool lease_reader_config(const char *line, lease_config_t *config);
// False for anything unknown. *ret_answer is what the event points to.
bool lease_reader_event(const char *line, lease_event_t *ret_event, mm_lease_body_t *ret_answer);
void lease_reader_action(FILE *out, const lease_action_t *action);

#endif
