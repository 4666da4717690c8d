#!/usr/bin/env bash
# commands.sh BUILD SIDE FILE: runs one command for each host of a list, CALLS at a time, by one
# program, and prints what that has cost: "commands_per_s=… cpu_ms=…". CPU is that of all processes
# involved, the commands included; time is from start to exit. SIDE is pipeline (the whole of
# `mayhem run`, record and logs on disk, with one restarter) or a program that does the same without
# any of that: xargs, parallel, pdsh, clush. Each says by its exit code whether all commands went
# well. Exit 69: it is not installed.
set -u
build=$(realpath -- "${1:?usage: commands.sh BUILD SIDE FILE}") side=${2:?} hosts=$(realpath -- "${3:?}")
calls=${CALLS:-64}
program=$(type -P true) || exit 69
folder=$(mktemp -d "${BENCH_DIR:-${TMPDIR:-/tmp}}/mayhem-commands.XXXXXX") || exit 73
export MAYHEM_LOCKS=$folder/locks MAYHEM_AGAIN=yes # of its own: not the user's
trap 'rm -rf "$folder"' EXIT
cd "$folder" || exit 73
TIMEFORMAT='%R %U %S'

by_pipeline() {
    "$build/mayhem" run --dir run -i "$hosts" -n 1 --slots "$calls" --at-once "$calls" \
        -x "$program {host}" -q
}

by_xargs() {
    xargs -P "$calls" -n 1 "$program" <"$hosts"
}

by_parallel() {
    parallel --will-cite -j "$calls" "$program" <"$hosts"
}

by_pdsh() {
    pdsh -S -R exec -f "$calls" -w "^$hosts" "$program" %h
}

by_clush() {
    clush -S --worker=exec -f "$calls" --hostfile "$hosts" "$program" %h
}

[[ $side == pipeline ]] || type -P "$side" >/dev/null || exit 69
count=$(wc -l <"$hosts")
if ! times=$({ time "by_$side" >out 2>err </dev/null; } 2>&1); then
    cat out err >&2
    exit 70
fi
awk -v count="$count" '{
    printf "commands_per_s=%.1f cpu_ms=%.4f\n", count / $1, ($2 + $3) * 1000 / count
}' <<<"$times"
