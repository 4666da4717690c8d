#!/usr/bin/env bash
# Draws the results of `make bench` as SVG, medians only: CPU per job by process, jobs/s by number of
# restarters, and how long jobs take. Needs gnuplot.
#
# charts.sh RESULTS FOLDER
set -u

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
results=${1:?usage: charts.sh RESULTS FOLDER}
folder=${2:?usage: charts.sh RESULTS FOLDER}
command -v gnuplot >/dev/null || {
    printf 'bench: the charts need gnuplot (apt-get install gnuplot-nox)\n' >&2
    exit 69
}
[[ -s $results ]] || {
    printf 'bench: there is no %s: run make bench\n' "$results" >&2
    exit 65
}
work=$(mktemp -d) || exit 73
trap 'rm -rf "$work"' EXIT
awk -v medians=1 -f "$root/bench/spread.awk" -f "$root/bench/table.awk" "$results" >"$work/medians"

# median CASE VARIANT SIDE KEY: 0 when it was not measured.
median() {
    awk -v name="$1 $2 $3 $4" '$1 " " $2 " " $3 " " $4 == name { value = $5 } END { print value + 0 }' \
        "$work/medians"
}

# draw NAME TITLE LABEL COLUMNS [COMMAND]...: the bars of $work/NAME, whose first line has the names.
draw() {
    local name=$1 title=$2 label=$3 columns=$4
    shift 4
    gnuplot <<END
set terminal svg size 760,400 font "sans-serif,13" background "white"
set output "$folder/bench-$name.svg"
set title "$title"
set ylabel "$label"
set style data histograms
set style fill solid 0.8 border rgb "white"
set grid ytics lc rgb "#dddddd"
set key outside right
set yrange [0:*]
$(printf '%s\n' "$@")
plot for [i=2:$((columns + 1))] "$work/$name" using i:xtic(1) title columnheader(i)
END
}

{
    printf 'side publisher consumer saver restarters\n'
    for side in pipeline skeleton; do
        printf '%s' "$side"
        for role in publisher consumer saver restarter; do
            printf ' %s' "$(median throughput defaults "$side" "cpu_$role")"
        done
        printf '\n'
    done
} >"$work/cpu"
draw cpu 'CPU time per job' 'µs' 4 'set style histogram rowstacked' 'set boxwidth 0.5'

{
    printf 'restarters pipeline skeleton\n'
    for number in 1 2 4 16; do
        printf '%d %s %s\n' "$number" "$(median restarters "$number" pipeline jobs_per_s)" \
            "$(median restarters "$number" skeleton jobs_per_s)"
    done
} >"$work/restarters"
draw restarters 'Jobs a second, by number of restarters' 'jobs/s' 2

{
    printf 'rate p50 p99 "p50 of fdatasync" "p50 of the skeleton"\n'
    for rate in 200/s 2000/s 20000/s; do
        printf '%s' "$rate"
        for figure in 'pipeline p50_us' 'pipeline p99_us' 'disk p50_us' 'skeleton p50_us'; do
            # shellcheck disable=SC2086 # two words
            printf ' %s' "$(median latency "$rate" $figure)"
        done
        printf '\n'
    done
} >"$work/latency"
draw latency 'From publish to ack' 'µs' 4 'set logscale y' 'set yrange [10:*]'
printf 'bench: drawn into %s: bench-cpu.svg bench-restarters.svg bench-latency.svg\n' "$folder"
