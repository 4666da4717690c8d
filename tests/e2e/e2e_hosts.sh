#!/usr/bin/env bash
# The hosts of a run, for its operator: what would happen, which are restarted now, which are dead,
# once more; what is told after a second Ctrl-C, and when something cannot be written.
# shellcheck source=tests/e2e/e2e_lib.sh
. "$(dirname "$0")/e2e_lib.sh"

mayhem=$build/mayhem
printf '{"host": "web-1", "address": "10.0.0.1"}\nweb-2\nweb-3\n' >hosts.txt
# A host is well when there is a file of its name; else its restart fails.
# shellcheck disable=SC2016 # for the inner shell
command='sh -c "echo $1 $2 >>called; test -e well/$1 || { echo no way >&2; exit 3; }" x {host} {address}'
mkdir well

# ---- what would happen ---------------------------------------------------------------------------

printf '[consumer]\nbackoff = 1s..2s\n' >options.ini
checked() { "$root/run.sh" --dir checked --check "$@" >out 2>err; }
checked --config options.ini -i hosts.txt -x "$command" -n 3
equal "--check: exit 0" 0 $?
equal "the last lines: how many hosts, how many at once, by what, proven how" \
    $'3 hosts, at most 5 at once, by exec, proven by nothing but an exit code\nconfiguration ok' \
    "$(tail -n 2 out)"
matches "which options come from where" $'restarters = 3 # flag --restarters\n' "$(cat out)"
matches "those of a file, too" $'backoff = 1s..2s # file options.ini:2\n' "$(cat out)"
checked -i hosts.txt --driver ssh --json
equal "as JSON, with a driver" '{"hosts":3,"done":0,"groups":0,"repeated":0,"bad_lines":0,"at_once":5,"driver":"ssh",'\
'"proof":"proven by boot id","rehearsed":false,"leashed":false,"stopped_by":null}' "$(cat out)"
checked -i - --mock < <(hosts 7; sleep 0.2; hosts 9)
matches "a stream is read to its end" '^the list has 7 repeated hosts.*9 hosts, .* a rehearsal' \
    "$(tail -n 3 out)"
refused() { # NAME CODE REGEX OPTION...
    local name=$1 expected=$2 regex=$3
    shift 3
    checked "$@"
    equal "--check of $name: exit $expected" "$expected" $?
    matches "it says why" "$regex" "$(cat err)"
}
printf 'web-1\nroot@web-2\n' >bad.txt
printf 'web-1 groups=web,eu\nweb-2 groups=web\n' >groups.txt
matches "the groups of its hosts are counted" '^the list has 2 groups' \
    "$("$mayhem" run --dir checked -i groups.txt --mock --check | grep '^the list')"
refused "a bad list" 65 'bad.txt:2: ' -i bad.txt --mock
refused "no list" 65 'none.txt' -i none.txt --mock
refused "a list, and nothing to do with it" 64 'say how: ' -i hosts.txt
missing=nowhere
refused "a command that is nowhere" 78 'nowhere is in no folder' -i hosts.txt -x "$missing {host}"
refused "a host without what a command names" 65 'bmc' -i hosts.txt -x 'echo {bmc}'
check "nothing was begun, and no folder made, not even for locks" test ! -e checked -a ! -e called -a ! -e locks

# ---- the dead, and once more ---------------------------------------------------------------------

run -i hosts.txt -x "$command" --attempts 1
ends_with_code "three hosts fail: exit 1" 1
equal "the last line" "finished, some hosts are dead" "$(tail -n 1 out)"
matches "mayhem dead lists them" \
    $'^web-1 +20[0-9-]+T[0-9:.]+Z  1 attempt  exit 3: no way\nweb-2 .*\nweb-3 [^\n]*$' \
    "$("$mayhem" dead --dir run)"
"$mayhem" dead --dir run --json >dead.json
equal "as JSON, too" $'1|web-1|1|exit 3: no way\n1|web-2|1|exit 3: no way\n1|web-3|1|exit 3: no way' \
    "$(sqlite3 :memory: "SELECT json_extract(told, '$.finished'), json_extract(value, '$.host'),
        json_extract(value, '$.attempts'), json_extract(value, '$.error')
        FROM (SELECT readfile('dead.json') AS told), json_each(told, '$.dead')")"
"$root/run.sh" retry --dir run web-1 web-9 >out 2>err
equal "a host that is not dead is no host to retry: exit 65" 65 $?
matches "it is named" 'web-9 is not among the dead hosts of the latest run' "$(cat err)"
equal "and nothing was begun" 3 "$(wc -l <called)"
touch well/web-1 well/web-3
(cd / && "$mayhem" retry --dir "$work/run" web-1 web-3) >out 2>err
equal "two of them once more, from anywhere: exit 0" 0 $?
equal "the last line" "finished" "$(tail -n 1 out)"
equal "with the driver of that run, and where each host is" $'web-1 10.0.0.1\nweb-3 web-3' \
    "$(tail -n +4 called | sort)"
equal "the dead stay dead on record, the others are new jobs" \
    $'web-1|dead\nweb-1|restarted\nweb-2|dead\nweb-3|dead\nweb-3|restarted' \
    "$(store 'SELECT host, outcome FROM jobs ORDER BY host, outcome')"
"$mayhem" retry --dir run >out 2>err
equal "then there is nothing to retry: exit 0" 0 $?
matches "and it says so" 'no host of the latest run is dead' "$(cat err)"
"$mayhem" dead --dir none >out 2>err
equal "a folder without a run: exit 66" 66 $?

# ---- a second Ctrl-C -----------------------------------------------------------------------------

ended_at_once() {
    wait_until 10 grep -q web-3 "$dir/log/consumer.log" && wait_until 10 has_settled 2
    kill -INT "$run_pid"
    wait_until 5 grep -q SIGINT err
    sleep 0.3 # two signals at the same moment are one
    kill -INT "$run_pid"
    finish 5
}

dir=twice
# shellcheck disable=SC2016 # for the inner shell
launch -i hosts.txt --attempts 1 \
    -x 'sh -c "test $1 = web-3 || { echo no way >&2; exit 3; }; sleep 30" x {host}'
shown() { "$mayhem" status --dir twice --hosts; }
is_shown() { [[ $(shown) =~ $1 ]]; }
check "status --hosts: the one that is being restarted, by whom, with what" wait_until 10 is_shown \
    $'^1 host is being restarted\n.*\nweb-3 +[0-9]+s +1  command +restarter-[12] '
"$mayhem" retry --dir twice >shown 2>told
equal "no retry while a run goes on: exit 69" 69 $?
ended_at_once
ends_with_code "the second Ctrl-C: exit 130" 130
matches "its summary" '3 in all: 0 restarted, 2 dead, 1 pending' "$(cat out)"
matches "the last line: why, how many are left, and how to go on" \
    '^ended at once by a second signal: 1 host left; to go on: .* --dir twice -i hosts.txt ' \
    "$(tail -n 1 out)"
equal "dead.txt" $'web-1\nweb-2' "$(grep -v '^#' twice/dead.txt)"
"$root/run.sh" --dir twice -i hosts.txt --mock --check >shown 2>told
equal "--check of another driver while hosts are left: exit 78" 78 $?
matches "it names the former one" '1 jobs are left in twice/outbox.db from a run with the driver "exec: ' \
    "$(cat told)"
"$mayhem" retry --dir twice >shown 2>told
equal "no retry of a run that is not finished: exit 75" 75 $?
matches "it says what is left" 'not finished: 1 host is left' "$(cat told)"

# ---- a first one, and what was asked for -----------------------------------------------------------

dir=once
launch -i hosts.txt -x 'sh -c "sleep 0.5" x {host}' --at-once 1 -n 1
wait_until 10 has_settled 1
kill -INT "$run_pid"
finish 10
ends_with_code "Ctrl-C: exit 75" 75
matches "its last line" \
    '^stopped by SIGINT: [12] hosts? left; to go on: .* --dir once -i hosts.txt .* -n 1$' \
    "$(tail -n 1 out)"
again=$(tail -n 1 out)
(eval "${again#*to go on: }") >out 2>err
equal "that command goes on to the end: exit 0" 0 $?
equal "its last line" "finished" "$(tail -n 1 out)"
matches "progress speaks of hosts" '[0-3] of 3 hosts settled, 0 dead' "$(cat err)"
dir=part
run -i hosts.txt --mock --jobs 2
ends_with_code "a part, as asked for: exit 75" 75
matches "its last line" \
    '^ended as asked for, before the end of the input: 1 host left; to go on: .* --jobs 2$' \
    "$(tail -n 1 out)"
equal "how long the rest takes at this rate" 1 "$(grep -cE '^left +[0-9]+s at this rate$' out)"
run -i hosts.txt --mock --json
equal "as JSON, for programs" '0|3|3|0|finished' "$(
    sqlite3 :memory: "SELECT json_extract(told, '$.exit_code', '$.total', '$.restarted', '$.pending', '$.ended')
        FROM (SELECT readfile('out') AS told)" | tr -d '[]"' | tr , '|'
)"

# ---- what cannot be written ----------------------------------------------------------------------

dir=full
mkdir -p full/dead.txt
run -i hosts.txt -x 'false {host}' --attempts 1
ends_with_code "dead.txt cannot be written: exit 74" 74
matches "and it says so" 'cannot write full/dead.txt: ' "$(cat err)"
equal "the last line, too" "finished, some hosts are dead; full/dead.txt cannot be written" \
    "$(tail -n 1 out)"
rmdir full/dead.txt
for form in --quiet --json; do
    "$root/run.sh" --dir full -i hosts.txt --mock $form >/dev/full 2>err
    equal "the summary cannot be written ($form): exit 74" 74 $?
    matches "and it says so ($form)" 'the summary cannot be written: No space left' "$(cat err)"
done
