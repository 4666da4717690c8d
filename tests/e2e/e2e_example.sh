#!/usr/bin/env bash
# The restarter in Python (docs/examples) beside ours in a real run, while the consumer and itself are
# killed: every host is restarted, and the auditor finds nothing. Once as a mock, once with a command.
# shellcheck source=tests/e2e/e2e_lib.sh
. "$(dirname "$0")/e2e_lib.sh"

python=/usr/bin/python3
"$python" -c 'import zmq, msgpack' 2>/dev/null || {
    printf 'skip - python3-zmq and python3-msgpack are not installed\n'
    exit 77
}
export PYTHONDONTWRITEBYTECODE=1

# begin_example OPTION...: sets `example`, its pid.
begin_example() {
    "$python" "$root/docs/examples/restarter.py" --consumer "ipc://$dir/consumer" --id py-1 "$@" \
        >>"$dir.py.log" 2>>"$dir.py.err" &
    example=$!
    started+=("$example")
}

# strike NAME PID: kill -9, which the auditor is told of.
strike() {
    printf '%s KILL %s %d 0\n' "$(date +%s%3N)" "$1" "$2" >>"$dir.kills"
    kill -KILL "$2"
}

has_done() {
    (($(grep -c ' restarted job=' "$dir.py.log") >= $1))
}

# torment OPTION...: of the example, in a run that has been launched.
torment() {
    local consumer
    begin_example "$@"
    check "$dir: the example has restarted hosts" wait_until 15 has_done 20
    consumer=$(pid_of consumer)
    strike consumer "$consumer"
    wait_until 10 is_started_again consumer "$consumer" ||
        not_ok "$dir: the consumer is started again" "$(cat err)"
    check "$dir: it goes on with the next consumer" wait_until 15 has_done 60
    strike py-1 "$example"
    begin_example "$@"
    check "$dir: another process goes on in its place" wait_until 15 has_done 100
    finish 40
    ends_with_code "$dir: the run ends with 0" 0
    kill -TERM "$example"
    check "$dir: without a consumer the example ends at TERM" wait_until 5 is_gone "$example"
    wait "$example"
    equal "$dir: with 0" 0 $?
    equal "$dir: the example has said nothing on standard error" "" "$(cat "$dir.py.err")"
}

# judge RECORD...
judge() {
    "$build/tests/audit" -k "$dir.kills" hosts.txt "$dir/mayhem.db" "$dir/outbox.db" "$@" \
        >audited 2>&1
    equal "$dir: the auditor finds nothing" 0 $?
    grep -q 'WRONG\|NOT' audited && sed 's/^/#   /' audited
    audit "$dir" 500
    equal "$dir: each host is restarted" 500 \
        "$(store "SELECT count(*) FROM jobs WHERE outcome = 'restarted'")"
}

hosts 500 >hosts.txt
dir=mock
launch -q -i hosts.txt -n 1 --slots 2 --mock-time 100ms..200ms --attempts 10
torment --mock 0.05 --slots 6
judge mock/log/restarter-1.log mock.py.log

dir=real
command="$build/tests/append $work/record {host} 20 60"
name=$("$build/mayhem-restarter" --check --exec "$command" | sed -n 's/^digest: //p')
matches "the driver has a name" '^exec-[0-9a-f]{16}$' "$name"
launch -q -i hosts.txt -n 1 --slots 2 --at-once 12 -x "$command" --attempts 10
# shellcheck disable=SC2086 # words
torment --slots 8 --driver "$name" -- $command
judge record

# Without a restarter of ours, as docs/worker.md has it: one comes by ipc, one with a key.
dir=alone
"$build/mayhem" keys new py-2 --role restarter --dir alone >out 2>err
equal "mayhem keys makes a key" 0 $?
address=tcp://$loopback:7100
launch -q -i hosts.txt --mock -n 0 --listen "$address"
begin_example --mock 0.02
"$python" "$root/docs/examples/restarter.py" --consumer "$address" --key alone/keys/py-2.key \
    --mock 0.02 >keyed.log 2>&1 &
keyed=$!
started+=("$keyed")
finish 60
ends_with_code "alone: the run ends with 0" 0
equal "alone: all hosts are restarted" 500 \
    "$(store "SELECT count(*) FROM jobs WHERE outcome = 'restarted'")"
check "alone: the one with a key has a part in it" grep -q ' restarted job=' keyed.log
kill -TERM "$example" "$keyed"
check "nothing is left running" nothing_lives
