#!/usr/bin/env bash
# What the kernel and the processor count for one job, all processes together: perf counts where it
# happens and slows nothing down, as strace would. Two runs that differ in their length only are
# subtracted, so that neither start, warm-up nor end is in the figures. One line of key=value.
#
#   counts.sh BUILD pipeline|skeleton RATE  system calls by kind and context switches, at so many jobs/s
#   counts.sh BUILD pipeline|skeleton max   cache misses and instructions, at full rate
#
# Ends with 69 when perf cannot count these here: a virtual machine often has no counters of the processor.
# SECONDS_MORE (10) at a rate, JOBS_MORE (1000000) at full rate, RESTARTERS (2), BENCH_DIR (/tmp).
set -u

usage='usage: counts.sh BUILD pipeline|skeleton RATE|max'
build=$(cd "${1:?$usage}" && pwd) || exit 73
program=${2:?$usage} rate=${3:?$usage}
work=$(mktemp -d "${BENCH_DIR:-${TMPDIR:-/tmp}}/mayhem-counts.XXXXXX") || exit 73
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM HUP

if [[ $rate == max ]]; then
    more=${JOBS_MORE:-1000000}
    short=(-n 200000) long=(-n $((200000 + more)))
    events=${EVENTS:-cache-misses,instructions}
else
    seconds=${SECONDS_MORE:-10}
    more=$((rate * seconds))
    short=(-p "$rate" -s 2) long=(-p "$rate" -s $((2 + seconds)))
    kinds=(poll getpid epoll_wait epoll_ctl recvfrom recvmsg sendto sendmsg read write futex fdatasync
        fsync pwrite64 pread64 fcntl)
    events=context-switches,raw_syscalls:sys_enter$(printf ',syscalls:sys_enter_%s' "${kinds[@]}")
fi

# count NAME COMMAND...: the counts go to the file $work/NAME.
count() {
    perf stat -x, -e "$events" -o "$work/$1" "${@:2}" >"$work/said" 2>"$work/errors"
}

# run NAME OPTION...
run() {
    local command=("$build/bench/$program" "${@:2}")
    [[ $program != pipeline ]] || {
        mkdir "$work/run"
        command+=(-r "${RESTARTERS:-2}" "$build" "$work/run")
    }
    count "$1" "${command[@]}" || {
        tail -n 5 "$work/errors" >&2
        exit 70
    }
    rm -rf "$work/run"
}

if ! count probe true || grep -q '^<not' "$work/probe"; then
    printf 'counts: perf cannot count this here (install linux-perf; it needs the right to trace)\n' >&2
    exit 69
fi
run short "${short[@]}"
run long "${long[@]}"
awk -F, -v jobs="$more" '
    $3 == "" { next }
    { sub(/.*:sys_enter/, "calls", $3); gsub(/-/, "_", $3) }
    FNR == NR { before[$3] = $1; next }
    { printf "%s=%.2f ", $3, ($1 - before[$3]) / jobs }
    END { print "" }' "$work/short" "$work/long"
