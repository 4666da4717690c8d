#!/usr/bin/env bash
# What fails on this machine is no fault of a host: a program that is being replaced or may not be
# run, no descriptors, no processes. Tasks come back with a reason and a pause, no attempt is
# charged, there are fewer slots for a while, and no hot loop.
# shellcheck source=tests/e2e/e2e_lib.sh
. "$(dirname "$0")/e2e_lib.sh"


log_of_restarters() {
    cat "$dir"/log/restarter-*.log 2>/dev/null
}

# returned REGEX: a task has come back for that reason.
returned() {
    log_of_restarters | grep -qE "it cannot be started here.*$1"
}

count_returned() {
    log_of_restarters | grep -c 'it cannot be started here'
}

# goes_on NAME HOSTS REGEX: the run that was launched ends as if nothing had been.
goes_on() {
    finish 60
    ends_with_code "$1: in the end all are restarted, exit 0" 0
    audit "$1" "$2"
    equal "$1: no attempt was charged" "$2" "$(store 'SELECT sum(attempts) FROM jobs')"
    matches "$1: the reason is told" "$3" "$(log_of_restarters)"
}

# ---- the program -----------------------------------------------------------------------------------

hosts 60 >hosts.txt
cp "$(type -P true)" restart

# breaks NAME REGEX BREAK REPAIR: for two seconds the program cannot be executed.
breaks() {
    dir=$1
    launch -i hosts.txt -n 2 --slots 4 --at-once 8 -x './restart {host}' --attempts 1 --rate 30
    settle_at_least 3 20
    eval "$3"
    wait_until 20 returned "$2" || not_ok "$1: tasks are returned" "$(log_of_restarters)"
    local before
    before=$(count_returned)
    sleep 2
    # 4 slots and pauses of 0.25, 0.5, 1 s, at each of 2 restarters; the slots go down to 1.
    at_most "$1: there are pauses" 24 $(($(count_returned) - before))
    eval "$4"
    goes_on "$1" 60 "cannot start ./restart: $2"
}

breaks replaced 'Text file busy' 'exec 5>>restart' 'exec 5>&-'
breaks forbidden 'Permission denied' 'chmod 0 restart' 'chmod 755 restart'
matches "fewer slots are told" 'Fewer restarts at a time: this machine cannot start more' \
    "$(log_of_restarters)"

# ---- descriptors -----------------------------------------------------------------------------------

# highest PID: its highest descriptor.
highest() {
    find "/proc/$1/fd" -mindepth 1 -printf '%f\n' | sort -n | tail -n 1
}

spawner_of() {
    local pid
    pid=$(pid_of "$1")
    read -r spawner _ <"/proc/$pid/task/$pid/children"
    printf '%d' "$spawner"
}

has_settled_more() {
    has_settled $((now + 2))
}

# limits NAME REGEX PID FEW: while PID may have no more than FEW descriptors there is a fault, then
# none.
limits() {
    local old
    old=$(prlimit --pid "$3" --nofile --output SOFT --noheadings | tr -d ' ')
    prlimit --pid "$3" --nofile="$4:"
    wait_until 20 returned "$2" || not_ok "$1: tasks are returned" "$(log_of_restarters)"
    prlimit --pid "$3" --nofile="$old:"
}

# As long as this, all slots are in use at that rate: the last one always needs one number more.
cat >wait.sh <<'EOF'
#!/bin/sh
exec sleep 0.6
EOF
chmod +x wait.sh
dir=descriptors
launch -i hosts.txt -n 1 --slots 8 --at-once 8 -x './wait.sh {host}' --attempts 1 --rate 20
settle_at_least 3 20
pid=$(pid_of restarter-1)
# The slots that have run keep a number each; 5 of them are left.
limits "few descriptors" 'Too many open files' "$pid" $(($(highest "$pid") - 2))
now=$(settled)
check "few descriptors: it goes on" wait_until 30 has_settled_more
# Of those of the program, or of its host's lock.
goes_on "few descriptors" 60 'error="[^"]+: Too many open files'

dir=spawner
launch -i hosts.txt -n 1 --slots 8 --at-once 8 -x './wait.sh {host}' --attempts 1 --rate 20
settle_at_least 3 20
limits "a spawner without descriptors" 'Too many open files' "$(spawner_of restarter-1)" 3
goes_on "a spawner without descriptors" 60 'cannot start ./wait.sh: Too many open files'

# ---- processes -------------------------------------------------------------------------------------

# A limit that holds for a user, so it takes root to have one of its own.
# allow NUMBER: of processes, for what the spawner starts.
allow() {
    as_user prlimit --pid "$spawner" --nproc="$1:"
}

# Threads count, too.
count_threads() {
    find /proc/[0-9]*/task -mindepth 1 -maxdepth 1 -uid "$user" 2>/dev/null | wc -l
}

if has_user; then
    dir=user/run
    printf '#!/bin/sh\nexec sleep 0.5\n' >wait.sh
    chmod 755 wait.sh
    hosts 160 >hosts.txt
    rm -f $dir/publisher.pid
    launch_as_user -i hosts.txt -n 1 --slots 8 --at-once 8 -x './wait.sh {host}' --attempts 1
    settle_at_least 8 20
    spawner=$(spawner_of restarter-1)
    hard=$(as_user prlimit --pid "$spawner" --nproc --output HARD --noheadings | tr -d ' ')
    allow $(($(count_threads) - 3))
    check "few processes: tasks are returned" wait_until 20 returned 'Resource temporarily unavailable'
    before=$(settled)
    sleep 2
    check "few processes: it goes on with what there is" has_settled $((before + 2))
    allow "$hard"
    check "few processes: the slots come back" wait_until 30 \
        grep -qs 'More restarts at a time again slots=8' $dir/log/restarter-1.log
    goes_on "few processes" 160 'cannot start ./wait.sh: Resource temporarily unavailable'
else
    printf '# a limit of processes needs root, and a build that another user can run: left out\n'
fi
check "nothing is left running" nothing_lives
