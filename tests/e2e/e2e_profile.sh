#!/usr/bin/env bash
# Profiles: --profile, USR1, and what mayhem makes of them.
# shellcheck source=tests/e2e/e2e_lib.sh
. "$(dirname "$0")/e2e_lib.sh"

ctl() {
    "$build/mayhem" "$@"
}

# Microseconds that a saved profile gives to the loop's thread: all stacks but other threads'.
loop_us() {
    ctl profile --read "$1" --format folded | awk '/;log (writer|flusher) |;ZMQbg/ { next } { sum += $NF }
        END { printf "%d", sum }'
}

# Microseconds that the first thread of a process has run.
ran_us() {
    awk '{ printf "%d", $1 / 1000 }' "/proc/$1/task/$1/schedstat"
}

# is_near A B PERCENT
is_near() {
    (($1 * 100 >= $2 * (100 - $3) && $1 * 100 <= $2 * (100 + $3)))
}

# ---- run.sh --profile ----------------------------------------------------------------------------

hosts 60000 >hosts.txt
dir=whole
run -i hosts.txt --mock-time 0s..0s --profile -q
ends_with_code "a profiled run ends as it would without" 0
audit "a profiled run" 60000
for file in txt callgrind folded; do
    check "it leaves profile.$file" test -s whole/profile.$file
done
equal "each process has saved its own" "consumer publisher restarter-1 restarter-2 saver" \
    "$(basename -s .json whole/profile/*.json | sort | paste -sd ' ')"
first=$(sed -n 5,9p whole/profile.txt)
equal "the first five rows name real work" 5 \
    "$(grep -cE '(publisher|consumer|saver|restarter-[12]) +[a-z]+/[a-z_/]+\.c:[0-9]+\(' <<<"$first")"
check "none of them is the poller" test "$(grep -c poll <<<"$first")" -eq 0
for words in 'saver/stores/store_sqlite.c:[0-9]+\(write rows' 'common/runtime/sqlite.c:[0-9]+\(sqlite commit' \
    'consumer/main.c:[0-9]+\(on_jobs' 'common/runtime/socket.c:[0-9]+\(unpack' \
    'publisher/main.c:[0-9]+\(send jobs' 'common/runtime/log.c:[0-9]+\(log\)' 'thread log writer' \
    'thread ZMQbg/IO/0' 'consumer poll'; do
    matches "the table has ${words##*[(+]}" "$words" "$(cat whole/profile.txt)"
done
matches "a row of folded stacks goes from the process to the span" \
    '(^|'$'\n'')saver;[a-z_]+;write rows;sqlite commit [0-9]+' "$(cat whole/profile.folded)"

# Each host has two lines: pulled and extended, acked. On a busy machine the consumer tells of slow
# callbacks, too. The profile is taken before the last four lines.
logged=$(wc -l <whole/log/consumer.log)
check "the consumer has logged two lines for each host" test "$logged" -ge 120010
equal "log lines are counted, not sampled" $((logged - 4)) \
    "$(awk '$7 == "consumer" && $8 ~ /\(log\)/ { print $1 }' whole/profile.txt)"

# ---- callgrind -----------------------------------------------------------------------------------

callgrind_annotate whole/profile.callgrind >annotated 2>warnings
equal "callgrind_annotate reads the file" 0 $?
equal "without a warning" "" "$(cat warnings)"
matches "it names functions with file and process" 'store_sqlite.c:write rows \[saver\]' \
    "$(cat annotated)"
check "its total is the sum of its parts" test "$(awk -F'[: ]+' '/^summary/ { print $2 }' \
    whole/profile.callgrind)" -gt 0
matches "the spans that send call the handlers of others" \
    $'fn=send tasks.*cob=saver\ncfi=common/worker/worker_client.c\ncfn=on_tasks\ncalls=[1-9]' \
    "$(cat whole/profile.callgrind)"

# ---- a limit -------------------------------------------------------------------------------------

dir=limited
run --profile=1s -q
matches "--profile=TIME ends the run as Ctrl-C does" '^(0|1|75)$' "$code"
check "and leaves its table" test -s limited/profile.txt
equal "nothing goes on" "" "$(running "--dir=$work/limited")"

# ---- USR1, and the threads' own clocks -----------------------------------------------------------

dir=live
seq -f 'web-%07.0f' 2000000 >many.txt
launch -i many.txt --mock-time 0s..0s -q
settle_at_least 200000 30
for name in consumer saver publisher; do
    pid=$(pid_of $name)
    before=$(ran_us "$pid")
    kill -USR1 "$pid"
    check "USR1 saves a profile of the $name" wait_until 5 compgen -G "live/profile/$name-*.json" \
        >/dev/null
    sum=$(loop_us "$(compgen -G "live/profile/$name-*.json" | head -n 1)")
    if is_near "$sum" "$before" 10; then
        ok "its sum agrees with the thread's clock within 10 %"
    else
        not_ok "its sum agrees with the thread's clock within 10 %" "sum $sum us, clock $before us"
    fi
    equal "the $name lives on" "$pid" "$(pid_of $name)"
done
kill -INT "$run_pid"
finish 40
matches "it ends as without" '^(0|75)$' "$code"

# ---- slow callbacks ------------------------------------------------------------------------------

dir=slow
MAYHEM_SLOW_CALLBACK=1ms run -i hosts.txt --mock-time 0s..0s -q
matches "a slow callback is named in the log" \
    'WARN [a-z]+\[[0-9]+\] A slow callback handler=(on_[a-z]+|turn) took=0\.[0-9]+s' \
    "$(cat slow/log/*.log)"

# ---- the difference ------------------------------------------------------------------------------

ctl profile --read whole/profile --format json -o whole.json
equal "profiles can be kept in one file" 0 $?
equal "which reads the same" "$(ctl profile --read whole/profile)" "$(ctl profile --read whole.json)"
matches "two of them can be compared" 'saver/stores/store_sqlite.c:[0-9]+\(write rows\)' \
    "$(ctl diff whole.json limited/profile)"
equal "one process can be looked at" "" \
    "$(ctl profile --read whole.json --process saver | grep -E ' (consumer|publisher) ')"
equal "rows can be limited" 3 "$(ctl profile --read whole.json --rows 3 | grep -c '\.c:[0-9]*(')"
equal "and sorted by calls" "$(ctl profile --read whole.json | awk '/\.c:/ { print $1 }' |
    sort -rn | head -n 1)" "$(ctl profile --read whole.json --sort ncalls | awk '/\.c:/ { print $1; exit }')"

# ---- wrong inputs --------------------------------------------------------------------------------

# wrong CODE REGEX COMMAND...
wrong() {
    local expected=$1 regex=$2 output
    shift 2
    output=$("$@" 2>&1)
    equal "$* ends with $expected" "$expected" $?
    matches "and says why" "$regex" "$output"
}

printf '{"mayhem": "profile"' >cut.json
printf '{"mayhem": "profile", "version": 9}' >future.json
printf '{"mayhem": "profile", "version": 1, "process": 3}' >damaged.json
printf '{"some": "thing"}' >other.json
wrong 64 'say a time' "$root/run.sh" --dir wrong --profile=soon -q
wrong 64 'no command' ctl frobnicate
wrong 64 'must be one of: tottime' ctl profile --read whole.json --sort size
wrong 64 'must be a number' ctl profile --read whole.json --rows many
wrong 65 'No such file' ctl profile --read nowhere
wrong 65 'cannot read cut.json' ctl profile --read cut.json
wrong 65 'version is 9' ctl profile --read future.json
wrong 65 'damaged' ctl profile --read damaged.json
wrong 65 'it is no profile' ctl profile --read other.json
wrong 65 "no process 'nobody'" ctl profile --read whole.json --process nobody
wrong 73 'cannot write' ctl profile --read whole.json -o nowhere/file
