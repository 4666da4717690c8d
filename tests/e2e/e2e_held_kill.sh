#!/usr/bin/env bash
# e2e_held_kill.sh [COUNT] [SEED]: kill -9 of everything, the supervisor too, at the moment of a trip, a
# halt, an absolve, and in each step of a ramp: before and behind each commit and send of it, by
# the crash points of common/runtime/crash.h. The same command then goes on, and what was in force
# is. A restart is a command that writes down that it was started. COUNT: so many more, drawn.
# shellcheck source=tests/e2e/e2e_lib.sh
. "$(dirname "$0")/e2e_lib.sh"
# shellcheck source=tests/e2e/policy_lib.sh
. "$root/tests/e2e/policy_lib.sh"

count=${1:-0}
RANDOM=${2:-1}
at_a_time=5 # cases side by side: they mostly wait
build=$(realpath -m -- "$build")
if ! make -s -C "$root" --no-print-directory BUILD="$build" crash >make.log 2>&1; then
    not_ok "the programs with crash points are built" "$(cat make.log)"
    exit 1
fi
programs=$build/crash
saver_commits=('mayhem-saver/store: before commit' 'mayhem-saver/store: committed, not answered')
order_commits=('mayhem-saver/store: before orders are committed' 'mayhem-saver/store: orders committed, not answered')
consumer_sends=('mayhem-consumer/consumer: before orders are sent' 'mayhem-consumer/consumer: before tasks are sent'
    'mayhem-consumer/consumer: results read' 'mayhem-consumer/consumer: before notices are sent')

# A host's boot and its time are one file that is there at once: the scripts are killed, too.
cat >boot.sh <<'END'
#!/bin/sh
echo "$(cat /proc/sys/kernel/random/uuid) $2" >"$1.boot.$$" && mv "$1.boot.$$" "$1.boot"
END
# A host begins; those that are bad fail, and those that are gone never come back.
cat >restart.sh <<'END'
#!/bin/sh
cd "$1" || exit 1
echo "$2" >>begun
sleep 0.1
case $2 in bad-*) [ -e healed ] || exit 1 ;; gone-*) touch "$2.is_gone" ;; esac
exec ../boot.sh "$2" "$(date +%s%3N)"
END
# Machine, boot and uptime, as files have it.
cat >identify.sh <<'END'
#!/bin/sh
cd "$1" && [ ! -e "$2.is_gone" ] || exit 255
[ -e "$2.boot" ] || ../boot.sh "$2" 1000
printf '%s' "$2" | md5sum | cut -d ' ' -f 1
read -r boot since <"$2.boot"
echo "$boot"
up=$(($(date +%s%3N) - since)) # in whole seconds it would seem longer than it is
printf '%d.%02d 1.00\n' $((up / 1000)) $((up % 1000 / 10))
END
chmod +x boot.sh restart.sh identify.sh

# ---- a case, in a folder of its own, which is that of its run --------------------------------------

# begin NAME: its folder, where it is to be from now on.
begin() {
    dir=$work/$1
    mkdir "$dir" && cd "$dir" || exit 73
    how=(-x "$work/restart.sh $dir {host}")
    : >begun
}

# go [POINT:COUNT]: the run, which dies there.
go() {
    MAYHEM_CRASH=${1:-} MAYHEM_CRASH_ONCE=$dir/hit MAYHEM_LOCKS=$work/locks/$(basename "$dir") \
        "$programs/mayhem" run --dir "$dir" -i hosts.txt --config policy.ini --unleash -q --attempts 1 \
        -n 2 --slots 4 --cooldown 0s --restart-pause 20ms..100ms "${how[@]}" >>out 2>>err </dev/null &
    run_pid=$!
}

order() {
    timeout 20 "$programs/mayhem" "$@" --why 'the test' --dir "$dir" --timeout 3s >>orders 2>&1
}

is_hit() {
    [[ -e hit ]]
}

# die NAME SECONDS [COMMAND...]: kill -9 of all as soon as the point is hit; where it is not, when the
# command succeeds, or the time is over.
die() {
    local end_ms=$(($(milliseconds) + $2 * 1000))
    until is_hit || { [[ $3 ]] && "${@:3}"; } || (($(milliseconds) > end_ms)); do
        sleep 0.002
    done
    kill_everything
    is_hit && printf '# %s: hit\n' "$1"
}

distinct() {
    sort -u begun | wc -l
}

has_ended() {
    is_gone "$run_pid"
}

# What is in force is known, and would have been ignored by now: nothing begins for 2 s at first.
let_it_go_on() {
    local from
    from=$(milliseconds)
    until (($(milliseconds) > from + 3500)); do sleep 0.1; done
}

# over NAME CODE: the run ends so; each host has its outcome, and the judge finds nothing.
over() {
    finish 60
    ends_with_code "$1: the rest ends with $2" "$2"
    equal "$1: every host has an outcome" "$(lines_in hosts.txt)" "$(settled)"
    "$programs/mayhem" audit verify --dir "$dir" >verified
    equal "$1: the audit is intact" 0 "$?"
    judge_audit mayhem.db >found
    equal "$1: the judge finds nothing in it" "0 " "$? $(head -n -1 found)"
}

holds() {
    [[ $(store "SELECT count(*) FROM holds WHERE kind = '$1'") == 1 ]]
}

is_halted() { holds halt; }
has_tripped() { holds trip; }

trip_case() {
    local name="trip, $1"
    printf '%s groups=web\n' bad-1 bad-2 bad-3 web-1 web-2 web-3 >hosts.txt
    printf '[group web]\ncap = 1\nbreaker = 2/2\n' >policy.ini
    go "$1"
    die "$name" 8 has_tripped
    go
    wait_until 20 has_tripped || not_ok "$name: it trips" "$(tail -n 5 log/*.log)"
    let_it_go_on
    equal "$name: two have begun, and no third one" "bad-1 bad-2" "$(sort -u begun | paste -sd ' ')"
    : >healed
    if has_ended; then # the trip was on record
        finish 20
        ends_with_code "$name: the same command ends at once: exit 75" 75
        check "$name: it is resumed" order resume web
        go
    else
        check "$name: it is resumed" order resume web
    fi
    over "$name" 1
}

# Where it was answered, it is in force; else when it is on record.
halt_case() {
    local name="halt, $1" begun answered
    hosts 12 >hosts.txt
    printf '[run]\nat-once = 2\n[group web]\ncap = 2\n' >policy.ini
    sed -i 's/$/ groups=web/' hosts.txt
    go "$1"
    wait_until 20 has_lines begun 3 || is_hit || not_ok "$name: hosts begin" "$(tail -n 5 log/*.log)"
    order halt &
    order_pid=$!
    die "$name" 8 is_gone "$order_pid"
    wait "$order_pid"
    answered=$?
    if [[ $answered == 0 ]]; then check "$name: what was answered is on record" is_halted; fi
    if is_halted; then
        begun=$(lines_in begun)
        go
        let_it_go_on
        equal "$name: nothing begins" "$begun" "$(lines_in begun)"
        check "$name: it is resumed" order resume
    else
        go
    fi
    over "$name" 0
}

# Its outcome is on record, too: until then that makes it one again.
is_casualty() {
    (($(settled) > 0)) &&
    [[ $(store "SELECT count(*) FROM places WHERE host = 'gone-1' AND casualty AND NOT open") == 1 ]]
}

absolve_case() {
    local name="absolve, $1" answered is_early=no
    printf '%s groups=db\n' gone-1 db-1 db-2 >hosts.txt
    printf '[group db]\nmax-unavailable = 1\n' >policy.ini
    how+=(--identify "$work/identify.sh $dir {host}" --settle 0s --verify-timeout 3s --timeout 5s)
    go "$1"
    wait_until 20 is_casualty || is_hit || not_ok "$name: there is a casualty" "$(tail -n 5 log/*.log)"
    is_casualty || is_early=yes # a point that was hit before it is one
    check "$name: it has the place of the others" test "$(sort -u begun | grep -v gone-1)" = ""
    order absolve gone-1 &
    order_pid=$!
    die "$name" 8 is_gone "$order_pid"
    wait "$order_pid"
    answered=$?
    if [[ $answered == 0 ]] && is_casualty; then not_ok "$name: what was answered is on record"; fi
    answered=no
    is_casualty || answered=yes
    go
    if [[ $answered == no || $is_early == yes ]]; then
        wait_until 20 is_casualty || not_ok "$name: it is a casualty again" "$(tail -n 5 log/*.log)"
        let_it_go_on
        equal "$name: it is not on record, and nothing begins" gone-1 "$(sort -u begun)"
        check "$name: it is absolved" order absolve gone-1
    fi
    over "$name" 1
}

# Of the ramp 1, 2, 4: so many may have begun when so many are restarted on record.
in_the_ramp() {
    if (($1 < 1)); then echo 1; elif (($1 < 3)); then echo 3; elif (($1 < 7)); then echo 7; else echo 10; fi
}

# ramp_case POINT:COUNT...: it dies at each of them, one behind the other.
ramp_case() {
    local name="ramp, $*" point restarted
    hosts 10 >hosts.txt
    sed -i 's/$/ groups=web/' hosts.txt
    printf '[group web]\nramp = 1,2,4\nbake = 1s\n' >policy.ini
    for point; do
        rm -f hit
        go "$point"
        die "$name" 6 has_ended
        is_hit || (($(settled) < 10)) || return # it was done before that: another one would begin
        restarted=$(store "SELECT count(*) FROM jobs WHERE outcome = 'restarted'")
        at_most "$name: with ${restarted:-0} restarted no more have begun than the step has" \
            "$(in_the_ramp "${restarted:-0}")" "$(distinct)"
    done
    go
    over "$name" 0
}

# ---- all of them -----------------------------------------------------------------------------------

number=0
# try CASE [POINT:COUNT]...: in the background.
try() {
    while (($(jobs -rp | wc -l) >= at_a_time)); do wait -n; done
    number=$((number + 1))
    { begin "case$number" && "$@"; } >"tried.$number" 2>&1 &
    started+=("$!")
}

try ramp_case "${saver_commits[1]}:3" "${saver_commits[1]}:4" "${saver_commits[1]}:6"
try ramp_case "${saver_commits[0]}:4" "${consumer_sends[2]}:6" "${saver_commits[0]}:5"
for point in "${order_commits[@]}"; do # the first one is that a run has begun
    try trip_case "$point:2"
    try halt_case "$point:2"
    try absolve_case "$point:2"
done
try trip_case "${saver_commits[0]}:6"
try trip_case "${saver_commits[1]}:6"
try trip_case "${consumer_sends[0]}:3"
try halt_case "${consumer_sends[0]}:3"
try halt_case ''
try absolve_case ''
points=("${saver_commits[@]}" "${order_commits[@]}" "${consumer_sends[@]}")
drawn() {
    printf '%s:%d' "${points[RANDOM % ${#points[@]}]}" $((1 + RANDOM % $1))
}
for ((i = 0; i < count; i++)); do
    case $((RANDOM % 4)) in
    0) try trip_case "$(drawn 10)" ;;
    1) try halt_case "$(drawn 6)" ;;
    2) try absolve_case "$(drawn 6)" ;;
    3) try ramp_case "$(drawn 8)" "$(drawn 8)" "$(drawn 8)" "$(drawn 8)" ;;
    esac
done
wait
for ((i = 1; i <= number; i++)); do cat "tried.$i"; done
printf '# %d cases, in %d of them a point was hit\n' "$number" "$(grep -l ': hit$' tried.* | wc -l)"
check "nothing is left running" nothing_lives
[[ ! -v KEEP ]] || cp -r . "$KEEP" # to look at
