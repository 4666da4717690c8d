#!/usr/bin/env bash
# Floods: what peers can cause as often as they like is logged at a limited rate, and told; when
# connections use up the descriptors of the consumer, over ipc or tcp, nobody ends, and workers join.
# shellcheck source=tests/e2e/e2e_lib.sh
. "$(dirname "$0")/e2e_lib.sh"

peer=$build/tests/peer
[[ -x $peer ]] || {
    not_ok "the hostile peer is built" "no $peer: run make tests"
    exit 1
}

# begin ADDRESS OPTION...: a consumer alone, with few descriptors.
begin() {
    local address=$1
    shift
    mkdir -p "$dir"
    (
        ulimit -n 4096
        exec "$build/mayhem-consumer" --dir "$dir" --consumer "$address" "$@"
    ) >"$dir/out" 2>"$dir/log" </dev/null &
    consumer=$!
    started+=("$consumer")
    wait_until 10 grep -qs ' Ready ' "$dir/log" || not_ok "the consumer is ready" "$(cat "$dir/log")"
}

# end: TERM, and then it is to leave with 0.
end() {
    kill -TERM "$consumer"
    wait_until 10 is_gone "$consumer" || kill -KILL "$consumer"
    wait "$consumer"
    equal "$1: the consumer leaves with 0" 0 $?
}

# lines_of MESSAGE: those in the log, and those that were left out.
lines_of() {
    local out=0 there count
    there=$(grep -c "\] $1 " "$dir/log")
    while read -r count; do
        out=$((out + count))
    done < <(grep -oP "Left out lines like=\"?\Q$1\E\"? lines=\K[0-9]+" "$dir/log")
    printf '%d' $((there + out))
}

# ---- lines ---------------------------------------------------------------------------------------

dir=nacked
begin ipc://nacked/consumer --max-in-flight 1000
"$peer" ipc://nacked/consumer jobs 3000 >attack
equal "jobs without end, which are nacked" 0 $?
end "they"
nacked=$(grep -o 'Cancelling.* nacked=[0-9]*' nacked/log | grep -o '[0-9]*$')
check "there were many ($nacked)" test "$nacked" -gt 20000
equal "each Nacked is in the log, or told of" "$nacked" "$(lines_of Nacked)"
at_most "the log has less than 500 kB, 10 MB a minute" 500000 "$(wc -c <nacked/log)"
equal "each job that was pulled is there" 1000 "$(grep -c ' Pulled ' nacked/log)"

dir=workers
begin ipc://workers/consumer
"$peer" ipc://workers/consumer workers 2000 >attack
equal "a worker that joins and leaves without end" 0 $?
check "the consumer is heard" "$peer" ipc://workers/consumer alive
end "it"
joined=$(lines_of 'A worker joins')
check "it has joined often ($joined)" test "$joined" -gt 1000
at_most "the log has less than 200 kB" 200000 "$(wc -c <workers/log)"

# ---- descriptors ---------------------------------------------------------------------------------

# worker NAME ADDRESS
worker() {
    "$build/mayhem-restarter" --dir "$dir" --id "$1" --consumer "$2" --slots 1 >/dev/null 2>>"$dir/err" &
    workers+=($!)
    started+=($!)
}

has_joined() {
    grep -q "A worker joins worker=$1" "$dir/log"
}

# crowd ADDRESS silent|idle: 6,000 connections, more than there are descriptors, until disperse.
crowd() {
    crowds=()
    for _ in 1 2 3; do
        "$peer" "$1" crowd 2000 "$2" 60000 >>attack 2>&1 &
        crowds+=($!)
        started+=($!)
    done
}

disperse() {
    kill -KILL "${crowds[@]}"
    wait "${crowds[@]}" 2>/dev/null
}

descriptors() {
    find "/proc/$consumer/fd" -mindepth 1 2>/dev/null | wc -l
}

# libzmq cuts those that say nothing; over tcp no more are let in than it cuts.
is_crowded() {
    (($(descriptors) > 1000))
}

is_full() {
    (($(descriptors) > 3500)) && grep -q 'Refused connections' "$dir/log"
}

# fill NAME ADDRESS
fill() {
    local name=$1 address=$2
    workers=()
    begin "$address"
    worker before "$address"
    check "$name: a worker joins before the crowd" wait_until 10 has_joined before
    crowd "$address" silent
    check "$name: there are many silent connections" wait_until 15 is_crowded
    worker between "$address"
    check "$name: a worker joins among them" wait_until 15 has_joined between
    disperse
    crowd "$address" idle
    check "$name: those that speak ZeroMQ take all descriptors" wait_until 20 is_full
    worker after "$address"
    disperse
    check "$name: a worker joins when they have gone" wait_until 15 has_joined after
    equal "$name: who had joined before is not lost" "" "$(grep 'Lost a worker.*before' "$dir/log")"
    equal "$name: nobody has complained but of refused connections" "" \
        "$(grep -E ' (WARN|ERROR) ' "$dir/log" | grep -vE 'Refused connections|A slow callback')"
    kill -TERM "${workers[@]}"
    end "$name"
}

dir=ipc
fill ipc ipc://ipc/consumer
dir=tcp
fill tcp "tcp://127.0.0.1:$((20000 + RANDOM % 12000))" # below those of connections
check "nothing is left running" nothing_lives
