#!/usr/bin/env bash
# Another key for the consumer, four times in the middle of a run, as docs/operations.md says it: no
# restarter is lost by it, and each host's command runs once. All on the loopback.
# shellcheck source=tests/e2e/e2e_lib.sh
. "$(dirname "$0")/e2e_lib.sh"

base=tcp://$loopback:7100
rotations=4
restarters=(r-1 r-2 r-3 r-4)
export MAYHEM_KEYS=keys

keys() {
    timeout -k 5 30 "$build/mayhem" keys "$@" >said 2>&1 </dev/null || not_ok "keys $*" "$(cat said)"
}

# count WORDS FILE: the lines of FILE that have them.
count() {
    grep -c "$1" "$2" || true
}

# have_joined COUNT: each restarter has, so many times by now.
have_joined() {
    local name
    for name in "${restarters[@]}"; do
        (($(count 'Joined the consumer' "$name.log") >= $1)) || return 1
    done
}

has_begun() {
    (($(lines_in begun) >= $1))
}

work_of=(--exec 'sh -c "echo {host} >>'"$work"'/begun; sleep 2; echo {host} >>'"$work"'/ended"' --again)
for name in "${restarters[@]}"; do
    keys new "$name" --role restarter
done
hosts 120 >hosts.txt
launch -i hosts.txt -n 0 --listen "$base" --keys keys --at-once 12 "${work_of[@]}"
# Each with locks of its own, as on machines of their own: else who is lost keeps the host from others.
for name in "${restarters[@]}"; do
    "$build/mayhem-restarter" --dir "$name" --consumer "$base" --key "keys/$name.key" \
        --locks "$name/locks" "${work_of[@]}" >"$name.log" 2>&1 </dev/null &
    started+=("$!")
done
check "all restarters join" wait_until 15 have_joined 1

for ((i = 1; i <= rotations; i++)); do
    # In the middle of what runs: a worker that is lost then would have it done again.
    check "rotation $i: commands run" wait_until 15 has_begun $((i * 24 - 12))
    keys rotate
    keys rotate --switch
    check "rotation $i: all join again" wait_until 10 have_joined $((i + 1))
    keys rotate --finish
done

finish 60
ends_with_code "the run ends well" 0
log=$dir/log/consumer.log
equal "the consumer had another key each time" $rotations "$(count 'The consumer has another key' "$log")"
equal "no worker is lost" 0 "$(count 'Lost a worker' "$log")"
equal "each command ran once" "120 0 120 0" \
    "$(lines_in begun) $(repeated begun) $(lines_in ended) $(repeated ended)"
audit "after the rotations" 120
