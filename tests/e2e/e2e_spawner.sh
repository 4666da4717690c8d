#!/usr/bin/env bash
# The process that starts the commands: what lives on, what does not, and what is no fault of a host.
# shellcheck source=tests/e2e/e2e_lib.sh
. "$(dirname "$0")/e2e_lib.sh"

spawner_of() {
    local child children name pid
    pid=$(pid_of "$1")
    { read -ra children <"/proc/$pid/task/$pid/children"; } 2>/dev/null
    for child in "${children[@]}"; do
        { read -r name <"/proc/$child/comm"; } 2>/dev/null || continue
        [[ $name != mayhem-spawner ]] || printf '%d\n' "$child"
    done
}

all_gone() {
    local pid
    for pid; do
        is_gone "$pid" || return 1
    done
}

# ---- what a command leaves running ---------------------------------------------------------------

dir=left
hosts 200 >hosts.txt
run -i hosts.txt -n 2 --slots 16 -x 'setsid -f sh -c "sleep 0.3; echo {host} >>left.txt"'
ends_with_code "commands that go on in the background: exit 0" 0
audit "in the background" 200
wait_until 20 has_lines left.txt 200
equal "all have lived on" "$(cat hosts.txt)" "$(sort left.txt)"

# ---- what was given up ---------------------------------------------------------------------------

dir=given-up
hosts 8 >few.txt
cat >fork.sh <<'END'
#!/bin/sh
(setsid -f sh -c 'echo $$ >>pids.txt; exec sleep 1000')
timeout 900 sh -c 'echo $$ >>pids.txt; exec sleep 1000' &
env -i sh -c 'trap "" TERM; echo $$ >>pids.txt; while :; do sleep 1000; done'
END
chmod +x fork.sh
run -i few.txt -n 2 --slots 4 -x './fork.sh {host}' --timeout 700ms --attempts 1
ends_with_code "commands that do not end are given up: exit 1" 1
equal "each had begun three processes" 24 "$(lines_in pids.txt)"
mapfile -t pids <pids.txt
check "none of them is left" all_gone "${pids[@]}"

# ---- what cannot be killed -------------------------------------------------------------------------

# Here the pipeline belongs to a user, and one child of the command has become root.
has_settled_nothing() {
    (($(settled) == 0)) && [[ -d /proc/$left ]]
}

if has_setuid; then
    cat >become.sh <<'END_OF_COMMAND'
#!/bin/sh
./helper root >>user/pids.txt &
exec sleep 600
END_OF_COMMAND
    chmod 755 become.sh
    hosts 2 >two.txt
    dir=user/gone
    launch_as_user -i two.txt --drain-timeout 6s -n 1 --slots 1 -x './become.sh {host}' --timeout 700ms --attempts 1
    wait_until 20 has_lines user/pids.txt 1
    left=$(head -n 1 user/pids.txt)
    sleep 4
    check "one that became root keeps its slot" has_settled_nothing
    matches "it is named in the log" "Cannot kill what a command has left; its slot is kept.* said=\"pid $left\"" \
        "$(cat user/gone/log/restarter-1.log)"
    equal "nothing else is started there" 1 "$(lines_in user/pids.txt)"
    kill -KILL "$left"
    settle_at_least 1 20
    equal "when it has gone, its end is told" 'timed out after 700ms' \
        "$(store 'SELECT error FROM jobs WHERE outcome IS NOT NULL')"
    wait_until 20 has_lines user/pids.txt 2
    left=$(tail -n 1 user/pids.txt)
    kill -INT "$run_pid"
    finish 40
    equal "at the drain limit it is named with its pid" "still running, pid $left" \
        "$(store "SELECT jobs.error FROM jobs JOIN attempts ON id = job WHERE attempts.outcome = 'left-running'")"
    kill -KILL "$left"
else
    printf '# what became root needs root, and a build that another user can run: left out\n'
fi

# ---- the ends of a restarter and its spawner -----------------------------------------------------

dir=killed
rm -f pids.txt
cat >once.sh <<'END'
#!/bin/sh
[ ! -e go ] || exit 0
echo $$ >>pids.txt
setsid sh -c 'echo $$ >>pids.txt; exec sleep 1000' &
wait
END
chmod +x once.sh
launch -i few.txt -n 1 --slots 8 -x './once.sh {host}' --attempts 3
wait_until 20 has_lines pids.txt 16
spawner=$(spawner_of restarter-1)
restarter=$(pid_of restarter-1)
check "a restarter has a spawner" test -n "$spawner"
kill -KILL "$spawner"
check "without its spawner a restarter ends" wait_until 20 is_started_again restarter-1 "$restarter"
mapfile -t pids <pids.txt
check "what ran has died" all_gone "${pids[@]}"
wait_until 20 has_lines pids.txt 17
murder restarter-1
mapfile -t pids <pids.txt
check "what a killed restarter has started dies" wait_until 10 all_gone "${pids[@]}"
touch go
finish 60
ends_with_code "the run goes on: exit 0" 0
audit "a killed spawner and a killed restarter" 8
matches "the end of the spawner is told" 'The process that starts commands was killed' \
    "$(cat killed/log/restarter-1.log)"
check "nothing is left running" nothing_lives

# ---- what fails here -----------------------------------------------------------------------------

dir=gone
hosts 40 >forty.txt
ln -s "$(type -P true)" restart
launch -i forty.txt -n 2 --slots 4 -x './restart {host}' --attempts 1 --rate 40
settle_at_least 3 20
mv restart away
check "a program is away" wait_until 20 grep -qs 'it cannot be started here' gone/log/restarter-1.log \
    gone/log/restarter-2.log
mv away restart
finish 60
ends_with_code "it comes back: exit 0, at the first attempt" 0
audit "a program that is away" 40
equal "no attempt was charged for it" 40 "$(store 'SELECT sum(attempts) FROM jobs')"
matches "why is told" 'cannot start ./restart: No such file' "$(cat gone/log/restarter-?.log)"
