# ./run.sh --chaos: runs the pipeline in a folder of its own and kills its processes at random while
# they work: KILL to any, STOP and CONT to any, TERM to a restarter, which is then replaced by
# `scale`. When all is settled, tests/audit/audit.c judges what is left. Sourced by run.sh only.
#
# All choices come from the seed and are written down as DIR/plan before the first process starts;
# when they hit depends on the machine. It signals only processes that a pid file of its DIR names
# and whose command line says so. No TERM to the others: that ends a run, by contract.
# shellcheck shell=bash
# shellcheck disable=SC2154 # home, build, given and words are run.sh's
# shellcheck disable=SC2034 # crash_limit and delay_most are for run_supervise.sh

settle_limit=120 # seconds for all that is left when the last kill is done (I7)

# Milliseconds since 1970, in `wall`: what the record and the databases have, too.
read_wall() {
    wall=$((${EPOCHREALTIME/[.,]/} / 1000))
}

# ---- the plan ------------------------------------------------------------------------------------

# write_plan SECONDS SEED RESTARTERS: lines "AT_MS SIGNAL NAME SPAN_MS"
write_plan() {
    local at=1500 name signal span draw
    RANDOM=$2
    while ((at < $1 * 1000)); do
        draw=$((RANDOM % 100)) signal=KILL span=0
        if ((draw < 15)); then
            name=publisher
        elif ((draw < 35)); then
            name=consumer
        elif ((draw < 55)); then
            name=saver
        elif ((draw < 98)); then
            name=restarter-$((RANDOM % $3 + 1))
        else
            name=all
        fi
        draw=$((RANDOM % 100))
        if [[ $name == restarter-* ]] && ((draw >= 85)); then
            signal=TERM
        elif [[ $name != all ]] && ((draw >= 55)); then
            signal=STOP span=$((100 + RANDOM % 3900))
        fi
        printf '%d %s %s %d\n' "$at" "$signal" "$name" "$span"
        at=$((at + 50 + RANDOM % 700))
    done
}

# ---- killing -------------------------------------------------------------------------------------

# In `victim`: the pid of NAME, when it runs and is ours; a process that has just been forked has
# not its own command line yet.
find_victim() {
    victim=""
    { read -r victim <"$dir/$1.pid"; } 2>/dev/null
    [[ $victim =~ ^[0-9]+$ ]] && is_ours "$1" "$victim"
}

is_ours() {
    grep -aqsF -- "--log-file=$dir/log/$1.log" "/proc/$2/cmdline"
}

# What is owed: CONT to those that were stopped, a replacement of those that were told to leave.
pay_debts() {
    local number
    for number in "${!stopped[@]}"; do
        ((wall < until[number])) && continue
        ! is_ours "${stopped[$number]}" "$number" || kill -CONT "$number" 2>/dev/null
        unset "stopped[$number]" "until[$number]"
    done
    for number in "${!leavers[@]}"; do
        is_ours "${leavers[$number]}" "$number" && continue
        unset "leavers[$number]"
        # Not at once: run.sh must have seen it go, or it would still count.
        scale_at=$((wall + 300))
    done
    if ((scale_at && wall >= scale_at)); then
        scale_at=0
        "$home/run.sh" scale "$restarters" --dir "$dir" >/dev/null 2>&1 9>&- ||
            scale_at=$((wall + 500))
    fi
}

# strike SIGNAL NAME SPAN_MS
strike() {
    local victim
    find_victim "$2" || return
    read_wall
    kill -"$1" "$victim" 2>/dev/null || return
    printf '%d %s %s %d %d\n' "$wall" "$1" "$2" "$victim" "$3" >>"$dir/kills"
    [[ -v told_quiet ]] || printf '%7d.%d s  %-4s %-12s %s\n' $(((wall - began) / 1000)) \
        $(((wall - began) / 100 % 10)) "$1" "$2" "${3/#0/}" >&3
    case $1 in
    STOP) stopped[victim]=$2 until[victim]=$((wall + $3)) ;;
    TERM) leavers[victim]=$2 ;;
    esac
}

# Sleeps without a process, until WALL or the next thing owed.
doze_until() {
    while read_wall && ((wall < $1)); do
        pay_debts
        read -r -t 0.02 -u 9
    done
    pay_debts
}

let_go() {
    local number
    for number in "${!stopped[@]}"; do
        ! is_ours "${stopped[$number]}" "$number" || kill -CONT "$number" 2>/dev/null
    done
    exit 0
}

# Carries the plan out, and then waits to be ended; a run that does not end in time is stopped.
torment() {
    local at signal name span wall began scale_at=0
    local -a stopped=() until=() leavers=() # by pid
    trap let_go TERM INT HUP
    exec 9<> <(:)
    read_wall
    began=$wall
    while read -r at signal name span; do
        doze_until $((began + at))
        if [[ $name == all ]]; then
            for name in publisher consumer saver; do
                strike KILL "$name" 0
            done
            for ((at = 1; at <= restarters; at++)); do
                strike KILL "restarter-$at" 0
            done
        else
            strike "$signal" "$name" "$span"
        fi
    done <"$dir/plan"
    doze_until $((wall + 4000))
    scale_at=1
    doze_until $((wall + settle_limit * 1000))
    printf 'run.sh: not settled %d s after the last kill: stopping\n' "$settle_limit" >&3
    kill -TERM $$
    doze_until $((wall + 600000))
}

# ---- the run -------------------------------------------------------------------------------------

# Only a folder that was made here is removed.
remake_folder() {
    ! is_taken || die_taken
    if [[ -e $dir ]] && [[ ! -f $dir/plan || ! -f $dir/kills ]]; then
        die 73 "$dir is no folder of --chaos, which removes it: choose another with --dir"
    fi
    rm -rf -- "$dir"
    mkdir -p -- "$dir" 2>/dev/null ||
        die 73 "cannot create the folder $dir: choose another with --dir"
    chmod 700 "$dir"
}

# Sets what run.sh is given, and `records`.
give_options() {
    local number rate=${given[rate]:-}
    local total=${given[jobs]:-}
    if [[ -v given[mock-time] ]]; then
        rate=${rate:-1000}
        given[mock-fail]=${given[mock-fail]:-5%}
    else
        rate=${rate:-50}
        given[exec]="'$build/tests/append' '$dir/record' {host} 5 100"
    fi
    [[ $rate =~ ^[1-9][0-9]{0,5}$ ]] || die 64 "--rate $rate: --chaos takes 1 to 999999"
    total=${total:-$((rate * seconds))}
    [[ $total =~ ^[1-9][0-9]{0,7}$ ]] || die 64 "--jobs $total: --chaos takes 1 to 99999999"
    unset "given[jobs]" "given[chaos]"
    seq -f 'chaos-%08.0f' 1 "$total" >"$dir/hosts" || die 73 "cannot create $dir/hosts"
    given[dir]=$dir given[input]=$dir/hosts given[rate]=$rate given[attempts]=1000
    [[ ! -v given[quiet] ]] || told_quiet=1
    given[quiet]=1
    records=("$dir/record")
    [[ ! -v given[mock-time] ]] || records=()
    : >"$dir/kills"
    write_plan "$seconds" "$seed" "$restarters" >"$dir/plan"
}

# What ended without a kill of ours, and what it said on standard error, such as an assertion.
tell_crashes() {
    local crashes
    crashes=$(
        grep -v '^run\.sh: ' "$dir/log/stderr.log"
        grep ': restarting (' "$dir/log/run.log" | grep -v 'was killed by signal 9:'
    )
    [[ $crashes != "" ]] || return
    printf 'WRONG processes ended by themselves, or complained:\n'
    head -n 10 <<<"$crashes"
    verdict=1
}

judge() {
    local file verdict logs=()
    for file in "$dir"/log/{publisher,consumer,saver,restarter-*}.log; do
        logs+=(-l "$file")
    done
    ((${#records[@]})) || records=("$dir"/log/restarter-*.log)
    "$build/tests/audit" -k "$dir/kills" "${logs[@]}" "$dir/hosts" "$dir/mayhem.db" \
        "$dir/outbox.db" "${records[@]}"
    verdict=$?
    tell_crashes
    printf 'again: %s\n' "$again"
    exit "$verdict"
}

run_chaos() {
    local seconds=${words[0]:-60} seed restarters again records=()
    if ((${#words[@]} > 1)) || [[ ! $seconds =~ ^[1-9][0-9]{0,4}$ ]]; then
        die 64 "--chaos takes the number of seconds: ./run.sh --chaos 60"
    fi
    words=(--chaos)
    only_options "chaos seed dir restarters jobs rate slots window mock-time mock-fail \
drain-timeout quiet no-install"
    seed=${given[seed]:-$((SRANDOM % 1000000))}
    [[ $seed =~ ^[0-9]{1,9}$ ]] || die 64 "--seed $seed: --chaos takes a number below 1000000000"
    restarters=${given[restarters]:-3}
    is_count "$restarters" 1 || die 64 "-n $restarters: the number of restarters is 1 to 256"
    dir=${given[dir]:-run.chaos} dir=${dir%/}
    given[seed]=$seed
    again="./run.sh --chaos $seconds"
    local name
    for name in seed dir restarters jobs rate slots window mock-time mock-fail; do
        [[ ! -v given[$name] ]] || again+=" --$name ${given[$name]}"
    done
    build_programs
    [[ -v MAYHEM_BUILD ]] || make -s -C "$home" --no-print-directory audit >&2 ||
        die 70 "the build failed: see the errors above"
    [[ -x $build/tests/audit ]] || die 69 "no $build/tests/audit: build it with make audit"
    remake_folder
    give_options
    mkdir -p "$dir/log"
    exec 3>&1 4>>"$dir/log/stderr.log" 7<&0 8>&1 </dev/null
    printf 'chaos: %d hosts, %d kills planned in %d s, seed %d, in %s\n' "$(wc -l <"$dir/hosts")" \
        "$(wc -l <"$dir/plan")" "$seconds" "$seed" "$dir"
    crash_limit=1000000 delay_most=20
    prepare
    take_folder
    torment 2>>"$dir/log/chaos.log" 4>&- 6>&- 7<&- 8>&- </dev/null &
    tormentor=$!
    supervise
    exec 2>&3
    kill "$tormentor" 2>/dev/null
    wait "$tormentor" 2>/dev/null
    (summarize)
    judge
}
