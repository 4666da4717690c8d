#!/usr/bin/env bash
# Draws the results of `make bench` as SVG, medians only: CPU per job by process, jobs/s by number of
# restarters, and how long jobs take; and of each part of the case `growth` what a job costs. What
# was not measured is not drawn. Needs gnuplot.
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
drawn=
awk -v medians=1 -f "$root/bench/spread.awk" -f "$root/bench/table.awk" "$results" >"$work/medians"

# median CASE VARIANT SIDE KEY: 0 when it was not measured.
median() {
    awk -v name="$1 $2 $3 $4" '$1 " " $2 " " $3 " " $4 == name { value = $5 } END { print value + 0 }' \
        "$work/medians"
}

has() {
    grep -q "^$1 " "$work/medians"
}

# draw NAME CASE TITLE LABEL COLUMNS [COMMAND]...: the bars of $work/NAME, whose first line has the names.
draw() {
    local name=$1 title=$3 label=$4 columns=$5
    has "$2" || return
    drawn+=" bench-$name.svg"
    shift 5
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
draw cpu throughput 'CPU time per job' 'µs' 4 'set style histogram rowstacked' 'set boxwidth 0.5'

{
    printf 'restarters pipeline skeleton\n'
    for number in 1 2 4 16; do
        printf '%d %s %s\n' "$number" "$(median restarters "$number" pipeline jobs_per_s)" \
            "$(median restarters "$number" skeleton jobs_per_s)"
    done
} >"$work/restarters"
draw restarters restarters 'Jobs a second, by number of restarters' 'jobs/s' 2

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
draw latency latency 'From publish to ack' 'µs' 4 'set logscale y' 'set yrange [10:*]'

# grow NAME TITLE LABEL CASE KEY LINE [CASE KEY LINE]...: as something grows, the CPU time of a job
# (left), or the jobs a second (right, dashed).
grow() {
    local name=growth-$1 title=$2 label=$3 plots='' file
    has "$4" || return
    drawn+=" bench-$name.svg"
    shift 3
    while (($# > 2)); do
        file=$work/$name.$#
        awk -v name="$1" -v key="$2" '$1 == name && $3 == "pipeline" && $4 == key { print $2, $5 }' \
            "$work/medians" | sort -n >"$file"
        plots+="${plots:+, }\"$file\" title \"$3\""
        [[ $2 != jobs_per_s ]] || plots+=' axes x1y2 dashtype 2'
        shift 3
    done
    gnuplot <<END
set terminal svg size 760,400 font "sans-serif,13" background "white"
set output "$folder/bench-$name.svg"
set title "$title"
set xlabel "$label"
set ylabel "CPU time per job, µs"
set y2label "jobs/s"
set logscale xyy2
set ytics nomirror
set y2tics
set format x "%.0s%c"
set format y2 "%.0s%c"
set style data linespoints
set pointsize 0.6
set grid lc rgb "#dddddd"
set key below
plot $plots
END
}

grow rows 'As outbox and record grow' 'rows' \
    growth-record cpu_us_per_job 'in the record' \
    growth-backlog fill_cpu_us_per_job 'into the outbox' \
    growth-backlog drain_cpu_us_per_job 'out of the outbox' \
    growth-record jobs_per_s 'in the record, jobs/s'
grow restarters 'As restarters become more' 'restarters' \
    growth-restarters cpu_us_per_job 'all processes' \
    growth-restarters cpu_consumer 'consumer' \
    growth-restarters jobs_per_s 'jobs/s'
grow window 'As more jobs are under lease' 'jobs under lease' \
    growth-window cpu_us_per_job 'all processes' \
    growth-window cpu_consumer 'consumer' \
    growth-window jobs_per_s 'jobs/s'
grow hosts 'As the list grows, with the mock' 'hosts' \
    growth-plain cpu_us_per_job 'no policy' \
    growth-policy cpu_us_per_job 'with a policy' \
    growth-plain jobs_per_s 'no policy, jobs/s' \
    growth-policy jobs_per_s 'with a policy, jobs/s'
grow proof 'As the list grows, with proof' 'hosts' \
    growth-proof cpu_us_per_job 'no policy' \
    growth-both cpu_us_per_job 'with a policy' \
    growth-proof jobs_per_s 'no policy, jobs/s' \
    growth-both jobs_per_s 'with a policy, jobs/s'
[[ $drawn != "" ]] || {
    printf 'bench: nothing in %s has a chart: run make bench BENCH="throughput latency growth"\n' "$results" >&2
    exit 65
}
printf 'bench: drawn into %s:%s\n' "$folder" "$drawn"
