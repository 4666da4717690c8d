# ./run.sh --chaos: runs the pipeline in a folder of its own and kills its processes at random while
# they work: KILL to any, STOP and CONT to any, TERM to a restarter, which is then replaced by
# `scale`. When all is settled, tests/audit/audit.c judges what is left. Sourced by run.sh, with its
# functions; run by nobody else.
#
# Its hosts are files (tests/fleet/file_host.c) that count their own reboots, identified by their
# boot ids. Beside it in DIR/plain the same hosts are restarted by the same command without that,
# under the same kills: what is restarted twice in either is told at the end.
#
# With --store URI the record of DIR is there; it must have none yet. DIR/plain keeps a file.
#
# All choices come from the seed and are written down as DIR/plan before the first process starts;
# when they hit depends on the machine. It signals only processes that a pid file of its DIR names
# and whose command line says so. No TERM to the others: that ends a run, by contract.
# shellcheck shell=bash
# shellcheck disable=SC2154,SC2317 # home and build are run.sh's; functions are for traps

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

# A process is FOLDER/NAME. In `victim`: its pid, when it runs and is ours; one that has just been
# forked has not its own command line yet.
find_victim() {
    victim=""
    { read -r victim <"$1.pid"; } 2>/dev/null
    [[ $victim =~ ^[0-9]+$ ]] && is_ours "$1" "$victim"
}

is_ours() {
    grep -aqsF -- "--log-file=${1%/*}/log/${1##*/}.log" "/proc/$2/cmdline"
}

# What is owed: CONT to those that were stopped, a replacement of those that were told to leave.
pay_debts() {
    local number folder
    for number in "${!stopped[@]}"; do
        ((wall < until[number])) && continue
        ! is_ours "${stopped[$number]}" "$number" || kill -CONT "$number" 2>/dev/null
        unset "stopped[$number]" "until[$number]"
    done
    for number in "${!leavers[@]}"; do
        is_ours "${leavers[$number]}" "$number" && continue
        unset "leavers[$number]"
        # Not at once: the supervisor must have seen it go, or it would still count.
        scale_at=$((wall + 300))
    done
    if ((scale_at && wall >= scale_at)); then
        scale_at=0
        for folder in "${folders[@]}"; do
            "$build/mayhem" scale "$restarters" --dir "$folder" >/dev/null 2>&1 9>&- ||
                scale_at=$((wall + 500))
        done
    fi
}

# strike SIGNAL NAME SPAN_MS: in each folder.
strike() {
    local victim folder
    for folder in "${folders[@]}"; do
        find_victim "$folder/$2" || continue
        read_wall
        kill -"$1" "$victim" 2>/dev/null || continue
        printf '%d %s %s %d %d\n' "$wall" "$1" "$2" "$victim" "$3" >>"$folder/kills"
        [[ -v quiet || $folder != "$dir" ]] || printf '%7d.%d s  %-4s %-12s %s\n' \
            $(((wall - began) / 1000)) $(((wall - began) / 100 % 10)) "$1" "$2" "${3/#0/}"
        case $1 in
        STOP) stopped[victim]=$folder/$2 until[victim]=$((wall + $3)) ;;
        TERM) leavers[victim]=$folder/$2 ;;
        esac
    done
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

# Carries the plan out while the run lasts; one that does not end in time is stopped.
torment() {
    local at signal name span wall began scale_at=0
    local -a stopped=() until=() leavers=() # by pid
    trap let_go EXIT
    trap exit TERM INT HUP
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
    printf 'run.sh: not settled %d s after the last kill: stopping\n' "$settle_limit"
    kill -TERM "${runs[@]}"
    doze_until $((wall + 600000))
}

# ---- the run -------------------------------------------------------------------------------------

# Only a folder that was made here is removed.
remake_folder() {
    [[ ! -e $dir/run.lock ]] || flock -n "$dir/run.lock" true || die 69 "another run has $dir"
    if [[ -e $dir ]] && [[ ! -f $dir/plan || ! -f $dir/kills ]]; then
        die 73 "$dir is no folder of --chaos, which removes it: choose another with --dir"
    fi
    rm -rf -- "$dir"
    for folder in "${folders[@]}"; do
        mkdir -p -- "$folder/log" "$folder/fleet" 2>/dev/null ||
            die 73 "cannot create the folder $folder: choose another with --dir"
        : >"$folder/kills"
    done
    chmod 700 "$dir"
}

# Sets `options` for each `mayhem run`.
give_options() {
    if [[ -v given[mock-time] ]]; then
        given[rate]=${given[rate]:-1000} given[mock-fail]=${given[mock-fail]:-5%}
    else
        given[rate]=${given[rate]:-50} given[slots]=${given[slots]:-100}
        given[at-once]=$((restarters * given[slots])) given[timeout]=2s
        given[verify-timeout]=8s given[exec-ok]=0,255
    fi
    [[ ${given[rate]} =~ ^[1-9][0-9]{0,5}$ ]] || die 64 "--rate ${given[rate]}: 1 to 999999"
    local total=${given[jobs]:-$((given[rate] * seconds))} name
    [[ $total =~ ^[1-9][0-9]{0,7}$ ]] || die 64 "--jobs $total: --chaos takes 1 to 99999999"
    unset "given[jobs]"
    seq -f 'chaos-%08.0f' 1 "$total" >"$dir/hosts" || die 73 "cannot create $dir/hosts"
    options=(--input "$dir/hosts" --attempts 1000 --quiet --crash-limit 0
        --restart-pause 100ms..200ms)
    for name in "${!given[@]}"; do
        [[ $name == dir || $name == store ]] || options+=("--$name=${given[$name]}")
    done
    write_plan "$seconds" "${given[seed]}" "$restarters" >"$dir/plan"
}

# begin FOLDER [OPTION]...: a run there, of hosts of its own.
begin() {
    local folder=$1
    shift
    # Both restart hosts of the same names, which are others.
    MAYHEM_LOCKS=$folder/locks FILE_HOST_RECORD=$folder/record "$build/mayhem" run --dir "$folder" "${options[@]}" "$@" \
        2>>"$folder/log/stderr.log" </dev/null &
    runs+=($!)
}

begin_all() {
    local host="'$build/tests/file_host' '$dir/fleet'" store=()
    [[ ! -v given[store] ]] || store=(--store "${given[store]}")
    if [[ -v given[mock-time] ]]; then
        begin "$dir" "${store[@]}"
        return
    fi
    export FILE_HOST_DELAY=200 FILE_HOST_DOWN=300
    begin "$dir" --exec "$host reboot {host} {boot_id}" --identify "$host identify {host}" \
        --health "$host health {host}" --settle 1s "${store[@]}"
    begin "$dir/plain" --exec "'$build/tests/file_host' '$dir/plain/fleet' reboot {host}" \
        >"$dir/plain/summary"
}

# finish PID: until it has ended, whatever signal comes.
finish() {
    local status
    until wait "$1"; status=$?; ((status < 128)) || ! kill -0 "$1" 2>/dev/null; do :; done
}

# What ended without a kill of ours, and what it said on standard error, such as an assertion.
tell_crashes() {
    local crashes
    crashes=$(
        grep -v '^run\.sh: ' "$1/log/stderr.log"
        grep ': restarting (' "$1/log/run.log" | grep -v 'was killed by signal 9:'
    )
    [[ $crashes != "" ]] || return 0
    printf 'WRONG processes ended by themselves, or complained:\n'
    head -n 10 <<<"$crashes"
    return 1
}

# judge FOLDER STORE: 0 when all is right, 1 when something is wrong, another code when it is not finished.
judge() {
    local file verdict logs=() records=("$1/record")
    for file in "$1"/log/{publisher,consumer,saver,restarter-*}.log; do
        logs+=(-l "$file")
    done
    [[ ! -v given[mock-time] ]] || records=("$1"/log/restarter-*.log)
    "$build/tests/audit" -k "$1/kills" "${logs[@]}" "$dir/hosts" "$2" "$1/outbox.db" \
        "${records[@]}"
    verdict=$?
    tell_crashes "$1" || verdict=1
    return "$verdict"
}

# Hosts that have counted two reboots or more: each is a line of 32 bytes.
twice() {
    find "$1/fleet" -type f -size +32c | wc -l
}

judge_all() {
    local verdict said
    judge "$dir" "${given[store]:-$dir/mayhem.db}"
    verdict=$?
    if [[ ! -v given[mock-time] ]]; then
        said=$(judge "$dir/plain" "$dir/plain/mayhem.db") ||
            { verdict=1 && printf 'without identify:\n%s\n' "$said"; }
        printf 'restarted twice: %d of %d (without identify: %d)\n' "$(twice "$dir")" \
            "$(wc -l <"$dir/hosts")" "$(twice "$dir/plain")"
    fi
    printf 'again: %s\n' "$again"
    return "$verdict"
}

# Sets `given` and `seconds` from the command line.
parse_chaos() {
    local word
    while (($#)); do
        word=$1
        shift
        case $word in
        --quiet | -q) quiet=1 ;;
        -n) given[restarters]=${1:-} && shift ;;
        --seed=* | --dir=* | --restarters=* | --jobs=* | --rate=* | --slots=* | --leases=* | --window=* | \
            --mock-time=* | --mock-fail=* | --drain-timeout=* | --store=*)
            word=${word#--} && given[${word%%=*}]=${word#*=}
            ;;
        --seed | --dir | --restarters | --jobs | --rate | --slots | --leases | --window | --mock-time | \
            --mock-fail | --drain-timeout | --store)
            (($#)) || die 64 "$word needs a value"
            given[${word#--}]=$1 && shift
            ;;
        -*) die 64 "--chaos does not take $word" ;;
        *) [[ $seconds == "" ]] || die 64 "unknown argument $word" && seconds=$word ;;
        esac
    done
    seconds=${seconds:-60}
    [[ $seconds =~ ^[1-9][0-9]{0,4}$ ]] ||
        die 64 "--chaos takes the number of seconds: ./run.sh --chaos 60"
}

# A record with other jobs could not be judged.
check_store() {
    [[ ${given[store]} =~ ^postgres(ql)?:// ]] || die 64 "--chaos takes --store postgresql://..."
    "$build/tests/audit" -e "${given[store]}"
    case $? in
    0) ;;
    1) die 73 "jobs are on record in --store: --chaos wants a database that has none" ;;
    *) die 69 "--store cannot be read" ;;
    esac
}

declare -A given=() # option → value
seconds="" options=() runs=()
parse_chaos "$@"
again="./run.sh --chaos $seconds"
given[seed]=${given[seed]:-$((SRANDOM % 1000000))} given[restarters]=${given[restarters]:-3}
for name in seed dir restarters jobs rate slots window mock-time mock-fail; do
    [[ ! -v given[$name] ]] || again+=" --$name ${given[$name]}"
done
[[ ${given[seed]} =~ ^[0-9]{1,9}$ ]] || die 64 "--seed takes a number below 1000000000"
restarters=${given[restarters]}
[[ $restarters =~ ^[1-9][0-9]{0,2}$ ]] || die 64 "--restarters $restarters: 1 to 256"
[[ ${given[slots]:-1} =~ ^[1-9][0-9]{0,3}$ ]] || die 64 "--slots ${given[slots]}: 1 to 9999"
dir=${given[dir]:-run.chaos} dir=${dir%/} folders=("$dir")
[[ -v given[mock-time] ]] || folders+=("$dir/plain")
build all audit fleet
for name in audit file_host; do
    [[ -x $build/tests/$name ]] || die 69 "no $build/tests/$name: build it with make audit fleet"
done
[[ ! -v given[store] ]] || check_store
remake_folder
give_options
printf 'chaos: %d hosts, %d kills planned in %d s, seed %d, in %s\n' "$(wc -l <"$dir/hosts")" \
    "$(wc -l <"$dir/plan")" "$seconds" "${given[seed]}" "$dir"
begin_all
torment 2>>"$dir/log/chaos.log" </dev/null &
tormentor=$!
trap 'kill "$tormentor"; kill -INT "${runs[@]}"' INT TERM HUP
for run in "${runs[@]}"; do
    finish "$run"
done
kill "$tormentor" 2>/dev/null
wait "$tormentor" 2>/dev/null
judge_all
exit
