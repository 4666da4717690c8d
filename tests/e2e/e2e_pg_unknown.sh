#!/usr/bin/env bash
# A commit whose outcome nobody knows, in each of the ways in which that comes about, over
# common/postgresql/pg_link.h and real servers: it is never taken for done when it is gone after a
# fail-over, nor for failed when it is there; and the same command again gives one row.
# shellcheck disable=SC2016,SC2317 # $1 is for the server; some functions are given to wait_until
# shellcheck source=tests/e2e/e2e_lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/e2e_lib.sh"
# shellcheck source=tests/postgresql/postgresql.sh
. "$root/tests/postgresql/postgresql.sh"
# shellcheck source=tests/postgresql/link_lib.sh
. "$root/tests/postgresql/link_lib.sh"
pg_or_skip
[[ -x $build/tests/link_shell ]] || {
    echo 'skip - it was built without libpq: install libpq-dev'
    exit 77
}
trap '{ pg_end; clean_up; } 2>/dev/null' EXIT

# Two servers, which take turns: `first` is the primary, `second` follows it, `spare` is neither.
first=a second=b

# pair: both are well; what the last case has left is thrown away.
pair() {
    local up
    if [[ ! ${pg_pid[$first]:-} ]]; then # it was killed, and the other one promoted
        up=$second second=$first first=$up
        pg_synchronous "$first" # those who wait for nobody are let go
    fi
    [[ ! ${pg_pid[$second]:-} ]] || return 0
    pg_standby "$second" "$first"
}

# begin NAME [DEADLINE_MS]: a link to the primary, which has shown that it can write.
begin() {
    name=$1
    { pair && pg_psql "$first" 'TRUNCATE things'; } || not_ok "$name: both servers start"
    link_begin "$(pg_uri "$first" "$second")" "${2:-30000}" \
        insert 'INSERT INTO things VALUES ($1) ON CONFLICT DO NOTHING RETURNING id'
    link_tell 'send insert before'
    link_hears '^done 1 before$' 20 || not_ok "$name: a row is written before" "$(cat link.out)"
}

# The process of the link's session, when it waits for EVENT.
waiting() {
    backend=$(pg_psql "$first" "SELECT pid FROM pg_stat_activity
        WHERE application_name = 'link_shell' AND (wait_event = '$1' OR wait_event_type = '$1')")
    [[ $backend ]]
}

# hold: the row is sent and committed here, and the standby will not hear of it.
hold() {
    pg_withhold "$first" || not_ok "$name: the standby hears nothing"
    link_tell 'send insert x'
    wait_until 20 waiting SyncRep || not_ok "$name: the commit waits for the standby"
}

# hold_before: the row is sent, and waits for a lock that somebody else has until unlock.
hold_before() {
    rm -f lock.in
    mkfifo lock.in
    "$pg_bin/psql" -X -q -h "$pg/$first" -p "$pg_port" -U postgres -d mayhem <lock.in >lock.out \
        2>&1 {link_in}>&- &
    started+=("$!")
    exec {lock}>lock.in
    echo 'BEGIN; LOCK TABLE things IN SHARE MODE;' >&"$lock"
    wait_until 20 is_locked || not_ok "$name: a table is locked"
    link_tell 'send insert x'
    wait_until 20 waiting Lock || not_ok "$name: the command waits for a lock"
}

unlock() {
    exec {lock}>&- # psql ends, and the lock with it
}

is_locked() {
    [[ $(pg_psql "$first" "SELECT 1 FROM pg_locks WHERE mode = 'ShareLock' AND granted
        AND relation = 'things'::regclass") ]]
}

rows() {
    pg_psql "$1" "SELECT count(*) FROM things WHERE id = 'x'"
}

# is_unknown [REGEX]: what the link says of the row.
is_unknown() {
    link_hears '^(done|failed|unknown)' 40
    matches "$name: it is unknown" "^unknown .*${1:-}" "${line:-$(cat link.out link.err)}"
}

fail_over() {
    [[ ! ${pg_pid[$first]:-} ]] || pg_kill "$first"
    pg_promote "$second" || not_ok "$name: fail-over"
}

# again ROWS-BEFORE: the same command on the next connection, to whoever is the primary now.
again() {
    local server=$first
    [[ ${pg_pid[$first]:-} ]] || server=$second
    [[ $1 == any ]] || equal "$name: rows before it is sent again" "$1" "$(rows "$server")"
    link_hears '^ready ' 20 || not_ok "$name: it is connected again" "$(cat link.out)"
    link_tell 'send insert x'
    link_hears '^(done|failed|unknown)' 40
    matches "$name: the same again is done" '^done ' "$line"
    equal "$name: there is one row" 1 "$(rows "$server")"
    link_end
}

check "a primary and its standby start" eval 'pg_begin memory && pg_start a && pg_standby b a &&
    pg_psql a "CREATE TABLE things (id text PRIMARY KEY); GRANT ALL ON things TO mayhem"'

# ---- a wait for the standby that somebody ends ---------------------------------------------------

begin 'the wait is cancelled'
hold
pg_psql "$first" "SELECT pg_cancel_backend($backend)" >/dev/null
is_unknown 'canceling wait for synchronous replication due to user request'
equal "$name: all see the row" 1 "$(rows "$first")"
fail_over
again 0

begin 'the backend is terminated while it waits'
hold
pg_psql "$first" "SELECT pg_terminate_backend($backend)" >/dev/null
is_unknown
equal "$name: all see the row" 1 "$(rows "$first")"
fail_over
again 0

begin 'a fast shutdown while it waits'
hold
kill -INT "${pg_pid[$first]}" # it has no end while its standby does not hear the last of it
is_unknown
fail_over
again 0

# ---- a server that dies --------------------------------------------------------------------------

begin 'kill -9 after the commit record, and fail-over'
hold
pg_kill "$first"
is_unknown
fail_over
again 0

begin 'an immediate shutdown after the commit record, and a restart'
hold
pg_stop "$first" immediate
is_unknown
pg_start "$first"
pg_wait 'the standby' pg_waits_for "$first" "$second"
again 1

begin 'kill -9 before the commit record, and a restart'
hold_before
pg_kill "$first"
unlock
is_unknown
pg_start "$first"
pg_wait 'the standby' pg_waits_for "$first" "$second"
again 0

begin 'the backend is terminated before the commit record'
hold_before
pg_psql "$first" "SELECT pg_terminate_backend($backend)" >/dev/null
unlock
is_unknown 'terminating connection due to administrator command'
again 0

# The one that is known: an error stands before the commit record, never behind it.
begin 'the command is cancelled before the commit record'
hold_before
pg_psql "$first" "SELECT pg_cancel_backend($backend)" >/dev/null
unlock
link_hears '^(done|failed|unknown)' 40
matches "$name: it has failed" '^failed 57014 ' "$line"
equal "$name: nothing is there" 0 "$(rows "$first")"
link_end

# ---- a connection that is cut --------------------------------------------------------------------

begin 'the connection is cut while the commit waits'
hold
link_tell cut
is_unknown
pg_deliver "$first"
again any

begin 'the connection is cut, and fail-over'
hold
link_tell cut
is_unknown
fail_over
again 0

# ---- a promotion meanwhile -----------------------------------------------------------------------

# The standby has the row in its log, and applies nothing: the answer is lost, the row is not.
begin 'the standby has the row when it is promoted'
pg_psql "$first" "ALTER ROLE mayhem SET synchronous_commit = remote_apply"
link_end
begin "$name"
pg_psql "$second" 'SELECT pg_wal_replay_pause()' >/dev/null
link_tell 'send insert x'
wait_until 20 waiting SyncRep || not_ok "$name: the commit waits for the standby"
flushed() {
    [[ $(pg_psql "$first" 'SELECT flush_lsn >= pg_current_wal_insert_lsn()
        FROM pg_stat_replication') == t ]]
}
wait_until 20 flushed || not_ok "$name: the standby has it in its log"
fail_over
is_unknown
again 1

begin 'the standby is promoted before its primary is gone'
hold
pg_promote "$second"
equal "$name: the new primary does not have it" 0 "$(rows "$second")"
pg_kill "$first"
is_unknown
again 0

# ---- a deadline of our own -----------------------------------------------------------------------

begin 'the deadline has passed' 1500
pg_freeze "$second"
link_tell 'send insert x'
is_unknown 'no answer within 1500 ms'
for _ in 1 2 3; do # each waits for the row of the first one
    link_hears '^ready ' 20
    link_tell 'send insert x'
    is_unknown 'no answer within 1500 ms'
done
backends() {
    (($(pg_psql "$first" "SELECT count(*) FROM pg_stat_activity
        WHERE application_name = 'link_shell'") <= $1))
}
check "$name: tries leave no backends behind but the first, and one" wait_until 10 backends 2
pg_thaw "$second"
again any
exit
