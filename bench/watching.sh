#!/usr/bin/env bash
# What it costs to be looked at, in instructions, which noise cannot fool: the real processes under
# callgrind. `make watching` runs it.
#
#   profile   the share of the loop profile in the instructions of a whole run
#   viewer    instructions of all processes for one look of `mayhem top`, against what they run
#             in a second at full rate
#
# What is done once a second is taken out of a run that is some fifty times slower than it would be,
# and counted against a second at full rate.
#
# watching.sh BUILD. JOBS (20000), LOOKS (20).
set -u

build=$(cd "${1:?usage: watching.sh BUILD}" && pwd) || exit 73
jobs=${JOBS:-20000} looks=${LOOKS:-20}
work=$(mktemp -d "${TMPDIR:-/tmp}/mayhem-watching.XXXXXX") || exit 73
cd "$work" || exit 73
pids=()
trap 'kill -KILL "${pids[@]}" 2>/dev/null; rm -rf "$work"' EXIT
trap 'exit 130' INT TERM HUP
command -v valgrind >/dev/null || {
    printf 'watching: valgrind is not installed (apt-get install valgrind)\n' >&2
    exit 69
}

# Valgrind lets nobody go beyond the soft limit; the processes need that many.
ulimit -Sn 4096 2>/dev/null

# A process that counts is some fifty times slower.
export MAYHEM_LOST_AFTER=1m MAYHEM_ACK_DEADLINE=1m MAYHEM_SLOW_CALLBACK=0s MAYHEM_MOCK_TIME=0s..0s

# start DIR NAME OPTION...
start() {
    local dir=$1 name=$2
    shift 2
    valgrind -q --tool=callgrind --callgrind-out-file="$dir/$name.counts" \
        "$build/mayhem-${name%%-*}" --dir "$dir" --id "$name" --log-file "$dir/$name.log" "$@" \
        2>>"$dir/errors" &
    pids+=($!)
}

# start_workers DIR
start_workers() {
    pids=()
    mkdir "$1"
    start "$1" consumer
    start "$1" saver
    start "$1" restarter-1
    start "$1" restarter-2
}

# end DIR: ends all that run; prints how many instructions they all have run.
end() {
    kill -TERM "${pids[@]}" 2>/dev/null
    wait "${pids[@]}"
    awk '$1 == "summary:" || $1 == "totals:" { if (!(FILENAME in seen)) sum += $2; seen[FILENAME] = 1 }
         END { printf "%.0f\n", sum }' "$1"/*.counts
}

# count_jobs DIR: instructions of a whole run.
count_jobs() {
    seq -f 'web-%07.0f.example.net' "$jobs" >hosts.txt
    start_workers "$1"
    start "$1" publisher --input "$work/hosts.txt" --progress off
    wait "${pids[-1]}" || {
        printf 'watching: the run failed\n' >&2
        tail -n 5 "$1/errors" >&2
        exit 70
    }
    unset 'pids[-1]'
    end "$1"
}

# count_idle DIR LOOKS: instructions of a pipeline that has nothing to do but to be looked at; a
# profile of the last 30 seconds is saved, too, when that is more than a few times.
count_idle() {
    mkfifo "$1.input"
    start_workers "$1"
    exec 9<>"$1.input"
    start "$1" publisher --input "$work/$1.input" --progress off 9>&-
    until [[ $(grep -shcE 'Joined the consumer|Ready; waiting' "$1"/{saver,restarter-1,restarter-2,publisher}.log |
        paste -sd +) == 1+1+1+1 ]]; do
        sleep 0.2
        kill -0 "${pids[@]}" || exit 70
    done
    look_at "$1" "$2" || {
        kill -KILL "${pids[@]}"
        exit 70
    }
    end "$1"
    exec 9>&-
}

# look_at DIR LOOKS
look_at() {
    "$build/mayhem" top --dir "$1" -b -n "$2" >"$1.seen" || return
    (($2 <= 3)) || "$build/mayhem" profile --dir "$1" --last 30s -o "$1.profile"
}

# inclusive DIR FUNCTION...: what these functions have cost, with all that they call.
inclusive() {
    local dir=$1 file
    shift
    for file in "$dir"/*.counts; do
        callgrind_annotate --inclusive=yes --threshold=100 "$file"
    done 2>/dev/null | awk -v wanted=" $* " '/\[/ {
        sub(/\[.*/, "")
        name = $NF
        sub(/.*:/, "", name)
        if (index(wanted, " " name " ")) { gsub(/,/, "", $1); sum += $1 }
    } END { printf "%.0f\n", sum }'
}

# calls_of DIR FUNCTION: how often it was called. In the files a name stands with its first number.
calls_of() {
    awk -v wanted="$2" '/^c?fn=/ {
        id = $1
        sub(/^c?fn=/, "", id)
        if (NF > 1) name[FILENAME id] = $2
        if (/^cfn=/) is_wanted = name[FILENAME id] == wanted
    }
    /^calls=/ && is_wanted { split($1, count, "="); sum += count[2] }
    END { printf "%.0f\n", sum }' "$1"/*.counts
}

mkdir native
line=$("$build/bench/pipeline" -n 400000 -r 2 "$build" native 2>/dev/null)
rate=${line#*jobs_per_s=} rate=${rate%% *} rate=${rate%%.*}

all=$(count_jobs run) || exit
spans=$(inclusive run mm_span_enter mm_span_leave mm_span_begin_turn mm_span_end_turn \
    mm_span_begin_counted mm_span_end_counted)
seconds=$(inclusive run mm_span_see_threads mm_profile_close_slice) # within mm_span_end_turn
inlined=$(($(calls_of run mm_span_begin_counted) * 32 * 9)) # one in 32 is timed; nine in the caller
awk -v all="$all" -v jobs="$jobs" -v spans="$((spans + inlined))" -v seconds="$seconds" 'BEGIN {
    job = (all - seconds) / jobs
    printf "profile   %d of %d instructions a job: %.2f %%\n", (spans - seconds) / jobs, job,
        100 * (spans - seconds) / (all - seconds) }'

# Two runs that differ in how often they were looked at, and for how long.
few=$(count_idle few 3) || exit
many=$(count_idle many $((3 + looks))) || exit
awk -v look=$(((many - few) / looks)) -v job=$((all / jobs)) -v rate="$rate" 'BEGIN {
    printf "viewer    %d instructions a second, of all processes; at %d jobs/s: ratio %.4f\n", look,
        rate, 1 + look / (rate * job) }'
