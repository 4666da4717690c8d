#!/usr/bin/env bash
# All workers keep the protocol: the conformance tester plays the consumer for ours, and for the example
# in Python; and each fault that is planted in that one is named by its clause.
# shellcheck source=tests/e2e/e2e_lib.sh
. "$(dirname "$0")/e2e_lib.sh"

python=/usr/bin/python3
tester=$root/tests/conformance/tester
example=$root/docs/examples/restarter.py
"$python" -c 'import zmq, msgpack' 2>/dev/null || {
    printf 'skip - python3-zmq and python3-msgpack are not installed\n'
    exit 77
}
export PYTHONDONTWRITEBYTECODE=1

# try NAME [OPTION]... -- COMMAND...: in the background; NAME is also its folder.
names=()
try() {
    local name=$1
    shift
    mkdir "$name"
    "$python" "$tester" "$@" >"$name/said" 2>&1 &
    started+=("$!")
    names+=("$name:$!")
}

# judge NAME PID
judge() {
    wait "$2"
    if [[ $? == 0 && $(tail -n 1 "$1/said") =~ ^[0-9]{2,}\ passed,\ 0\ failed$ ]]; then
        ok "$1: $(tail -n 1 "$1/said")"
    else
        not_ok "$1 keeps the protocol" "$(grep -v '^ok ' "$1/said")"
    fi
}

try saver --address "ipc://$work/saver/c" -- \
    "$build/mayhem-saver" --dir "$work/saver" --db "$work/saver/{scene}.db" --consumer '{address}'
wait_until 20 test -S saver/c-join.events
"$python" "$tester" --address "ipc://$work/saver/../saver/c" -- true >out 2>err
equal "a second tester at one address ends with 73" 73 $?
matches "and says why" 'another tester uses ipc' "$(cat err)"
try restarter --address "ipc://$work/restarter/c" --task-ms 700 -- \
    "$build/mayhem-restarter" --dir "$work/restarter" --consumer '{address}' --slots 2 \
    --mock-time 700ms
try restarter-exec --address "ipc://$work/restarter-exec/c" -- \
    "$build/mayhem-restarter" --dir "$work/restarter-exec" --consumer '{address}' --slots 2 \
    --exec 'true {host}' --again
try example --address "ipc://$work/example/c" --task-ms 700 -- \
    "$python" "$example" --consumer '{address}' --slots 2 --mock 0.7
try example-exec --address "ipc://$work/example-exec/c" --task-ms 700 -- \
    "$python" "$example" --consumer '{address}' --slots 2 --driver exec-0 -- sleep 0.7

# What the tester needs: its modules, and an address of its own.
"$python" -S "$tester" --address ipc://none -- true >out 2>err
equal "without its modules the tester ends with 69" 69 $?
matches "and says which it needs, in one line" '^tester: .*python3-zmq, python3-msgpack.* in [^ ]+$' \
    "$(cat err)"
"$python" -c 'import socket, time
lock = socket.socket(socket.AF_UNIX)
lock.bind("owned.inbox")
lock.listen()
time.sleep(60)' &
owner=$!
started+=("$owner")
wait_until 20 test -S owned.inbox
"$python" "$tester" --address "ipc://$work/owned" -- true >out 2>err
equal "where somebody listens the tester ends with 73" 73 $?
matches "and says where" "somebody listens at ipc://$work/owned" "$(cat err)"
kill "$owner"

# With keys, over tcp.
"$build/mayhem" keys new py-9 --role restarter --keys keys >out 2>err
equal "mayhem keys makes a key for it" 0 $?
"$build/mayhem" keys new c-9 --role restarter --keys keys >out 2>err
"$build/mayhem" keys new s-9 --role saver --keys keys >out 2>err
try example-curve --address "tcp://$loopback:7100" --task-ms 700 \
    --key keys/consumer.key -- "$python" "$example" --consumer '{address}' --key keys/py-9.key \
    --mock 0.7
try restarter-curve --address "tcp://$loopback:7200" --task-ms 700 \
    --key keys/consumer.key -- "$build/mayhem-restarter" --dir "$work/restarter-curve" \
    --consumer '{address}' --key keys/c-9.key --slots 2 --mock-time 700ms
try saver-curve --address "tcp://$loopback:7300" --key keys/consumer.key -- \
    "$build/mayhem-saver" --dir "$work/saver-curve" --db "$work/saver-curve/{scene}.db" \
    --consumer '{address}' --key keys/s-9.key

# Tasks that are longer than the drain limit.
try example-limit --address "ipc://$work/example-limit/c" --only limit --drain-ms 1000 -- \
    "$python" "$example" --consumer '{address}' --mock 9 --drain 1
try restarter-limit --address "ipc://$work/restarter-limit/c" --only limit --drain-ms 1000 -- \
    "$build/mayhem-restarter" --dir "$work/restarter-limit" --consumer '{address}' --mock-time 9s \
    --drain-timeout 3s

# All workers at once would hold each other up: behind these two the others only wait for the most.
wait "${names[-1]#*:}" "${names[-2]#*:}"
"$python" "$root/tests/conformance/faults" "$tester" "$root/docs/examples" "$work" >faults 2>&1 &
faults=$!
started+=("$faults")
for each in "${names[@]}"; do
    judge "${each%:*}" "${each##*:}"
done
wait "$faults"
cat faults
[[ $(grep -c '^ok - ' faults) -ge 50 ]] || not_ok "fifty faults and more are named" "$(cat faults)"
! grep -q '^not ok' faults || : >"$work/.not_ok"

chmod 644 keys/py-9.key
"$python" "$example" --consumer tcp://127.0.0.1:9 --key keys/py-9.key >said 2>&1
check "a key that others can read is refused" grep -q 'others can read keys/py-9.key' said
"$python" "$example" --consumer tcp://10.0.0.1:9 >said 2>&1
check "the example goes beyond this machine with a key only" grep -q 'it needs --key' said
