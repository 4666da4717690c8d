#!/usr/bin/env bash
# Hostile and broken peers beside a pipeline that works: all that tests/peer/peer.c can send, over ipc
# and over tcp. The processes live, drop and count what is no frame, and the jobs beside it settle.
# shellcheck source=tests/e2e/e2e_lib.sh
. "$(dirname "$0")/e2e_lib.sh"

peer=$build/tests/peer
[[ -x $peer ]] || {
    not_ok "the hostile peer is built" "no $peer: run make tests"
    exit 1
}

# start_pipeline OPTION...: hosts come through descriptor 9 until it is closed.
start_pipeline() {
    rm -f feed
    mkfifo feed
    "$root/run.sh" --dir "$dir" -i - -n 2 --slots 64 --mock-time 0s..60ms --attempts 100 "$@" \
        <feed >out 2>err &
    run_pid=$!
    started+=("$run_pid")
    exec 9>feed
    wait_until 10 test -s "$dir/publisher.pid" || not_ok "the pipeline starts" "$(cat out err)"
}

# Hosts that come in as long as the attack lasts, and then some.
feed_while() {
    local pid=$1 number=0
    while ((number < 2000)) || ! is_gone "$pid"; do
        seq -f 'web-%05g' $((number + 1)) $((number += 50)) >&9
        sleep 0.1
    done
    fed=$number
}

# memory_of PID FIELD: in kB.
memory_of() {
    awk -v field="$2:" '$1 == field { print $2 }' "/proc/$1/status"
}

pids() {
    cat "$dir"/*.pid | sort -n | paste -sd ' '
}

dropped() {
    grep -o 'Dropped.*total=[0-9]*' "$dir/log/consumer.log" | tail -n 1 | grep -o '[0-9]*$'
}

has_dropped() {
    [[ $(dropped) == "$1" ]]
}

# attack NAME ADDRESS: everything at once, while hosts come in. The log's ring is warm by then.
attack() {
    local name=$1 address=$2 consumer before grown pid expected
    hosts 6000 warm >&9
    settle_at_least 6000 30
    before=$(pids) consumer=$(pid_of consumer)
    grown=$(memory_of "$consumer" VmRSS)
    "$peer" "$address" all >attack 2>&1 9>&- &
    pid=$!
    started+=("$pid")
    feed_while "$pid"
    wait "$pid"
    equal "$name: after $(grep -o '[0-9]* kinds' attack) of hostile messages it is alive" 0 $?
    expected=$(grep -o 'dropped: [0-9]*' attack | grep -o '[0-9]*$')
    equal "$name: the processes are the same" "$before" "$(pids)"
    grown=$(($(memory_of "$consumer" VmHWM) - grown))
    at_most "$name: the consumer's memory grew by less than 16 MB ($grown kB)" 16384 "$grown"
    exec 9>&-
    finish 40
    ends_with_code "$name: the jobs beside them settle: exit 0" 0
    equal "$name: each that was no frame was dropped and counted" "$expected" "$(dropped)"
    equal "$name: no other process has seen any" "" \
        "$(grep -h 'Dropped' "$dir"/log/{saver,publisher,restarter}*.log)"
    equal "$name: each host was restarted, and is on record once" \
        "$((6000 + fed)) rows, $((6000 + fed)) restarted, 0 left" \
        "$(store "SELECT count(*) || ' rows, ' || count(CASE outcome WHEN 'restarted' THEN 1 END) ||
            ' restarted, ' FROM jobs WHERE publisher = 'publisher'")$(outbox \
            'SELECT count(*) FROM jobs') left"
    equal "$name: nothing was started again" "" "$(grep restarting err)"
}

# refused_because WORKER REASON
refused_because() {
    matches "$1 is refused, and the log says why" "worker=$1[^ ]* why=\"$2" \
        "$(grep 'Refused a worker' "$dir/log/consumer.log" | grep "worker=$1" | head -n 3)"
}

# ---- all of it -----------------------------------------------------------------------------------

kinds=$("$peer" ipc://run/consumer list | wc -l)
check "there are 60 kinds and more ($kinds)" test "$kinds" -ge 60

start_pipeline
attack ipc ipc://run/consumer
refused_because saver-2 'there is another saver already'
refused_because restarter-1 'another process with this id is alive'
refused_because peer-many 'there are too many restarters already'
refused_because peer-session-number 'no consumer has given it that session'
refused_because peer 'it speaks another version'
refused_because peer-of-version-1 'it speaks another version'

dir=tcp
port=$((20000 + RANDOM % 20000))
printf '[common]\nconsumer = tcp://127.0.0.1:%d\n' "$port" >tcp.ini
start_pipeline --config tcp.ini
attack tcp "tcp://127.0.0.1:$port"

# ---- a stranger that holds every host ------------------------------------------------------------

dir=stranger
start_pipeline
printf 'first\n' >&9
settle_at_least 1 20
"$peer" ipc://stranger/consumer send worker.claims-all-hosts >attack 2>&1 9>&-
equal "a stranger says that it holds 2,048 hosts, and falls silent" 0 $?
hosts 2000 >&9
exec 9>&-
finish 40
ends_with_code "their restarts wait until it is presumed lost, and then go on: exit 0" 0
audit "a stranger that holds every host" 2001
equal "it is told as lost" 1 "$(grep -c 'Lost a worker.*peer-holds-all' stranger/log/consumer.log)"

# ---- a stranger that claims what nobody has given ------------------------------------------------

# The numbers of all others went on above its own, and those of the next consumer did not: no worker
# took a task from that one.
dir=claims
start_pipeline
hosts 100 before >&9
settle_at_least 100 20
"$peer" ipc://claims/consumer send worker.claims-numbers-of-nobody >attack 2>&1 9>&-
equal "a stranger claims tasks and sessions of nobody" 0 $?
hosts 100 between >&9
settle_at_least 200 20
murder consumer
hosts 100 after >&9
exec 9>&-
finish 30
ends_with_code "all workers take tasks, also from the next consumer: exit 0" 0
matches "the log says what it claims" 'Ignoring what a peer claims worker=peer-above claim="a task that nobody has given it"' \
    "$(cat claims/log/consumer.log)"
refused_because peer-above-session 'no consumer has given it that session'

# ---- a stranger that claims what others were given -----------------------------------------------

dir=others
start_pipeline --mock-time 3s..4s
hosts 120 >&9
"$peer" ipc://others/consumer send worker.claims-jobs-of-others >attack 2>&1 9>&-
equal "a stranger says that each job is done" 0 $?
settle_at_least 120 20
exec 9>&-
finish 30
ends_with_code "the pipeline ends: exit 0" 0
equal "each host is on record as restarted by whoever was given it" "120 of restarter-1 restarter-2" \
    "$(store "SELECT sum(n) || ' of ' || group_concat(worker, ' ') FROM (SELECT worker, count(*) AS n
        FROM jobs WHERE outcome = 'restarted' GROUP BY worker ORDER BY worker)")"
matches "the log says what it claims" 'Ignoring what a peer claims worker=peer-claims' \
    "$(cat others/log/consumer.log)"
check "nothing is left running" nothing_lives
