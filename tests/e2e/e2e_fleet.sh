#!/usr/bin/env bash
# Hosts whose sshd are real, restarted by --driver ssh: each kind of tests/fleet/fleet.sh ends as it
# must, and what is told as restarted was, once, as counted on the hosts; and Ctrl-C in mid-boot.
# All times are shorter than real ones.
# `make campaign-fleet` has the same under kills.
# shellcheck source=tests/e2e/e2e_lib.sh
. "$(dirname "$0")/e2e_lib.sh"
# shellcheck source=tests/fleet/fleet.sh
. "$root/tests/fleet/fleet.sh"
fleet_or_skip

limits=(--timeout 5s --verify-timeout 14s --settle 2s)

# begin_fleet N KIND...: afterwards `ssh` is one that finds them.
begin_fleet() {
    check "$1 hosts start" fleet_start "$@"
    path=$PATH
    PATH=$fleet/bin:$PATH
}

end_fleet() {
    fleet_stop
    PATH=$path
}

# What is on record of the host of a kind: outcome, proof, error.
on_record() {
    store "SELECT outcome, ifnull(proof, '-'), ifnull(error, '-') FROM jobs WHERE host LIKE '$1-%'"
}

# ends KIND REGEX COMMANDS REBOOTS: its record, and what its host has counted.
ends() {
    local host
    host=$(grep "^$1-" "$fleet/hosts.txt")
    matches "$1: on record" "^$2\$" "$(on_record "$1")"
    equal "$1: restart commands that arrived, reboots" "$3 $4" \
        "$(fleet_commands "$host") $(fleet_reboots "$host")"
}

# The deadline of each attempt, for fleet_second_commands.
read_deadlines() {
    store "SELECT jobs.host, attempts.began_ms, attempts.deadline_boot_ms FROM attempts
        JOIN jobs ON jobs.id = attempts.job" | tr '|' ' '
}

# ---- each kind -----------------------------------------------------------------------------------

dir=kinds
begin_fleet 15 well slow hang twice flap long:down_ms=6000 noop gone badkey sick stranger nosudo \
    other:down_ms=4000 unwell restless
timeout -k 5 120 "$root/run.sh" --dir "$dir" -i "$fleet/hosts.txt" --driver ssh --at-once 15 \
    "${limits[@]}" >out 2>err </dev/null
code=$?
ends_with_code "some hosts are dead: exit 1" 1
audit "a fleet" 15
matches "the first line says how" '15 hosts, at most 15 at once, by ssh, proven by boot id' \
    "$(cat out err)"
for kind in well slow hang flap long; do
    ends "$kind" 'restarted\|proven\|-' 1 1
done
ends twice 'restarted\|proven\|-' 1 2
ends noop 'dead\|-\|.*same-boot.*' 2 0
ends gone 'dead\|-\|.*unreachable.*' 0 0
ends badkey 'dead\|-\|.*unreachable.*' 0 0
ends sick 'dead\|-\|.*unhealthy.*' 1 1
ends stranger 'dead\|-\|.*wrong-host.*' 1 1
ends nosudo 'dead\|-\|.*sudo: a password is required.*' 2 0
ends unwell 'dead\|-\|.*unhealthy.*' 1 1
matches "restless: on record" '^dead\|-\|.*unhealthy.*$' "$(on_record restless)"
equal "restless: asked once" 1 "$(fleet_commands restless-15)"
matches "other: somebody else's reboot counts once it was begun" '^restarted\|proven\|-$' \
    "$(on_record other)"
at_most "other: asked once at most" 1 "$(fleet_commands other-13)"
equal "other: rebooted once" 1 "$(fleet_reboots other-13)"
read_deadlines >deadlines
equal "an attempt of each host that answered is on record with its deadline" 13 \
    "$(grep -v '^gone\|^badkey' deadlines | cut -d ' ' -f 1 | sort -u | wc -l)"
equal "no host was asked again before its deadline, or on another boot" "" \
    "$(fleet_second_commands 0 deadlines)"
equal "the ids on record are the hosts'" "" "$(
    store "SELECT jobs.host, machine_id FROM attempts JOIN jobs ON jobs.id = attempts.job
        WHERE attempts.began_ms" |
        while IFS='|' read -r host machine; do
            [[ $host == stranger-* || $machine == "$(cat "$fleet/hosts/$host/machine-id")" ]] ||
                printf '%s\n' "$host"
        done
)"
matches "explain says how a host was proven" 'proven|boot' \
    "$("$build/mayhem" explain well-01 --dir "$dir")"
matches "explain says why one is dead" 'same-boot' "$("$build/mayhem" explain noop-07 --dir "$dir")"
matches "the summary names the dead with their words" 'nosudo-12.*sudo: a password is required' \
    "$(cat out)"
check "a refused sudo is logged at once" grep -q \
    'The command has ended.* host=nosudo-12 .*sudo: a password is required' "$dir"/log/restarter-*.log
check "nothing is left running" wait_until 5 nothing_lives
end_fleet

# ---- Ctrl-C in mid-boot --------------------------------------------------------------------------

all_down() {
    [[ $(fleet_reboots) == 4 ]]
}

dir=stop
begin_fleet 4 long:down_ms=6000
launch -i "$fleet/hosts.txt" --driver ssh "${limits[@]}"
wait_until 20 all_down || not_ok "all go down" "$(fleet_log)"
began=$(milliseconds)
kill -INT "$run_pid"
finish 10
ends_with_code "Ctrl-C in mid-boot: exit 75" 75
at_most "it does not wait for them (ms)" 3000 $(($(milliseconds) - began))
matches "it says so" '4 hosts in mid-boot, not proven yet; the same command looks at them first' \
    "$(cat out err)"
run -i "$fleet/hosts.txt" --driver ssh "${limits[@]}"
ends_with_code "the same command looks at them: exit 0" 0
equal "all are proven" 4 "$(store "SELECT count(*) FROM jobs WHERE proof = 'proven'")"
equal "each was asked once" "4 4" "$(fleet_commands) $(fleet_reboots)"
end_fleet

# ---- hosts that do not answer, restarted by a BMC -------------------------------------------------

# A driver whose command works on a host that hangs; it needs no answer of it.
write_bmc() {
    {
        printf '[driver]\nrestart = sh -c %s bmc {host}\n' \
            "'echo \"reboot bmc\" >\"$fleet/hosts/\$1/control\"'"
        grep '^identify' "$root/restarter/drivers/ipmi.ini"
    } >bmc.ini
}

bmc_limits=(--timeout 2s --verify-timeout 4s --settle 1s --attempts 1)
begin_fleet 4 hung hung well gone
write_bmc
dir=unasked
run -i "$fleet/hosts.txt" --driver ./bmc.ini "${bmc_limits[@]}"
ends_with_code "hosts that do not answer are dead: exit 1" 1
equal "they got no command" "dead|unreachable|0" "$(
    store "SELECT DISTINCT outcome, substr(error, 1, 11) FROM jobs WHERE host LIKE 'hung-%'"
)|$(fleet_log | grep -c 'hung.* down bmc')"
dir=allowed
run -i "$fleet/hosts.txt" --driver ./bmc.ini --allow-unreachable "${bmc_limits[@]}"
ends_with_code "with --allow-unreachable: only one that never answers is dead: exit 1" 1
matches "the first line says so" 'proven by boot id, unreachable ones by uptime' "$(cat out err)"
equal "they are proven" "2" \
    "$(store "SELECT count(*) FROM jobs WHERE host LIKE 'hung-%' AND proof = 'proven'")"
equal "each was restarted once" "1 1" "$(fleet_reboots hung-01) $(fleet_reboots hung-02)"
matches "one that never answers is unreachable" '^dead\|-\|.*unreachable.*$' "$(on_record gone)"
matches "explain says that nobody answered before" 'nobody answered before' \
    "$("$build/mayhem" explain hung-01 --dir "$dir")"
end_fleet

# ---- addresses from the inventory ----------------------------------------------------------------

dir=inventory
begin_fleet 2 well
sed -i '/^Host [^*]/,$d; / Port /d; / User /d' "$fleet/ssh_config" # the keys are left
run -i "$fleet/hosts.jsonl" --driver ssh "${limits[@]}"
ends_with_code "address, port and user of JSON Lines: exit 0" 0
equal "each was asked once" "2 2" "$(fleet_commands) $(fleet_reboots)"
end_fleet
