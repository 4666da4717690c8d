#!/usr/bin/env bash
# Measures the pipeline beside the skeleton and prints one table: each figure as min / median / max
# of interleaved runs, each ratio against the skeleton's run of the same round, with a 95 % interval.
# `make bench` runs it. Other work on the machine moves all figures: only ratios hold, and a shared
# disk moves those. Who goes first alternates. What counts of a run is said in bench/pipeline.c.
#
# bench.sh BUILD [CASE]...   (throughput latency restarters window log transport sustained)
#   throughput  jobs/s, CPU and resident memory of each process, all defaults
#   latency     publish to ack, and a host's line in to its restart started, at 200, 2,000 and
#               20,000 jobs/s, with the disk's fdatasync, and what such jobs take if nothing is
#               done with them but to sync two files
#   lowload     system calls and context switches of a job, at 200 and 2,000 jobs/s
#               (bench/counts.sh)
#   misses      cache misses of a job, at full rate, where perf counts them; `make cachemisses` counts
#               those of a model on any machine
#   sustained   SUSTAINED seconds at full rate: the longest times without a settled job, and where
#   restarters  1, 2, 4 and 16; window: 1,000 and 100,000; log: info and warn
#   transport   ipc, tcp, and tcp with keys (curve), at full rate and at 2,000 jobs/s
#   store       the record in SQLite, in PostgreSQL, and there with a synchronous standby, at full
#               rate and at 2,000 jobs/s, with the CPU of the servers (bench/store.sh)
#   peers       Redis Streams, NATS JetStream, RabbitMQ, beanstalkd, Celery and the article's program
#               on the same work, those that are installed (bench/peers/README.md has what each keeps
#               and how it is tuned; `make bench-peers-install` says the packages). PEERS is an
#               extended expression for the variants ("."), PEER_PERCENT (100) a part of their jobs
#   backlog     all of BACKLOG jobs in the outbox before anybody takes one
#   inflight    100,000 jobs in flight at the consumer
#   million     HOSTS (1000000) of a list through ./run.sh -i, checked in the record, and the publisher's
#               peak memory, which it has while it reads
#   commands    COMMANDS (8000) of `true`, 64 at a time, in turn with those of xargs, GNU parallel,
#               pdsh and clush that are installed (bench/commands.sh): BENCH="peers commands" is all
#               that we compare with
#   growth      a job's cost from 1,000 rows to GROWTH_MAX, by restarters, window, policy and proof
#               (bench/growth.sh)
#   slots       SLOTS (4000) commands that sleep: memory of the restarter and its spawner for each
#               (bench/slots.sh)
#
# Settings, from the environment: RUNS (5, throughput 10; the sweeps make half of it), JOBS (in a run:
# what the pipeline does in about two seconds; for backlog 10000000), PACED (3: seconds of a latency run),
# SUSTAINED (60), RESTARTERS (2), BENCH_DIR (/tmp: where the databases are), RESULTS (BUILD/bench/results.txt: begun anew each time).
# WARM (1024): megabytes of the page cache that are touched before each run. A virtual machine may
# have given its free memory back to its host, and getting a page again then costs more than writing
# to it: without this, half of the consumer's system time is such pages under its log.
# MAYHEM_… goes to the programs.
# shellcheck disable=SC2317 # the cases are called by their names
set -u

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
build=$(cd "${1:?usage: bench.sh BUILD [CASE]...}" && pwd) || exit 73
shift
runs=${RUNS:-5}
[[ $runs =~ ^[1-9][0-9]*$ ]] || { printf 'bench: RUNS=%s: 1 or more\n' "$runs" >&2 && exit 64; }
few=$(((runs + 1) / 2))
jobs=${JOBS:-}
paced=${PACED:-3}
sustained=${SUSTAINED:-60}
restarters=${RESTARTERS:-2}
results=${RESULTS:-$build/bench/results.txt}
skeleton_jobs=500000
work=$(mktemp -d "${BENCH_DIR:-${TMPDIR:-/tmp}}/mayhem-bench.XXXXXX") || exit 73
failed=0
count=0
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM HUP

# ---- one run -------------------------------------------------------------------------------------

# put CASE VARIANT ROUND SIDE COMMAND...: its line of key=value goes to the results.
put() {
    local label="case=$1 variant=$2 round=$3 side=$4" line
    shift 4
    if ((${WARM:-1024} > 0)) && [[ ${label##*=} != disk ]]; then
        head -c "${WARM:-1024}M" /dev/zero >"$work/warm" && rm -f "$work/warm"
    fi
    [[ ! -t 2 ]] || printf '\r\e[K%s' "$label" >&2
    if line=$(timeout --foreground -k 5 3600 "$@" 2>"$work/errors" </dev/null); then
        printf '%s %s\n' "$label" "$line" >>"$results"
    else
        printf '\nbench: failed: %s\n' "$label" >&2
        tail -n 5 "$work/errors" >&2
        failed=1
    fi
}

# real CASE VARIANT ROUND SIDE OPTION...: the real programs in a folder of their own.
real() {
    local label=("${@:1:4}") folder=$work/$((++count))
    shift 4
    mkdir "$folder"
    put "${label[@]}" "$build/bench/pipeline" "$@" "$build" "$folder"
    rm -rf "$folder"
}

# pipeline CASE VARIANT ROUND OPTION...
pipeline() {
    real "${@:1:3}" pipeline "${@:4}"
}

skeleton() {
    local label=("${@:1:3}")
    shift 3
    put "${label[@]}" skeleton "$build/bench/skeleton" "$@"
}

# Sets `jobs` by a run that does not count.
choose_jobs() {
    local line
    mkdir "$work/choose"
    line=$("$build/bench/pipeline" -n 50000 -r "$restarters" "$build" "$work/choose") || exit
    rm -rf "$work/choose"
    line=${line#*jobs_per_s=} line=${line%% *}
    jobs=$((line * 2 / 10000 * 10000))
    jobs=$((jobs < 20000 ? 20000 : jobs))
}

# ---- cases ---------------------------------------------------------------------------------------

# Who goes first alternates with the rounds.
both() {
    (($3 % 2)) || skeleton "$1" "$2" "$3" -n "$skeleton_jobs"
    pipeline "$1" "$2" "$3" -n "$jobs" -r "${4:-$restarters}"
    (($3 % 2 == 0)) || skeleton "$1" "$2" "$3" -n "$skeleton_jobs"
}

run_throughput() {
    local round
    for ((round = 1; round <= ${RUNS:-10}; round++)); do
        put throughput defaults "$round" disk "$build/bench/fdatasync" "$work" 0.2
        both throughput defaults "$round"
        put throughput defaults "$round" disk "$build/bench/fdatasync" "$work" 0.2
    done
}

run_latency() {
    local round rate
    for ((round = 1; round <= runs; round++)); do
        for rate in 200 2000 20000; do
            put latency "$rate/s" "$round" disk "$build/bench/fdatasync" "$work" 0.3
            pipeline latency "$rate/s" "$round" -p "$rate" -s "$paced" -r "$restarters"
            put latency "$rate/s" "$round" disk "$build/bench/fdatasync" "$work" 0.3
            skeleton latency "$rate/s" "$round" -p "$rate" -s "$paced"
            put latency "$rate/s" "$round" floor "$build/bench/fdatasync" "$work" "$paced" "$rate"
            real latency "$rate/s" "$round" fed -p "$rate" -s "$paced" -r "$restarters" -f
        done
    done
}

run_lowload() {
    local rate
    for rate in 200 2000; do
        put lowload "$rate/s" 1 pipeline "$root/bench/counts.sh" "$build" pipeline "$rate"
        put lowload "$rate/s" 1 skeleton "$root/bench/counts.sh" "$build" skeleton "$rate"
    done
}

run_misses() {
    local round side
    if ! perf stat -x, -e cache-misses true 2>&1 | grep -q '^[0-9]'; then
        printf 'misses: perf does not count them here: left out (make cachemisses has a model)\n'
        return
    fi
    for ((round = 1; round <= few; round++)); do
        for side in pipeline skeleton; do
            put misses max "$round" "$side" "$root/bench/counts.sh" "$build" "$side" max
        done
    done
}

run_sustained() {
    put sustained "${sustained}s" 1 disk "$build/bench/fdatasync" "$work" 1
    pipeline sustained "${sustained}s" 1 -r "$restarters" -w "$sustained"
}

run_restarters() {
    local round number
    for ((round = 1; round <= few; round++)); do
        for number in 1 2 4 16; do
            both restarters "$number" "$round" "$number"
        done
    done
}

run_window() {
    local round window
    for ((round = 1; round <= few; round++)); do
        for window in 1000 10000 100000; do
            MAYHEM_LEASES=$window both window "$window" "$round"
        done
    done
}

run_log() {
    local round level
    for ((round = 1; round <= few; round++)); do
        for level in info warn; do
            MAYHEM_LOG_LEVEL=$level both log "$level" "$round"
        done
    done
}

# draw_keys FOLDER: for all roles of a run.
draw_keys() {
    local name
    mkdir "$1" || return
    for name in publisher saver $(seq -f 'restarter-%g' "$restarters"); do
        "$build/mayhem" keys new "$name" --role "${name%-*}" --keys "$1" >/dev/null || return
    done
}

# One transport: all roles over ipc, over tcp, or with keys at the consumer's listener.
by_transport() {
    local how=()
    case $2 in
    tcp) how=(-t) ;;
    curve) how=(-k "$work/keys") ;;
    esac
    pipeline transport "$2" "$1" -n "$jobs" -r "$restarters" "${how[@]}"
    [[ $2 == curve ]] || skeleton transport "$2" "$1" -n "$skeleton_jobs" "${how[@]}"
    pipeline paced-transport "$2" "$1" -p 2000 -s "$paced" -r "$restarters" "${how[@]}"
}

# Against the skeleton over the same transport, which has no keys; what comes first goes on in turn.
run_transport() {
    local round place transports=(ipc tcp curve)
    draw_keys "$work/keys" || { failed=1 && return; }
    for ((round = 1; round <= runs; round++)); do
        for place in 0 1 2; do
            by_transport "$round" "${transports[(round + place - 1) % 3]}"
        done
    done
}

# The generator takes no heed of a backlog, so all jobs are in the outbox before the others start.
run_backlog() {
    local round number
    for ((round = 1; round <= ${RUNS:-1}; round++)); do
        for number in 100000 "${JOBS:-10000000}"; do
            pipeline backlog "$number" "$round" -n "$number" -r "$restarters" -b
            skeleton backlog "$number" "$round" -n "$skeleton_jobs"
        done
    done
}

# Restarts are so slow, and slots so many, that a whole window is under way.
run_inflight() {
    local window
    export MAYHEM_SLOTS=4096 MAYHEM_MOCK_TIME=10s..11s
    for window in 10000 100000; do
        MAYHEM_LEASES=$window pipeline inflight "$window" 1 -n $((window * 12 / 10)) -r 16
    done
    unset MAYHEM_SLOTS MAYHEM_MOCK_TIME
}

# Peak memory of a publisher that is found by its pid file, while that process of this shell runs: kB.
peak_of_publisher() {
    local pid peak=0 now
    while kill -0 "$2" 2>/dev/null; do
        sleep 0.2
        { read -r pid <"$1/publisher.pid" && now=$(sed -n 's/^VmHWM:[[:space:]]*\([0-9]*\) kB$/\1/p' \
            "/proc/$pid/status"); } 2>/dev/null || continue
        peak=${now:-$peak}
    done
    printf '%s' "$peak"
}

million() {
    local rows peak
    seq -f 'web-%08.0f.example.net' 1 "$hosts" >"$work/hosts.txt"
    MAYHEM_BUILD=$build "$root/run.sh" --dir "$work/million" -i "$work/hosts.txt" --mock --json -q \
        >"$work/summary" &
    peak=$(peak_of_publisher "$work/million" $!)
    wait $! || return 1
    rows=$(sqlite3 -readonly "$work/million/mayhem.db" "SELECT count(*) || ' ' ||
        count(DISTINCT host) || ' ' || sum(outcome = 'restarted') FROM jobs") || return 1
    if [[ $rows != "$hosts $hosts $hosts" ]]; then
        printf 'rows, hosts, restarted: %s\n' "$rows" >&2
        return 1
    fi
    sed -E "s/.*\"seconds\":([0-9.]+),\"rate\":([0-9.]+).*/seconds=\1 jobs_per_s=\2 rss_kb_publisher=$peak/" \
        "$work/summary"
}

run_million() {
    local hosts=${HOSTS:-1000000}
    export -f million peak_of_publisher
    export build root work hosts
    put million run.sh 1 pipeline bash -c million
    skeleton million run.sh 1 -n 1000000
}

# shellcheck source=bench/peers.sh
source "$root/bench/peers.sh"

# commands/s of the whole pipeline beside programs that do nothing else.
run_commands() {
    local round other
    seq -f 'web-%05.0f' 1 "${COMMANDS:-8000}" >"$work/commands"
    for other in xargs parallel pdsh clush; do
        if ! type -P "$other" >/dev/null; then
            printf 'commands: no %s: left out\n' "$other"
            continue
        fi
        for ((round = 1; round <= runs; round++)); do
            put commands "$other" "$round" pipeline "$root/bench/commands.sh" "$build" pipeline \
                "$work/commands"
            put commands "$other" "$round" peer "$root/bench/commands.sh" "$build" "$other" \
                "$work/commands"
        done
    done
}

run_slots() {
    put slots "${SLOTS:-4000}" 1 pipeline "$root/bench/slots.sh" "$build" "${SLOTS:-4000}"
}

# shellcheck source=bench/store.sh
source "$root/bench/store.sh"

# shellcheck source=bench/growth.sh
source "$root/bench/growth.sh"

# ---- main ----------------------------------------------------------------------------------------

(($#)) || set -- throughput latency restarters window log transport sustained
for name; do
    declare -F "run_$name" >/dev/null || {
        printf 'bench: there is no case %s\n' "$name" >&2
        exit 64
    }
done
unset MAYHEM_PARENT MAYHEM_DIR
[[ $jobs != "" || "$* " =~ ^((commands|slots|latency|lowload|misses|sustained) )+$ ]] || choose_jobs
: >"$results" || exit 73
for name; do
    "run_$name"
done
[[ ! -t 2 ]] || printf '\r\e[K' >&2
printf '%s processors, load %s, %s, %s jobs in a run\n' "$(nproc)" \
    "$(cut -d' ' -f1 /proc/loadavg)" "$(uname -sr)" "${jobs:--}"
awk -f "$root/bench/spread.awk" -f "$root/bench/table.awk" "$results"
exit "$failed"
