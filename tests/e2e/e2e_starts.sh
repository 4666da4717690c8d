#!/usr/bin/env bash
# The end of the starts (--for, --until), and the limit of dead hosts (--max-dead): both hold over the
# lives of all processes.
# shellcheck source=tests/e2e/e2e_lib.sh
. "$(dirname "$0")/e2e_lib.sh"

# Writes down when it begins and ends, in hundredths of a second since boot.
cat >restart.sh <<'EOF'
#!/bin/sh
read -r up _ </proc/uptime
echo "$2 $up" >>"$1.starts"
sleep "$3"
echo "$2" >>"$1.ends"
exit "$4"
EOF
chmod +x restart.sh

# ---- a list, and a time ----------------------------------------------------------------------------

hosts 600 >hosts.txt
dir=window
run -i hosts.txt -n 2 --slots 4 --for 2s -x "$work/restart.sh window {host} 0.2 0"
ends_with_code "--for 2s: exit 75" 75
matches "the first line says so" '^600 hosts, at most 8 at once, by exec, .*, no start after 2s$' "$(head -n 1 out)"
matches "so does the last one" '^stopped at the end of --for 2s: [0-9]+ hosts left; to go on: ' "$(tail -n 1 out)"
at_most "nothing begins behind it, in hundredths of a second" 220 \
    "$(awk '{ gsub(/[.]/, "", $2) } NR == 1 { first = $2 } { last = $2 } END { print last - first }' window.starts)"
equal "what has begun is finished" "$(lines_in window.starts)" "$(lines_in window.ends)"
equal "and on record" "$(lines_in window.ends)" "$(store "SELECT count(*) FROM jobs WHERE outcome = 'restarted'")"

# Most of the list was not read when the time was over.
hosts 200 >hosts.txt
dir=unread
run -i hosts.txt -n 1 --slots 4 --leases 8 --for 1s -x "$work/restart.sh unread {host} 0.1 0"
ends_with_code "a time that is over before the list was read: exit 75" 75
run -i hosts.txt -n 2 --slots 40 -x "$work/restart.sh unread {host} 0.1 0"
ends_with_code "the same command goes on with the rest: exit 0" 0
equal "each host is restarted" 200 "$(store "SELECT count(*) FROM jobs WHERE outcome = 'restarted'")"
hosts 600 >hosts.txt

# ---- its processes are killed behind it ------------------------------------------------------------

dir=killed
launch -i hosts.txt -n 1 --slots 4 --for 1s -x "$work/restart.sh killed {host} 6 0"
wait_until 10 grep -q 'The starts have ended' killed/log/consumer.log || not_ok "the starts end" "$(cat out err)"
murder consumer
murder publisher
murder saver
finish 20
ends_with_code "the consumer, the publisher and the saver are killed behind the end: exit 75" 75
equal "only what had begun by then was restarted" "4 4 0" \
    "$(lines_in killed.starts) $(lines_in killed.ends) $(repeated killed.ends)"
equal "and is on record" 4 "$(store "SELECT count(*) FROM jobs WHERE outcome = 'restarted'")"

dir=until
hosts 3 >few.txt
run -i few.txt --mock --until "$(date -d '+2 minutes' +%H:%M)"
ends_with_code "a list that is done before --until: exit 0" 0
matches "the first line says when that is" '^no start after [0-2][0-9]:[0-5][0-9] \(in 0h0[12]m\)$' "$(head -n 1 out)"
run -i few.txt --mock --until 24:00
ends_with_code "no time of the day: exit 64" 64
matches "it says what one is" 'until=24:00: it must be a time of the day, as in 06:00' "$(cat err)"

# ---- too many dead hosts ---------------------------------------------------------------------------

dir=dead
bad=(-n 1 --slots 1 --attempts 1 -x "$work/restart.sh dead {host} 0.3 1")
launch -i hosts.txt "${bad[@]}" --max-dead 4
for count in 1 2 3; do
    wait_until 10 has_lines dead.ends $count || not_ok "hosts are restarted" "$(cat out err)"
    murder consumer
done
finish 30
ends_with_code "--max-dead 4, and the consumer is killed after each: exit 75" 75
at_most "four are dead, and what was running" 5 "$(store "SELECT count(*) FROM jobs WHERE outcome = 'dead'")"
equal "the run's breaker has tripped, once, and the audit says why" 'consumer  --max-dead 4' \
    "$(store "SELECT actor || ' ' || coalesce(grp, '') || ' ' || substr(reason, 1, 12) FROM audit WHERE action = 'trip'")"
matches "status says it, and what helps" \
    '^the breaker of the whole run has tripped: --max-dead 4: [45] hosts are dead; to go on: mayhem resume --dir dead --why TEXT$' \
    "$("$build/mayhem" status --dir dead 2>/dev/null)"
matches "and so does plan" $' web-00060 +waits: breaker tripped\n' \
    "$("$build/mayhem" plan --dir dead -i hosts.txt "${bad[@]}" --max-dead 4)"
begun=$(lines_in dead.starts)
run -i hosts.txt "${bad[@]}" --max-dead 4
ends_with_code "the same command: exit 75" 75
equal "no process is started for it" 0 "$(grep -c ' pid ' out)"
equal "it begins nothing" "$begun" "$(lines_in dead.starts)"
matches "and says why, with a command that goes on" \
    '^stopped by --max-dead, see dead/dead.txt first: 59[56] hosts left; to go on: .* --max-dead [89]$' "$(tail -n 1 out)"
matches "the line before it has both ways on" '^with a higher --max-dead .* with --take-over another command ' \
    "$(tail -n 2 out | head -n 1)"
again=$(tail -n 1 out)
again=${again#*to go on: }
equal "it has one limit" 1 "$(grep -o -e --max-dead <<<"$again" | wc -l)"
(eval "$again") >out 2>err
at_most "and goes on: so many more are dead, and what was running" 10 \
    "$(store "SELECT count(*) FROM jobs WHERE outcome = 'dead'")"
check "it begins some" test "$(lines_in dead.starts)" -ge $((begun + 4))
matches "a higher limit is a resume on record" '^resume --max-dead [89] trip --max-dead [89]: ' \
    "$(store "SELECT group_concat(action || ' ' || reason, ' ') FROM (SELECT action, reason FROM audit
        WHERE order_id IS NOT NULL AND action <> 'run' ORDER BY seq LIMIT -1 OFFSET 1)")"
"$build/mayhem" resume --dir dead --why 'another command' >/dev/null
before=$(store "SELECT count(*) FROM jobs WHERE outcome = 'dead'")
run -i hosts.txt "${bad[@]}" --max-dead 4
ends_with_code "behind a resume the first command goes on: exit 75" 75
after=$(($(store "SELECT count(*) FROM jobs WHERE outcome = 'dead'") - before))
at_most "and counts from zero" 5 "$after"
check "up to the limit" test "$after" -ge 4
matches "its way on counts from there, too" " --max-dead 8$" "$(tail -n 1 out)"

# The next command is as wrong as the first one.
run -i hosts.txt -n 1 --slots 1 --attempts 1 -x "$work/restart.sh taken {host} 0 1" --take-over --max-dead=2
ends_with_code "a run that has taken over is stopped by --max-dead, too: exit 75" 75
matches "it has both ways on, and does not ask for what was given" \
    '^this run has taken over: with a higher --max-dead it goes on; a corrected command takes over again' \
    "$(tail -n 2 out | head -n 1)"
matches "the audit says what was taken over, and by whom" \
    "^[^ ]+ \(uid $(id -u), pid [0-9]+\) 5[0-9]+ jobs are left of \"exec: .*restart.sh dead [{]host[}] 0.3 1\"$" \
    "$(store "SELECT actor || ' ' || reason FROM audit WHERE action = 'take-over'")"
again=$(tail -n 1 out)
again=${again#*to go on: }
matches "its command takes nothing over" ' --max-dead 4$' "$again"
equal "and has one limit" 1 "$(grep -o -e --max-dead -e --take-over <<<"$again" | wc -l)"
begun=$(lines_in taken.starts)
(eval "$again") >out 2>err
check "it goes on" test "$(lines_in taken.starts)" -ge $((begun + 2))
