#!/usr/bin/env bash
# The record in PostgreSQL: kill -9 of the saver, of the server, of both at once, and sessions that the
# server ends, in mid-run. Nothing is lost and nothing is there twice; of real restarts the audit is
# one chain.
# shellcheck source=tests/e2e/e2e_lib.sh
. "$(dirname "$0")/e2e_lib.sh"
# shellcheck source=tests/postgresql/postgresql.sh
. "$root/tests/postgresql/postgresql.sh"

pg_or_skip
trap 'pg_end; clean_up' EXIT
pg_begin && pg_start a || exit
export PGPASSWORD=$pg_password
uri=postgresql://mayhem@${pg_address[a]}:$pg_port/mayhem

# What is on record, by an eye of its own; nothing while the server is away.
store() {
    pg_psql a "$1" 2>/dev/null
}

# ---- plain saves and settles ---------------------------------------------------------------------

hosts 4000 >hosts.txt
launch -i hosts.txt --store "$uri" -n 2 --slots 4 --mock-time 0s..40ms --mock-fail 5% --attempts 10
settle_at_least 200 30
murder saver
ok "the saver is killed after $(settled) hosts and started again"
settle_at_least $(($(settled) + 200)) 30
before=$(settled)
pg_kill a
ok "the server is killed after $before hosts"
check "the saver tells that nobody answers" \
    wait_until 10 grep -q 'The record does not answer' $dir/log/saver.log
pg_start a
check "and that somebody answers again" \
    wait_until 20 grep -q 'The record answers again' $dir/log/saver.log
settle_at_least $((before + 200)) 30
store "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'mayhem-saver'" \
    >/dev/null
ok "the server ends the sessions of the saver after $(settled) hosts"
settle_at_least $(($(settled) + 200)) 30
pg_kill a
murder saver
pg_start a
ok "the server and the saver are killed at once"
settle_at_least $((before + 500)) 40
murder consumer
pg_stop a fast
pg_start a
ok "the consumer is killed, and the server is restarted"
finish 60
ends_with_code "the run ends with 0" 0
audit "after kills of the saver and of the server" 4000
equal "every host is restarted" 4000 \
    "$(store "SELECT count(*) FROM jobs WHERE outcome = 'restarted' AND proof = 'rehearsed'")"
matches "the shutdown itself was clean" 'clean shutdown: yes' "$(cat out)"
equal "no file has a record" "" "$(find . -name 'mayhem.db*')"
equal "nobody tells the password" "" "$(grep -rl "$pg_password" run out err)"

# ---- real restarts -------------------------------------------------------------------------------

cat >command.sh <<'END'
#!/bin/sh
echo "$1" >>done.txt
END
chmod +x command.sh
dir=real
hosts 300 real >hosts.txt
launch -i hosts.txt --store "$uri" -x './command.sh {host}' --at-once 20 --slots 20 --settle 0s \
    --max-unavailable 50 --cooldown 0s
settle_real() {
    wait_until 30 has_settled_real "$1" || not_ok "$1 hosts settle" "$(cat out err)"
}
settled_real() {
    store "SELECT count(*) FROM jobs WHERE host LIKE 'real-%' AND outcome IS NOT NULL"
}
has_settled_real() {
    (($(settled_real) >= $1))
}
settle_real 40
pg_kill a
pg_start a
ok "the server is killed among real restarts"
settle_real 120
murder saver
ok "and the saver"
finish 90
ends_with_code "the run of real restarts ends with 0" 0
equal "each is on record once, as what it was" "300 hosts, 300 restarted, 300 unverified" \
    "$(store "SELECT count(DISTINCT host) || ' hosts, ' ||
        count(*) FILTER (WHERE outcome = 'restarted') || ' restarted, ' ||
        count(*) FILTER (WHERE proof = 'unverified') || ' unverified' FROM jobs
        WHERE host LIKE 'real-%'")"
equal "no command ran that is not on record" 0 \
    "$(store "SELECT count(*) FROM attempts WHERE state <> 'ended'")"
equal "each outcome is told once" "300|300" \
    "$(store "SELECT count(*), count(DISTINCT job) FROM audit WHERE action = 'ended'")"
equal "and each command was told before" 0 "$(
    sort -u done.txt >ran.txt
    store "SELECT host FROM audit WHERE action = 'begun'" | sort -u | comm -13 - ran.txt | wc -l
)"
equal "no place is kept" 0 "$(store 'SELECT count(*) FROM places')"
check "the audit is one chain" "$build/mayhem" audit verify --dir $dir

# ---- a death at each side of a commit ------------------------------------------------------------

make -s -C "$root" --no-print-directory BUILD="$(realpath -m -- "$build")" crash >make.log 2>&1 ||
    not_ok "the programs with crash points are built" "$(cat make.log)"
hosts 300 crash >hosts.txt
for point in 'store: before commit' 'store: committed, not answered'; do
    dir=${point//[^a-z]/_}
    pg_psql a "CREATE SCHEMA $dir AUTHORIZATION mayhem"
    MAYHEM_BUILD=$build/crash MAYHEM_CRASH=mayhem-saver/$point:3 MAYHEM_CRASH_ONCE=$work/$dir.hit run \
        -i hosts.txt --store "$uri?options=-csearch_path%3D$dir" --leases 60 --slots 8 \
        --mock-time 0s..10ms
    check "$point: it is hit" test -e "$dir.hit"
    ends_with_code "$point: the run ends with 0" 0
    equal "$point: each host is on record once" "300|300|300" \
        "$(store "SELECT count(*), count(DISTINCT host), count(outcome) FROM $dir.jobs")"
done
check "nothing is left running" nothing_lives
