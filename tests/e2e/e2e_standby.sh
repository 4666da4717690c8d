#!/usr/bin/env bash
# Two consumers on one record in PostgreSQL, each with a folder and a saver of its own; restarters and
# a publisher know both. The leader is killed, stopped for longer than its lease, and asked to hand
# over, in mid-run: each time the other one leads within 9.2 s, nothing is lost, no job has two
# outcomes, and no command begins by the word of one that leads no longer.
# shellcheck source=tests/e2e/e2e_lib.sh
. "$(dirname "$0")/e2e_lib.sh"
# shellcheck source=tests/postgresql/postgresql.sh
. "$root/tests/postgresql/postgresql.sh"

pg_or_skip
trap 'pg_end; clean_up' EXIT
pg_begin && pg_start a || exit
export PGPASSWORD=$pg_password
uri=postgresql://mayhem@${pg_address[a]}:$pg_port/mayhem
both=ipc://a/consumer,ipc://b/consumer
fail_over_ms=9200 # a lease, a look, and the time in which a new leader begins nothing
declare -A pid=() # of processes by name: consumer-a, saver-b, restarter-1

store() {
    pg_psql a "$1" 2>/dev/null
}

# start NAME DIR PROGRAM OPTION...
start() {
    local name=$1 folder=$2 program=$3
    shift 3
    mkdir -p "$folder"
    MAYHEM_LOCKS=$work/locks "$build/mayhem-$program" --dir "$folder" --id "${name/#consumer-*/consumer}" \
        "$@" >>"$name.log" 2>&1 </dev/null &
    pid[$name]=$!
    started+=("$!")
}

start_consumer() {
    start "consumer-$1" "$1" consumer --store "$uri" --timeout 3s
}

# leader: the folder of the one that leads, by what the record and the two logs say; else nothing.
leader() {
    local epoch folder
    epoch=$(store "SELECT epoch FROM lease WHERE holder IS NOT NULL AND expires > clock_timestamp()")
    for folder in a b; do
        [[ ! $epoch ]] || ! grep -q "This consumer leads epoch=$epoch\$" "consumer-$folder.log" ||
            echo "$folder"
    done
}

leads() {
    [[ $(leader) == "$1" ]]
}

# How many commands have begun.
begun() {
    printf '%d' "$((10#0$(lines_in done.txt)))"
}

has_begun() {
    (($(begun) > $1))
}

# takes_over NAME FOLDER SINCE_MS: it leads, and commands begin again, within the limit.
takes_over() {
    local before
    wait_until 20 leads "$2" || not_ok "$1: the other one leads" "$(tail -n 5 consumer-?.log)"
    before=$(begun)
    wait_until 20 has_begun "$before" || not_ok "$1: commands begin again"
    at_most "$1: the other one leads, and begins commands, within $fail_over_ms ms" $fail_over_ms \
        $(($(milliseconds) - $3))
}

# ends NAME CODE WHAT: within 15 s.
ends() {
    wait_until 15 is_gone "${pid[$1]}" || not_ok "$1 ends" "$(tail -n 5 "$1.log")"
    wait "${pid[$1]}" 2>/dev/null
    equal "$3" "$2" $?
}

cat >command.sh <<'END'
#!/bin/sh
echo "$(date +%s%N) $1" >>done.txt
sleep 0.3
END
chmod +x command.sh

hosts 260 >hosts.txt
start_consumer a
start_consumer b
for folder in a b; do
    start "saver-$folder" "$folder" saver --store "$uri" --consumer "$both"
done
for i in 1 2; do
    start "restarter-$i" "restarter-$i" restarter --consumer "$both" --slots 4 --timeout 3s \
        --exec './command.sh {host}'
done
mkdir -p publisher
"$build/mayhem-publisher" --dir publisher --consumer "$both" --input hosts.txt \
    --run-driver 'exec' >publisher.log 2>&1 </dev/null &
publisher=$!
started+=("$publisher")

wait_until 15 has_begun 10 || not_ok "commands begin" "$(tail -n 5 ./*.log)"
former=$(leader)
matches "one of two leads" '^[ab]$' "$former"
other=$([[ $former == a ]] && echo b || echo a)

# ---- killed --------------------------------------------------------------------------------------

killed_ms=$(milliseconds)
kill -KILL "${pid[consumer-$former]}"
wait "${pid[consumer-$former]}" 2>/dev/null
takes_over "kill -9 of the leader" "$other" "$killed_ms"
start_consumer "$former"

# ---- stopped for longer than its lease -----------------------------------------------------------

wait_until 10 has_begun $(($(begun) + 10)) || not_ok "commands go on"
stopped_ms=$(milliseconds)
kill -STOP "${pid[consumer-$other]}"
takes_over "SIGSTOP of the leader" "$former" "$stopped_ms"
while (($(milliseconds) < stopped_ms + 10000)); do
    sleep 0.1
done
kill -CONT "${pid[consumer-$other]}"
ends "consumer-$other" 75 "it is deposed when it goes on"
check "and says so" test -e "$other/consumer.deposed"
start_consumer "$other"
wait_until 10 grep -q 'Standing by' "consumer-$other.log"

# ---- handed over ---------------------------------------------------------------------------------

wait_until 10 has_begun $(($(begun) + 10)) || not_ok "commands go on"
handed_ms=$(milliseconds)
matches "the leader hands over" 'handed over' \
    "$("$build/mayhem" handover --dir "$former" --why 'a new kernel' 2>&1)"
takes_over "handover" "$other" "$handed_ms"
ends "consumer-$former" 75 "and ends"

# ---- all of it -----------------------------------------------------------------------------------

wait_until 60 is_gone "$publisher" || not_ok "the publisher ends" "$(tail -n 5 publisher.log)"
wait "$publisher" 2>/dev/null
equal "the publisher ends with 0" 0 $?
equal "nothing is lost, and nothing is there twice" "260|260|260" \
    "$(store 'SELECT count(*), count(DISTINCT host), count(outcome) FROM jobs')"
equal "each outcome is told once" "260|260" \
    "$(store "SELECT count(*), count(DISTINCT job) FROM audit WHERE action = 'ended'")"
equal "no place is kept, and no attempt is open" "0|0" \
    "$(store "SELECT (SELECT count(*) FROM places), count(*) FROM attempts WHERE state <> 'ended'")"
equal "every command that ran was begun on record before" 0 "$(
    awk '{ print $2 }' done.txt | sort -u >ran.txt
    store "SELECT host FROM audit WHERE action = 'begun'" | sort -u | comm -13 - ran.txt | wc -l
)"
equal "no host had two commands at once" "" "$(awk '
    { if ($2 in last && $1 - last[$2] < 300000000) print $2; last[$2] = $1 }' done.txt)"
for name in restarter-1 restarter-2 "consumer-$other" saver-a saver-b; do
    kill -TERM "${pid[$name]}"
done
ends "consumer-$other" 0 "the leader ends with 0"
equal "and has released its lease" "" "$(store 'SELECT holder FROM lease')"
check "nothing is left running" nothing_lives
