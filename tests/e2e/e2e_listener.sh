#!/usr/bin/env bash
# What is wrong at the listener of a consumer (--listen, on loopback) is said in one line, with what to
# do, and heals: all of --task-ports in use by something else, and keys that cannot be read.
# shellcheck source=tests/e2e/e2e_lib.sh
. "$(dirname "$0")/e2e_lib.sh"

port=7140
address=tcp://$loopback:$port
ports=7150..7153
"$build/mayhem" keys new eu-1 --role restarter --keys keys >/dev/null || exit 1
"$build/mayhem" keys new eu-2 --role restarter --keys keys >/dev/null || exit 1
"$build/mayhem" keys new v --role viewer --keys others >/dev/null || exit 1

# start LOG PROGRAM OPTION...
start() {
    local log=$1 program=$2
    shift 2
    "$build/mayhem-$program" "$@" >"$log" 2>&1 &
    started+=("$!")
}

# Something else has the task ports: another consumer.
start other.log consumer --dir other --listen "tcp://$loopback:7150" --keys others
other=$!
start hub.log consumer --dir hub --listen "$address" --task-ports $ports --keys keys
check "the consumer listens" wait_until 10 grep -q Ready hub.log
start eu-1.log restarter --dir eu-1 --consumer "$address" --key keys/eu-1.key
start eu-2.log restarter --dir eu-2 --consumer "$address" --key keys/eu-2.key
check "a worker says why it is refused" wait_until 10 grep -q \
    "refuses this worker; trying on why=\"all of --task-ports=$ports are in use there: stop" eu-1.log
check "and so does the other" wait_until 10 grep -q 'refuses this worker' eu-2.log
matches "the consumer names the range and the remedy" \
    "No port for the tasks of a worker: it is refused name=eu-[12] why=\"all of --task-ports=$ports are in use there: stop what uses them, or give the consumer a longer range\"" \
    "$(cat hub.log)"
equal "nobody has joined" 0 "$(grep -c 'A worker joins' hub.log)"
at_most "without a storm of lines" 8 "$(cat hub.log eu-1.log eu-2.log | wc -l)"
matches "the doctor says that they are in use" "warn +task ports 7150 to 7153: all of 4 are in use" \
    "$("$build/mayhem" doctor --consumer "$address" --key keys/eu-1.key --task-ports $ports)"
kill "$other"
check "with its ports free eu-1 joins" wait_until 10 grep -q 'A worker joins worker=eu-1' hub.log
check "and eu-2" wait_until 10 grep -q 'A worker joins worker=eu-2' hub.log

chmod 644 keys/consumer.key
check "a key that others can read is told" wait_until 10 grep -q 'Cannot read keys anew' hub.log
chmod 600 keys/consumer.key
check "and that it is well again" wait_until 15 grep -q \
    'Keys can be read again file="*[^ ]*keys/consumer.key' hub.log
