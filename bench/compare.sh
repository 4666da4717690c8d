#!/usr/bin/env bash
# Whether a change made the pipeline slower: the pipelines of two builds in turn, in pairs, so that
# what else the machine does meets both alike. Prints the median ratio of jobs a second (new by old)
# with its 95 % interval (order statistics of the ratios, no assumption about their distribution), and
# the same for CPU time a job. Ends with 1 when the lower end of jobs a second is below LEAST.
#
# Both are measured by the new build's bench/pipeline, which says what counts.
#
# compare.sh OLD-BUILD NEW-BUILD     PAIRS (30), JOBS (300000), LEAST (0.97), BENCH_DIR (/tmp)
set -u

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
old=$(cd "${1:?usage: compare.sh OLD-BUILD NEW-BUILD}" && pwd) || exit 73
new=$(cd "${2:?usage: compare.sh OLD-BUILD NEW-BUILD}" && pwd) || exit 73
pairs=${PAIRS:-30} jobs=${JOBS:-300000} least=${LEAST:-0.97}
work=$(mktemp -d "${BENCH_DIR:-/tmp}/mayhem-compare.XXXXXX") || exit 73
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM HUP
[[ -x $new/bench/pipeline ]] || {
    printf 'compare: no %s/bench/pipeline: make BUILD=%s %s/bench/pipeline\n' "$new" "$new" "$new" >&2
    exit 69
}

# measure BUILD: "JOBS_PER_S CPU_US_PER_JOB" of one run.
measure() {
    local line
    mkdir "$work/run"
    line=$("$new/bench/pipeline" -n "$jobs" -r 2 "$1" "$work/run") || exit 70
    rm -rf "$work/run"
    sed -n 's/.*jobs_per_s=\([0-9.]*\).*cpu_us_per_job=\([0-9.]*\).*/\1 \2/p' <<<"$line"
}

for ((pair = 1; pair <= pairs; pair++)); do
    if ((pair % 2)); then
        a=$(measure "$old") && b=$(measure "$new")
    else
        b=$(measure "$new") && a=$(measure "$old")
    fi
    read -r old_speed old_cpu <<<"$a"
    read -r new_speed new_cpu <<<"$b"
    printf '%s %s %s %s\n' "$old_speed" "$new_speed" "$old_cpu" "$new_cpu" | tee -a "$work/pairs"
done

awk -v least="$least" -f "$root/bench/spread.awk" -f "$root/bench/compare.awk" "$work/pairs"
