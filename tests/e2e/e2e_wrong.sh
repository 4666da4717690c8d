#!/usr/bin/env bash
# Each wrong input gets one clear error and its exit code, and costs nothing that was accepted.
# shellcheck source=tests/e2e/e2e_lib.sh
. "$(dirname "$0")/e2e_lib.sh"

# refused NAME CODE REGEX OPTION...: run.sh ends with CODE (or one of A|B), and the error matches.
refused() {
    local name=$1 expected=$2 regex=$3
    shift 3
    run "$@"
    if [[ $code =~ ^($expected)$ && $(cat err) =~ $regex ]]; then
        ok "$name: exit $code"
    else
        not_ok "$name: exit $expected" "got exit $code; expected: $regex; in:" "$(cat err)"
    fi
}

hosts 20 >hosts.txt

# ---- usage ---------------------------------------------------------------------------------------

refused "an unknown option" 64 'unknown option --colour' --colour
refused "an option without its value" 64 '--jobs needs a value' --jobs
refused "no number of restarters" 64 'number of restarters' -n none
refused "no restarter at all" 64 'number of restarters' -n 0
refused "an unknown argument" 64 'unknown argument hosts.txt' hosts.txt
refused "a time without a unit" 64 'for' --for 10
refused "a rate that is none" 64 'rate' --rate fast
refused "a share beyond 100 %" 64 'mock-fail' --mock-fail 120%
refused "a range that goes down" 64 'mock-time' --mock-time 2s..1s
refused "a timeout that no lease can hold" 64 'timeout' -i hosts.txt -x 'true {host}' --timeout 3h
refused "an empty command, which would be a mock" 64 '-x needs a command' -i hosts.txt -x ''
refused "a command that names no host" 64 'it names no host' -i hosts.txt -x 'true web-1'
refused "a list, and nothing to do with it" 64 'say how: ' -i hosts.txt
refused "an empty --verify" 64 'verify needs a command' -i hosts.txt -x 'true {host}' --verify ''
refused "--verify without a command" 64 'verify' -i hosts.txt --verify 'true {host}'
refused "a folder that no socket path can hold" 64 'shorter' --dir "$(printf 'x%.0s' {1..120})"
check "none of these has made a folder" test ! -e run

# ---- inputs --------------------------------------------------------------------------------------

refused "no such file" 65 'missing.txt' -i missing.txt --mock
mkdir folder
refused "a folder in place of a file" 65 'folder' -i folder --mock
: >empty.txt
refused "an empty list" 65 'no host to restart' -i empty.txt --mock
check "none of these has made a folder" test ! -e run
printf 'web-1\nweb-2\n-rf\nweb-3\n' >bad.txt
refused "a host that could be an option" 65 'bad.txt.*3' -i bad.txt --mock
printf 'web-1\nweb 2; reboot\n' >bad2.txt
refused "a host with other characters" 65 'bad2.txt.*2' -i bad2.txt --mock
printf '{"host": "web-1"}\n{"host": "web-2"\n' >bad.jsonl
refused "a broken JSON line" 65 'bad.jsonl.*2' -i bad.jsonl --mock
printf '{"host": "web-1"}\n{"name": "web-2"}\n' >bad2.jsonl
refused "a JSON line without a host" 65 'bad2.jsonl.*2' -i bad2.jsonl --mock
printf 'all:\n  hosts:\n    web-01:\n' >hosts.yml
refused "an inventory in YAML" 65 'looks like YAML' -i hosts.yml --mock
printf '# web-1\n' >comments.txt
refused "a list of comments" 65 'no host to restart' -i comments.txt --mock
refused "a list whose hosts --only does not take" 65 'only takes none' -i hosts.txt --mock \
    --only mail
refused "a part of no list" 64 'a part of a list' --only web
equal "nothing was restarted" 0 "$(settled)"
dir=none
refused "a device without a host" 65 'publisher: /dev/null has no host to restart: it is empty' \
    -i /dev/null --mock
refused "a stream without a host" 65 'publisher: standard input has no host' -i - --mock
refused "a list whose lines are all left out" 65 'all its lines are bad' -i hosts.yml --mock \
    --on-bad-line skip
false | timeout -k 5 60 "$root/run.sh" --dir $dir -i - --mock >out 2>err
code=$?
ends_with_code "a pipe in which nothing comes: exit 65" 65
run -i - --mock --allow-empty
ends_with_code "--allow-empty: exit 0" 0
dir=stdin
seq 5 | timeout -k 5 60 "$root/run.sh" --dir stdin -i /dev/stdin --mock >out 2>err
code=$?
ends_with_code "/dev/stdin is a stream: exit 0" 0
audit "/dev/stdin" 5
dir=spellings
printf 'web-1\nWEB-1\nweb-1.\n2001:db8::1\n2001:DB8:0::1\n' >spellings.txt
run -i spellings.txt --mock
audit "spellings of two hosts" 2
check "and the summary says how many were repeated" grep -q '3 repeated hosts' out
dir=skip
run -i bad.txt --mock --on-bad-line skip
ends_with_code "--on-bad-line skip: exit 0" 0
audit "--on-bad-line skip" 3

# ---- configuration -------------------------------------------------------------------------------

dir=config
printf '[restarter]\nmock-time = 0s..1s\nmock-tiem = 1s..2s\n' >typo.ini
refused "an unknown key" 78 'typo.ini.*3.*mock-tiem|mock-tiem.*typo.ini.*3' --config typo.ini
refused "no such configuration" 78 'missing.ini' --config missing.ini
MAYHEM_RATE=fast refused "a bad value in the environment" 78 'MAYHEM_RATE'
refused "a command with an open quote" 78 'exec' -i hosts.txt -x 'sh -c "reboot {host}'
refused "a command that is not there" 78 'no-such-program' -i hosts.txt -x 'no-such-program {host}'
refused "a placeholder that no host has" 65 'host web-00001 has no hsot' -i hosts.txt \
    -x 'echo {hsot}'
refused "a placeholder that is none" 78 'is no placeholder' -i hosts.txt \
    -x 'echo {this_name_is_longer_than_32_bytes}'

dir=newer
run -i hosts.txt --mock
sqlite3 newer/mayhem.db 'PRAGMA user_version = 99'
refused "a store of a newer version" 78 'mayhem.db' -i hosts.txt --mock
dir=newer2
run -i hosts.txt --mock
sqlite3 newer2/outbox.db 'PRAGMA user_version = 99'
refused "an outbox of a newer version" 78 'outbox.db' -i hosts.txt --mock
dir=garbage
mkdir garbage
seq 1 2000 >garbage/mayhem.db
refused "a store that is no database" 65 'mayhem.db' -i hosts.txt --mock
dir=garbage2
mkdir -p garbage2/outbox.db
refused "a folder in place of the outbox" '73|74' 'outbox.db' -i hosts.txt --mock

# ---- folders -------------------------------------------------------------------------------------

touch occupied
refused "a file in place of the folder" 73 'cannot create.*occupied' --dir occupied
refused "a folder below a file" 73 'cannot create.*occupied/run' --dir occupied/run
refused "a folder where none can be" 73 'cannot create.*/proc/run' --dir /proc/run

dir=full
mkdir full
if mount -t tmpfs -o size=64k,mode=700 tmpfs full 2>/dev/null; then
    head -c 60000 /dev/zero >full/ballast 2>/dev/null
    head -c 60000 /dev/zero >>full/ballast 2>/dev/null
    refused "a full disk" '7[34]' 'full' -i hosts.txt --mock
    umount full
else
    printf '# no right to mount a small tmpfs: the full disk is not tried\n'
fi

# ---- already there -------------------------------------------------------------------------------

dir=first
launch -i hosts.txt -n 1 --slots 1 --mock-time 300ms..400ms
settle_at_least 2 20
"$root/run.sh" --dir first -i hosts.txt --mock >out2 2>err2
equal "a second run.sh in the same folder: exit 69" 69 $?
matches "it says where and who" "pid $run_pid.*first" "$(cat err2)"
equal "in one sentence" 1 "$(wc -l <err2)"
printf '[common]\nconsumer = ipc://first/consumer\n' >busy.ini
timeout 30 "$root/run.sh" --dir second --config busy.ini -i hosts.txt --mock >out2 2>err2
equal "an address that another consumer has: exit 69" 69 $?
matches "it names the address" 'first/consumer' "$(cat err2)"
finish 60
ends_with_code "the first run is not disturbed: exit 0" 0
audit "the first run" 20

for command in "scale 3" status; do
    # shellcheck disable=SC2086 # two words
    "$root/run.sh" $command --dir nothing >out2 2>err2
    equal "$command when nothing runs: exit 69" 69 $?
    matches "$command when nothing runs: it says so" 'nothing is running in nothing' "$(cat err2)"
done
"$root/run.sh" scale many --dir nothing >out2 2>err2
equal "scale without a number: exit 64" 64 $?

# ---- bytes that are no frame ---------------------------------------------------------------------

# Speaks ZMTP 3.0 as a PUSH socket (greeting, READY), then sends its arguments as messages.
# It may be cut off before it has said all.
send_bytes() {
    local port=$1 message zeros='\0\0\0\0\0\0\0\0'
    shift
    exec 9<>"/dev/tcp/$loopback/$port"
    printf '\xff\0\0\0\0\0\0\0\x01\x7f\x03\0NULL%b%b%b%b%b%b' "$zeros" "$zeros" "$zeros" "$zeros" \
        "$zeros" "$zeros" >&9
    printf '\x04\x1a\x05READY\x0bSocket-Type\0\0\0\x04PUSH' >&9
    for message in "$@"; do
        printf '\0%b' "\\x$(printf %02x ${#message})$message" >&9
    done
    sleep 0.2
    exec 9>&-
}

trap '' PIPE
dir=bytes
printf '[common]\nconsumer = tcp://%s:7100\n' "$loopback" >tcp.ini
launch --config tcp.ini -i hosts.txt -n 1 --slots 1 --mock-time 200ms..300ms
settle_at_least 2 20
send_bytes 7100 'GET / HTTP/1.1' '' 'rubbish'
send_bytes 7101 'GET / HTTP/1.1' '' 'rubbish'
check "the consumer survives bytes that are no frame" kill -0 "$(pid_of consumer)"
finish 60
ends_with_code "and the run goes on, over tcp: exit 0" 0
audit "over tcp" 20
matches "they are logged" 'bad frame' "$(grep WARN bytes/log/consumer.log)"
equal "the consumer was not restarted" "" "$(grep 'consumer.*restarting' err)"
