#!/usr/bin/env bash
# What holds a run back: halt, resume, deny and absolve, given to a run and to a stopped folder, and
# a breaker. All of it stays in force over kill -9 of whatever there is, until an operator ends it.
# shellcheck source=tests/e2e/e2e_lib.sh
. "$(dirname "$0")/e2e_lib.sh"

export LC_ALL=C
program=$build/mayhem

# restart.sh NAME HOST SECONDS CODE: writes down when it begins and ends.
cat >restart.sh <<'END'
#!/bin/sh
echo "$2" >>"$1.begun"
sleep "$3"
echo "$2" >>"$1.ended"
exit "$4"
END
chmod +x restart.sh

# order COMMAND [OPTION]...: sets `code`, writes out2 and err2.
order() {
    "$program" "$@" --dir "$dir" >out2 2>err2 </dev/null
    code=$?
}

# accepted NAME REGEX: the order that was just given is on record, and that is said.
accepted() {
    equal "$1: exit 0" "0 " "$code $(cat err2)"
    matches "$1: it is said" "$2" "$(cat out2)"
}

begun() {
    printf '%d' $((10#0$(lines_in "$dir.begun")))
}

has_begun() {
    (($(begun) >= $1))
}

# Whatever has begun has ended.
is_quiet() {
    (($(begun) == 10#0$(lines_in "$dir.ended")))
}

# Nothing has begun but so many, also a second later, when all that has begun has ended.
nothing_begins() {
    local name=$1 before=$2 after
    after=$(($(milliseconds) + 1000))
    wait_until 10 is_quiet || not_ok "$name: what has begun ends" "$(tail -n 15 $dir/log/*.log)"
    wait_until 3 is_later "$after"
    equal "$name: nothing begins" "$before" "$(begun)"
}

is_later() {
    (($(milliseconds) > $1))
}

# kill -9 of the supervisor and of all its processes.
murder_all() {
    local pid pids
    mapfile -t pids < <(cat "$dir"/*.pid)
    for pid in "${pids[@]}"; do kill -KILL "$pid" 2>/dev/null; done
    wait "$run_pid" 2>/dev/null
    for pid in "${pids[@]}"; do wait_until 10 is_gone "$pid"; done
}

# why_waits HOST: as explain says it.
why_waits() {
    "$program" explain "$1" --dir "$dir" 2>/dev/null | sed -n 's/^  the restart waits: //p'
}

waits_for() {
    [[ $(why_waits "$1") == "$2" ]]
}

terminal_has() {
    grep -qE "$1" err
}

is_whole() {
    "$program" audit verify --dir "$dir" >out2
}

first_line() {
    "$program" status --dir "$dir" 2>/dev/null | head -n 1
}

# ---- what is refused -----------------------------------------------------------------------------

hosts 60 >hosts.txt
dir=none
order halt --why 'a slip of the pen'
equal "a folder that is not there: exit 66" 66 "$code"
matches "the form that works is said" "no run has begun in 'none'.*mayhem halt --dir FOLDER --why TEXT" "$(cat err2)"
mkdir none
order halt --why 'a slip of the pen'
equal "a folder without a run: exit 66" 66 "$code"
check "nothing is made in it" test -z "$(ls -A none)"
for words in halt 'halt --why=' 'deny --why x' 'deny a b --why x' 'deny -- -a --why x' 'halt web --why x' \
    'deny a --until soon --why x' 'deny a --until 2020-01-01 --why x' 'absolve --why x' \
    'halt --why x --timeout 1' "halt --why $(printf '%600s' '' | tr ' ' y)"; do
    # shellcheck disable=SC2086 # they are words
    order $words
    equal "${words:0:40}: exit 64" 64 "$code"
done

# ---- a run that works ----------------------------------------------------------------------------

dir=works
how=(-i hosts.txt -x "$work/restart.sh works {host} 0.3 0" -n 2 --slots 2 --cooldown 0s)
launch "${how[@]}"
wait_until 20 has_begun 6 || not_ok "hosts are restarted" "$(cat out err)"
order halt --why 'the kernel is bad, and hosts that come back are in the old one'
accepted "halt" '^halted: nothing begins in works until: mayhem resume --dir works --why TEXT'
halted=$(begun)
nothing_begins "behind a halt" "$halted"
equal "what has begun is finished and on record" "$halted" \
    "$(store "SELECT count(*) FROM jobs WHERE outcome = 'restarted'")"
matches "status begins with who, why, and what helps" \
    "^halted since .* by .* \(uid $(id -u), pid [0-9]+\): the kernel is bad, and .* old one; to go on: mayhem resume --dir works --why TEXT$" \
    "$(first_line)"
equal "explain says why a host waits" halted "$(why_waits web-00060)"
matches "JSON has it, too" '"halted":true.*"attention":\["halted since' \
    "$("$program" status --json --dir works | head -c 100000)"
murder consumer
murder saver
check "behind kill -9 of the consumer it is known again" wait_until 20 waits_for web-00060 halted
nothing_begins "behind kill -9 of consumer and saver" "$halted"
order halt --why 'still bad' --json
equal "halted twice: exit 0" 0 "$code"
matches "as JSON: what is in force" '"action":"halt".*"running":true,"in_force":\{"holds":\[\{"kind":"halt".*"why":"still bad"' "$(cat out2)"
murder_all
matches "of a folder in which nothing runs status says it, too" '^halted since .*: still bad; to go on: ' "$(first_line)"
launch "${how[@]}"
check "kill -9 of all, and the same command" wait_until 30 waits_for web-00060 halted
nothing_begins "behind that" "$halted"
check "its terminal says so" wait_until 10 terminal_has '^halted; nothing begins until: [^ ]*(mayhem|run.sh) resume --dir works --why TEXT$'
order deny WEB-00060 --until +5s --why 'its fan is broken'
accepted "deny" '^denied: web-00060 is not restarted until 20..-.*; to end that: mayhem deny web-00060 --until now --dir works --why TEXT$'
order deny web-00059 --why 'somebody uses it'
accepted "deny for good" '^denied: web-00059 is not restarted for good; '
order resume --why 'another kernel'
accepted "resume" $'^resumed: works\nstill in force:\ndenied +web-0006?0?.*\ndenied +web-00059 for good'
only_denied() {
    (($(settled) >= 59))
}
check "all others are restarted" wait_until 60 only_denied
check "one is not, as explain says" wait_until 10 waits_for web-00059 denied
matches "status lists it" $'\ndenied +web-00059 for good since .*: somebody uses it; ends by: mayhem deny web-00059 --dir works --until now' \
    "$("$program" status --dir works)"
equal "nor was it begun" 0 "$(grep -c web-00059 works.begun)"
kill -INT "$run_pid"
finish 30
order deny web-00059 --until now --why 'he has gone home'
accepted "a denial ends, in a folder in which nothing runs" '^no longer denied: web-00059$'
run "${how[@]}"
ends_with_code "the rest is restarted: exit 0" 0
equal "each host but what kill -9 has interrupted was restarted once" "60 60" \
    "$(sort -u works.ended | wc -l) $(lines_in works.ended)"
matches "what is in the audit is in order" '^run halt halt deny deny resume deny$' \
    "$(store "SELECT group_concat(action, ' ') FROM (SELECT action FROM audit WHERE order_id IS NOT NULL ORDER BY seq)")"
check "and its rows are whole" is_whole

# ---- a folder in which nothing runs --------------------------------------------------------------

dir=still
how=(-i hosts.txt -x "$work/restart.sh still {host} 0.05 0" -n 2 --slots 4 --cooldown 0s)
run "${how[@]}" --limit 4
ends_with_code "four hosts are restarted: exit 0" 0
order halt --why 'change freeze' --json
taken=$(sed -n 's/.*"order":"\([0-9a-f]*\)".*/\1/p' out2)
equal "a halt is recorded under its id, as a consumer would have done it" "$taken" \
    "$(store "SELECT lower(hex(order_id)) FROM audit WHERE action = 'halt'")"
"$build/mayhem-saver" --dir=still --order=resume "--order-id=$taken" --order-why=late
equal "an id that is on record changes nothing" '1 halt' \
    "$(store "SELECT count(*) || ' ' || kind FROM audit, holds WHERE order_id IS NOT NULL AND audit.action <> 'run'")"
order halt --why 'change freeze'
accepted "halt" '^halted: nothing begins in still until: mayhem resume --dir still --why TEXT$'
check "and its lock is free again" flock -n still/run.lock true
launch "${how[@]}"
check "a run that begins then waits" wait_until 20 waits_for web-00050 halted
nothing_begins "in it" 4
murder_all
order resume --why 'it is over'
accepted "resume" '^resumed: still; the same command goes on$'
order resume --why 'it is over'
accepted "resume once more" '^resumed: still, which was not halted'
order resume web --why 'it is over'
accepted "resume of a group that has not tripped" '^resumed: group web, whose breaker had not tripped'
order absolve web-00007 --why 'it is well'
accepted "absolve of a host that is well" '^absolved: web-00007, which was no casualty: check its spelling'
run "${how[@]}"
ends_with_code "the same command goes on: exit 0" 0
equal "every host is restarted" 60 "$(sort -u still.ended | wc -l)"

# ---- a rehearsal -----------------------------------------------------------------------------------

dir=mock
launch -i hosts.txt --mock-time 200ms..200ms -n 1 --slots 2
wait_until 20 has_settled 2 || not_ok "hosts are rehearsed" "$(cat out err)"
order halt --why 'only the mock'
accepted "halt of a rehearsal" $'^halted: .*\nbut this is a rehearsal without a policy, and goes on$'
finish 60
ends_with_code "it goes on: exit 0" 0

# ---- nobody answers ------------------------------------------------------------------------------

dir=mute
how=(-i hosts.txt -x "$work/restart.sh mute {host} 0.3 0" --cooldown 0s)
launch "${how[@]}"
wait_until 20 has_begun 2 || not_ok "hosts are restarted" "$(cat out err)"
consumer=$(pid_of consumer)
kill -STOP "$consumer"
order halt --why 'nobody hears it' --timeout 1s
equal "a consumer that is stopped: exit 75" 75 "$code"
matches "it is said that nobody knows" 'within 1s: the order may be in force or not; see .mayhem status' "$(cat err2)"
kill -CONT "$consumer"
murder_all

# ---- a breaker -----------------------------------------------------------------------------------

dir=trips
{
    seq -f 'bad-%02g groups=web' 1 6
    seq -f 'db-%02g groups=db' 1 6
} >groups.txt
cat >policy.ini <<'END'
[run]
at-once = 4
[group web]
cap = 1
breaker = 2/2
[group db]
cap = 1
END
cat >by_name.sh <<END
#!/bin/sh
[ ! -e "$work/healed" ] || exec "$work/restart.sh" trips "\$1" 0.05 0
case \$1 in bad-*) exec "$work/restart.sh" trips "\$1" 0.05 1 ;; esac
exec "$work/restart.sh" trips "\$1" 0.05 0
END
chmod +x by_name.sh
how=(-i groups.txt -x "$work/by_name.sh {host}" --config policy.ini --unleash --attempts 1 --cooldown 0s)
has_tripped() {
    [[ $(store "SELECT count(*) FROM holds WHERE kind = 'trip' AND name = 'web'") == 1 ]]
}
launch "${how[@]}"
check "a breaker trips" wait_until 30 has_tripped
check "the other group is done" wait_until 30 has_settled 8
matches "status begins with the group, why, and what helps" \
    '^the breaker of web has tripped: .*; to go on: mayhem resume web --dir trips --why TEXT$' "$(first_line)"
matches "and has a table of groups" $'\n GROUP .*\n web +6 +0/1 +.* 4 tripped: ' "$("$program" status --dir trips)"
check "explain says which group" wait_until 10 waits_for bad-06 'breaker tripped (group web)'
murder consumer
murder saver
check "behind kill -9 of both it is known again" wait_until 30 waits_for bad-06 'breaker tripped (group web)'
nothing_begins "it stays tripped" 8
equal "its terminal says so, once, and what helps" 1 \
    "$(grep -cE '^the breaker of web has tripped; nothing of it begins until: [^ ]*(mayhem|run.sh) resume web --dir trips --why TEXT$' err)"
check "and who waits for that" wait_until 10 terminal_has ' 0 in progress, .* 4 wait: breaker tripped$'
equal "for which no time is left" 0 "$(grep -c ' left, 0 in progress, .* 4 wait: breaker tripped$' err)"
order resume eu --why 'a slip of the pen'
equal "resume of a group that the policy does not have: exit 1" 1 "$code"
matches "it is said" 'the policy has no such group' "$(cat err2)"
order resume --why 'not that one'
accepted "resume of the whole run leaves the group's breaker" $'^resumed: trips.*\nstill in force:\ntripped +group web .*mayhem resume web --dir trips'
murder_all
matches "of a folder in which nothing runs, too" '^the breaker of web has tripped: ' "$(first_line)"
run "${how[@]}"
ends_with_code "kill -9 of all, and the same command: exit 75, at once" 75
equal "it starts nothing" 0 "$(grep -c ' pid ' out)"
equal "and has no time that is left" 0 "$(grep -c '^left ' out)"
matches "its last line says why, and what is left" \
    '^stopped by the breaker of web, of which all hosts are: 4 hosts left; to go on: ' "$(tail -n 1 out)"
matches "the lines before it have both ways on" $'\nthe breaker of web has tripped; .* resume web --dir trips --why TEXT\nwhen that is resumed .* with --take-over another command' \
    "$(cat out)"
run "${how[@]}" --json
equal "as JSON, too" "75 stopped by the breaker of web, of which all hosts are" \
    "$(sed -n 's/.*"exit_code":\([0-9]*\),"ended":"\([^"]*\)".*/\1 \2/p' out)"
printf 'db-07 groups=db\n' >>groups.txt
launch "${how[@]}"
check "with a host of another group it goes on" wait_until 30 has_settled 9
check "and the others wait" wait_until 10 waits_for bad-06 'breaker tripped (group web)'
sed -i '/^db-07/d' groups.txt
: >healed
order resume web --why 'another kernel'
accepted "resume of the group" '^resumed: group web$'
finish 60
ends_with_code "the rest is restarted, two are dead: exit 1" 1
matches "at the end nothing is in progress" '^13 of 13 hosts settled, 2 dead, 0 in progress, ' "$(grep ' hosts settled' err | tail -n 1)"
equal "by name" "4 bad, 2 dead" \
    "$(store "SELECT count(*) FILTER (WHERE outcome = 'restarted') || ' bad, ' ||
        count(*) FILTER (WHERE outcome = 'dead') || ' dead' FROM jobs WHERE host LIKE 'bad-%'")"
check "the audit is whole" is_whole

# ---- a run that has ended ------------------------------------------------------------------------

# What a breaker of a former run has stopped, also all of it, ends with the next one, of whatever
# policy; in the same run it stays, and a policy without the group does not go round it.
dir=former
printf 'bad-%s\n' 1 2 >twice.txt
printf 'well-%s\n' 1 2 3 >well.txt
run -i twice.txt -x "$work/restart.sh former {host} 0.05 1" --breaker 2/2 --attempts 1 --cooldown 0s
ends_with_code "the last host trips the breaker of all: exit 1" 1
equal "it is on record" 'trip ' "$(store "SELECT kind || ' ' || name FROM holds")"
run -i well.txt -x "$work/restart.sh former {host} 0.05 0" --cooldown 0s
ends_with_code "the next run, without a policy, is not held back: exit 0" 0
equal "nothing is held back any more" '' "$(store 'SELECT kind FROM holds')"

# The breaker of the whole run, with hosts left.
dir=whole
printf 'bad-%s\n' 1 2 3 4 5 >whole.txt
how=(-i whole.txt -x "$work/restart.sh whole {host} 0.05 1" --breaker 2/2 --at-once 1 --attempts 1 --cooldown 0s)
has_stopped() {
    [[ $(store "SELECT count(*) FROM holds WHERE kind = 'trip' AND name = ''") == 1 ]]
}
launch "${how[@]}"
check "a breaker of all trips" wait_until 30 has_stopped
murder_all
run "${how[@]}" --max-dead 9
ends_with_code "the same command, with any limit: exit 75" 75
matches "it says why" '^stopped by the breaker of the whole run: 2 of the last 2 failed: 3 hosts left; to go on: ' \
    "$(tail -n 1 out)"
matches "plan says so" $' bad-3 +waits: breaker tripped, of the whole run\n' "$("$program" plan --dir whole "${how[@]}")"
equal "nothing has begun" 2 "$(begun)"
run -i whole.txt -x "$work/restart.sh whole  {host} 0.05 0" --cooldown 0s --take-over
ends_with_code "another command takes over: exit 0" 0
equal "which ends that, on record" '1 ' \
    "$(store "SELECT count(*) || ' ' || coalesce((SELECT kind FROM holds), '') FROM audit WHERE action = 'take-over'")"

dir=unnamed
printf 'bad-%s groups=web\n' 1 2 3 >named.txt
printf '[group web]\ncap = 1\nbreaker = 1/1\n' >named.ini
printf '[run]\nmax-unavailable = 3\n' >unnamed.ini
how=(-i named.txt -x "$work/restart.sh unnamed {host} 0.05 1" --attempts 1 --cooldown 0s --unleash)
launch "${how[@]}" --config named.ini
check "a breaker trips" wait_until 30 has_tripped
kill -INT "$run_pid"
finish 30
ends_with_code "it is stopped: exit 75" 75
for words in run 'run --check' plan; do
    # shellcheck disable=SC2086 # they are words
    "$program" $words --dir unnamed "${how[@]}" --config unnamed.ini >out2 2>err2 </dev/null
    code=$?
    equal "$words without that group: exit 78" 78 "$code"
    matches "$words names the group, and what helps" \
        'breaker of group web has tripped in the run that is to go on.*mayhem resume web --dir unnamed --why TEXT' "$(cat err2)"
done
order resume web --why 'another kernel'
accepted "resume of that group" '^resumed: group web'
run "${how[@]}" --config unnamed.ini
ends_with_code "then it goes on, and the others are dead: exit 1" 1
equal "each has ended" 3 "$(settled)"

# ---- what nobody has heard -----------------------------------------------------------------------

# A connection that breaks loses frames: the publisher cannot know whether it was heard.
dir=said
mkdir said
printf '[group web]\ncap = 1\n' >said.ini
"$build/mayhem-consumer" --dir=said "--consumer=ipc://$work/said/consumer" --config=said.ini \
    --trace=said.trace 2>said.log &
started+=("$!")
"$build/mayhem-publisher" --dir=said "--consumer=ipc://$work/said/consumer" --input=groups.txt --policy \
    --policy-groups=web 2>>said.log &
started+=("$!")
is_said() {
    (($(sed '1,/ job /d' said.trace 2>/dev/null | grep -c ' ask .* hosts=:12,web:6 ') >= 2))
}
check "how many hosts the groups have is said again and again" wait_until 30 is_said
kill "${started[@]: -2}" 2>/dev/null
