#!/usr/bin/env bash
# Clients that know several consumers: a publisher, restarters and viewers follow the one of the
# highest epoch. A consumer is killed, another one is begun, and back. Each consumer has a folder and
# a saver of its own here, so only one of them has the record that counts; with a record in common
# the rest is the same. All on ipc and on the loopback.
# shellcheck source=tests/e2e/e2e_lib.sh
. "$(dirname "$0")/e2e_lib.sh"

port=$((21000 + RANDOM % 400 * 25))
ipc=ipc://a/consumer,ipc://b/consumer
export MAYHEM_KEYS=keys

ctl() {
    timeout -k 5 30 "$build/mayhem" "$@" </dev/null
}

# start NAME PROGRAM OPTION...: in the background; its folder is NAME, its log NAME.log. Sets `pid`.
start() {
    local name=$1 program=$2
    shift 2
    "$build/mayhem-$program" --dir "$name" "$@" >>"$name.log" 2>&1 </dev/null &
    pid=$!
    started+=("$pid")
}

# lead NAME [OPTION]...: a consumer in that folder, and its saver. Sets `pid` to the consumer's.
lead() {
    local name=$1
    shift
    start "$name" saver --consumer "ipc://$name/consumer" --id "saver-$name"
    start "$name" consumer "$@"
}

# logs NAME COUNT REGEX: the log of NAME has so many such lines within 15 s.
logs() {
    wait_until 15 has_logged "$@" || not_ok "$1 logs $2 times: $3" "$(cat "$1.log")"
}

has_logged() {
    (($(grep -cE -- "$3" "$1.log") >= $2))
}

# leads ADDRESS NAME...: each of them has followed it within 4 s: it was heard within a heartbeat,
# or, when the sockets had to be made anew, three later.
leads() {
    local address=$1 count=$2 began name
    shift 2
    began=$(milliseconds)
    for name; do
        logs "$name" "$count" "Following the consumer.*$address"
    done
    at_most "$address is followed by $*, time $count" 4000 $(($(milliseconds) - began))
}

# fails NAME CODE REGEX COMMAND...: with one sentence that matches.
fails() {
    local name=$1 expected=$2 regex=$3 said
    shift 3
    said=$("$@" 2>&1 </dev/null)
    equal "$name: exit $expected" "$expected" "$?"
    matches "$name: it says why" "$regex" "$said"
}

# ---- what a list is

program=("$build/mayhem-restarter" --dir x)
fails "an empty item" 64 'an address is missing' "${program[@]}" --consumer "ipc://a,,ipc://b"
fails "the same twice" 64 'ipc://a is there twice' "${program[@]}" --consumer "ipc://a,ipc://a"
fails "a list of a consumer" 64 'has one address' "$build/mayhem-consumer" --consumer "$ipc"
fails "a viewer's list" 64 'ipc://a is there twice' ctl status --consumer ipc://a,ipc://a
fails "nobody there" 69 "nobody answers at $ipc" ctl status --consumer "$ipc"

# ---- one leads, is killed, and another one leads

lead a
a=$pid
logs a 1 ' Ready'
for name in r1 r2; do
    start $name restarter --consumer "$ipc" --id $name --mock-time 1ms..20ms
done
start p publisher --consumer "$ipc" --rate 200
publisher=$pid
leads a/consumer 1 r1 r2 p
logs r1 1 'Joined the consumer'
has_restarted() {
    (($(query "$1/mayhem.db" "SELECT count(*) FROM jobs WHERE outcome IS NOT NULL") >= 50))
}
check "hosts are restarted by A" wait_until 15 has_restarted a
ctl halt --why 'one address of two' --consumer "$ipc" >said 2>&1
equal "an order reaches A" 0 "$?"
ctl resume --why 'go on' --consumer "$ipc" >said 2>&1
equal "and another one" 0 "$?"
# Of a list, viewers ask the one that leads: the restarters are with it.
restarters() {
    ctl status --hosts --json --consumer "$ipc" | grep -oE '"r[12]"' | sort -u | paste -sd ,
}
both_are_seen() {
    [[ $(restarters) == '"r1","r2"' ]]
}
check "viewers see the restarters at A" wait_until 10 both_are_seen

ctl tail --consumer "$ipc" >tail.out 2>&1 &
started+=("$!")
wait_until 10 test -s tail.out || not_ok "a viewer hears events of A"
kill -KILL "$a"
lead b # its epoch is higher: that is at least a second later
b=$pid
logs b 1 ' Ready'
leads b/consumer 1 r1 r2 p
logs r1 2 'Joined the consumer'
check "hosts are restarted by B" wait_until 15 has_restarted b
check "viewers see the restarters at B" wait_until 10 both_are_seen
: >tail.out
check "a viewer that stays hears events of B" wait_until 10 test -s tail.out

# ---- and back, while the former one lives

start a consumer
logs a 2 ' Ready'
leads a/consumer 2 r1 r2 p
logs r1 3 'Joined the consumer'
check "viewers see the restarters at A again" wait_until 10 both_are_seen
# B still says that it leads. Nobody takes anything from it.
equal "nobody has gone back" "1 1 1" "$(for name in r1 r2 p; do
    grep -c 'Following the consumer.*b/consumer' $name.log
done | paste -sd ' ')"
said=$(ctl doctor --consumer "$ipc")
matches "the doctor looks at each" 'consumer 1 of 2, ipc://a/consumer:.*consumer 2 of 2' \
    "${said//$'\n'/ }"
matches "and knows who leads" 'ok +ipc://a/consumer leads' "$said"
kill "$publisher"
wait "$publisher"
equal "the publisher ends with all its leases answered" 0 "$?"
kill -KILL "$b"
said=$(ctl doctor --consumer "$ipc")
equal "the doctor finds that B is gone" 1 "$?"
matches "and that A leads" 'FAIL  handshake: no answer.*ok +ipc://a/consumer leads' "${said//$'\n'/ }"

# ---- keys

tcp=tcp://127.0.0.1:$port,tcp://127.0.0.1:$((port + 10))
for name in "k1 restarter" "p1 publisher" "viv viewer"; do
    ctl keys new "${name% *}" --role "${name#* }" >/dev/null || not_ok "a key for $name"
done
lead c --listen "tcp://127.0.0.1:$port" --keys keys
c=$pid
logs c 1 'Ready'
start k1 restarter --consumer "$tcp" --key keys/k1.key --mock-time 1ms..5ms
leads "127.0.0.1:$port" 1 k1
logs k1 1 'Cannot reach the consumer.*nobody answers at tcp://127.0.0.1:'"$((port + 10))"
kill -KILL "$c"
lead d --listen "tcp://127.0.0.1:$((port + 10))" --keys keys
logs d 1 'Ready'
logs k1 1 "Following the consumer.*127.0.0.1:$((port + 10))"
ctl status --brief --consumer "$tcp" --key keys/viv.key >said 2>&1
equal "a viewer with a key sees it" 0 "$?"
hosts 20 >hosts.txt
timeout -k 5 30 "$build/mayhem-publisher" --dir p1 --consumer "$tcp" --key keys/p1.key \
    --input hosts.txt >p1.log 2>&1 </dev/null
equal "a publisher and a restarter with keys restart 20 hosts there" 0 "$?"
