#!/usr/bin/env bash
# spawner.sh BUILD: what it costs to start commands, `true` COUNT times, 64 at a time: the spawner in
# turn with `xargs -P 64 -n 1`. Each round has both, so what else the machine does hits both. CPU is
# that of all processes involved. Prints medians, and the medians of the rounds' ratios.
set -u
build=$(realpath -- "${1:-build}") count=${COUNT:-4000} rounds=${RUNS:-7} parallel=64
program=$(type -P true) || exit 69
folder=$(mktemp -d) || exit 73
trap 'rm -rf "$folder"' EXIT
TIMEFORMAT='%R %U %S'

by_spawner() { "$build/bench/spawner" "$count" "$parallel" "$program"; }
by_xargs() { seq "$count" | xargs -P "$parallel" -n 1 "$program"; }

# once NAME FUNCTION: appends "commands/s CPU-ms-each" to the file NAME
once() {
    local times
    times=$({ time "$2" >/dev/null; } 2>&1) || { echo "$times" >&2 && exit 70; }
    awk -v count="$count" '{ print count / $1, ($2 + $3) * 1000 / count }' <<<"$times" >>"$folder/$1"
}

# median COLUMN FILE FORMAT
median() {
    awk -v column="$1" '{ print $column }' "$2" | sort -n |
        awk -v format="$3" '{ value[NR] = $1 } END { printf format, value[int((NR + 1) / 2)] }'
}

for ((i = 0; i < rounds; i++)); do
    once spawner by_spawner
    once xargs by_xargs
done
for name in spawner xargs; do
    printf '%-8s %s commands/s, %s ms CPU each\n' "$name" "$(median 1 "$folder/$name" '%6.0f')" \
        "$(median 2 "$folder/$name" '%.2f')"
done
paste -d ' ' "$folder/spawner" "$folder/xargs" | awk '{ print $1 / $3, $2 / $4 }' >"$folder/ratio"
printf 'ratio    %s commands/s, %s CPU\n' "$(median 1 "$folder/ratio" '%6.2f')" \
    "$(median 2 "$folder/ratio" '%.2f')"
