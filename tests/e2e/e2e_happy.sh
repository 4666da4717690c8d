#!/usr/bin/env bash
# The happy path: the demo, a file of hosts, JSON Lines, repeated hosts, standard input, a config.
# shellcheck source=tests/e2e/e2e_lib.sh
. "$(dirname "$0")/e2e_lib.sh"

# ---- the article's demo --------------------------------------------------------------------------

dir=demo
run --for 4s --seed 7
matches "the demo ends by itself with 0 or 1" '^[01]$' "$code"
demo_jobs=$(settled)
check "the demo has restarted some hosts" test "$demo_jobs" -gt 0
audit "the demo" "$demo_jobs"
matches "the demo shows the log lines of its processes" 'restarter-[12]\[[0-9]+\]' "$(cat err)"
matches "the demo's hosts are cattle" 'cattle-....' "$(store 'SELECT host FROM jobs LIMIT 1')"
for name in publisher consumer saver restarter-1 restarter-2; do
    matches "$name is shown with its pid" "$name +pid [0-9]+" "$(cat out)"
done
matches "the summary tells that the shutdown was clean" 'clean shutdown: yes' "$(cat out)"
equal "the folder is private" 700 "$(stat -c %a demo)"
check "no pid file is left" nothing_lives
equal "no pid file is left behind" "" "$(ls demo/*.pid 2>/dev/null)"

# ---- a file of hosts -----------------------------------------------------------------------------

dir=hosts
{
    printf '# the web servers\n\n'
    hosts 500
} >hosts.txt
run -i hosts.txt -n 4 --mock-time 0s..20ms --mock-fail 10% --attempts 20
ends_with_code "500 hosts of which some fail at first: exit 0" 0
audit "a file of hosts" 500
equal "all 500 are restarted" 500 "$(store "SELECT count(*) FROM jobs WHERE outcome = 'restarted'")"
check "failed restarts were tried again" test "$(store 'SELECT sum(attempts) FROM jobs')" -gt 500
matches "progress is shown" '500' "$(cat err)"
equal "all four restarters have worked" 4 "$(store 'SELECT count(DISTINCT worker) FROM jobs')"
equal "what the consumer has read is confirmed to all" "" \
    "$(grep -h 'that no consumer has confirmed' demo/log/*.log hosts/log/*.log)"

run -i hosts.txt --mock -n 1
ends_with_code "the same command after the end is a new run" 0
equal "it restarts each host again" "1000 500" \
    "$(store "SELECT count(*) || ' ' || count(DISTINCT host) FROM jobs")"

# ---- other inputs --------------------------------------------------------------------------------

dir=json
hosts 50 | sed 's/.*/{"host": "&", "rack": 7}/' >hosts.jsonl
run -i hosts.jsonl --mock --json
ends_with_code "JSON Lines: exit 0" 0
audit "JSON Lines" 50
equal "standard output is one JSON object, valid and with the totals" "1 50 50 0 1 0" \
    "$(sqlite3 :memory: "SELECT json_valid(j) || ' ' || json_extract(j, '\$.total') || ' ' ||
        json_extract(j, '\$.restarted') || ' ' || json_extract(j, '\$.dead') || ' ' ||
        json_extract(j, '\$.clean_shutdown') || ' ' || json_extract(j, '\$.exit_code')
        FROM (SELECT CAST(readfile('out') AS TEXT) AS j)")"

dir=repeat
{
    hosts 20
    hosts 20
    hosts 5
} >twice.txt
run -i twice.txt --mock
ends_with_code "repeated hosts: exit 0" 0
audit "repeated hosts" 20
matches "repeated hosts are counted and said" '25' "$(cat out err)"

dir=stdin
hosts 300 | timeout 60 "$root/run.sh" --dir stdin -i - --mock --quiet >out 2>err
code=$?
ends_with_code "hosts from standard input: exit 0" 0
audit "standard input" 300
equal "--quiet shows no process list" "" "$(grep ' pid ' out)"

dir=config
printf '%s\n' '[common]' 'dir = config' '[publisher]' 'jobs = 30' 'rate = 1000' '[restarter]' \
    'mock-time = 0s..1ms' >m.ini
timeout 60 "$root/run.sh" --config m.ini --quiet >out 2>err
code=$?
matches "the options of a file are used" '^[01]$' "$code"
audit "options from a file" 30
