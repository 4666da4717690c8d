#!/usr/bin/env bash
# Restarters join and leave while the rest goes on; the programs are started by hand in any order.
# shellcheck source=tests/e2e/e2e_lib.sh
. "$(dirname "$0")/e2e_lib.sh"

# How many restarters have settled something since the time in Unix milliseconds.
busy_since() {
    store "SELECT count(DISTINCT worker) FROM jobs WHERE settled_ms > $1"
}

unix_ms() {
    date +%s%3N
}

share() {
    (($(busy_since "$1") == $2))
}

have_begun() {
    (($(grep -c '^begin' ran.txt) == $1))
}

# ---- scale ---------------------------------------------------------------------------------------

dir=scale
hosts 1500 >hosts.txt
hosts 4000 >scaled-hosts.txt # so that it lasts while it is looked at, on a busy machine, too
launch -i scaled-hosts.txt -n 2 --slots 6 --mock-time 20ms..80ms
settle_at_least 50 20
moment=$(unix_ms)
"$root/run.sh" scale 6 --dir scale >scaled.txt 2>&1
equal "scale 6 succeeds" 0 $?
equal "it names six restarters with their pids" 6 \
    "$(grep -cE '^restarter-[1-6] +pid [0-9]+' scaled.txt)"
check "six share the work within two seconds" wait_until 2 share "$moment" 6
"$root/run.sh" status --dir scale >status.txt 2>&1
equal "status succeeds" 0 $?
equal "it shows ten processes that are up" 10 "$(grep -c 'up [0-9]* s' status.txt)"
"$root/run.sh" status --dir scale --json >status.json 2>&1
equal "status --json is valid, with the same ten" "1 10" "$(sqlite3 :memory: "
    SELECT json_valid(j) || ' ' || json_array_length(j, '\$.processes')
    FROM (SELECT CAST(readfile('status.json') AS TEXT) AS j)")"
"$root/run.sh" scale 3 --dir scale >scaled.txt 2>&1
equal "scale 3 succeeds" 0 $?
check "the three with the highest numbers leave" wait_until 5 test ! -e scale/restarter-4.pid \
    -a ! -e scale/restarter-5.pid -a ! -e scale/restarter-6.pid
finish 60
ends_with_code "scaled up and down in mid-run: exit 0" 0
audit "scaled" 4000
equal "leaving has charged no attempt" 4000 "$(store 'SELECT sum(attempts) FROM jobs')"

# ---- one of four leaves --------------------------------------------------------------------------

dir=leave
hosts 240 >some.txt
launch -i some.txt -n 4 --slots 8 \
    -x 'sh -c "echo begin {host} >>ran.txt; sleep 0.3; echo end {host} >>ran.txt"'
settle_at_least 40 20
kill -TERM "$(pid_of restarter-3)"
check "TERM to one of four restarters: it leaves" wait_until 5 test ! -e leave/restarter-3.pid
finish 60
ends_with_code "the rest goes on: exit 0" 0
audit "one of four has left" 240
equal "no restart was cut off or run twice" "240 240 0" \
    "$(grep -c '^begin' ran.txt) $(grep -c '^end' ran.txt) $(repeated ran.txt)"
equal "no attempt was charged" 240 "$(store 'SELECT sum(attempts) FROM jobs')"
matches "run.sh says that it has left" 'restarter-3 has left' "$(cat out err)"

# ---- a stop while one of them leaves -------------------------------------------------------------

dir=both
: >ran.txt
launch -i some.txt -n 2 --slots 4 \
    -x 'sh -c "echo begin {host} >>ran.txt; sleep 2; echo end {host} >>ran.txt"'
check "both restart hosts" wait_until 10 have_begun 8
"$root/run.sh" scale 1 --dir both >scaled.txt 2>&1
kill -TERM "$run_pid"
finish 20
ends_with_code "scaled down, then stopped: exit 75" 75
equal "what the leaving restarter runs is finished, too" "8 8" \
    "$(grep -c '^begin' ran.txt) $(grep -c '^end' ran.txt)"

# ---- no restarter --------------------------------------------------------------------------------

dir=none
launch -i some.txt -n 1 --slots 4 --mock-time 50ms..60ms
settle_at_least 8 20
kill -TERM "$(pid_of restarter-1)"
check "the last restarter leaves: run.sh says that jobs wait" \
    wait_until 5 grep -q 'the last restarter has left' err
"$root/run.sh" scale 4 --dir none >scaled.txt 2>&1
finish 60
ends_with_code "scale brings restarters back: exit 0" 0
audit "no restarter for a while" 240

# ---- started by hand, the consumer last ----------------------------------------------------------

# by_hand PROGRAM OPTION...: sets `last`.
by_hand() {
    local program=$1
    shift
    "$build/mayhem-$program" --dir hand "$@" >>hand.out 2>&1 </dev/null &
    last=$!
    started+=("$last")
}

dir=hand
mkdir -m 700 hand
by_hand publisher --input hosts.txt
publisher=$last
by_hand restarter --id restarter-1 --slots 6 --mock-time 20ms..60ms
others=("$last")
by_hand saver
others+=("$last")
by_hand consumer
others+=("$last")
settle_at_least 100 20
by_hand restarter --id late --slots 6 --mock-time 20ms..60ms
others+=("$last")
settle_at_least 200 20
moment=$(unix_ms)
check "one that joins in mid-run gets its share" wait_until 5 share "$moment" 2
wait_until 60 is_gone "$publisher"
wait "$publisher"
equal "the publisher ends with 0" 0 $?
audit "the consumer was started last" 1500
kill -TERM "${others[@]}"
for pid in "${others[@]}"; do
    wait_until 10 is_gone "$pid" || not_ok "process $pid ends after TERM" "$(tail hand.out)"
    wait "$pid"
    equal "started by hand and told to stop: exit 0" 0 $?
done
