#!/usr/bin/env bash
# slots.sh BUILD COUNT: what a command that runs costs beside itself. Starts `mayhem run` with one
# restarter of COUNT slots, which waits for its list, then gives it COUNT hosts whose command
# sleeps. Prints the memory of the restarter and of its spawner (PSS of smaps_rollup) before, and
# when all sleep, and the difference for each slot: "pss_kb_per_slot=… restarter_before_kb=…". The
# commands themselves take some 150 kB each, and COUNT processes must be allowed.
set -u
build=$(realpath -- "${1:?usage: slots.sh BUILD COUNT}") count=${2:?}
folder=$(mktemp -d "${BENCH_DIR:-${TMPDIR:-/tmp}}/mayhem-slots.XXXXXX") || exit 73
export MAYHEM_LOCKS=$folder/locks MAYHEM_AGAIN=yes # of its own: not the user's
cd "$folder" || exit 73
run=

clean_up() {
    [[ $run == "" ]] || kill -KILL "$run" 2>/dev/null # all others end with it
    cd / && rm -rf "$folder"
}
trap clean_up EXIT
trap 'exit 130' INT TERM HUP

fail() {
    printf '%s\n' "$1" >&2
    tail -n 5 out err run/log/*.log >&2
    exit 70
}

# wait_for SECONDS COMMAND...
wait_for() {
    local until=$((SECONDS + $1))
    shift
    until "$@"; do
        ((SECONDS < until)) || fail "not within its time: $*"
        sleep 0.05
    done
}

# The restarter's only child.
has_spawner() {
    restarter=$(cat run/restarter-1.pid 2>/dev/null) || return 1
    spawner=$(cat "/proc/$restarter/task/$restarter/children" 2>/dev/null)
    spawner=${spawner%% *}
    [[ $spawner != "" ]] && grep -qs Ready run/log/restarter-1.log
}

children() {
    cat "/proc/$spawner/task/$spawner/children"
}

all_sleep() {
    [[ $(children | wc -w) == "$count" ]]
}

# In kB, with parts of a page that many share.
pss() {
    awk '$1 == "Pss:" { print $2 }' "/proc/$1/smaps_rollup"
}

mkfifo list
"$build/mayhem" run --dir run -i list -n 1 --slots "$count" --at-once "$count" --attempts 1 -q \
    -x 'sh -c "exec sleep 600" {host}' --timeout 10m >out 2>err </dev/null &
run=$!
exec 9<>list # does not wait for the reader
wait_for 20 has_spawner
sleep 1
before=("$(pss "$restarter")" "$(pss "$spawner")")
seq -f 'web-%05.0f' 1 "$count" >&9
wait_for 120 all_sleep
sleep 1
after=("$(pss "$restarter")" "$(pss "$spawner")")
awk -v count="$count" -v r0="${before[0]}" -v s0="${before[1]}" -v r="${after[0]}" -v s="${after[1]}" '
    BEGIN {
        printf "pss_kb_per_slot=%.3f restarter_before_kb=%d restarter_kb=%d spawner_before_kb=%d " \
            "spawner_kb=%d\n", (r + s - r0 - s0) / count, r0, r, s0, s
    }'
