#!/usr/bin/env bash
# A hub and restarters on three sites, over real tcp with real keys and slow, lossy lines: ROUNDS (10)
# of kills, stops and cuts, one-way ones too, a revoked key and a new key of the consumer among them.
# The hosts are files that count their reboots. In the end the auditor judges. SEED chooses the rounds.
# `make campaign-sites ROUNDS=200 SEED=n` is the long form.
# shellcheck source=tests/e2e/e2e_lib.sh
. "$(dirname "$0")/e2e_lib.sh"
# shellcheck source=tests/sites/sites.sh
. "$root/tests/sites/sites.sh"

rounds=${ROUNDS:-10}
seed=${SEED:-1}
site_count=3
rate=20
RANDOM=$seed
host="'$build/tests/file_host' '$work/fleet'"
export FILE_HOST_DELAY=200 FILE_HOST_DOWN=300 FILE_HOST_RECORD=$work/record
driver=(--exec "$host reboot {host} {boot_id}" --identify "$host identify {host}"
    --health "$host health {host}" --settle 1s --timeout 2s --verify-timeout 8s --exec-ok "0,255"
    --attempts 1000 --slots 50)

sites_up "$site_count" "$seed"
mkdir fleet keys

# ---- the processes -------------------------------------------------------------------------------

mayhem_keys() {
    "$build/mayhem" keys "$@" --keys keys >keys.out 2>&1 || not_ok "mayhem keys $*" "$(cat keys.out)"
}

# The restarter of a site: started again whenever it ends, as systemd does. Other machines have locks
# of their own.
keep_site() {
    local number=$1 child=""
    trap '[[ $child == "" ]] || kill -KILL "$child"; exit' TERM
    mkdir -p "site-$number/log"
    while [[ ! -e stop-sites ]]; do
        MAYHEM_LOCKS=$work/locks/site-$number ip netns exec "${sites[number]}" "$build/mayhem-restarter" \
            --key "keys/site-$number.key" --consumer "tcp://10.77.$number.1:7000" \
            --dir "site-$number" --log-file "site-$number/log/site-$number.log" "${driver[@]}" \
            2>>"site-$number/stderr" &
        child=$!
        echo "$child" >"site-$number/pid"
        wait "$child"
        sleep 0.2 # as long as a service manager waits
    done
}

# In `wall`: milliseconds since 1970, as the auditor has them.
read_wall() {
    wall=$((${EPOCHREALTIME/[.,]/} / 1000))
}

# fault NAME PID SPAN_MS [SIGNAL]: for the auditor, which excuses what a fault explains.
fault() {
    read_wall
    printf '%d %s %s %d %d\n' "$wall" "${4:-STOP}" "$1" "${2:-0}" "$3" >>kills
}

pause() {
    sleep "$(($1 / 1000)).$(printf '%03d' $(($1 % 1000)))"
}

# ---- the rounds ----------------------------------------------------------------------------------

strike_hub() {
    local name=$1 pid
    pid=$(pid_of "$name")
    [[ $pid != "" ]] || return
    fault "$name" "$pid" 0 KILL
    kill -KILL "$pid" 2>/dev/null
}

strike_site() {
    local pid span=$((100 + RANDOM % 3900))
    pid=$(cat "site-$1/pid")
    if ((RANDOM % 2)); then
        fault "site-$1" "$pid" 0 KILL
        kill -KILL "$pid" 2>/dev/null
    else
        fault "site-$1" "$pid" "$span"
        kill -STOP "$pid" 2>/dev/null
        pause "$span"
        kill -CONT "$pid" 2>/dev/null
    fi
}

cut_site() {
    local ways=(to from both) span=$((300 + RANDOM % 5700))
    fault "site-$1" 0 "$span"
    line_order "$1" cut "${ways[RANDOM % 3]}"
    pause "$span"
    line_order "$1" heal
}

slow_site() {
    line_order "$1" loss $((RANDOM % 8))
    line_order "$1" delay $((RANDOM % 100)) $((RANDOM % 30))
}

# Its restarter is thrown out with what runs, and comes back with a new key under the same name.
revoke_site() {
    fault "site-$1" "$(cat "site-$1/pid")" 2000
    mayhem_keys revoke "site-$1"
    pause 2000
    rm -f "keys/site-$1.key"
    mayhem_keys new "site-$1" --role restarter
    fault "site-$1" "$(cat "site-$1/pid")" 0 KILL
    kill -KILL "$(cat "site-$1/pid")" 2>/dev/null
}

rotate() {
    local number
    mayhem_keys rotate
    for number in "${!sites[@]}"; do # they read their files when they start
        fault "site-$number" "$(cat "site-$number/pid")" 0 KILL
        kill -KILL "$(cat "site-$number/pid")" 2>/dev/null
    done
    pause 1500
    for number in "${!sites[@]}"; do
        fault "site-$number" 0 3000
    done
    mayhem_keys rotate --switch
    mayhem_keys rotate --finish
}

one_round() {
    local site=$((RANDOM % site_count + 1)) draw=$((RANDOM % 100))
    if ((draw < 20)); then
        strike_hub consumer
    elif ((draw < 28)); then
        strike_hub saver
    elif ((draw < 34)); then
        strike_hub publisher
    elif ((draw < 55)); then
        strike_site "$site"
    elif ((draw < 85)); then
        cut_site "$site"
    else
        slow_site "$site"
    fi
    pause $((200 + RANDOM % 1500))
}

# ---- the run -------------------------------------------------------------------------------------

for ((number = 1; number <= site_count; number++)); do
    mayhem_keys new "site-$number" --role restarter
    line_order "$number" delay 20 5
    line_order "$number" loss 1
done
count=$((rate * (8 + rounds * 3)))
hosts "$count" >hosts.txt
: >kills
at_hub "$root/run.sh" --dir run -i hosts.txt -n 0 --listen tcp://0.0.0.0:7000 --keys keys \
    --at-once 150 --rate "$rate" --crash-limit 0 --restart-pause 100ms..200ms "${driver[@]}" \
    >out 2>err </dev/null &
run_pid=$!
started+=("$run_pid")
for ((number = 1; number <= site_count; number++)); do
    keep_site "$number" &
    started+=("$!")
done
settle_at_least 20 30

for ((round = 1; round <= rounds; round++)); do
    case $round in
    3) revoke_site 2 ;;
    6) rotate ;;
    *) one_round ;;
    esac
done
for number in "${!sites[@]}"; do
    line_order "$number" loss 0
    line_order "$number" delay 1 0
done
finish $((count / rate + 90))
ends_with_code "the run of $count hosts ends with 0" 0
: >stop-sites
for number in "${!sites[@]}"; do
    kill -TERM "$(cat "site-$number/pid")" 2>/dev/null
done

# ---- what is left --------------------------------------------------------------------------------

logs=()
for file in run/log/{publisher,consumer,saver}.log site-*/log/*.log; do
    logs+=(-l "$file")
done
verdict=$("$build/tests/audit" -k kills "${logs[@]}" hosts.txt run/mayhem.db run/outbox.db record 2>&1)
equal "the auditor finds nothing (seed $seed, $rounds rounds)" 0 $? || printf '%s\n' "$verdict"
matches "the auditor says so" 'RIGHT' "$verdict"
equal "no host was restarted twice" 0 "$(find fleet -type f -size +32c | wc -l)"
equal "each host was restarted" "$count" "$(find fleet -type f -size 32c | wc -l)"
for number in "${!sites[@]}"; do
    check "site $number has restarted some" test \
        "$(store "SELECT count(*) FROM jobs WHERE worker = 'site-$number'")" -gt 0
    equal "site $number has not complained" "" "$(grep -v '^ *$' "site-$number/stderr" | head -n 3)"
done
matches "the revoked key is told of" 'name=site-2' \
    "$(grep -h 'A key no longer counts' run/log/consumer.log)"
