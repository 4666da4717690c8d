# The case `growth` of bench.sh, which sources this: what a job costs as things grow. Each of
# its charts bends where something does not scale (bench/charts.sh).
#
#   growth-backlog N     N jobs in the outbox before anybody takes one; then they are drained
#   growth-record N      JOBS further ones, with N rows in the record and the outbox of so many
#   growth-restarters N  1 to 512 of them
#   growth-window N      500 to 100,000 jobs under lease
#   growth-plain N, growth-policy N
#                        a list of N hosts through `mayhem run`, restarted by the mock; without a
#                        policy, and with 50 groups that have a cap, a budget and a breaker each
#   growth-proof N, growth-both N
#                        the same with hosts that are files (tests/fleet/file_host.c), each identified
#                        before and behind its restart and asked for its health
#
# N doubles from step to step. Settings beside those of bench.sh: GROWTH_MAX (1000000: rows, and hosts
# of the mock; 33000000 takes half an hour and 30 GB), GROWTH_PROOF (4000: hosts that are files).
# CPU of `mayhem run` is that of publisher, consumer, saver and restarters, without the commands.
# shellcheck shell=bash disable=SC2154 # bench.sh sets them

# growth_ladder FIRST LAST: FIRST, doubled until LAST.
growth_ladder() {
    local step
    for ((step = $1; step <= $2; step *= 2)); do
        printf '%d ' "$step"
    done
}

growth_rows() {
    local rows folder=$work/growth
    for rows in $(growth_ladder 1000 "${GROWTH_MAX:-1000000}"); do
        mkdir "$folder"
        put growth-backlog "$rows" 1 pipeline "$build/bench/pipeline" -b -n "$rows" -r "$restarters" \
            "$build" "$folder"
        rm -rf "$folder/log"
        put growth-record "$rows" 1 pipeline "$build/bench/pipeline" -n "$jobs" -r "$restarters" \
            "$build" "$folder"
        rm -rf "$folder"
    done
}

growth_workers() {
    local round number
    for ((round = 1; round <= few; round++)); do
        for number in $(growth_ladder 1 512); do
            pipeline growth-restarters "$number" "$round" -n "$jobs" -r "$number"
        done
    done
}

growth_windows() {
    local round window
    for ((round = 1; round <= few; round++)); do
        for window in $(growth_ladder 500 64000) 100000; do
            MAYHEM_LEASES=$window pipeline growth-window "$window" "$round" -n "$jobs" \
                -r "$restarters"
        done
    done
}

growth_policy() {
    local group
    printf '[run]\nat-once = 2000\n'
    for ((group = 0; group < 50; group++)); do
        printf '[group g%d]\ncap = 100\nmax-unavailable = 50%%\nbreaker = 100/1000\n' "$group"
    done
}

# CPU time in ticks of the programs whose pid files are in DIR, for as long as that process runs.
growth_ticks() {
    local file pid used ticks=0
    while kill -0 "$2" 2>/dev/null; do
        sleep 0.1
        used=0
        for file in "$1"/{publisher,consumer,saver,restarter-*}.pid; do
            { read -r pid <"$file" && read -ra stat <"/proc/$pid/stat"; } 2>/dev/null || continue 2
            ((used += stat[13] + stat[14]))
        done
        ticks=$used
    done
    printf '%s' "$ticks"
}

# growth_run HOSTS OPTION...: a list of so many, through `mayhem run`.
growth_run() {
    local hosts=$1 folder ticks
    shift
    folder=$(mktemp -d "$work/run.XXXXXX") && mkdir "$folder/files" || return 1
    seq -f 'web-%08.0f' 1 "$hosts" | awk '{ print $1 " groups=g" NR % 50 }' >"$folder/hosts.txt"
    growth_policy >"$folder/policy.ini"
    cd "$folder" || return 1
    "$build/mayhem" run --dir run -i hosts.txt --locks locks --json -q -n "$restarters" "$@" >summary &
    ticks=$(growth_ticks run $!)
    wait $! && grep -q "\"restarted\":$hosts," summary || return 1
    sed -E "s/.*\"seconds\":([0-9.]+),\"rate\":([0-9.]+).*/seconds=\1 jobs_per_s=\2/" summary |
        awk -v us="$((ticks * 1000000 / $(getconf CLK_TCK)))" -v hosts="$hosts" \
            '{ printf "%s cpu_us_per_job=%.3f\n", $0, us / hosts }'
    rm -rf "$folder"
}

growth_hosts() {
    local hosts host="'$build/tests/file_host' files"
    local files=(-x "$host reboot {host} {boot_id}" --identify "$host identify {host}"
        --health "$host health {host}" --settle 0s --slots 64)
    local policy=(--config policy.ini --unleash)
    export -f growth_run growth_ticks growth_policy
    export build work restarters FILE_HOST_DELAY=0 FILE_HOST_DOWN=20
    for hosts in $(growth_ladder 1000 "${GROWTH_MAX:-1000000}"); do
        put growth-plain "$hosts" 1 pipeline bash -c 'growth_run "$@"' - "$hosts" --mock --at-once 2000
        ((hosts > 1100000)) || # a policy has all of its hosts in flight, up to a million
            put growth-policy "$hosts" 1 pipeline bash -c 'growth_run "$@"' - "$hosts" --mock "${policy[@]}"
    done
    for hosts in $(growth_ladder 250 "${GROWTH_PROOF:-4000}"); do
        put growth-proof "$hosts" 1 pipeline bash -c 'growth_run "$@"' - "$hosts" "${files[@]}" \
            --at-once 2000
        put growth-both "$hosts" 1 pipeline bash -c 'growth_run "$@"' - "$hosts" "${files[@]}" \
            "${policy[@]}"
    done
}

run_growth() {
    growth_rows
    growth_workers
    growth_windows
    growth_hosts
}
