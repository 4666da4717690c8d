#!/usr/bin/env bash
# Clients that reach a consumer over tcp with keys: that they work, what each honest mistake says and
# that it ends when it is mended, and what `mayhem doctor` finds. All on the loopback.
# shellcheck source=tests/e2e/e2e_lib.sh
. "$(dirname "$0")/e2e_lib.sh"

port=7100
base=tcp://$loopback:$port
tasks=$((port + 4))..$((port + 19))
plain=tcp://$loopback:$((port + 20))
export MAYHEM_KEYS=keys

ctl() {
    timeout -k 5 30 "$build/mayhem" "$@" </dev/null
}

quietly() {
    ctl "$@" >said 2>&1 || { cat said && false; }
}

# new NAME ROLE: a key, in keys/NAME.key.
new() {
    ctl keys new "$1" --role "$2" >/dev/null || not_ok "a key is made for $1"
}

# start NAME PROGRAM OPTION...: in the background; its folder is NAME, its log NAME.log.
start() {
    local name=$1 program=$2
    shift 2
    "$build/mayhem-$program" --dir "$name" "$@" >"$name.log" 2>&1 </dev/null &
    started+=("$!")
}

# fails NAME CODE REGEX COMMAND...: with one sentence that matches.
fails() {
    local name=$1 expected=$2 regex=$3 said
    shift 3
    said=$("$@" 2>&1 </dev/null)
    equal "$name: exit $expected" "$expected" "$?"
    matches "$name: it says why" "$regex" "$said"
}

# logs NAME REGEX: the log of NAME has such a line within 15 s.
logs() {
    wait_until 15 grep -qE -- "$2" "$1.log" || not_ok "$1 logs: $2" "$(cat "$1.log")"
}

# one_line NAME REGEX: it has said that it cannot reach the consumer once, and that.
one_line() {
    logs "$1" "$2"
    equal "$1: one line" 1 "$(grep -c 'Cannot reach the consumer' "$1.log")"
    matches "$1: it says what it is" "$2" "$(grep 'Cannot reach the consumer' "$1.log")"
}

new eu-1 restarter
new eu-2 restarter
new p1 publisher
new viv viewer
new anna operator
MAYHEM_KEYS=others new eu-3 restarter
MAYHEM_KEYS=others new viv viewer
# A key that is not on the list, with the right server key.
server=$(grep '^server = ' keys/eu-1.key)
awk -v server="$server" '/^server = / { $0 = server } { print }' others/eu-3.key >foreign.key
chmod 600 foreign.key
(cat keys/eu-1.key && echo 'not-after = 2020-01-01') >ended.key
chmod 600 ended.key
cp -p keys/allowed with-eu-2
ctl keys revoke eu-2 >said 2>&1 || not_ok "eu-2 is revoked" "$(cat said)"

start run consumer --listen "$base" --keys keys --task-ports "$tasks"
start plain consumer --consumer "$plain"
logs run ' Ready'
logs plain ' Ready'
start saver saver --consumer ipc://run/consumer --db run/mayhem.db # the folder is there by now

# ---- what works

start eu-1 restarter --consumer "$base" --key keys/eu-1.key --mock-time 1ms..5ms
logs eu-1 'Joined the consumer'
hosts 40 >hosts.txt
MAYHEM_KEY=keys/p1.key timeout -k 5 30 "$build/mayhem-publisher" --dir publisher --consumer "$base" \
    --input hosts.txt >publisher.log 2>&1 </dev/null
equal "a publisher and a restarter with keys restart 40 hosts" "0 40" "$? $(settled)"
equal "the restarter is called as its key" 1 "$(grep -c ' eu-1\[.*Joined' eu-1.log)"
equal "and has nothing to complain of" 0 "$(grep -c WARN eu-1.log)"

# ---- what does not

start nokey restarter --consumer "$base" --id nokey
start revoked restarter --consumer "$base" --key keys/eu-2.key
start other restarter --consumer "$base" --key others/eu-3.key
start port restarter --consumer "tcp://$loopback:$((port + 1))" --key keys/eu-1.key
start keyed restarter --consumer "$plain" --key keys/eu-1.key
start nobody restarter --consumer "tcp://$loopback:$((port + 24))" --key keys/eu-1.key

program=("$build/mayhem-restarter" --dir x --consumer "$base")
fails "another role" 78 'is of a publisher, and this is a restarter' \
    "${program[@]}" --key keys/p1.key
fails "another name" 78 'id is eu-9, and the key in keys/eu-1.key is of eu-1' \
    "${program[@]}" --key keys/eu-1.key --id eu-9
fails "a key that has ended" 78 'has ended, by the clock of this machine' \
    "${program[@]}" --key ended.key
fails "a key on ipc" 64 'takes no key' "$build/mayhem-restarter" --dir x --key keys/eu-1.key
chmod 644 ended.key
fails "a key that others can read" 77 'ended.key' "${program[@]}" --key ended.key
fails "far away without a key" 64 'needs a key' "$build/mayhem-restarter" --dir x \
    --consumer tcp://192.0.2.1:7000

one_line revoked 'refuses the key eu-2 of a restarter'
cp -p with-eu-2 keys/.allowed.new && mv keys/.allowed.new keys/allowed
began=$(milliseconds)
logs revoked 'The consumer is reached'
logs revoked 'Joined the consumer'
at_most "a key that is on the list again is tried within its pause" 9000 \
    $(($(milliseconds) - began))
one_line nokey 'wants a key'
one_line other 'none of the 1 server keys'
one_line port 'this is not the port of (its )?--listen'
one_line keyed 'there are no keys at'
one_line nobody "nobody answers at tcp://$loopback:$((port + 24))"

# ---- a name that is taken

# p1 delivers from another machine when a publisher of this one begins in its name.
mkfifo feed
"$build/mayhem-publisher" --dir p1 --consumer "$base" --key keys/p1.key --input - <feed >p1.log 2>&1 &
p1=$!
started+=("$p1")
exec 8>feed
hosts 5 far >&8
check "p1 delivers" wait_until 15 has_settled 45
hosts 5 near >near.txt
timeout -k 5 30 "$build/mayhem-publisher" --dir near --consumer ipc://run/consumer --id p1 \
    --input near.txt >near.log 2>&1 </dev/null 8>&-
equal "one of this machine has the same name, and delivers" "0 50" "$? $(settled)"
equal "and loses nothing by it" 0 "$(grep -c WARN near.log)"
hosts 5 later >&8
one_line p1 'refuses the key p1 of a publisher: .*a process there has its name'
logs run 'Refused a key address=127.0.0.1 .*why="a publisher of this machine has its name"'

# ---- viewers

check "a viewer looks" quietly status --consumer "$base" --key keys/viv.key
matches "and sees how many keys were refused" 'keys +[1-9][0-9]* refused' "$(cat said)"
fails "a viewer gives no orders" 78 'needs one of an operator' \
    ctl halt --why test --consumer "$base" --key keys/viv.key
check "an operator halts" quietly halt --why test --consumer "$base" --key keys/anna.key
check "and resumes" quietly resume --why test --consumer "$base" --key keys/anna.key
fails "nobody looks without a key" 69 'wants a key' ctl status --consumer "$base"
fails "nor with a restarter's" 78 'needs one of a viewer or an operator' \
    ctl status --consumer "$base" --key keys/eu-1.key
fails "nor with a file of another consumer" 69 'none of the 1 server keys' \
    ctl status --consumer "$base" --key others/viv.key

# An order that has not left this process is not in force.
fails "nobody is reached by an order" 69 \
    "nobody answers at .*; trying on, for 4s in all.*nobody was reached within 4s: the order is not in force" \
    ctl halt --why test --timeout 4s --consumer "tcp://$loopback:$((port + 24))" --key keys/anna.key

# ---- the doctor

doctor() {
    ctl doctor --consumer "$base" "$@"
}

said=$(doctor --key keys/eu-1.key --keys keys --task-ports "$tasks")
equal "all is well" "0 0" "$? $(grep -c '^FAIL' <<<"$said")"
for line in 'key file keys/eu-1.key: restarter eu-1' 'is on the list' "ports $port to $((port + 3)) are open" \
    'none of 16 is dropped' 'server key 1 of 1 works' 'consumer is heard: protocol [0-9]+, epoch' \
    'clock: [0-9]+ ms apart' 'a restarter may send'; do
    matches "the doctor says: $line" "(^|"$'\n'")ok    [^"$'\n'"]*$line" "$said"
done
fails "the doctor without a key" 1 'FAIL  it wants a key' doctor
fails "of another consumer's file" 1 'none of the server keys' doctor --key others/eu-3.key
fails "of a key that is not on the list" 1 'FAIL  handshake: the key is refused' \
    doctor --key foreign.key
fails "where nobody is" 1 "port $((port + 24)) .jobs.: Connection refused" \
    ctl doctor --consumer "tcp://$loopback:$((port + 24))" --key keys/eu-1.key
fails "of a file that others can read" 1 'FAIL  key file: ' ctl doctor --key ended.key
fails "of a local consumer" 0 'consumer is heard' ctl doctor --consumer ipc://run/consumer

# ---- the name is free again

exec 8>&-
check "p1 delivers the rest when the other one has ended" wait_until 40 has_settled 55
wait "$p1"
equal "and ends" 0 $?

# ---- another key for the consumer

# has_joined NAME COUNT: so many times by now.
has_joined() {
    (($(grep -c 'Joined the consumer' "$1.log" || true) >= $2))
}

new eu-4 restarter
new eu-5 restarter
mkdir site
cp -p keys/eu-5.key site/eu-5.key # which stays as it is, on a machine of its own
start eu-5 restarter --consumer "$base" --key site/eu-5.key
logs eu-5 'Joined the consumer'
ctl keys rotate >said 2>&1 || not_ok "another key is drawn" "$(cat said)"
server=$(sed -n 2p said)
start eu-4 restarter --consumer "$base" --key keys/eu-4.key # which has both server keys
logs eu-4 'Joined the consumer'
ctl keys rotate --switch >said 2>&1 || not_ok "the consumer's key is switched" "$(cat said)"
began=$(milliseconds)
check "a client that has both server keys joins again" wait_until 15 has_joined eu-4 2
at_most "within 5 s" 5000 $(($(milliseconds) - began))

logs eu-5 'none of the 1 server keys'
printf '%s\n' "$server" | timeout -k 5 30 "$build/mayhem" keys trust - --key site/eu-5.key \
    >said 2>&1 || not_ok "eu-5 is told the server key" "$(cat said)"
began=$(milliseconds)
check "a client that had the former key alone reads its file" wait_until 15 has_joined eu-5 2
at_most "within 5 s, without another start" 5000 $(($(milliseconds) - began))

ctl keys revoke eu-5 >said 2>&1 || not_ok "eu-5 is revoked" "$(cat said)"
logs eu-5 'refuses the key eu-5'
new eu-5 restarter
cp -p keys/eu-5.key site/.eu-5.new && mv site/.eu-5.new site/eu-5.key
began=$(milliseconds)
check "a key that was replaced is taken up, too" wait_until 15 has_joined eu-5 3
at_most "within 5 s, without another start" 5000 $(($(milliseconds) - began))
equal "eu-5 says so each time" 2 "$(grep -c 'Read the key file anew' eu-5.log)"

# ---- an end with results that nobody takes

new eu-6 restarter
start eu-6 restarter --consumer "$base" --key keys/eu-6.key --mock-time 1s..1s --drain-timeout 4s
eu6=${started[-1]}
logs eu-6 'Joined the consumer'
hosts 2000 last >last.txt
MAYHEM_KEY=keys/p1.key timeout -k 5 30 "$build/mayhem-publisher" --dir last --consumer "$base" \
    --input last.txt >last.log 2>&1 </dev/null &
started+=("$!")
check "the last publisher delivers" wait_until 15 has_settled 60
ctl keys revoke eu-6 >said 2>&1 || not_ok "eu-6 is revoked" "$(cat said)"
logs eu-6 'refuses the key eu-6'
kill "$eu6"
logs eu-6 'Waiting for a consumer that confirms results, then leaving results=[0-9]+ seconds=[1-4] why=.*refuses the key eu-6'
check "eu-6 ends when it has said" wait_until 6 is_gone "$eu6"
equal "it says once why it waits" 1 "$(grep -c 'Waiting for a consumer' eu-6.log)"
