#!/usr/bin/env bash
# What limits a pipeline is named while it works: a slow driver, a slow store, a small window; and
# over tcp as over ipc. A viewer that is stopped stalls nobody.
# shellcheck source=tests/e2e/e2e_lib.sh
. "$(dirname "$0")/e2e_lib.sh"

ctl=$build/mayhem

# status OPTION...: a snapshot as JSON, in status.json.
status() {
    "$ctl" status --json "$@" >status.json 2>status.err
}


# is_limited_by LIMIT OPTION...
is_limited_by() {
    local limit=$1
    shift
    status "$@" && [[ $(grep -oE '"limit": ?"[^"]*"' status.json | tr -d ' ') == "\"limit\":\"$limit\"" ]]
}

# limited NAME LIMIT OPTION...: the run that was launched is limited by that, for a while.
limited() {
    local name=$1 limit=$2
    shift 2
    if wait_until 10 is_limited_by "$limit" "$@" && is_limited_by "$limit" "$@"; then
        ok "$name: the limit is $limit"
    else
        not_ok "$name: the limit is $limit" "$(cat status.json status.err)"
    fi
}

stop() {
    kill -INT "$run_pid"
    finish 20
}

hosts 200000 >hosts.txt

dir=driver
launch -i hosts.txt -n 2 --slots 8 --mock-time 100ms..100ms -q
limited "a slow driver" restart --dir driver
matches "it says why" 'all 16 slots of the restarters are taken, each for 1[0-9][0-9]\.' "$(cat status.json)"
stop

dir=store
MAYHEM_INJECT_TIME=300ms..300ms launch -i hosts.txt --leases 10000 --mock-time 0s..0s -q
limited "a slow store" store --dir store
matches "it says why" 'all 4096 slots of the saver are taken, each for [3-9][0-9][0-9]\.' "$(cat status.json)"
stop

dir=window
launch -i hosts.txt --mock-time 5ms..5ms --leases 50 -q
limited "a small window" window --dir window
matches "it says why" 'all 50 places of the window are taken' "$(cat status.json)"
stop

# ---- over tcp, with several viewers, one of which does not read ------------------------------------

dir=tcp
printf '[common]\nconsumer = tcp://%s:7100\n' "$loopback" >tcp.ini
launch -i hosts.txt -n 2 --slots 8 --mock-time 20ms..20ms -q --config tcp.ini
viewers=()
for number in 1 2 3; do
    "$ctl" top --consumer "tcp://$loopback:7100" -b -n 100 >"viewer.$number" 2>&1 &
    viewers+=($!)
    started+=($!)
done
limited "a slow driver, seen over tcp" restart --consumer "tcp://$loopback:7100"
has_seen() {
    grep -q 'restarter-2' "viewer.$1"
}
check "several viewers see it at once" wait_until 10 has_seen 1
check "the second one too" wait_until 10 has_seen 2
kill -STOP "${viewers[2]}"
before=$(settled)
check "with a viewer that is stopped the jobs go on" wait_until 10 has_settled $((before + 1000))
seen=$(wc -l <viewer.1)
has_seen_more() {
    (($(wc -l <viewer.1) > seen + 30))
}
check "and so do the other viewers" wait_until 10 has_seen_more
stop
ends_with_code "it ends while they watch: exit 75, hosts are left" 75
kill -CONT "${viewers[2]}"
kill -TERM "${viewers[@]}"

dir=nobody
mkdir nobody
status --dir nobody
equal "where nobody is, exit 69" 69 $?
matches "and a sentence that says so" 'nobody answers at ipc://nobody/consumer' "$(cat status.err)"
check "nothing is left running" nothing_lives
