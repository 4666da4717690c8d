#!/usr/bin/env bash
# e2e_list.sh [SEED] [COUNT]: what a run goes on with, host by host, whatever has become of its list.
# First the cases of one stop each; then COUNT times, with the mock and with hosts that are files:
# stops, kill -9 and edits of the list at random. In the end each host on the last list is restarted,
# and once if it was never taken off; none is begun by a run whose list it is not on.
# shellcheck source=tests/e2e/e2e_lib.sh
. "$(dirname "$0")/e2e_lib.sh"

seed=${1:-1} count=${2:-1}
hosts=14 # in all, of which a list has some

# ---- one stop each -------------------------------------------------------------------------------

cat >restart <<'END'
#!/bin/sh
[ "$1" != --wrong ] || exit 2
sleep 0.3
echo "$1" >>record
END
chmod 755 restart

restarted() {
    sort record | paste -sd ' '
}

has_restarted() {
    (($(wc -l <record) >= $1))
}

# stop_after N OPTION...: N hosts are restarted, then the run is stopped.
stop_after() {
    local n=$1
    shift
    : >record
    launch --at-once 1 "$@"
    wait_until 20 has_restarted "$n" || not_ok "$n hosts are restarted" "$(cat out err)"
    kill -TERM "$run_pid"
    finish 20
    ends_with_code "$dir: stopped, exit 75" 75
}

dir=taken-off
command='./restart {host}'
hosts 6 >list
stop_after 2 -i list -x "$command"
sed -i '/00005/d; 1i# 5 is gone' list
run --at-once 1 -i list -x "$command"
ends_with_code "$dir: the same command again, exit 0" 0
equal "$dir: the others once each, and it never" "$(hosts 6 | grep -v 00005 | paste -sd ' ')" \
    "$(restarted)"
matches "$dir: it is said at once" '1 host is no longer on the list: withdrawn' "$(cat err)"
matches "$dir: and in the summary" \
    '6 in all: 5 restarted, 0 dead, 0 pending, 1 withdrawn \(no longer on the list\)' "$(cat out)"
equal "$dir: and is on record" 'web-00005' "$(store "SELECT host FROM jobs WHERE outcome = 'withdrawn'")"

dir=another-stream
hosts 6 >first
seq -f 'web-%05g' 4 9 >second
: >record
"$root/run.sh" --dir $dir --at-once 1 -i - -x "$command" <first >out 2>err &
run_pid=$!
started+=("$run_pid")
wait_until 20 has_restarted 2 || not_ok "$dir: two hosts are restarted" "$(cat out err)"
kill -TERM "$run_pid"
finish 20
ends_with_code "$dir: stopped, exit 75" 75
done_before=$(restarted)
timeout -k 5 60 "$root/run.sh" --dir $dir --at-once 1 -i - -x "$command" --json <second >out 2>err
code=$?
ends_with_code "$dir: another list on standard input, exit 0" 0
equal "$dir: it is done, and of the first one only what was" \
    "$({ tr ' ' '\n' <<<"$done_before"; cat second; } | sort -u | paste -sd ' ')" "$(restarted)"
equal "$dir: the others are withdrawn and counted" $((3 - $(wc -w <<<"$done_before"))) \
    "$(grep -o '"withdrawn":[0-9]*' out | grep -o '[0-9]*')"

dir=bad-line
{
    hosts 2
    echo 'web 3; reboot'
    seq -f 'web-%05g' 4 5
} >list
: >record
MAYHEM_LOCKS=$MAYHEM_LOCKS/$dir "$root/run.sh" --dir $dir -i - -x "$command" <list >out 2>err
code=$?
ends_with_code "$dir: a stream has a bad line, exit 65" 65
equal "$dir: what was before it is restarted" "$(hosts 2 | paste -sd ' ')" "$(restarted)"
matches "$dir: the last line has the reason, what is left and the way on" \
    '^stopped by bad input: standard input:3: .* or use --on-bad-line skip: 0 hosts left, and what the input still has; to go on, with the same streams: ' \
    "$(tail -n 1 out)"
again=$(tail -n 1 out)
sed -i 's/^web 3.*/web-00003/' list
(eval "${again#*with the same streams: }") <list >out 2>err
code=$?
ends_with_code "$dir: the line is mended, the same command, exit 0" 0
equal "$dir: each is restarted once" "$(hosts 5 | paste -sd ' ')" "$(restarted)"

dir=typo
hosts 5 >list
: >record
run --at-once 1 -i list -x './restart --wrong {host}' --attempts 1 --max-dead 2
ends_with_code "$dir: stopped by --max-dead, exit 75" 75
run --at-once 1 -i list -x "$command"
ends_with_code "$dir: another command is refused, exit 78" 78
matches "$dir: with both names, and the way on" \
    'exec: ./restart --wrong \{host\}.*exec: ./restart \{host\}.*--take-over' "$(cat err)"
equal "$dir: nothing was done" '' "$(restarted)"
run --at-once 5 -i list -x "$command" --take-over
ends_with_code "$dir: it takes over, exit 0" 0
equal "$dir: all are restarted" "$(hosts 5 | paste -sd ' ')" "$(restarted)"
matches "$dir: that is said" 'takes over from "exec: ./restart --wrong \{host\}": 3 of its jobs' \
    "$(cat err)"
matches "$dir: the counts are from zero" '5 in all: 5 restarted, 0 dead, 0 pending' "$(cat out)"

# Its attempt has no end, and neither driver can look: nobody knows what has become of web-00001.
dir=unseen
hosts 2 >list
: >record
launch --at-once 1 -i list -x 'sh -c "echo {host} >>record; sleep 20"'
wait_until 20 has_restarted 1 || not_ok "$dir: a restart begins" "$(cat out err)"
kill -KILL "$run_pid" "$(pid_of restarter-1)" "$(pid_of consumer)" "$(pid_of saver)" \
    "$(pid_of publisher)"
finish 20
run -i list -x "$command" --take-over
ends_with_code "$dir: taken over from in mid-restart, exit 1" 1
equal "$dir: it is not restarted, the other one is" 'web-00001 web-00002' "$(restarted)"
matches "$dir: it is named" 'web-00001 is not restarted: what was begun there' "$(cat err)"
matches "$dir: and counted" '1 restarted, 0 dead, 0 pending, 1 withdrawn' "$(cat out)"
matches "$dir: the last line says why" 'some hosts were withdrawn after they had begun' "$(cat out)"

# ---- at random -----------------------------------------------------------------------------------

export FILE_HOST_DOWN=100 FILE_HOST_DELAY=10
file_host=$build/tests/file_host
declare -A listed=() removed=() since=()

drawn() {
    ((RANDOM % $1 == 0))
}

# A list of its own form: listed hosts in any order, with comments, as JSON Lines, in capitals.
write_list() {
    local host form=$((RANDOM % 3))
    for host in $(printf '%s\n' "${!listed[@]}" | shuf --random-source=<(yes "$RANDOM")); do
        if ((form == 0)); then
            printf '# of the form %d\n\n%s\n' "$form" "$host"
        elif ((form == 1)); then
            printf '{"host":"%s","owner":"%d"}\n' "$host" "$RANDOM"
        else
            printf '%s\n' "${host^^}"
        fi
    done >"$1"
}

# Some hosts come and some go; never all.
edit_list() {
    local i host
    for ((i = 1; i <= hosts; i++)); do
        host=web-$i
        if [[ ${listed[$host]:-} ]] && drawn 4 && ((${#listed[@]} > 1)); then
            unset "listed[$host]"
            removed[$host]=yes
        elif [[ ! ${listed[$host]:-} ]] && drawn 4; then
            listed[$host]=yes
        fi
    done
}

# note_start PID: whatever begins from now on belongs to the run whose consumer has just been started;
# PID was the one before. Its pid file stays, since the run waits for that consumer to end.
note_start() {
    local i
    wait_until 20 is_started_again consumer "$1" || not_ok "$dir: the run starts" "$(cat out err)"
    since=()
    for ((i = 1; i <= hosts; i++)); do
        [[ ${listed[web-$i]:-} ]] || since[web-$i]=$(date +%s%3N)
    done
}

begun_too_late() {
    local word host pid ms
    while read -r word host pid ms; do
        host=${host,,}
        [[ $word != begin || ! ${since[$host]:-} ]] || ((ms < since[$host])) || echo "$host $ms $pid"
    done <"$dir.record"
}

go() {
    local name=$dir.list.$((RANDOM % 2)) former
    write_list "$name"
    former=$(pid_of consumer)
    if drawn 2; then
        env --default-signal=INT "$build/mayhem" run --dir "$dir" -i "$name" "${options[@]}" \
            >out 2>err </dev/null &
    else
        env --default-signal=INT "$build/mayhem" run --dir "$dir" -i - "${options[@]}" \
            >out 2>err <"$name" &
    fi
    run_pid=$!
    started+=("$run_pid")
    note_start "$former"
}

disturb() {
    local victim
    sleep "0.$((RANDOM % 9))"
    case $((RANDOM % 5)) in
    0) kill -KILL "$run_pid" 2>/dev/null ;;
    1 | 2)
        victim=$(pid_of "$(shuf -n 1 -e publisher consumer saver restarter-1)")
        [[ ! $victim ]] || kill -KILL "$victim" 2>/dev/null
        sleep "0.$((RANDOM % 9))"
        kill -TERM "$run_pid" 2>/dev/null
        ;;
    *) kill -"$(shuf -n 1 -e TERM INT)" "$run_pid" 2>/dev/null ;;
    esac
    wait_until 30 is_gone "$run_pid" || not_ok "$dir: the run ends" "$(cat out err)"
    wait "$run_pid" 2>/dev/null
    late=$(begun_too_late)
    [[ ! $late ]] || not_ok "$dir: none begins that is not on the list" "$late"
}

# The next command would begin a new run.
is_finished() {
    [[ $(outbox 'SELECT finished_ms > 0 FROM runs ORDER BY run DESC LIMIT 1') == 1 ]]
}

count_restarts() {
    if [[ $1 == mock ]]; then
        store "SELECT count(*) FROM jobs WHERE outcome = 'restarted' AND lower(host) = '$2'"
    else
        cat "$dir.files/$2" "$dir.files/${2^^}" 2>/dev/null | wc -l
    fi
}

judge() {
    # A run whose supervisor was killed may have finished before the next command: that is a new one.
    local host restarts wrong=() runs
    runs=$(outbox 'SELECT count(*) FROM runs')
    for host in "${!listed[@]}"; do
        restarts=$(count_restarts "$1" "$host")
        ((restarts == 1 || (restarts > 1 && (${#removed[$host]} > 0 || restarts <= runs)))) ||
            wrong+=("$host: $restarts, in $runs runs")
    done
    equal "$dir: each host on the last list is restarted, and once if it never was off" '' \
        "${wrong[*]}"
    equal "$dir: none began that was not on the list" '' "$(begun_too_late)"
    equal "$dir: nothing is left" 0 "$(outbox 'SELECT count(*) FROM jobs')"
}

# play KIND SEED
play() {
    local i steps
    dir=$1-$2 RANDOM=$2 listed=() removed=() since=()
    touch "$dir.record"
    export FILE_HOST_RECORD=$PWD/$dir.record
    options=(--locks "$work/locks/$dir" --at-once 4 -n 1 --slots 4 --drain-timeout 3s -q)
    if [[ $1 == mock ]]; then
        options+=(--mock --mock-time 200ms..1s)
    else
        options+=(-x "$file_host $dir.files reboot {host} {boot_id}"
            --identify "$file_host $dir.files identify {host}" --settle 100ms --timeout 5s
            --verify-timeout 5s)
    fi
    steps=$((2 + RANDOM % 4))
    for ((i = 0; i < steps; i++)); do
        ! is_finished || break
        edit_list
        ((${#listed[@]} > 0)) || listed[web-1]=yes
        go
        disturb
    done
    for ((i = 0, code = 0; i < 5; i++)); do
        ! is_finished || break
        go
        wait_until 60 is_gone "$run_pid" || not_ok "$dir: the last run ends" "$(cat out err)"
        wait "$run_pid"
        code=$?
        ((code == 75)) || break
    done
    at_most "$dir: it ends with 0, or 1 for what was withdrawn after it had begun" 1 "$code"
    ((code <= 1)) || not_ok "$dir: why" "$(cat out err)"
    judge "$1"
}

for ((round = 0; round < count; round++)); do
    play mock $((seed + round))
    play files $((seed + round))
done
