#!/usr/bin/env bash
# The pipeline beside strangers that make CURVE handshakes with its listener (bench/handshakes.c).
# `make bench-flood` runs it. It makes network namespaces for itself, as docs/sites.md has them: a hub
# with the consumer, the publisher, the saver and RESTARTERS restarters on ipc; a site, eu, with a
# restarter that has a key; and the strangers at another site, us, which the firewall lets in, so that
# only its rate is between them and the consumer. Rounds of four kinds, which take turns to be first:
#
#   quiet     no strangers
#   control   strangers at an address behind which all is dropped: it has the price of the strangers
#             themselves, which share the processors with the pipeline
#   open      strangers at the consumer, no firewall
#   firewall  strangers at the consumer, behind the firewall of docs/sites.md, as it stands there
#
# During the strangers a publisher gives as many jobs as go through in FLOOD_SECONDS, and another
# restarter with a key joins. Prints jobs/s and the ratio to the control of the same round, how long
# that restarter took to join, what the strangers got, and what the consumer said of it.
#
# flood.sh BUILD. Settings, from the environment: RUNS (6), FLOOD_SECONDS (10), FLOOD_RATE (3000
# handshakes a second), KINDS (all of the above), RESTARTERS (2), BENCH_DIR (/tmp), RESULTS
# (BUILD/bench/flood.txt: begun anew).
# Needs root, network namespaces and nft; where these are not, it ends with 77.
# shellcheck disable=SC2317 # functions are called by await and trap
set -u

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
build=$(cd "${1:?usage: flood.sh BUILD}" && pwd) || exit 73
runs=${RUNS:-6} seconds=${FLOOD_SECONDS:-10} rate=${FLOOD_RATE:-3000} restarters=${RESTARTERS:-2}
for number in "$runs" "$seconds" "$rate" "$restarters"; do
    [[ $number =~ ^[1-9][0-9]*$ ]] || {
        printf 'flood: %s: it is to be 1 or more\n' "$number" >&2
        exit 64
    }
done
read -ra kinds <<<"${KINDS:-quiet control open firewall}"
results=${RESULTS:-$build/bench/flood.txt}
work=$(mktemp -d "${BENCH_DIR:-${TMPDIR:-/tmp}}/mayhem-flood.XXXXXX") || exit 73
join_limit_ms=20000
namespaces=()
pids=()
failed=0
unset MAYHEM_PARENT MAYHEM_DIR

skip() {
    printf 'flood: %s: nothing was measured\n' "$1" >&2
    exit 77
}

# The rest of what was started: it has ended, or is not to.
end_all() {
    ((${#pids[@]} == 0)) || kill -KILL "${pids[@]}" 2>/dev/null
    ((${#pids[@]} == 0)) || wait "${pids[@]}" 2>/dev/null
    pids=()
}

clean_up() {
    local name
    end_all
    for name in "${namespaces[@]}"; do
        ip netns del "$name"
    done
    rm -rf "$work"
}
trap clean_up EXIT
trap 'exit 130' INT TERM HUP

# ---- four machines -------------------------------------------------------------------------------

hub=mf$$hub eu=mf$$eu us=mf$$us nobody=mf$$nobody

# add_machine NAME
add_machine() {
    ip netns add "$1" 2>/dev/null || skip "there are no network namespaces here"
    namespaces+=("$1")
    ip -n "$1" link set lo up
}

# add_line MACHINE OTHER NUMBER: MACHINE is 10.7.NUMBER.1, and OTHER is 10.7.NUMBER.2.
add_line() {
    ip -n "$1" link add "to$3" type veth peer name "to$3" netns "$2" || skip "there are no veth lines here"
    ip -n "$1" addr add "10.7.$3.1/24" dev "to$3"
    ip -n "$2" addr add "10.7.$3.2/24" dev "to$3"
    ip -n "$1" link set "to$3" up
    ip -n "$2" link set "to$3" up
}

make_machines() {
    [[ $(id -u) == 0 ]] || skip "network namespaces need root"
    type -P nft >/dev/null || skip "there is no nft (apt-get install nftables)"
    local name
    for name in "$hub" "$eu" "$us" "$nobody"; do
        add_machine "$name"
    done
    add_line "$hub" "$eu" 1
    add_line "$hub" "$us" 2
    add_line "$nobody" "$us" 3
    ip netns exec "$nobody" nft 'table inet nobody { chain input { type filter hook input priority 0;
        policy drop; meta l4proto != tcp accept; }; }' || skip "nft does not work here"
    awk '/^## / { is_there = $0 == "## A firewall" } is_there && /^```/ { is_rule = !is_rule; next }
        is_there && is_rule' "$root/docs/sites.md" >"$work/firewall"
    grep -q 'limit rate' "$work/firewall" || {
        printf 'flood: docs/sites.md has no firewall with a limit\n' >&2
        exit 70
    }
}

# ---- waiting -------------------------------------------------------------------------------------

milliseconds() {
    local up
    read -r up _ </proc/uptime
    printf '%d' $((10#${up/./} * 10))
}

# await MS COMMAND...: false when it has not succeeded by then.
await() {
    local limit=$(($(milliseconds) + $1))
    shift
    until "$@"; do
        (($(milliseconds) < limit)) || return 1
        sleep 0.02
    done
}

# count PATTERN: lines of the consumer's log.
count() {
    local number
    number=$(grep -cE "$1" "$dir/log/consumer.log" 2>/dev/null)
    printf '%d' "${number:-0}"
}

have_joined() {
    (($(count 'A worker joins') >= $1))
}

is_gone() {
    local line
    { read -r line <"/proc/$1/stat"; } 2>/dev/null || return 0
    [[ ${line##*) } == Z* ]]
}

has_joined() {
    grep -q "A worker joins worker=$1 " "$dir/log/consumer.log"
}

# ---- one run -------------------------------------------------------------------------------------

# program NAME ROLE OPTION...: in the background; its pid is in pids.
program() {
    "$build/mayhem-$2" --dir "$dir" --id "$1" --log-file "$dir/log/$1.log" "${@:3}" \
        </dev/null >/dev/null 2>"$dir/log/$1.err" &
    pids+=($!)
}

site_restarter() { # NAME
    mkdir -p "$dir/$1"
    ip netns exec "$eu" "$build/mayhem-restarter" --dir "$dir/$1" --log-file "$dir/log/$1.log" \
        --consumer tcp://10.7.1.1:7000 --key "$work/keys/$1.key" </dev/null >/dev/null 2>&1 &
    pids+=($!)
}

start_pipeline() {
    local number
    ip netns exec "$hub" "$build/mayhem-consumer" --dir "$dir" --log-file "$dir/log/consumer.log" --keys "$work/keys" \
        --listen tcp://0.0.0.0:7000 --task-ports 7100..7199 </dev/null >/dev/null 2>"$dir/log/consumer.err" &
    consumer=$!
    pids+=("$consumer")
    program saver saver
    for ((number = 1; number <= restarters; number++)); do
        program "restarter-$number" restarter
    done
    site_restarter eu-1
    await 20000 have_joined $((restarters + 2)) || {
        printf 'flood: not all workers have joined\n' >&2
        tail -n 5 "$dir"/log/* >&2
        return 1
    }
}

# How long a restarter with a key takes to join: from its start, in ms.
time_join() {
    local begin
    begin=$(milliseconds)
    await "$join_limit_ms" has_joined eu-2
    printf '%d' $(($(milliseconds) - begin))
}

# Sets `strangers`; 0: there are none.
start_strangers() {
    local address=10.7.2.1 key
    strangers=0
    case $kind in
    quiet) return ;;
    control) address=10.7.3.1 ;;
    firewall) ip netns exec "$hub" nft -f "$work/firewall" || return 1 ;;
    esac
    key=$(sed -n 's/^public = //p' "$work/keys/consumer.key")
    ip netns exec "$us" "$build/bench/handshakes" "$address" 7000 "$key" "$rate" >"$dir/strangers" 2>&1 &
    strangers=$!
    pids+=("$strangers")
    sleep 1 # what a limit of a rate lets through at first is over then
}

# The consumer's CPU time so far, in ms.
cpu_ms() {
    local line words
    { read -r line <"/proc/$consumer/stat"; } 2>/dev/null || return
    read -ra words <<<"${line##*) }"
    printf '%d' $(((words[11] + words[12]) * 1000 / $(getconf CLK_TCK)))
}

end_pipeline() {
    local code=gone
    if ! is_gone "$consumer"; then
        kill -TERM "${pids[@]}" 2>/dev/null
        await 30000 is_gone "$consumer" && wait "$consumer"
        code=$?
    fi
    end_all
    ip netns exec "$hub" nft flush ruleset
    exit_code=$code
}

# What there is of one run, as key=value.
print_run() {
    local summary said=""
    summary=$("$build/mayhem-publisher" --dir "$dir" --report json) || return 1
    [[ ! -s $dir/strangers ]] || said=$(<"$dir/strangers")
    sed -E 's/.*"restarted":([0-9]+),.*"rate":([0-9.]+),"job_time_ms":\{"p50":([0-9.]+),"p99":([0-9.]+).*/jobs=\1 jobs_per_s=\2 p50_ms=\3 p99_ms=\4/' \
        <<<"$summary" | tr '\n' ' '
    printf 'join_ms=%s consumer_cpu_ms=%s exit=%s refused_lines=%s lost_lines=%s warn_lines=%s %s\n' \
        "$joined_ms" "$consumer_ms" "$exit_code" "$(count 'Refused a key')" "$(count 'Lost a worker')" \
        "$(count '^[^ ]+ (WARN|ERROR) ')" "$said"
}

# run ROUND KIND
run() {
    local line
    dir=$work/run kind=$2
    mkdir -p "$dir/log"
    [[ ! -t 2 ]] || printf '\r\e[K%s %s' "$1" "$kind" >&2
    if start_pipeline && start_strangers; then
        consumer_ms=$(cpu_ms)
        "$build/mayhem-publisher" --dir "$dir" --rate max --for "${seconds}s" \
            --log-file "$dir/log/publisher.log" </dev/null >/dev/null 2>&1 &
        publisher=$!
        pids+=("$publisher")
        site_restarter eu-2
        joined_ms=$(time_join)
        await $((seconds * 1000 + 60000)) is_gone "$publisher"
        consumer_ms=$(($(cpu_ms) - consumer_ms))
        if ((strangers)); then
            kill -TERM "$strangers"
            await 5000 is_gone "$strangers"
        fi
    fi
    end_pipeline
    if line=$(print_run) && [[ $line == *jobs_per_s=* ]]; then
        printf 'round=%s kind=%s %s\n' "$1" "$kind" "$line" >>"$results"
        [[ $exit_code == 0 ]] || failed=1
    else
        printf '\nflood: round %s, %s: it has failed\n' "$1" "$kind" >&2
        tail -n 5 "$dir"/log/* >&2
        failed=1
    fi
    tail -n 3 <(grep -hE ' (WARN|ERROR) ' "$dir/log/consumer.log") >"$work/said.$kind"
    rm -rf "$dir"
}

# ---- main ----------------------------------------------------------------------------------------

make_machines
for name in eu-1 eu-2; do
    "$build/mayhem" keys new "$name" --role restarter --keys "$work/keys" >/dev/null || exit 73
done
: >"$results" || exit 73
for ((round = 1; round <= runs; round++)); do
    for ((place = 0; place < ${#kinds[@]}; place++)); do
        run "$round" "${kinds[(round + place - 1) % ${#kinds[@]}]}"
    done
done
[[ ! -t 2 ]] || printf '\r\e[K' >&2
printf '%s processors, load %s, %s, %s handshakes/s wanted\n' "$(nproc)" \
    "$(cut -d' ' -f1 /proc/loadavg)" "$(uname -sr)" "$rate"
awk -f "$root/bench/spread.awk" -f "$root/bench/flood.awk" "$results"
for kind in "${kinds[@]}"; do
    sed "s/^/the consumer said ($kind): /" "$work/said.$kind"
done
exit "$failed"
