#!/usr/bin/env bash
# [HOSTS=N] campaign_run.sh [STOPS] [KILLS] [SEED]: the supervisor under stops and kills, with both cores busy.
# STOPS: TERM, INT, HUP, or INT twice, to `mayhem run`, from its first millisecond on. KILLS: kill -9
# of any process, the supervisor among them, while it works. After each, what has to end has ended;
# in the end every host is on record, and one is restarted twice only where a kill explains it.
# shellcheck source=tests/e2e/e2e_lib.sh
. "$(dirname "$0")/e2e_lib.sh"

stops=${1:-500} kills=${2:-2000}
RANDOM=${3:-1}
a_run=25     # stops before a run is finished and the next begins; so are four times as many kills
drain=3      # seconds
limit=7000   # ms from the signal until all have gone
load=()      # pids of what keeps the cores busy
wrong=0 longest=0 host_count=${HOSTS:-8000}

busy() {
    local i
    for ((i = 0; i < $(nproc); i++)); do
        yes >/dev/null &
        load+=("$!")
        started+=("$!")
    done
}

idle() {
    kill "${load[@]}" && wait "${load[@]}"
    load=()
} 2>/dev/null

judge() {
    [[ -f $dir/outbox.db && -f $dir/mayhem.db ]] || return 75
    "$build/tests/audit" -k "$dir/kills" "$dir/hosts" "$dir/mayhem.db" "$dir/outbox.db" "$dir/record"
}

begin() {
    dir=$1
    mkdir "$dir"
    hosts "$host_count" >"$dir/hosts"
    touch "$dir/record" "$dir/kills"
    options=(--dir "$dir" -i "$dir/hosts" -n 2 --slots 16 --drain-timeout "${drain}s" --attempts 1000
        --crash-limit 0 --restart-pause 20ms..100ms --again
        -x "'$build/tests/append' '$dir/record' {host} 5 60")
}

# The run in the background; sets run_pid.
go() {
    # A shell starts what is in the background with INT ignored.
    env --default-signal=INT "$build/mayhem" run "${options[@]}" >out 2>err </dev/null &
    run_pid=$!
    started+=("$run_pid")
    # Until then it is a shell, which may lose a signal.
    until is_mayhem "$run_pid" || is_gone "$run_pid"; do :; done
}

is_mayhem() {
    local name
    { read -r name <"/proc/$1/comm"; } 2>/dev/null && [[ $name == mayhem ]]
}

# A run that is not disturbed does all that is left.
settle() {
    go
    finish 120
    ends_with_code "$1: the same command finishes the rest, exit 0" 0
    check "$1: every host is on record, none twice without a cause" judge
}

# wrong_if CONDITION-IS-BAD TEXT...
wrong_if() {
    (($1)) || return 0
    shift
    not_ok "$@" "exit $code" "$(cat out err)" "living: $(living)"
    wrong=$((wrong + 1))
}

# ---- stops ---------------------------------------------------------------------------------------

one_stop() {
    local kind=$((RANDOM % 4)) moment took said
    # Half of them in the first 50 ms.
    printf -v moment '0.%03d' $((RANDOM % 2 ? RANDOM % 50 : RANDOM % 1000))
    go
    sleep "$moment"
    took=$(milliseconds)
    case $kind in
    0) kill -TERM "$run_pid" ;;
    1) kill -INT "$run_pid" ;;
    2) kill -HUP "$run_pid" ;;
    3)
        kill -INT "$run_pid"
        sleep 0.25
        kill -INT "$run_pid" 2>/dev/null
        ;;
    esac
    finish 30
    took=$(($(milliseconds) - took))
    ((took > longest)) && longest=$took
    [[ $kind != 3 ]] || wait_until 10 nothing_lives
    said=$(judge)
    # By the signal itself: it had not begun. 130: the second INT.
    wrong_if $((!(code == 75 || code == 0 || code == 129 || code == 130 || code == 143))) \
        "stop $1 (kind $kind) after $moment s ends as it should"
    wrong_if $((took > limit)) "stop $1 (kind $kind) after $moment s ends in time: $took ms"
    nothing_lives || wrong_if 1 "stop $1 (kind $kind) after $moment s leaves nothing running"
    [[ $said != *WRONG* ]] || wrong_if 1 "stop $1 (kind $kind) after $moment s loses nothing" "$said"
}

busy
for ((done = 0; done < stops;)); do
    begin "stops-$done"
    for ((last = done + a_run; done < last && done < stops; done++)); do
        one_stop "$done"
    done
    settle "after $done stops"
done
equal "$stops stops on busy cores, the longest $longest ms; wrong" 0 "$wrong"

# ---- kills ---------------------------------------------------------------------------------------

victims=(run consumer saver publisher restarter-1 restarter-2)
declare -A counts=()

# The supervisor is known by its own pid; the others by their pid files, once they are there.
one_kill() {
    local name=${victims[RANDOM % 6]} victim
    sleep "0.$((RANDOM % 2))$((RANDOM % 10))"
    if [[ $name == run ]]; then
        victim=$run_pid
    else
        victim=$(pid_of "$name")
        [[ $victim != "" ]] && grep -aqsF -- "--log-file=$dir/log/$name.log" "/proc/$victim/cmdline" ||
            return
    fi
    kill -KILL "$victim" 2>/dev/null || return
    printf '%s KILL %s %d 0\n' "$(date +%s%3N)" "$name" "$victim" >>"$dir/kills"
    counts[$name]=$((${counts[$name]:-0} + 1)) killed=$((killed + 1))
    [[ $name == run ]] || return
    wait "$run_pid" 2>/dev/null
    go # at once: it waits for what the other has left
}

begun=0 killed=0
while ((killed < kills)); do
    begin "kills-$begun"
    go
    begun=$((begun + 1))
    for ((last = killed + 4 * a_run; killed < last && killed < kills;)); do
        if is_gone "$run_pid"; then
            wait "$run_pid"
            code=$?
            [[ $code == 0 ]] || wrong_if 1 "after $killed kills the supervisor is still there"
            break # all hosts are done
        fi
        one_kill
    done
    is_gone "$run_pid" || { kill -TERM "$run_pid" && finish 30; }
    wait_until 10 nothing_lives || wrong_if 1 "after $killed kills nothing is left running"
    settle "after $killed kills"
done
idle
said=""
for name in "${!counts[@]}"; do
    said+=" $name ${counts[$name]}"
done
equal "$kills kills on busy cores, in $begun runs (${said# }); wrong" 0 "$wrong"
