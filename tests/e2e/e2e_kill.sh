#!/usr/bin/env bash
# kill -9 of each process in turn while it works, then of all at once: nothing is lost.
# shellcheck source=tests/e2e/e2e_lib.sh
. "$(dirname "$0")/e2e_lib.sh"

hosts 4000 >hosts.txt
launch -i hosts.txt -n 4 --slots 4 --mock-time 0s..80ms --mock-fail 5% --attempts 10
for name in publisher consumer saver restarter-2; do
    settle_at_least $(($(settled) + 200)) 30
    murder "$name"
    ok "$name is killed after $(settled) hosts and started again"
done
settle_at_least $(($(settled) + 200)) 30
kill -KILL "$(pid_of publisher)" "$(pid_of consumer)" "$(pid_of saver)" "$(pid_of restarter-1)" \
    "$(pid_of restarter-2)" "$(pid_of restarter-3)" "$(pid_of restarter-4)"
ok "all are killed at once after $(settled) hosts"
finish 60
ends_with_code "the run ends with 0" 0
audit "after eleven kills" 4000
equal "every host is restarted" 4000 \
    "$(store "SELECT count(*) FROM jobs WHERE outcome = 'restarted'")"
equal "each kill is told" 11 "$(grep -c 'was killed by signal 9: restarting' err)"
matches "the shutdown itself was clean" 'clean shutdown: yes' "$(cat out)"
check "nothing is left running" nothing_lives

# Hosts that come on standard input cannot be asked for again.
dir=stdin
{
    hosts 1000
    wait_until 20 has_settled 300
    hosts 1000 db
} >pipe.txt &
started+=("$!")
wait_until 5 test -s pipe.txt
rm -f stdin/publisher.pid
tail -c +1 -f --pid="$!" pipe.txt |
    "$root/run.sh" --dir stdin -i - --slots 8 --mock-time 0s..20ms >out 2>err &
run_pid=$!
started+=("$run_pid")
settle_at_least 100 20
murder publisher
finish 60
ends_with_code "a publisher that is killed while it reads standard input: exit 0" 0
audit "standard input and a kill" 2000
