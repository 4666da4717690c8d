#!/usr/bin/env bash
# Runs of one machine that have hosts in common: no host is restarted by two at a time, nor again
# within the cooldown, whatever DIR, list and kill -9 there was; and what could not be killed there
# holds its host back. Hosts are files that count their reboots.
# shellcheck source=tests/e2e/e2e_lib.sh
. "$(dirname "$0")/e2e_lib.sh"

export FILE_HOST_DOWN=300 FILE_HOST_DELAY=300
mkdir files
host="'$build/tests/file_host' '$work/files'"
how=(--exec "$host reboot {host} {boot_id}" --identify "$host identify {host}"
    --health "$host health {host}" --settle 300ms --locks "$work/locks")
hosts 4 >hosts.txt
{
    echo '# the same ones, in other words'
    hosts 4 WEB | tac
} >others.txt
sed -i 's/^WEB-/web-/; 2s/web/Web/' others.txt # a file host has one name; a lock has all of them

# Reboots of each host, as "1 1 1 1".
reboots() {
    local name
    for name in $(hosts 4); do printf '%d\n' "$(lines_in "files/$name")"; done | paste -sd ' '
}

# The hosts that ended so in the DIRs.
count() {
    local outcome=$1 folder sum=0
    shift
    for folder; do
        sum=$((sum + $(query "$folder/mayhem.db" \
            "SELECT count(*) FROM jobs WHERE outcome = '$outcome'")))
    done
    printf '%d' "$sum"
}

# ---- two folders, one inventory ------------------------------------------------------------------

ln -s "$work/files/web-00004" files/Web-00004
dir=one
launch -i hosts.txt "${how[@]}" --at-once 2
"$root/run.sh" --dir two -i others.txt "${how[@]}" --at-once 2 >out2 2>err2 </dev/null &
second=$!
started+=("$second")
finish 40
ends_with_code "one of two runs with the same hosts ends with 0" 0
run_pid=$second
finish 40
ends_with_code "and so does the other" 0
equal "each host was restarted once" "1 1 1 1" "$(reboots)"
equal "by one of them; the other one has skipped it" "4 restarted, 4 skipped" \
    "$(count restarted one two) restarted, $(count skipped one two) skipped"
matches "a held host names who has it" "The host is held.* why=\"held by pid [0-9]+ of $work/(one|two)\"" \
    "$(cat one/log/consumer.log two/log/consumer.log)"

# ---- a minute later ------------------------------------------------------------------------------

dir=later
run -i others.txt "${how[@]}"
ends_with_code "the same hosts in another DIR, by another list: exit 0" 0
equal "the last line says why nothing was done" "4 skipped: restarted within 1h (--again)" \
    "$(tail -n 1 out)"
equal "nothing was" "1 1 1 1" "$(reboots)"
matches "the record says by whom it was restarted" "^restarted within 1h by $work/(one|two)$" \
    "$(store 'SELECT error FROM jobs LIMIT 1')"
dir=rehearsal
run -i hosts.txt "${how[@]}" --dry-run
ends_with_code "a rehearsal asks no lock: exit 0" 0
equal "it skips none, and restarts none" "0 skipped: 1 1 1 1" \
    "$(count skipped rehearsal) skipped: $(reboots)"
dir=again
run -i hosts.txt "${how[@]}" --again --at-once 4
ends_with_code "--again: exit 0" 0
equal "restarts them all" "2 2 2 2" "$(reboots)"

# ---- a restarter is killed -----------------------------------------------------------------------

has_sent() {
    (($(grep -ls '^sent' "$MAYHEM_LOCKS"/* | wc -l) >= $1))
}

dir=killed
FILE_HOST_DELAY=1500 launch -i hosts.txt "${how[@]}" --cooldown 1ms -n 1 --at-once 4
check "commands are sent" wait_until 10 has_sent 4
kill -KILL "$(pid_of restarter-1)"
kill -INT "$run_pid"
finish 40
dir=next
run -i hosts.txt "${how[@]}"
ends_with_code "another run behind that: exit 0" 0
equal "what a killed restarter may have restarted is skipped" "4 maybe restarted within 1h by $work/killed" \
    "$(store 'SELECT count(*), error FROM jobs GROUP BY error' | tr '|' ' ')"
dir=killed
run -i hosts.txt "${how[@]}" --cooldown 1ms -n 1
ends_with_code "the run itself goes on: exit 0" 0
equal "and nothing is restarted twice" "3 3 3 3" "$(reboots)"

# ---- no folder for the locks ---------------------------------------------------------------------

: >file
dir=none
run -i hosts.txt "${how[@]}" --locks file/locks
ends_with_code "without the locks nothing is restarted: exit 78" 78
equal "nothing was" "3 3 3 3" "$(reboots)"
matches "and the way on is said" "cannot use file/locks.*--locks" "$(cat err)"
run -i hosts.txt --mock --locks file/locks
ends_with_code "a mock needs none" 0

# ---- what cannot be killed -----------------------------------------------------------------------

# The pipeline belongs to a user, and a child of the command has become root.
is_held() {
    grep -qs "The host is held.* why=\"left-running: pid $left of $work/user/left\"" \
        user/next/log/consumer.log
}

if has_setuid; then
    cat >become.sh <<'END'
#!/bin/sh
[ ! -s user/pid ] || exit 0
./helper root >user/pid &
exec sleep 600
END
    chmod 755 become.sh
    hosts 1 left >one.txt
    dir=user/left
    launch_as_user -i one.txt -x './become.sh {host}' --drain-timeout 4s
    wait_until 20 test -s user/pid
    left=$(cat user/pid)
    kill -INT "$run_pid"
    finish 30
    equal "at the drain limit it is left running" "still running, pid $left" \
        "$(store 'SELECT error FROM jobs')"
    dir=user/next
    launch_as_user -i one.txt -x './become.sh {host}' --again
    check "the next run holds the host back, and names it" wait_until 20 is_held
    kill -KILL "$left"
    finish 30
    ends_with_code "when it has gone, the host is restarted: exit 0" 0
else
    printf '# what became root needs root, and a build that another user can run: left out\n'
fi
