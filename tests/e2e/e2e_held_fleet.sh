#!/usr/bin/env bash
# e2e_held_fleet.sh [SEED HOSTS]: a policy over hosts whose sshd are real, a fifth of them bad. How many
# were down at once, when it stopped and what came behind that is read from the hosts' own logs and
# compared with the audit. Cases run side by side. With SEED and HOSTS further ones are drawn:
# `make campaign-fleet-held`.
# shellcheck source=tests/e2e/e2e_lib.sh
. "$(dirname "$0")/e2e_lib.sh"
# shellcheck source=tests/e2e/policy_lib.sh
. "$root/tests/e2e/policy_lib.sh"
# shellcheck source=tests/fleet/fleet.sh
. "$root/tests/fleet/fleet.sh"
fleet_or_skip

export LC_ALL=C FLEET_SCALE=50
RANDOM=${1:-1}
drawn=${2:-0}
timeout=6s verify_timeout=5s # the read before the command and its session: on a machine that is busy
((drawn == 0)) || verify_timeout=7s # kinds that are slow
lost_after=1500 # ms: the default, and how old a permit may be
path=$PATH

# ---- a case, in a folder of its own, which is that of its run ------------------------------------

# begin NAME KIND...: its hosts, in this order; policy.ini is what the judge reads.
begin() {
    dir=$work/$1 name=$1
    mkdir "$dir" && cd "$dir" || exit 73
    export MAYHEM_LOCKS=$work/locks/$1
    shift
    check "$name: $# hosts start" fleet_start $# "$@"
    PATH=$fleet/bin:$path
    cp "$fleet/hosts.txt" hosts.txt
    how=(--config policy.ini --attempts 1)
}

# The run, in the background; `how` has more of its options. One whose breaker has tripped starts
# nothing.
has_started() {
    [[ -s publisher.pid ]] || is_gone "$run_pid"
}
go() {
    rm -f publisher.pid
    # A shell starts what is in the background with INT ignored.
    env --default-signal=INT "$build/mayhem" run --dir "$dir" -i hosts.txt --driver ssh --unleash -q -n 2 \
        --slots 4 --timeout "$timeout" --verify-timeout "$verify_timeout" --settle 1s --cooldown 0s --crash-limit 0 \
        --restart-pause 20ms..100ms "${how[@]}" >out 2>err </dev/null &
    run_pid=$!
    wait_until 20 has_started || not_ok "$name: a run starts" "$(cat out err)"
}

# order COMMAND [WORD]: accepted by the run.
order() {
    timeout 20 "$build/mayhem" "$@" --why 'the test' --dir "$dir" --timeout 8s >>orders 2>&1
    equal "$name: $*: exit 0" 0 "$?"
}

status() {
    "$build/mayhem" status --dir "$dir" 2>/dev/null
}

last() {
    store "SELECT time_ms FROM audit WHERE action = '$1' ORDER BY seq DESC LIMIT 1"
}

counted() {
    store "SELECT count(*) FILTER (WHERE outcome = 'restarted') || ' restarted, ' ||
        count(*) FILTER (WHERE outcome = 'dead') || ' dead, ' ||
        count(*) FILTER (WHERE outcome IS NULL) || ' left' FROM jobs"
}

has_tripped() {
    [[ $(store "SELECT count(*) FROM holds WHERE kind = 'trip'") == 1 ]]
}

# Nothing is in progress any more, as the page of groups says it, or since the last host is done.
is_quiet() {
    is_gone "$run_pid" || status | grep -qE '^ \(whole run\) +[0-9]+ +0/3 '
}

# The first line of status, however long: a page breaks it at its width.
first_line() {
    status | sed '/--why TEXT$/q' | paste -sd ' '
}

are_asked() {
    (($(asked | wc -l) >= $1))
}

is_down() {
    (($(down_now) >= $1))
}

quiet_for() {
    local until=$(($(milliseconds) + $1))
    wait_until 20 is_quiet || not_ok "$name: what has begun ends" "$(status)"
    while (($(milliseconds) < until)); do sleep 0.1; done
}

# over CODE: the run ends so, and what the hosts and the audit say is as it must be.
over() {
    finish 100
    ends_with_code "$name: the rest ends with $1" "$1"
    printf '#   %s: it ends with %d after %d s: %s\n' "$name" "$code" "$SECONDS" "$(tail -n 1 out)"
    equal "$name: every host has an outcome" "$(lines_in hosts.txt)" "$(settled)"
    equal "$name: what was proven is what has rebooted" "" "$(unlike)"
    at_most "$name: hosts that were down at once" "$at_once" "$(max_down)"
    printf '#   %s: %s; down at once: %s\n' "$name" "$(counted)" "$(max_down)"
    at_most "$name: ms from a trip or a halt to the last command behind it" "$lost_after" "$(late_commands)"
    printf '#   %s: the last command behind a trip or a halt: %s ms\n' "$name" "$(late_commands)"
    "$build/mayhem" audit verify --dir "$dir" >verified
    equal "$name: the audit is intact" 0 "$?"
    judge_audit mayhem.db >found
    equal "$name: the judge finds nothing in it" "0 " "$? $(head -n -1 found)"
    fleet_log >fleet.log
    fleet_stop
}


# ---- what the hosts say --------------------------------------------------------------------------

# Restart commands, as they have arrived: "HOST WALL_MS".
asked() {
    fleet_log | awk '$5 == "command" && /reboot/ { print $1, $3 }'
}

# How many have ever been down at the same moment; of a GROUP alone. A restless one reboots by itself.
max_down() {
    { sed 's/ groups=/ /' hosts.txt; fleet_log; } | awk -v group="${1:-}" '
        NF <= 2 { is_in[$1] = !group || "," $2 "," ~ "," group ","; next }
        !is_in[$1] || $1 ~ /^restless-/ && /itself/ { next }
        $5 == "down" && !down[$1] { down[$1] = 1; if (++now > most) most = now }
        $5 == "listening" && down[$1] { down[$1] = 0; now-- }
        END { print most + 0 }'
}

down_now() {
    fleet_log | awk '$5 == "down" { down[$1] = 1 } $5 == "listening" { delete down[$1] }
        END { for (host in down) count++; print count + 0 }'
}

# How long behind a trip or halt of the run on record a command has arrived at latest, before the
# next resume or run; 0: none.
late_commands() {
    { store "SELECT 'audit', time_ms, action FROM audit WHERE action IN ('trip', 'halt', 'resume')
            AND coalesce(grp, '') = '' ORDER BY seq" | tr '|' ' '
        asked | sed 's/^/asked /'; } | awk '
        $1 == "audit" && $3 == "resume" && holds { ends[holds] = $2; next }
        $1 == "audit" && (!holds || ends[holds]) { begins[++holds] = $2 }
        $1 == "asked" { for (n = 1; n <= holds; n++)
            if ($3 > begins[n] && (!ends[n] || $3 < ends[n]) && $3 - begins[n] > most) most = $3 - begins[n] }
        END { print most + 0 }'
}

# Hosts that are restarted on record and have not rebooted, or the other way round, or were asked
# more than once by one attempt.
unlike() {
    local host outcome attempts commands reboots
    store "SELECT host, outcome, (SELECT count(*) FROM attempts WHERE job = jobs.id) FROM jobs" |
        while IFS='|' read -r host outcome attempts; do
            commands=$(fleet_commands "$host") reboots=$(fleet_reboots "$host")
            case $host in
            noop-* | nosudo-*) [[ $outcome == dead && $reboots == 0 ]] ;;
            gone-* | badkey-*) [[ $outcome == dead && $commands == 0 ]] ;;
            sick-* | stranger-* | unwell-*) [[ $outcome == dead && $reboots == 1 ]] ;;
            restless-*) [[ $outcome == dead ]] ;;
            long-*) ((reboots == 1)) ;;
            twice-*) [[ $outcome == restarted ]] && ((reboots <= 2)) ;;
            *) [[ $outcome == restarted && $reboots == 1 ]] ;;
            esac && ((commands <= attempts)) ||
                printf '%s: %s, %d attempts, %d commands, %d reboots\n' "$host" "$outcome" "$attempts" \
                    "$commands" "$reboots"
        done
}

# ---- the cases -----------------------------------------------------------------------------------

at_once=3
ramp=(--at-once 3 --ramp '1,3,50%' --bake 2s --breaker 3/10)

# For the judge.
write_ramp() {
    printf '[run]\nat-once = 3\nramp = 1,3,50%%\nbake = 2s\nbreaker = 3/10\n' >policy.ini
    how=("${ramp[@]}" --attempts 1)
}

# Of that ramp over 10 hosts: so many may have been asked when so many are restarted on record.
in_the_ramp() {
    if (($1 < 1)); then echo 1; elif (($1 < 4)); then echo 4; elif (($1 < 9)); then echo 9; else echo 10; fi
}

# stopped WHY: it has tripped; nothing begins; Ctrl-C says so; the same command begins nothing.
stopped() {
    local first before
    quiet_for 2500
    first=$(first_line)
    printf '#   %s: it stops with %s; status: %s\n' "$name" "$(counted)" "$first"
    matches "$name: status begins with it" \
        "^the breaker of the whole run has tripped: $1; to go on: mayhem resume --dir $dir --why TEXT\$" "$first"
    before=$(asked | wc -l)
    kill -INT "$run_pid"
    finish 20
    ends_with_code "$name: Ctrl-C then: exit 75" 75
    printf '#   %s: Ctrl-C: exit %d: %s\n' "$name" "$code" "$(tail -n 3 out | cut -c 1-150 | paste -sd '~')"
    matches "$name: the last lines say it" \
        $'\n'"the breaker of the whole run has tripped; nothing begins until: [^ ]*(mayhem|run.sh) resume --dir $dir --why TEXT"$'\n' \
        "$(cat out)"
    go
    finish 20
    ends_with_code "$name: the same command ends at once: exit 75" 75
    matches "$name: and status still begins with it" '^the breaker of the whole run has tripped: ' "$(first_line)"
    equal "$name: and nothing begins" "$before" "$(asked | wc -l)"
}

# What has stopped goes on, with the same command.
resumed() {
    order resume
    go
}

trips() {
    wait_until 60 has_tripped || not_ok "$name: it trips" "$(status)" "$(tail -n 5 log/*.log)"
}

# A casualty within a step of the ramp; one behind all steps does not stop it.
casualty_case() {
    begin casualty well well well well well sick well well well gone
    write_ramp
    go
    trips
    stopped 'a casualty in step . of the ramp'
    at_most "$name: no more hosts than the step has" 9 "$(asked | cut -d ' ' -f 1 | sort -u | wc -l)"
    resumed
    over 1
}

# Dead hosts that are up are no casualties: the third one trips the breaker. Never two of a pair.
breaker_case() {
    local number=0 host
    begin breaker well well noop well noop well nosudo well well well well well well well unwell
    while read -r host; do
        printf '%s groups=pair-%d,web\n' "$host" $((number++ / 2 % 7))
    done <"$fleet/hosts.txt" >hosts.txt
    {
        printf '[run]\nat-once = 3\nbreaker = 3/10\n[group web]\nmax-unavailable = 20%%\n'
        for ((number = 0; number < 7; number++)); do printf '[group pair-%d]\ncap = 1\n' $number; done
    } >policy.ini
    go
    trips
    stopped '3 of the last [0-9]* failed'
    resumed
    for ((number = 0; number < 7; number++)); do
        at_most "$name: hosts of pair-$number that were down at once" 1 "$(max_down pair-$number)"
    done
    over 1
}

is_casualty() {
    [[ $(store "SELECT count(*) FROM places WHERE host = '$1' AND casualty AND NOT open") == 1 ]]
}

# A casualty keeps the only place of its group until it is absolved.
absolve_case() {
    begin absolve sick well well well well
    sed -i 's/$/ groups=db/' hosts.txt
    printf '[run]\nat-once = 3\n[group db]\nmax-unavailable = 1\n' >policy.ini
    go
    wait_until 30 is_casualty sick-01 || not_ok "$name: there is a casualty" "$(status)"
    quiet_for 2500
    printf '#   %s: %s\n' "$name" "$(first_line)"
    matches "$name: status begins with it" '^1 casualty \(sick-01\) uses up max-unavailable of db; .*mayhem absolve HOST' \
        "$(first_line)"
    equal "$name: it has the place of the others" sick-01 "$(asked | cut -d ' ' -f 1)"
    order absolve sick-01
    at_most "$name: of the group, down at once" 1 "$(max_down)"
    over 1
}

# From the answer on nothing goes down but what has got its command before.
halt_case() {
    local answered before
    begin halt well well hang well well twice well well well well
    how=(--at-once 3 --breaker 3/10 --attempts 1)
    printf '[run]\nat-once = 3\nbreaker = 3/10\n' >policy.ini
    go
    wait_until 40 are_asked 4
    wait_until 20 is_down 1 || not_ok "$name: hosts go down" "$(fleet_log)"
    order halt
    answered=$(date +%s%3N)
    quiet_for 4000
    before=$(asked | wc -l)
    at_most "$name: ms from the answer to the last command" "$lost_after" \
        "$(asked | awk -v from="$answered" '$2 - from > most { most = $2 - from } END { print most + 0 }')"
    at_most "$name: ms from the answer until the last host goes down because of one" $((lost_after + 200)) "$(
        fleet_log | awk -v from="$answered" '$5 == "down" && $6 == "asked" && $3 - from > most { most = $3 - from }
            END { print most + 0 }')"
    printf '#   %s: %d asked; status: %s\n' "$name" "$before" "$(first_line)"
    kill -INT "$run_pid"
    finish 20
    ends_with_code "$name: Ctrl-C then: exit 75" 75
    matches "$name: the last lines say it" $'\n'"halted; nothing begins until: [^ ]*(mayhem|run.sh) resume --dir $dir --why TEXT"$'\n' \
        "$(cat out)"
    go
    quiet_for 3000
    equal "$name: the same command begins nothing" "$before" "$(asked | wc -l)"
    order resume
    over 0
}

# kill -9 of everything while hosts are down, in each step; the same command goes on with the step.
kill_case() {
    local restarted step
    begin kill well slow well well well well hang well well well
    write_ramp
    how+=(--attempts 2) # what was killed before its command has arrived is tried again
    for step in 1 2 5; do
        go
        wait_until 50 are_asked "$step"
        wait_until 20 is_down 1 || not_ok "$name: hosts go down" "$(status)"
        kill_everything
        restarted=$(store "SELECT count(*) FROM jobs WHERE outcome = 'restarted'")
        at_most "$name: with $restarted restarted no more are asked than the step has" \
            "$(in_the_ramp "$restarted")" "$(asked | cut -d ' ' -f 1 | sort -u | wc -l)"
        printf '#   %s: killed with %s, %d asked, %d down\n' "$name" "$(counted)" "$(asked | wc -l)" "$(down_now)"
    done
    go
    over 0
}

# ---- cases that are drawn ------------------------------------------------------------------------

good=(well well slow hang twice flap long:down_ms=2500)
bad=(noop gone badkey sick stranger nosudo unwell restless)

# Sets `kinds` to so many: a fifth of them bad, at random places.
draw_kinds() {
    local at=$((RANDOM % ${#bad[@]})) number
    mapfile -t kinds < <(for ((number = 0; number < $1; number++)); do
        if ((number % 5)); then kind=${good[RANDOM % ${#good[@]}]}; else kind=${bad[at++ % ${#bad[@]}]}; fi
        printf '%d %s\n' "$RANDOM" "$kind"
    done | sort -n | cut -d ' ' -f 2)
}

# One thing that an operator does, or that happens to them.
one_event() {
    local before
    case $((RANDOM % 3)) in
    0)
        kill_everything
        printf '#   %s: killed with %s, %d down\n' "$name" "$(counted)" "$(down_now)"
        go
        ;;
    1)
        kill -INT "$run_pid"
        finish 30
        ends_with_code "$name: Ctrl-C: exit 75" 75
        go
        ;;
    2)
        order halt
        quiet_for 2500
        before=$(asked | wc -l)
        quiet_for 2000
        equal "$name: behind a halt nothing begins" "$before" "$(asked | wc -l)"
        order resume
        ;;
    esac
}

# A trip is resumed when nothing has begun for a while.
one_trip() {
    local before
    quiet_for 2500
    before=$(asked | wc -l)
    quiet_for 2000
    equal "$name: behind a trip nothing begins" "$before" "$(asked | wc -l)"
    printf '#   %s: it stops with %s; status: %s\n' "$name" "$(counted)" "$(first_line)"
    order resume
    wait_until 10 is_free || not_ok "$name: it goes on"
    ! is_gone "$run_pid" || go
}

# write_pairs HOSTS: two hosts are a pair, one behind the other in the list; all are in web.
write_pairs() {
    local number=0 host
    while read -r host; do
        printf '%s groups=pair-%d,web\n' "$host" $((number++ / 2))
    done <"$fleet/hosts.txt" >hosts.txt
    printf '[run]\nat-once = 3\nramp = 1,3,50%%\nbake = 2s\nbreaker = 3/10\n[group web]\ncap = 3\n' >policy.ini
    for ((number = 0; number * 2 < $1; number++)); do printf '[group pair-%d]\ncap = 1\n' "$number"; done \
        >>policy.ini
}

# drawn_case NUMBER HOSTS: four events in it.
drawn_case() {
    local kinds number most=0 pair events=0 next=$((2 + RANDOM % 5)) trips=0
    draw_kinds "$2"
    begin "drawn-$1" "${kinds[@]}"
    how=(--config policy.ini --attempts 2)
    write_pairs "$2"
    go
    until is_gone "$run_pid" && ! { has_tripped && (($(settled) < $2)); }; do
        if has_tripped && (($(settled) < $2)); then
            trips=$((trips + 1))
            one_trip
        elif ((events < 4 && $(settled) < $2 - 6)) && are_asked $next; then
            events=$((events + 1)) next=$((next + 2 + RANDOM % 8))
            one_event
        else
            sleep 0.1
        fi
    done
    for ((number = 0; number * 2 < $2; number++)); do
        pair=$(max_down "pair-$number")
        ((pair <= most)) || most=$pair
    done
    at_most "$name: hosts of a pair that were down at once" 1 "$most"
    printf '#   %s: %d trips, %d events, of a pair %d down at once\n' "$name" "$trips" "$events" "$most"
    over 1
}

is_free() {
    ! has_tripped
}

# ---- all of them ---------------------------------------------------------------------------------

number=0
# try CASE [WORD]...: in the background.
try() {
    number=$((number + 1))
    "$@" >"$work/tried.$number" 2>&1 &
    started+=("$!")
}

if ((drawn == 0)); then
    for each in casualty breaker absolve halt kill; do
        try "${each}_case"
    done
    wait
else
    for ((i = 1; i <= 4; i++)); do
        while (($(jobs -rp | wc -l) >= 4)); do wait -n; done
        RANDOM=$((${1:-1} * 100 + i))
        try drawn_case $i "$drawn"
    done
    wait
fi
for ((i = 1; i <= number; i++)); do cat "$work/tried.$i"; done
check "nothing is left running" nothing_lives
[[ ! -v KEEP ]] || cp -r . "$KEEP" # to look at
