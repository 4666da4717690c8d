#!/usr/bin/env bash
# Real commands: exactly once, failures with their own words, verify, dry run, a limit for the dead.
# shellcheck source=tests/e2e/e2e_lib.sh
. "$(dirname "$0")/e2e_lib.sh"

# ---- each host once ------------------------------------------------------------------------------

dir=once
hosts 200 >hosts.txt
run -i hosts.txt -n 3 -x 'sh -c "echo {host} {attempt} >>ran.txt"'
ends_with_code "a command per host: exit 0" 0
audit "a command per host" 200
equal "each host stands in ran.txt exactly once, at its first attempt" \
    "$(sed 's/$/ 1/' hosts.txt)" "$(sort ran.txt)"

dir=limits
(ulimit -Sn 512 && exec "$root/run.sh" --dir limits -i hosts.txt -x 'sh -c "ulimit -Sn >>limits.txt" {host}') \
    >out 2>err </dev/null
code=$?
ends_with_code "a soft limit of 512 descriptors: exit 0" 0
equal "commands have the soft limit of run.sh, not the restarter's" 512 "$(sort -u limits.txt)"

# ---- a command that fails ------------------------------------------------------------------------

dir=fail
printf 'good-1\nbad-1\ngood-2\nbad-2\n' >mixed.txt
cat >restart.sh <<'END'
#!/bin/sh
case $1 in
bad-*) echo "the power supply of $1 is on fire" >&2 && exit 3 ;;
esac
END
chmod +x restart.sh
run -i mixed.txt -x './restart.sh {host}' --attempts 2
ends_with_code "some hosts are dead: exit 1" 1
audit "a command that fails" 4
equal "the dead are those that failed, with all their attempts" "bad-1 dead 2
bad-2 dead 2
good-1 restarted 1
good-2 restarted 1" \
    "$(store "SELECT host || ' ' || outcome || ' ' || attempts FROM jobs ORDER BY host")"
matches "the error in the store is the command's own" 'the power supply of bad-1 is on fire' \
    "$(store "SELECT error FROM jobs WHERE host = 'bad-1'")"
matches "the error tells the exit code" '3' "$(store "SELECT error FROM jobs WHERE host = 'bad-1'")"
matches "the summary names the dead with their error" 'bad-2.*is on fire' "$(cat out)"

cp fail/dead.txt again.txt
run -i again.txt -x 'true {host}'
ends_with_code "dead.txt is a valid input" 0
equal "it held the dead hosts only" "bad-1 bad-2" \
    "$(store "SELECT group_concat(host, ' ') FROM (SELECT host FROM jobs
        GROUP BY host HAVING count(*) = 2 ORDER BY host)")"

dir=slow
printf 'slow-1\n' >slow.txt
run -i slow.txt -x 'sh -c "trap : TERM; while :; do sleep 0.2; done" {host}' --attempts 1 --timeout 300ms
ends_with_code "a command that does not end is ended: exit 1" 1
matches "the error says so" 'timeout|time.out|timed out|longer' "$(store 'SELECT error FROM jobs')"

# ---- verify --------------------------------------------------------------------------------------

# As `ssh HOST reboot` does: it works and exits with 255; the host comes back later, by itself.
dir=verify
hosts 10 >ten.txt
cat >reboot.sh <<'END'
#!/bin/sh
touch "down-$1"
exit 255
END
chmod +x reboot.sh
while sleep 0.3; do
    for file in down-*; do
        [[ ! -e $file ]] || mv "$file" "up-${file#down-}"
    done
done &
started+=("$!")
run -i ten.txt -x './reboot.sh {host}' --verify 'test -e up-{host}' --verify-timeout 10s
ends_with_code "a command that exits 255 and a host that comes back: exit 0" 0
audit "verify" 10
equal "one attempt was enough" 10 "$(store 'SELECT sum(attempts) FROM jobs')"

dir=lost
run -i slow.txt -x 'true {host}' --verify 'test -e never-{host}' --verify-timeout 500ms --attempts 1
ends_with_code "a host that does not come back is dead: exit 1" 1
matches "the error names the check" 'verif' "$(store 'SELECT error FROM jobs')"

equal "what the consumer has read is confirmed to all" "" \
    "$(grep -h 'that no consumer has confirmed' ./*/log/*.log)"

# ---- dry run, limit ------------------------------------------------------------------------------

dir=dry
run -i ten.txt -x 'touch dry-{host}' --dry-run
ends_with_code "a dry run: exit 0" 0
equal "it runs nothing" "" "$(ls dry-web-* 2>/dev/null)"
matches "it prints the commands" 'touch dry-web-00007' "$(cat out err dry/log/*.log)"

dir=limit
run -i hosts.txt -n 1 --slots 1 -x 'false {host}' --attempts 1 --max-dead 5
ends_with_code "--max-dead stops a typo: exit 75" 75
at_most "--max-dead 5 has cost few hosts" 10 \
    "$(store "SELECT count(*) FROM jobs WHERE outcome = 'dead'")"
equal "the other hosts are still in the outbox or the file" 200 \
    "$(($(settled) + $(outbox 'SELECT count(*) FROM jobs')))"
run -i hosts.txt -x 'true {host}'
ends_with_code "another command on what is left is refused: exit 78" 78
matches "both commands are named" 'false.*true|true.*false' "$(cat err)"

# ---- attributes ----------------------------------------------------------------------------------

# Two of the three hosts go through a new consumer and a new publisher.
dir=attributes
cat >bmc.jsonl <<'JSON'
{"host": "web-1", "bmc": "10.0.0.1", "zone": "eu", "password": "hunter2"}
{"password": "hunter2", "zone": "us", "bmc": "bmc/2:623", "host": "web-2"}
{"host": "web-3", "zone": 3, "bmc": "u@10.0.0.3"}
JSON
cat >bmc.sh <<'SH'
#!/bin/sh
echo "$# $1 $2 $3" >>got.txt
until [ -e go ]; do sleep 0.05; done
SH
chmod +x bmc.sh
launch -i bmc.jsonl -n 1 --slots 1 -x './bmc.sh {host} {bmc} {zone}' --verify 'test {bmc} != {host}'
wait_until 10 test -s got.txt
murder publisher
murder consumer
touch go
finish 60
ends_with_code "a command with attributes: exit 0" 0
audit "attributes, a consumer and a publisher killed" 3
equal "each command is given those of its host" "3 web-1 10.0.0.1 eu
3 web-2 bmc/2:623 us
3 web-3 u@10.0.0.3 3" "$(sort -u got.txt)"
equal "what the command does not name is nowhere" "" "$(grep -rl hunter2 attributes out err)"

run -i hosts.txt -x './bmc.sh {host} {bmc}'
ends_with_code "a list without the attribute: exit 65" 65
matches "the command is blamed" \
    'exec names \{bmc\}, and no host of hosts.txt has that; what they have is host, address' "$(cat err)"
matches "the first line is named, with what to do" \
    'hosts.txt:1: host web-00001 has no bmc, which the command names: add bmc=... to its line' \
    "$(cat err)"
printf '{"host": "web-1", "bmc": "10.0.0.1"}\n{"host": "web-2"}\n' >lacking.jsonl
run -i lacking.jsonl -x 'true {host}' --verify 'test {bmc}'
ends_with_code "an attribute that only --verify names: exit 65" 65
matches "its line is named, with what to do" \
    'lacking.jsonl:2: host web-2 has no bmc, which the command names: add "bmc": "..." to its line' "$(cat err)"
for value in -rf 'a b' 'a;b'; do
    printf '{"host": "web-1", "bmc": "%s"}\n' "$value" >bad.jsonl
    run -i bad.jsonl -x 'echo {bmc}'
    ends_with_code "the value '$value': exit 65" 65
    matches "it is named" 'bad.jsonl:1: "bmc" of host web-1 cannot stand in a command' "$(cat err)"
done
run -x 'echo {bmc}'
ends_with_code "an attribute without a list: exit 64" 64
MAYHEM_EXEC='echo {zone}' run -i lacking.jsonl
ends_with_code "a command from the environment: exit 65" 65
matches "its attribute is asked for too" 'host web-1 has no zone' "$(cat err)"

# ---- restarts at once ----------------------------------------------------------------------------

hosts 30 >hosts.txt
dir=at-once
run -i hosts.txt -n 3 --slots 8 --at-once 4 -x 'sh -c "echo begun >>at-once.txt; sleep 0.2; echo ended >>at-once.txt" {host}'
ends_with_code "--at-once: exit 0" 0
audit "--at-once" 30
equal "24 slots, and never more than 4 at once" 4 \
    "$(awk '$1 == "begun" && ++now > most { most = now } $1 == "ended" { now-- } END { print most }' at-once.txt)"
