# The supervisor of run.sh: it starts the processes, restarts those that crash, stops all at once on
# a signal or when one of them ends the run, and prints the summary. Sourced by run.sh only.
#
# All waits are bounded. It knows processes, not jobs: the protocol has the order in which processes
# leave, and the databases have what is done and what is left.
#
# Descriptors: 3 = the user's screen, 4 = the same for errors, 5 = a child's input, 6 = the lock of
# DIR, 7 = run.sh's own input, 8 = the summary. Standard error goes to DIR/log/run.log meanwhile,
# since bash prints there that a child was "Killed".
# shellcheck shell=bash
# shellcheck disable=SC2154 # build, dir, drain, given, input and restarters are run.sh's

# ---- messages ------------------------------------------------------------------------------------

record() {
    printf '%(%Y-%m-%dT%H:%M:%S%z)T run.sh[%d] %s\n' -1 $$ "$1" >>"$dir/log/run.log"
}

say() {
    record "$1"
    [[ -v given[quiet] ]] || printf '%s%s\n' "$clear" "$1" >&3
}

warn() {
    record "$1"
    printf '%srun.sh: %s\n' "$clear" "$1" >&4
}

# ---- waiting -------------------------------------------------------------------------------------

# Children by name. All times are those of tick.
declare -A pid=() born=() due=() kill_at=() leaving=() crashes=() restarts=() delay=()
followers=() unclean=() waker="" woken="" signals="" rescale="" stopping="" stopped_at=0
feeder="" code="" is_demo="" clear="" profile_time="" profile_for=""
crash_limit=10 delay_most=500 # restarts of one process within a minute; the longest wait before one
under=()                      # the command that each process runs under, with NAME and PID in it
tormentor=""                  # of --chaos: it must not kill a process that leaves
substitute=none               # for a saver that has left before the consumer

# shellcheck disable=SC2317 # a trap's
wake() {
    woken=1
    [[ $waker == "" ]] || kill "$waker" 2>/dev/null
}

# Waits for so many hundredths of a second, at most ten, or until a signal: its trap ends the sleep.
# A trap that ran since `woken` was cleared ends it at once, so that no signal is missed. The ends of
# children are polled ten times a second: with a trap for CHLD bash 5.2 dies once in some hundred
# runs, since it may run the trap in its signal handler, amid a malloc; and `wait -n` misses a child
# that has ended just before it.
pause() {
    local seconds
    printf -v seconds '0.%02d' $(($1 < 10 ? $1 : 10))
    sleep "$seconds" >/dev/null 2>&1 3>&- 4>&- 6>&- 7<&- 8>&- &
    waker=$!
    [[ $woken == "" ]] || kill "$waker" 2>/dev/null
    wait "$waker"
    waker=""
}

# `timeout` sends its signal twice at once: the second signal is one that comes later.
# shellcheck disable=SC2317 # a trap's
on_signal() {
    tick
    if [[ $signals == "" ]]; then
        signals=$1 signaled_at=$now
    elif [[ $1 != HUP ]] && ((now - signaled_at >= 20)); then
        signals+=" again"
    fi
    wake
}

# ---- starting and stopping -----------------------------------------------------------------------

# Standard input goes through a file to the publisher, so that a restarted publisher can read it
# again. Both helpers ignore Ctrl-C, which would look like the end of the hosts.
open_input() {
    exec 5</dev/null
    [[ $1 == publisher && $input == - ]] || return 0
    if [[ $feeder == "" ]]; then
        : >"$dir/stdin"
        cat <&7 >>"$dir/stdin" 3>&- 4>&- 5<&- 6>&- 7<&- 8>&- &
        feeder=$!
    fi
    exec 5< <(
        trap '' INT HUP TERM
        exec tail -q -s 0.1 -c +1 -f --pid="$feeder" -- "$dir/stdin" 3>&- 4>&- 5<&- 6>&- 7<&- 8>&-
    )
}

start() {
    local name=$1 log=$dir/log/$1.log size padded
    local -n arguments=args_${1%%-*}
    : >>"$log"
    size=$(stat -c %s -- "$log")
    open_input "$name"
    set -m # in a process group of its own: only run.sh gets Ctrl-C
    "${under[@]/NAME.PID.out/$name.$BASHPID.out}" \
        "$build/mayhem-${name%%-*}" "${arguments[@]}" "--id=$name" "--log-file=$log" \
        <&5 >&3 2>&4 3>&- 4>&- 5<&- 6>&- 7<&- 8>&- &
    pid[$name]=$!
    if [[ $is_demo && ! -v given[quiet] ]]; then
        tail -q -s 0.1 -c +$((size + 1)) -f --pid="${pid[$name]}" -- "$log" \
            >&4 2>/dev/null 3>&- 4>&- 5<&- 6>&- 7<&- 8>&- &
        followers+=("$!")
    fi
    set +m
    exec 5<&-
    born[$name]=$now
    unset "due[$name]" "leaving[$name]" "kill_at[$name]"
    printf '%d\n' "${pid[$name]}" >"$dir/$name.pid"
    printf -v padded '%-14s pid %d' "$name" "${pid[$name]}"
    say "$padded"
}

# The limit is the last resort: each process keeps the drain timeout itself.
terminate() {
    kill -TERM "${pid[$1]}" 2>/dev/null
    kill_at[$1]=$((now + drain + 200))
}

# Sends TERM to all at once: the protocol has the order of their ends. A second TERM would end at once
# who is leaving already. The first exit code counts.
stop_all() {
    local name
    code=${code:-$1}
    [[ $stopping == "" ]] || return 0
    stopping=1 stopped_at=$now due=()
    [[ $tormentor == "" ]] || kill "$tormentor" 2>/dev/null
    for name in "${!pid[@]}"; do
        [[ $name == "$substitute" || -v leaving[$name] ]] || terminate "$name"
    done
}

end_at_once() {
    local name
    warn "second signal: ending at once"
    kill -KILL "${pid[@]}" 2>/dev/null
    for name in "${!pid[@]}"; do
        rm -f -- "$dir/$name.pid"
    done
    kill ${feeder:+"$feeder"} ${tormentor:+"$tormentor"} 2>/dev/null
    rm -f -- "$dir/run.pid" "$dir/stdin"
    exit 130
}

take_signals() {
    [[ $signals != *again* ]] || end_at_once
    [[ $signals != "" && $signals != *told* ]] || return 0
    warn "received SIG$signals: what runs is finished, the rest is kept for the next run \
(at most $((drain / 100)) s; once more ends at once)"
    signals+=" told"
    stop_all ""
}

# Sets `crew`: the restarters that run or are about to, lowest number first.
find_crew() {
    local number name
    crew=()
    for number in {1..512}; do
        name=restarter-$number
        [[ (-v pid[$name] || -v due[$name]) && ! -v leaving[$name] ]] && crew+=("$name")
    done
}

# Answers `./run.sh scale`.
take_scale() {
    local wanted number name crew=()
    [[ $rescale != "" ]] || return 0
    rescale=""
    if [[ $stopping != "" ]] || ! read -r wanted <"$dir/scale" || ! is_count "$wanted" 0; then
        rm -f -- "$dir/scale" "$dir/scaled"
        return
    fi
    find_crew
    for ((number = 1; ${#crew[@]} < 10#$wanted; number++)); do
        name=restarter-$number
        [[ -v pid[$name] || -v due[$name] ]] && continue
        start "$name"
        crew+=("$name")
    done
    for name in "${crew[@]:10#$wanted}"; do
        unset "due[$name]"
        [[ -v pid[$name] ]] || continue
        leaving[$name]=1
        terminate "$name"
        say "$name finishes what it runs and leaves"
    done
    find_crew
    for name in "${crew[@]}"; do
        printf '%-14s pid %s\n' "$name" "${pid[$name]:-(restarting)}"
    done >"$dir/scaled"
    rm -f -- "$dir/scale"
}

# ---- how children end ----------------------------------------------------------------------------

# Restarts a crashed process after a growing delay. Too many crashes end the run.
crashed() {
    local name=$1 how=$2 moment recent=0
    ((now - born[$name] < 1000)) || unset "delay[$name]"
    crashes[$name]+=" $now"
    for moment in ${crashes[$name]}; do
        ((now - moment >= 6000 || ++recent))
    done
    if ((recent > crash_limit)); then
        warn "$name $how, after $crash_limit restarts within a minute: stopping \
(see $dir/log/$name.log)"
        stop_all 70
        return
    fi
    due[$name]=$((now + ${delay[$name]:=10}))
    delay[$name]=$((delay[$name] * 2 < delay_most ? delay[$name] * 2 : delay_most))
    warn "$name $how: restarting ($((++restarts[$name])))"
}

restarter_left() {
    local crew=()
    say "$1 has left"
    find_crew
    ((${#crew[@]})) ||
        warn "the last restarter has left: jobs wait until \`./run.sh scale 1\` brings one back"
}

# A child has ended with this status of `wait`: 128 + N is signal N.
ended() {
    local name=$1 status=$2 how="ended with $2"
    ((status <= 128)) || how="was killed by signal $((status - 128))"
    if [[ $stopping != "" || -v leaving[$name] ]]; then
        record "$name $how"
        # 143: TERM came before its handler was installed.
        [[ $status == 0 || $status == 143 || $name:$status == publisher:75 ]] ||
            unclean+=("$name $how")
        [[ $stopping != "" || $name != restarter-* ]] || restarter_left "$name"
        unset "leaving[$name]"
        [[ $name != consumer || ! -v pid[$substitute] ]] || terminate "$substitute"
        return
    fi
    [[ ! $status =~ ^(129|130|143)$ ]] || status=0 # a signal before its handler, or a second one
    case $name:$status in
    publisher:0)
        record "$name $how"
        stop_all ""
        ;;
    restarter-*:0) restarter_left "$name" ;;
    *:0)
        warn "$name has left: stopping"
        # One more, for the jobs that are being restarted; without a consumer it would never end.
        if [[ $name == saver && -v pid[consumer] ]]; then
            start saver
            substitute=saver
        fi
        stop_all 75
        ;;
    publisher:75)
        record "$name $how"
        say "the input is cut off, as asked for: stopping"
        stop_all 75
        ;;
    *:6[4-9] | *:7[0-8])
        warn "$name $how: stopping"
        stop_all "$status"
        ;;
    *) crashed "$name" "$how" ;;
    esac
}

sweep() {
    local name status
    for name in "${!pid[@]}"; do
        kill -0 "${pid[$name]}" 2>/dev/null && continue
        wait "${pid[$name]}"
        status=$?
        unset "pid[$name]" "kill_at[$name]"
        rm -f -- "$dir/$name.pid"
        ended "$name" "$status"
    done
}

# --profile=TIME ends the run as Ctrl-C does.
end_profile() {
    [[ $profile_for != "" && $stopping == "" ]] || return 0
    if ((now >= started_at + profile_for)); then
        say "profiled for $profile_time: stopping"
        stop_all ""
    else
        until=$((started_at + profile_for))
    fi
}

# Does what is due, and sets `until` to the next deadline.
take_timers() {
    local name
    until=$((now + 360000))
    for name in "${!due[@]}"; do
        ((due[$name] > now)) || start "$name"
    done
    for name in "${!kill_at[@]}"; do
        ((kill_at[$name] > now)) && continue
        kill -KILL "${pid[$name]}" 2>/dev/null
        unset "kill_at[$name]"
    done
    end_profile
    for name in "${due[@]}" "${kill_at[@]}"; do
        until=$((name < until ? name : until))
    done
}

supervise() {
    local number until started_at
    exec 2>>"$dir/log/run.log"
    export MAYHEM_PARENT=$$ # when this run.sh is killed, its children drain
    trap 'on_signal INT' INT
    trap 'on_signal TERM' TERM
    trap 'on_signal HUP' HUP
    trap 'rescale=1; wake' USR1
    trap : PIPE
    tick
    started_at=$now
    start consumer
    start saver
    for ((number = 1; number <= restarters; number++)); do
        start "restarter-$number"
    done
    start publisher
    while ((${#pid[@]} + ${#due[@]})); do
        woken=""
        tick
        take_signals
        sweep # first: a process that has left must not count for `scale`
        take_scale
        take_timers
        ((${#pid[@]} + ${#due[@]} == 0)) || pause $((until - now))
    done
}

# ---- summary -------------------------------------------------------------------------------------

# Complains when the copy of standard input is not complete: hosts are missing then.
close_input() {
    [[ $feeder != "" ]] || return 0
    if ! kill -0 "$feeder" 2>/dev/null && ! wait "$feeder"; then
        warn "standard input could not be kept in $dir/stdin: the last hosts are missing"
        code=74
    fi
    kill "$feeder" 2>/dev/null
    rm -f -- "$dir/stdin"
}

# Shows the saved profiles, and converts them to the formats of other tools.
show_profile() {
    local form
    [[ -v given[profile] ]] || return 0
    if is_by_line; then
        "$build/mayhemctl" lines "--dir=$dir" --top=12 >&3 2>&4 || return 0
        printf '\nline by line: %s lines --dir %s FUNCTION\n\n' \
            "${build#"$PWD/"}/mayhemctl" "$dir" >&3
        return
    fi
    for form in table:txt callgrind:callgrind folded:folded; do
        "$build/mayhemctl" profile "--read=$dir/profile" "--format=${form%:*}" \
            "--output=$dir/profile.${form#*:}" 2>&4 || return 0
    done
    head -n 20 -- "$dir/profile.txt" >&3
    printf '...\n\nall of it: %s; for KCacheGrind: %s; for flame graphs: %s\n\n' \
        "$dir/profile.txt" "$dir/profile.callgrind" "$dir/profile.folded" >&3
}

summarize() {
    local follower format=text report status clean=true why=""
    unset MAYHEM_PARENT # the report does not drain
    for follower in "${followers[@]}"; do
        timeout 2 tail -s 0.05 -f --pid="$follower" /dev/null || kill "$follower" 2>/dev/null
    done
    rm -f -- "$dir/run.pid"
    show_profile
    # Without a run there is no summary: the program that could not start has said why.
    [[ -f $dir/publisher.run ]] || exit "${code:-70}"
    rm -f -- "$dir/publisher.run"
    [[ ! -v given[json] ]] || format=json
    report=$("$build/mayhem-publisher" "--dir=$dir" "--report=$format" 2>&4)
    status=$?
    code=${code:-$status}
    if ((${#unclean[@]})); then
        clean=false
        printf -v why '; %s' "${unclean[@]}"
    fi
    record "ended with $code, clean shutdown: $clean$why"
    if [[ $format == json ]]; then
        [[ $report != *\} ]] ||
            printf '%s,"clean_shutdown":%s,"exit_code":%d}\n' "${report%\}}" "$clean" "$code" >&8
    else
        [[ $report == "" ]] || printf '%s\n' "$report" >&8
        [[ $clean == false ]] || printf -v why ' (%d.%02d s)' $(((now - stopped_at) / 100)) \
            $(((now - stopped_at) % 100))
        printf 'clean shutdown: %s%s\n' "$([[ $clean == true ]] && echo yes || echo no)" "$why" >&8
    fi
    exit "$code"
}
