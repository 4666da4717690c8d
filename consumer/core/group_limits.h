// What holds restarts back, by groups: the rules of the policy, how much of each limit is used, and
// the state of ramps and breakers. It knows no job: gather_gate.c asks it, and tells it what
// becomes of hosts. Pure.
//
// A host has a place from the admission of its restart until the end of that is on record. Open: a
// restart without an end, which nobody works on at present. Casualty: the host is not known to be
// up. A cap counts restarts in progress and open ones, max-unavailable casualties, too.
//
// Ramps and breakers follow from the outcomes of the run, in the order of the record, and from
// orders: limits_ended is called with what happens, and again for what the record says when it is
// read (limits_reset, then limits_apply_entry with all of it, then limits_complete). `mayhem plan`
// asks them by the same record (supervisor/run_pass.c).

#ifndef GROUP_LIMITS_H
#define GROUP_LIMITS_H

#include "class_queue.h"
#include "frame.h"
#include "heap.h"
#include "job.h"
#include "policy.h"
#include "reason.h"
#include "table.h"

struct flight;

typedef struct {
    mm_rules_t rules; // a copy; the openings are the caller's
    uint32_t hosts;   // of the list
    uint32_t cap;     // in hosts, as the next; UINT32_MAX: no limit
    uint32_t budget;
    uint32_t ramp[MM_POLICY_RAMP_MAX];
    uint32_t in_progress;  // places in progress or open
    uint32_t casualties;   // places that are casualties, and neither of those
    uint32_t reserved;     // in this pass
    bool has_room;         // for a host without a place; it may say so wrongly
    class_queue_t blocked; // those that it has no room for
    size_t step;           // of the ramp, from 0; ramp_count: it has ended
    uint32_t proven;       // in this step
    int64_t step_ended_ms; // Unix time; 0: it has not
    bool is_sized;         // `hosts` is known
    bool is_tripped;
    bool is_told;     // that it has
    bool is_recorded; // the same, while the record is read
    char why[96];     // it has tripped, a sentence
    uint8_t *last;    // the last outcomes, a ring of `last_size`: whether each was a failure
    size_t last_size;
    size_t last_at;
    size_t last_count;
} group_t;

// The hosts that are in the same groups.
typedef struct class {
    char *name; // the attribute `groups`, owned
    uint64_t hash;
    group_t *groups[1 + MM_HOST_GROUPS_MAX]; // the whole run, then the others
    size_t group_count;
    struct flight *waiting; // in the order of arrival (utlist); the rest is gather_pass.c's
    size_t waiting_count;
    int64_t first_ms; // since when the first one has waited as the first; 0: not refused yet
    mm_reason_t said; // why it does, in the log, and when
    int64_t said_ms;
    class_queue_t *queue; // where it waits; NULL: nobody does
    mm_id_t first;        // by which it is there
} class_t;

typedef struct {
    mm_heap_node_t expiry; // in a heap while it is open
    class_t *class;
    uint64_t hash;
    int64_t denied_ms; // nothing begins before, Unix time; MM_NEVER: for good; 0: it may
    bool is_running;
    bool is_open;
    bool is_casualty;
    uint8_t size;
    char host[]; // folded
} place_t;

typedef struct {
    group_t *groups; // [0]: the whole run
    size_t group_count;
    mm_table_t group_of; // by name
    mm_table_t classes;  // by name
    class_t **listed;    // all classes
    size_t listed_count;
    size_t listed_capacity;
    class_queue_t to_look; // by this pass
    class_queue_t looked;  // by this one, and to be looked at in the next one
    class_queue_t closed;  // until an instant or an order
    mm_table_t places;     // by host
    mm_heap_t open;        // places
    int64_t interval_ms;   // between starts; 0: no rate
    int64_t next_start_ms; // not before
    bool is_given;         // there is one; else only orders hold restarts back
    bool has_guard;
    int64_t guard_until_ms; // it has said yes, up to then
    bool is_complete;       // the record's state is known
    bool is_sized;          // the hosts of each group are known, if one has to
    bool is_halted;
    bool has_halt;   // the same, while the record is read
    bool has_baking; // a step of a ramp may bake
    uint64_t seq;    // of the last outcome that was counted
} limits_t;

// given: count 0: there is none. margin_ms: lost-after.
void limits_init(limits_t *self, const mm_policy_t *given, int64_t margin_ms);
void limits_clear(limits_t *self);

// The empty name: the whole run; NULL: the policy has no such group.
group_t *limits_find(const limits_t *self, mm_str_t group);
// Of the whole run, before anything else.
void limits_set_cap(limits_t *self, uint32_t hosts);
// How many hosts of the list are in a group, which is ignored when the policy does not name it; the
// empty name: in all.
bool limits_set_hosts(limits_t *self, mm_str_t group, uint32_t hosts);
// The class of hosts in these groups; names that the policy does not have do not count.
class_t *limits_class(limits_t *self, mm_str_t groups);

// ---- limits

// Why no restart of the class may begin now, whatever there is room for; NONE: one may. *ret_until:
// when this ends; MM_NEVER: by an event.
mm_reason_t limits_closed(const limits_t *self, const class_t *class, int64_t now_ms,
                          int64_t unix_ms, int64_t *ret_until);
// When a group's window opens, 0: it is open; and when it closes then; Unix time, MM_NEVER: never.
void limits_window(const group_t *group, int64_t unix_ms, int64_t *ret_opens, int64_t *ret_closes);
// Why there is no place for the host, which counts itself once; NONE: there is. *ret_ends: whether
// it is enough that restarts in progress end.
// *ret_blocker: which group has none; NULL: others have reserved it.
mm_reason_t limits_room(const class_t *class, const place_t *own, bool *ret_ends,
                        group_t **ret_blocker);
// Says of each group whether it has room now for a host without a place; places that are taken and
// left do that for theirs.
void limits_see_room(limits_t *self);
// In this pass no other class may have its places.
void limits_reserve(class_t *class);
void limits_reserve_nothing(limits_t *self);
// A restart begins now: the next one does not before the rate allows it.
void limits_start(limits_t *self, int64_t now_ms);
// Whose rule it is that gives the reason, of the groups of the class; NULL: of none. own: the place
// of the host, or NULL.
const group_t *limits_holder(const limits_t *self, const class_t *class, const place_t *own,
                             mm_reason_t reason, int64_t now_ms, int64_t unix_ms);

// ---- places: of hosts in any spelling (host_fold.h)

// NULL: it has none.
place_t *limits_place(const limits_t *self, mm_str_t host);
// The host's place, which is in progress now.
void limits_take(limits_t *self, mm_str_t host, class_t *class);
// It is no longer in progress; open until then, 0: not open. A place that is nothing more is freed.
void limits_leave(limits_t *self, mm_str_t host, int64_t open_until_ms);
// The host is not known to be up, or it is. class: of a host without a place.
void limits_set_casualty(limits_t *self, mm_str_t host, class_t *class, bool is_casualty);
// Nothing begins on the host until then, Unix time; 0: for good.
void limits_deny(limits_t *self, mm_str_t host, int64_t until_ms);
// 0: it is not denied.
int64_t limits_denied(const limits_t *self, mm_str_t host, int64_t unix_ms);
// It is neither open nor a casualty nor denied any more.
void limits_forget(limits_t *self, place_t *place);
// An open one whose time is over; NULL: none is. The caller is to leave it.
const place_t *limits_expired(const limits_t *self, int64_t now_ms);

// ---- outcomes and orders, in the order of the record

// An entry of the record's state, in its order. open_until_ms: of a host with an open attempt.
void limits_apply_entry(limits_t *self, const mm_entry_t *entry, int64_t open_until_ms);
// Returns whether a group bakes from now on.
bool limits_ended(limits_t *self, class_t *class, mm_outcome_t outcome, bool is_casualty,
                  int64_t unix_ms);
// The record says that a breaker has stopped a group, or all; the name empty: the whole run. It
// counts from limits_complete on. One that the policy does not name is ignored.
void limits_trip(limits_t *self, mm_str_t group, mm_str_t why);
// The record has a resume: the outcomes before it do not count. It ends no trip that is in force by
// limits_trip, which is younger.
void limits_resumed(limits_t *self, mm_str_t group);
// A group that has tripped, and of which nothing was said yet; NULL: none.
group_t *limits_tripped(limits_t *self);
// All of the record is to be read again: only what is in progress stays.
void limits_reset(limits_t *self);
// All of the record has been read. When something has begun before, and it is not known when, the
// next start waits as behind one that begins now.
void limits_complete(limits_t *self, int64_t now_ms);
// Begins the next step of a ramp that has baked. Returns its group; NULL: there is none any more.
const group_t *limits_step(limits_t *self, int64_t unix_ms);

#endif
