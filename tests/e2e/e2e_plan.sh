#!/usr/bin/env bash
# A policy: how it is given, what --check and `mayhem plan` say of it, and what is refused at the
# start. Nothing is restarted, but in the last part.
# shellcheck source=tests/e2e/e2e_lib.sh
. "$(dirname "$0")/e2e_lib.sh"

export LC_ALL=C
unset TZ
later=$(date -u -d '+3 days' +%a) # a day on which nothing is open today

plan() {
    "$build/mayhem" plan "$@" >out 2>err </dev/null
    code=$?
}

# Refuses for the reason, and leaves nothing behind.
refuses() {
    local name=$1 wanted=$2 reason=$3
    equal "$name: exit $wanted" "$wanted" "$code"
    matches "$name: says so" "$reason" "$(cat err)"
    check "$name: nothing is left" test ! -e run -a ! -e run.demo
}

cat >hosts.txt <<'END'
web-1 groups=web,eu
web-2 groups=web
web-3 groups=web,us
db-1 groups=db
db-2 groups=db,eu
spare
END
real=(-i hosts.txt -x 'false {host}')

# ---- what is said --------------------------------------------------------------------------------

cat >policy.ini <<END
[run]
max-unavailable = 50%
breaker = 2/10
[group web]
cap = 34%
ramp = 1,2
bake = 10m
[group db]
window = $later 22:00 +6h Europe/Amsterdam
window = $later 01:00 +30m UTC
except = 2020-12-24..2020-12-26
last-start = 15m
END
plan "${real[@]}" --config policy.ini
equal "a plan: exit 0" "0 " "$code $(cat err)"
matches "the whole run's rules are in hosts" 'the whole run: 6 hosts, at-once 5, max-unavailable 50% = 3, breaker 2/10' "$(cat out)"
matches "so are those of a group" $'\n  web: 3 hosts, cap 34% = 1, ramp 1, 2 with 10m between\n' "$(cat out)"
equal "each window has its next five openings" "5 5" \
    "$(grep -c 'CES*T = ... ....-..-.. ..:.. UTC, 6h$' out) $(grep -c 'UTC = ... ....-..-.. ..:.. UTC, 30m$' out)"
matches "and how long before its end nothing begins" 'last-start 15m' "$(cat out)"
matches "and its exceptions" 'except 2020-12-24..2020-12-26' "$(cat out)"
equal "the order, what begins, and the first reason why not" \
    "1 web-1 begins now
2 web-2 waits: step of the ramp is full, of web
3 web-3 waits: step of the ramp is full, of web
4 db-1 waits: window closed, of db, until
5 db-2 waits: window closed, of db, until
6 spare begins now
2 of 6 hosts would begin now" "$(tail -n 7 out | sed -E 's/ +/ /g; s/^ //; s/(until) .*/\1/')"
check "a plan leaves nothing behind" test ! -e run
plan "${real[@]}" --config policy.ini --json
matches "as JSON: the limits" '"max_unavailable":\{"said":"50%","hosts":3\}' "$(cat out)"
matches "as JSON: a host" '\{"host":"db-2","groups":\["db"\],"done":false,"begins":false,"looked_at":false,"reason":"window closed","group":"db","until_ms":[0-9]+\}' "$(cat out)"
matches "as JSON: one that begins" '\{"host":"spare","groups":\[\],"done":false,"begins":true,"looked_at":false,"reason":null,"group":null,"until_ms":null\}' "$(cat out)"
"$build/mayhem" run "${real[@]}" --config policy.ini --check >out 2>err
equal "--check: exit 0" "0 " "$? $(cat err)"
matches "--check has the rules, too" $'  web: 3 hosts, cap 34% = 1,.*\n6 hosts, at most 5 at once, .*\nconfiguration ok$' "$(cat out)"
"$build/mayhem" plan -i - -x 'false {host}' --config <(cat policy.ini) <hosts.txt >out 2>err
equal "a stream and a file that is one are read: exit 0" 0 $?
matches "and planned" '2 of 6 hosts would begin now$' "$(cat out)"

plan "${real[@]}" --window "$later 22:00 +6h UTC"
matches "a window of the whole run holds all" '0 of 6 hosts would begin now$' "$(cat out)"
matches "until it opens" 'spare +waits: window closed, of the whole run, until ... ....-..-.. 22:00 UTC' "$(cat out)"
plan "${real[@]}" --window 'daily 00:00 +24h UTC' --at-once 50%
matches "at once a share of the list" '3 of 6 hosts would begin now$' "$(cat out)"
matches "the first line has both" '6 hosts, at most 3 \(50%\) at once' "$(cat out)"
plan "${real[@]}" --at-once 2
equal "a number at once is no policy" "0 2" "$(grep -c policy out) $(grep -c 'begins now' out)"
equal "but a reason" 4 "$(grep -c 'waits: limit of restarts at once$' out)"
plan "${real[@]}" --rate 6/m --ramp 5
matches "with a policy and a real driver, a rate is one of starts" 'at most 6 starts in 60 s' "$(cat out)"
equal "so that one begins" 1 "$(grep -c 'begins now' out)"
plan -i hosts.txt --mock --rate 6/m --ramp 5
equal "of the mock it is the publisher's, as before" 5 "$(grep -c 'begins now' out)"
plan --mock
matches "invented hosts have no order" 'the hosts are invented: they have no order' "$(cat out)"
plan "${real[@]}" --window 'daily 00:00 +24h UTC'
matches "which is lost-after at least" 'last-start 1500ms' "$(cat out)"

# ---- what is refused, by plan, --check and run alike -----------------------------------------------

for how in plan 'run --check' run; do
    try() {
        # shellcheck disable=SC2086 # the command and its option
        "$build/mayhem" $how "$@" >out 2>err </dev/null
        code=$?
    }
    printf '[group db]\ncap = 10%%\n' >bad.ini
    try "${real[@]}" --config bad.ini
    refuses "$how: a share that comes to nothing" 78 'cap = 10% of group db comes to 0 of its 2 hosts.*write cap = 1, or a share of 50% or more'
    printf '[group wbe]\ncap = 1\n' >bad.ini
    try "${real[@]}" --config bad.ini
    refuses "$how: a group without a host" 78 '\[group wbe\] is in the policy, and no host of the list is in that group'
    printf 'web-1\nweb-2\n' >plain.txt
    try -i plain.txt -x 'false {host}' --config bad.ini
    refuses "$how: a list without groups" 78 "the list says of no host in which it is: write them behind each, as in 'web-1 groups=web,eu'"
    try --mock --max-unavailable 10%
    refuses "$how: a share of invented hosts" 64 'a share of hosts needs their number'
    try "${real[@]}" --window 'daily 22:00 +1h UTC' --last-start 1h
    refuses "$how: a window that never opens" 64 '--window=daily 22:00 \+1h UTC: it never opens: last-start = 1h'
    try "${real[@]}" --window 'daily 22:00 +1s UTC'
    refuses "$how: a window as short as lost-after" 64 'daily 22:00 \+1s UTC: it never opens: last-start = 1500ms \(lost-after at least\)'
    try "${real[@]}" --window 'daily 22:00 +1h Mars/Olympus'
    refuses "$how: an unknown zone" 64 "there is no time zone 'Mars/Olympus'"
    printf '[group db]\ncap = 1\nwindow = Fri 22:00-04:00\n' >bad.ini
    try "${real[@]}" --config bad.ini
    refuses "$how: a window with an end" 78 "bad.ini:3: \[group db\] window = Fri 22:00-04:00: '22:00-04:00' is no time of the day"
    printf '[run]\nguard = /nonexistent/x\n' >bad.ini
    try "${real[@]}" --config bad.ini
    refuses "$how: a guard that is not there" 78 '--guard: cannot run /nonexistent/x: No such file'
    try "${real[@]}" --guard 'false {host}'
    refuses "$how: a guard of a host" 78 '--guard: .* there is no host to name'
    TZDIR=/nonexistent try "${real[@]}" --window 'daily 22:00 +1h Europe/Amsterdam'
    refuses "$how: no tzdata" 64 'install tzdata'
done
plan -i plain.txt -x 'false {host}' --config policy.ini --allow-empty
equal "--allow-empty: groups may have no host" 0 "$code"

# Of a stream only the publisher knows, when it has read it.
dir=stream
printf '[group db]\ncap = 34%%\n' >bad.ini
run -i <(cat hosts.txt) -x 'false {host}' --config bad.ini -q
ends_with_code "a stream whose share comes to nothing: exit 78" 78
matches "it says so" 'group db has 2 hosts, and a share of the policy comes to 0 of fewer than 3' "$(cat err)"
equal "nothing is restarted" 0 "$(store 'SELECT count(*) FROM attempts')"
dir=stream2
printf '[group wbe]\ncap = 1\n' >bad.ini
run -i <(cat hosts.txt) -x 'false {host}' --config bad.ini -q
ends_with_code "a stream without a group of the policy: exit 78" 78
matches "it says so, too" '\[group wbe\] is in the policy, and no host of the list is in that group' "$(cat err)"

# ---- what is on record counts ----------------------------------------------------------------------

cat >restart.sh <<'END'
#!/bin/sh
case $1 in web-*) exit 0 ;; esac
sleep 1
END
chmod +x restart.sh
rm -f bad.ini
dir=run
launch -i hosts.txt -x "$work/restart.sh {host}" --ramp 9 --at-once 1 -n 1 --slots 1 -q
settle_at_least 1 20
kill -TERM "$run_pid"
finish 20
ends_with_code "a run that is stopped in the midst: exit 75" 75
restarted=$(store "SELECT group_concat(host, ' ') FROM (SELECT host FROM jobs WHERE outcome = 'restarted' ORDER BY host)")
kept() { sha256sum run/*.db run/list.* run/run.* run/log/* 2>/dev/null; }
before=$(kept)
plan -i hosts.txt -x "$work/restart.sh {host}" --config policy.ini --unleash
equal "what it has done is said" "$restarted" "$(awk '/is done$/ { print $2 }' out | sort | tr '\n' ' ' | sed 's/ $//')"
check "some is" test "$restarted" != ""
equal "the folder is as it was" "$before" "$(kept)"
done_count=$(wc -w <<<"$restarted")
cat hosts.txt hosts.txt >twice.txt
"$build/mayhem" run -i twice.txt -x "$work/restart.sh {host}" --check >out 2>err
equal "--check counts hosts, and those that are done: exit 0" "0 " "$? $(cat err)"
matches "it says how many" "^6 hosts, $done_count of them done, at most 5 at once" "$(tail -n 2 out)"
"$build/mayhem" run -i hosts.txt -x "$work/restart.sh {host}" --check --json >out 2>err
matches "as JSON" "\"hosts\":6,\"done\":$done_count,.*\"stopped_by\":null" "$(cat out)"
plan -i hosts.txt -x "$work/restart.sh {host}" --ramp 1,5 --bake 1h --unleash
check "a step that has just ended bakes, as the consumer has it" \
    test "$(grep -c 'waits: bake of a ramp step, of the whole run, until' out)" = "$(grep -c 'waits: ' out)" \
    -a "$(grep -c 'waits: ' out)" -gt 0
plan -i hosts.txt -x "$work/restart.sh {host}" --take-over
equal "a run that takes over begins anew" 0 "$(grep -c 'is done' out)"

rm -rf run
printf "other\n" >other.txt
run -i other.txt -x "false {host}" -q
ends_with_code "a record: exit 1" 1
sqlite3 run/outbox.db 'UPDATE runs SET finished_ms = NULL'
key=$(query run/outbox.db 'SELECT run_key FROM runs')
sqlite3 run/mayhem.db "CREATE TABLE IF NOT EXISTS holds (id INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL, name TEXT NOT NULL, run INTEGER NOT NULL, until_ms INTEGER NOT NULL,
    since_ms INTEGER NOT NULL, why TEXT NOT NULL, actor TEXT NOT NULL, UNIQUE (kind, name));
  CREATE TABLE IF NOT EXISTS places (id INTEGER PRIMARY KEY AUTOINCREMENT, host TEXT NOT NULL UNIQUE,
    groups TEXT NOT NULL, open INTEGER NOT NULL, casualty INTEGER NOT NULL, job BLOB NOT NULL,
    since_ms INTEGER NOT NULL);
  INSERT INTO places (host, groups, open, casualty, job, since_ms) VALUES ('web-9', 'web', 1, 0, x'00', 1);
  INSERT INTO holds (kind, name, run, until_ms, since_ms, why, actor)
    VALUES ('deny', 'spare', 0, 0, 1, 'x', 'y'), ('deny', 'db-2', 0, 5, 1, 'x', 'y'), ('trip', 'db', $key, 0, 1, 'x', 'y'),
    ('trip', 'web', $key + 1, 0, 1, 'of another run', 'y');"
printf '[group web]\ncap = 2\n[group db]\nmax-unavailable = 1\n[group us]\n' >held.ini
plan "${real[@]}" --config held.ini --unleash
equal "open attempts, denied hosts and breakers on record hold back" \
    "web-1 begins now
web-2 waits: cap of its group, of web
web-3 waits: cap of its group, of web
db-1 waits: breaker tripped, of db
db-2 waits: breaker tripped, of db
spare waits: denied" "$(grep -E '^ +[0-9]+  ' out | sed -E 's/ +/ /g; s/^ [0-9]+ //')"
sqlite3 run/mayhem.db "UPDATE places SET host = 'web-1'"
plan "${real[@]}" --config held.ini --unleash
matches "whose attempt has no known end is looked at first" ' web-1 +is looked at first: a restart has no known end' "$(cat out)"
equal "and is none that would begin" '1 of 6 hosts would begin now; 1 is looked at first' "$(tail -n 1 out)"
plan "${real[@]}" --config held.ini --unleash --json
matches "so it is as JSON" '"host":"web-1".{0,60}"begins":false,"looked_at":true' "$(cat out)"
sqlite3 run/mayhem.db "UPDATE places SET host = 'web-9'; UPDATE holds SET run = 7 WHERE kind = 'trip'"
plan "${real[@]}" --config held.ini --unleash
equal "a breaker of another run has no say in the next one" 1 "$(grep -c 'db-1 .*begins now' out)"
sqlite3 run/mayhem.db "DELETE FROM holds WHERE kind = 'trip'; UPDATE places SET host = 'db-1', groups = 'db', open = 0, casualty = 1"
plan "${real[@]}" --config held.ini --unleash
equal "a casualty keeps its place from others, not from itself" \
    "db-1 begins now
db-2 waits: limit of unavailable hosts, of db" "$(grep -E ' db-' out | sed -E 's/ +/ /g; s/^ [0-9]+ //')"
sqlite3 run/mayhem.db "INSERT INTO holds (kind, name, run, until_ms, since_ms, why, actor) VALUES ('halt', '', 0, 0, 1, 'x', 'y')"
plan "${real[@]}" --config held.ini --unleash
equal "a halt holds all back" 6 "$(grep -c 'waits: halted$' out)"

# ---- a run that would end at once ------------------------------------------------------------------

# Of a run that a breaker has stopped --check says what the same command would say.
says_the_same() {
    "$build/mayhem" run "${stopped[@]}" --check >out 2>err
    equal "--check after $1: exit 75" "75 " "$? $(cat err)"
    "$build/mayhem" run "${stopped[@]}" -q >again 2>err
    equal "as the run" 75 $?
    matches "for its reason" "^$(tail -n 1 out): [0-9]" "$(tail -n 1 again)"
    matches "and what ends it" 'the breaker of the whole run has tripped; nothing begins until: ' "$(cat out)"
    equal "a stop is no good configuration" 0 "$(grep -c 'configuration ok' out)"
}

dir=run
rm -rf run
stopped=(-i hosts.txt -x 'false {host}' --attempts 1 --at-once 1 --again --max-dead 1)
run "${stopped[@]}" -q
ends_with_code "a run with too many dead hosts: exit 75" 75
says_the_same --max-dead
has_tripped() { [[ $(store "SELECT count(*) FROM holds WHERE kind = 'trip'") == 1 ]]; }
rm -rf run
stopped=(-i hosts.txt -x 'false {host}' --attempts 1 --at-once 1 --again --breaker 1/1)
launch "${stopped[@]}" -q
check "a breaker trips" wait_until 20 has_tripped
kill -TERM "$run_pid"
finish 30
says_the_same --breaker
"$build/mayhem" run "${stopped[@]}" --check --json >out 2>err
equal "as JSON: exit 75" 75 $?
matches "with its reason, too" '"stopped_by":"the breaker of the whole run: ' "$(cat out)"

# ---- the older name ----------------------------------------------------------------------------------

dir=leases
hosts 30 >many.txt
run -i many.txt --mock --window 5 -q
ends_with_code "--window with a plain number is --leases: exit 0" 0
run -i many.txt --mock --leases 5 -q --again
ends_with_code "--leases: exit 0" 0

# ---- the first line of a run -------------------------------------------------------------------------

dir=first
run -i twice.txt -x 'true {host}' --again
ends_with_code "a list that has each host twice: exit 0" 0
matches "the first line counts hosts" '^6 hosts, at most 5 at once, by exec, ' "$(head -n 1 out)"
