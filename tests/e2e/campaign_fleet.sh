#!/usr/bin/env bash
# campaign_fleet.sh [KILLS] [SEED]: a fleet of real sshd restarted by --driver ssh under kill -9 of
# restarters, consumer, publisher, saver and spawners, each as often in each phase of a host's
# restart, and under Ctrl-C in mid-boot followed by the same command. Counted on the hosts: no
# second command to a host whose boot id had changed, or before its deadline. Too long for --test:
# `make campaign-fleet`.
# shellcheck source=tests/e2e/e2e_lib.sh
. "$(dirname "$0")/e2e_lib.sh"
# shellcheck source=tests/fleet/fleet.sh
. "$root/tests/fleet/fleet.sh"
fleet_or_skip

kills=${1:-50}
RANDOM=${2:-1}
a_run=8     # kills, before the rest of a run is left alone
stop_each=3 # runs of which one is stopped in mid-boot and goes on
kinds=(well slow hang flap twice well:session=end long:down_ms=5000 noop well sick hang slow)
phases=(before probed sent down up settling)
victims=(restarter consumer publisher saver spawner)
options=(--driver ssh -n 2 --slots 4 --at-once 4 --timeout 3s --verify-timeout 8s --settle 2s
    --crash-limit 0 --restart-pause 20ms..100ms)
path=$PATH
wrong=0

# ---- phases --------------------------------------------------------------------------------------

# The host and the phase of each that is under way, by the hosts' logs and by the record:
#   before    nobody has read its ids
#   probed    an attempt is begun on record, no command has arrived
#   sent      a command has arrived, and it is still up
#   down      it is down
#   up        it is up again, nobody has read its new ids
#   settling  they have been read
look_at_phases() {
    { store "SELECT 'record', host, outcome IS NOT NULL,
            (SELECT count(*) FROM attempts WHERE job = jobs.id) FROM jobs" | tr '|' ' '
        fleet_log; } | awk -v all="${fleet_hosts[*]}" '
        $1 == "record" { settled[$2] = $3; begun[$2] = $4; next }
        $5 == "command" && /reboot/ { phase[$1] = "sent" }
        $5 == "command" && !($1 in phase) { phase[$1] = "read" }
        $5 == "read" && phase[$1] == "up" { phase[$1] = "settling" }
        $5 == "down" { phase[$1] = "down" }
        $5 == "up" && $6 != "-" { phase[$1] = "up" }
        END {
            count = split(all, hosts, " ")
            for (n = 1; n <= count; n++) {
                host = hosts[n]
                if (settled[host]) continue
                if (!(host in phase)) phase[host] = "before"
                if (phase[host] == "read") {
                    if (!begun[host]) continue
                    phase[host] = "probed"
                }
                print host, phase[host]
            }
        }'
}

# Sets `host` to one that is down.
is_one_down() {
    host=$(look_at_phases | awk '$2 == "down" { print $1 }' | head -n 1)
    [[ $host ]]
}

# ---- kills ---------------------------------------------------------------------------------------

# find_victim NAME HOST: in `victim` its pid, when it runs: of restarters the one that has the host,
# when the record says so.
find_victim() {
    local name=$1 child children
    if [[ $1 == restarter || $1 == spawner ]]; then
        name=$(store "SELECT worker FROM attempts WHERE ended_ms IS NULL AND job =
            (SELECT id FROM jobs WHERE host = '$2')" | grep -oE 'restarter-[0-9]+' | tail -n 1)
        name=${name:-restarter-$((RANDOM % 2 + 1))}
    fi
    victim=$(pid_of "$name")
    [[ $victim ]] && grep -aqsF -- "--log-file=$dir/log/$name.log" "/proc/$victim/cmdline" || return
    [[ $1 == spawner ]] || return 0
    read -ra children <"/proc/$victim/task/$victim/children" # which has no end of line
    for child in "${children[@]}"; do
        [[ $(cat "/proc/$child/comm" 2>/dev/null) == mayhem-spawner ]] && victim=$child && return
    done
    return 1
}

declare -A killed=() # phase or victim → kills
done_kills=0 in_run=0
moved=0 # kills whose host was in another phase when the victim was dead
deck=() # cards "PHASE VICTIM": each pair once, in any order

deal() {
    local phase who
    deck=()
    for phase in "${phases[@]}"; do
        for who in "${victims[@]}"; do
            deck+=("$RANDOM $phase $who")
        done
    done
    mapfile -t deck < <(printf '%s\n' "${deck[@]}" | sort -n | cut -d ' ' -f 2-)
}

# Plays the first card whose phase a host is in and whose victim runs, if there is one.
one_kill() {
    local -A found=()
    local host phase card who victim=""
    while read -r host phase; do
        [[ -v found[$phase] ]] && ((RANDOM % 2)) || found[$phase]=$host
    done < <(look_at_phases)
    ((${#deck[@]})) || deal
    for card in "${!deck[@]}"; do
        read -r phase who <<<"${deck[card]}"
        [[ ! -v found[$phase] ]] || ! find_victim "$who" "${found[$phase]}" || break
        victim=""
    done
    [[ $victim ]] && kill -KILL "$victim" 2>/dev/null || return
    host=${found[$phase]}
    printf '#   %s while %s was %s\n' "$who" "$host" "$phase"
    look_at_phases | grep -qxF "$host $phase" || moved=$((moved + 1))
    killed[$phase]=$((${killed[$phase]:-0} + 1)) killed[$who]=$((${killed[$who]:-0} + 1))
    done_kills=$((done_kills + 1)) in_run=$((in_run + 1))
    unset "deck[card]"
    sleep 0.7 # what was killed is there again
}

# ---- runs ----------------------------------------------------------------------------------------

go() {
    # A shell starts what is in the background with INT ignored.
    env --default-signal=INT "$build/mayhem" run --dir "$dir" -i "$fleet/hosts.txt" \
        "${options[@]}" >out 2>err </dev/null &
    run_pid=$!
    started+=("$run_pid")
    wait_until 10 test -s "$dir/publisher.pid" || not_ok "a run starts" "$(cat out err)"
}

# Ctrl-C while a host is down, then the same command.
stop_in_mid_boot() {
    local host=""
    wait_until 15 is_one_down || return
    kill -INT "$run_pid"
    finish 20
    [[ $code == 75 ]] ||
        complain "Ctrl-C while $host is down ends with $code, not 75" "$(cat out err)"
    stops=$((stops + 1))
    rm -f "$dir/publisher.pid"
    go
}

complain() {
    not_ok "$@"
    wrong=$((wrong + 1))
}

# What is wrong with the run that has ended, by what the hosts have counted.
judge() {
    local host outcome proof commands reboots
    store "SELECT jobs.host, attempts.began_ms, attempts.deadline_boot_ms FROM attempts
        JOIN jobs ON jobs.id = attempts.job" | tr '|' ' ' >deadlines
    fleet_second_commands 0 deadlines
    store "SELECT host, outcome, proof FROM jobs" | while IFS='|' read -r host outcome proof; do
        commands=$(fleet_commands "$host") reboots=$(fleet_reboots "$host")
        case $host in
        noop-*) [[ $outcome == dead && $reboots == 0 ]] ;;
        sick-*) [[ $outcome == dead && $commands == 1 && $reboots == 1 ]] ;;
        twice-*) [[ $outcome == restarted && $proof == proven && $reboots == 2 ]] ;;
        *) [[ $outcome == restarted && $proof == proven && $reboots == 1 ]] ;;
        esac || printf '%s: %s %s, %d commands, %d reboots\n' "$host" "$outcome" "$proof" \
            "$commands" "$reboots"
    done
    [[ $(settled) == "${#fleet_hosts[@]}" ]] || printf 'settled: %s\n' "$(settled)"
}

runs=0 stops=0
while ((done_kills < kills && runs < kills)); do
    dir=run-$runs
    runs=$((runs + 1)) in_run=0
    fleet_start 12 "${kinds[@]}" || exit
    PATH=$fleet/bin:$path
    go
    ((runs % stop_each)) || stop_in_mid_boot
    while ((done_kills < kills && in_run < a_run)) && ! is_gone "$run_pid"; do
        one_kill || sleep 0.02
    done
    finish 120
    [[ $code == 1 ]] || complain "run $runs ends with $code, not 1" "$(cat out err)"
    said=$(judge)
    [[ ! $said ]] || complain "run $runs: each host as it should be, asked once" "$said" \
        "$(fleet_log)"
    wait_until 5 nothing_lives || complain "run $runs leaves nothing running"
    PATH=$path
    fleet_stop
done
said=""
for name in "${phases[@]}" "${victims[@]}"; do
    said+=", $name ${killed[$name]:-0}"
done
equal "$done_kills kills in $runs runs with $stops stops in mid-boot (${said#, }; $moved of the hosts \
were a phase further then); wrong" 0 "$wrong"
equal "all kills were made" "$kills" "$done_kills"
