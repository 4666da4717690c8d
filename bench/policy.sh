#!/usr/bin/env bash
# policy.sh BUILD: what a policy of 50 groups with all rules costs the consumer at HOSTS hosts, beside
# the same restarts without one, and how much memory WAITING hosts need. Instructions are counted
# at fewer hosts (COUNTED), by callgrind, in the core alone: a busy machine gives the same.
set -u
build=$(realpath -- "${1:-build}") hosts=${HOSTS:-100000} waiting=${WAITING:-1000000} counted=${COUNTED:-20000}
folder=$(mktemp -d) || exit 73
trap 'rm -rf "$folder"' EXIT

# In microseconds of a host.
cpu() {
    local line
    line=$("$build/bench/policy" "$1" "$hosts") || exit
    printf '%s\n' "$line" >&2
    sed -n 's/.* \([0-9.]*\) us of CPU.*/\1/p' <<<"$line"
}

# Instructions a host, in the core.
instructions() {
    valgrind -q --tool=callgrind --callgrind-out-file="$folder/out" --toggle-collect=part_step \
        "$build/bench/policy" "$1" "$counted" >/dev/null || exit
    sed -n 's/^\(summary\|totals\): //p' "$folder/out" | awk -v hosts="$counted" 'NR == 1 { printf "%d", $1 / hosts }'
}

ratio() {
    awk -v one="$1" -v other="$2" 'BEGIN { printf "%.2f", other / one }'
}

real=$(cpu real) && policy=$(cpu policy) || exit
printf 'CPU of the core with a policy, as a ratio: %s\n' "$(ratio "$real" "$policy")"
if command -v valgrind >/dev/null; then
    real=$(instructions real) && policy=$(instructions policy) || exit
    printf 'instructions a host, %s hosts: %s without, %s with a policy: %s\n' "$counted" "$real" "$policy" \
        "$(ratio "$real" "$policy")"
fi
"$build/bench/policy" waiting "$waiting" || exit
printf 'the publisher of as many (bench-leases):\n'
JOBS=$waiting "$(dirname "$0")/leases.sh" "$build"
