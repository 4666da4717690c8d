#!/usr/bin/env bash
# mayhem explain: the story of a host that was retried, of one whose restarter was killed, of a
# dead one and of one that waits, while the pipeline works and when it is stopped.
# shellcheck source=tests/e2e/e2e_lib.sh
. "$(dirname "$0")/e2e_lib.sh"

explain() {
    "$build/mayhem" explain "$@"
}

# field NAME < JSON: of the JSON object of explain --json, by its indentation of one blank.
field() {
    sed -nE "s/^ \"$1\": \"?([^\",]*)\"?,?\$/\1/p"
}

# wrong CODE REGEX ARGUMENT...: of explain.
wrong() {
    local expected=$1 regex=$2 output
    shift 2
    output=$(explain "$@" 2>&1)
    equal "explain $* ends with $expected" "$expected" $?
    matches "and says why" "$regex" "$output"
    equal "in one line" 1 "$(wc -l <<<"$output")"
}

# Fails twice for flaky, always for broken; hangs in the first attempt for unlucky, and says there
# who runs it; waits for a file for slow.
cat >restart.sh <<'END'
#!/bin/sh
case $1 in
flaky*) [ "$2" -ge 3 ] || { echo "not yet"; exit 4; } ;;
broken*) echo "no route to $1"; exit 7 ;;
unlucky*) [ "$2" -ge 2 ] || { echo "$PPID" >pid.new && mv pid.new unlucky.pid; sleep 30; } ;;
slow*) while [ ! -e go ]; do sleep 0.1; done ;;
esac
END
chmod +x restart.sh

# The restarter in which unlucky hangs: the parent of the command's supervisor.
restarter_of_unlucky() {
    local pid name
    pid=$(awk '$1 == "PPid:" { print $2 }' "/proc/$(cat unlucky.pid)/status")
    for name in restarter-1 restarter-2; do
        [[ $(pid_of $name) != "$pid" ]] || printf '%s' $name
    done
}

# is_logged N REGEX: waits for so many lines, which are written some moments after what they tell.
is_logged() {
    wait_until 10 has_logged "$@" || not_ok "$dir: $1 lines '$2' are logged" "$(cat "$dir"/log/*.log)"
}

has_logged() {
    (($(cat "$dir"/log/*.log | grep -c "$2") >= $1))
}

# One run with logs in this format.
live() {
    local format=$1 lost lost_pid story
    dir=$format
    rm -f unlucky.pid go
    printf '%s\n' flaky.example.net broken.example.net unlucky.example.net slow.example.net >hosts.txt
    export MAYHEM_LOG_FORMAT=$format MAYHEM_DRAIN_TIMEOUT=4s MAYHEM_EXTEND_EVERY=200ms
    # --again: without a probe, unlucky and slow get different restarters.
    launch -i hosts.txt -n 2 --slots 4 --attempts 5 --again -x './restart.sh {host} {attempt}'
    wait_until 10 test -s unlucky.pid || not_ok "$format: unlucky is begun" "$(cat out err)"
    settle_at_least 2 20
    is_logged 5 'Could not restart.*broken'

    matches "$format: a retried host, while the pipeline works" \
        '^flaky\.example\.net: restarted \(unverified\) at the 3rd attempt by restarter-[12] after [0-9.]+ m?s$' \
        "$(explain flaky.example.net --dir "$dir" | head -n 1)"
    story=$(explain broken.example.net --dir "$dir")
    matches "$format: a dead one" \
        '^broken\.example\.net: dead after 5 attempts and [0-9.]+ m?s: exit 7: no route to broken' \
        "$story"
    equal "$format: each attempt with its error" 5 \
        "$(grep -cE '^ +[1-5]  restarter-[12]\[[0-9]+\]  failed: exit 7: no route' <<<"$story")"
    story=$(explain unlucky.example.net --dir "$dir")
    matches "$format: one that is under way" \
        '^unlucky\.example\.net: pending: received, not settled; attempt 1: begun, and no end is on record' \
        "$story"
    matches "$format: the consumer says where it is now" \
        $'\nnow:\n  the save is done\n  the restart is at restarter-[12]\n  1 attempt; extended' "$story"

    lost=$(restarter_of_unlucky)
    lost_pid=$(pid_of "$lost")
    murder "$lost"
    settle_at_least 3 20
    is_logged 1 'Done. Acked.*unlucky'
    story=$(explain unlucky.example.net --dir "$dir")
    matches "$format: one whose restarter was killed" \
        "^unlucky\.example\.net: restarted \(unverified\) at the 2nd attempt by restarter-[12] after [0-9.]+ s; $lost was lost with it"$'\n' \
        "$story"
    matches "$format: the process that was lost, and how" \
        " 1  $lost\[$lost_pid\]  lost with its worker, which was killed by signal 9; taken back" \
        "$story"
    matches "$format: the lines of the loss, in their order" \
        "Lost a worker worker=$lost why=\"no heartbeat\""$'\n'".*Taking back a restart attempt=1 worker=$lost \
why=lost"$'\n'".*restarted attempt=2.*settled as restarted.*Done\. Acked" "$story"
    matches "$format: its receipt and its first extension are one line" \
        '[]] +Pulled extended=3\.000s?'$'\n' "$story"
    matches "$format: what repeats is told once" \
        'Extended deadline by 3 seconds, [0-9]+ times until ' "$story"
    equal "$format: a loss is not told of another host" 0 \
        "$(explain flaky.example.net --dir "$dir" | grep -c 'Lost a worker')"
}

# ---- a pipeline that works -----------------------------------------------------------------------

live text
touch go
finish 30
ends_with_code "text: the run ends with a dead host" 1
live json

# ---- and is stopped ------------------------------------------------------------------------------

kill -INT "$run_pid"
explain slow.example.net --dir json >story
equal "a host whose restart runs, while it drains" 0 $?
finish 20
ends_with_code "json: the run is stopped with work left" 75
matches "a host that is pending" \
    '^slow\.example\.net: pending: given back to the outbox; attempt 1: stopped' \
    "$(MAYHEM_DIR=json explain slow.example.net)"
matches "which is in the outbox" $'\nnow:\n  in the outbox, not settled' \
    "$(explain slow.example.net --dir json)"
explain slow.example.net --dir json --json >slow.json
equal "the same as JSON" "true null" "$(field pending <slow.json) $(field outcome <slow.json)"
explain flaky.example.net --dir json --json >flaky.json
equal "what is settled as JSON" "false restarted 3 explain" "$(field pending <flaky.json) \
$(field outcome <flaky.json) $(field attempts <flaky.json) $(field mayhem <flaky.json)"
equal "with three tries" 3 "$(grep -c '"result": "' flaky.json)"

# ---- jobs of which none is settled, each at another place of its chunk -----------------------------

dir=waiting
seq -f 'idle-%g' 1 9 >hosts.txt
launch -i hosts.txt -n 1 --slots 1 --mock-time 1m..1m -q
wait_until 10 grep -qs 'Pulled.*idle-9' waiting/log/consumer.log
wait_until 10 grep -qs Ready waiting/log/saver.log # the record is there
for number in 1 2 3 4 5 6 7 8 9; do
    matches "idle-$number is pending" "^idle-$number: pending" "$(explain "idle-$number" --dir waiting)"
done
matches "what waits says why" $'\n  the restart waits: no free slot\n' "$(explain idle-9 --dir waiting)"
kill -KILL "$run_pid"
wait "$run_pid" 2>/dev/null

# ---- several runs, jobs by their id --------------------------------------------------------------

touch go
dir=text
echo flaky.example.net >hosts.txt
run -i hosts.txt -n 1 --attempts 5 -x './restart.sh {host} {attempt}'
ends_with_code "a second run" 0
story=$(explain flaky.example.net --dir text)
matches "the newest job is told in full" 'run +2 of .*hosts.txt' "$story"
matches "the older one in a line" \
    $'\nother jobs of this host:\n  [^\n]*  run 1  restarted \(unverified\) at the 3rd attempt by restarter-[12]' "$story"
id=$(store "SELECT lower(hex(id)) FROM jobs WHERE host = 'flaky.example.net' ORDER BY id LIMIT 1")
uuid=$(sed -E 's/(.{8})(.{4})(.{4})(.{4})/\1-\2-\3-\4-/' <<<"${id^^}")
matches "an older job by its id is told in full" 'run +1 of .*'$'\n''attempts on record:.*'$'\n''attempts in the logs:.*'$'\n''story:' \
    "$(explain "$id" --dir text)"
equal "which may be written as a UUID" "$(explain "$id" --dir text)" "$(explain "$uuid" --dir text)"

# ---- what there is nothing to tell of ------------------------------------------------------------

mkdir empty
wrong 65 "the host 'nobody.example.net' is not known in 'text'.*--dir" nobody.example.net --dir text
wrong 65 "the job '0{31}7' is not known|the host '0{31}7' is not known" \
    00000000000000000000000000000007 --dir text
wrong 65 "the job '01a217ae-2307-7001-8bf9-29b67330f4c3' is not known" \
    01a217ae-2307-7001-8bf9-29b67330f4c3 --dir text
wrong 66 "cannot look into 'nowhere'" flaky.example.net --dir nowhere
wrong 66 "no pipeline has worked in 'empty'" flaky.example.net --dir empty
wrong 64 "is no host and no job" 'two words' --dir text
wrong 64 "say one host or job" --dir text
wrong 64 "no record is read from mysql://" flaky.example.net --dir text --db mysql://host/db
wrong 69 "" flaky.example.net --dir text --db postgresql://127.0.0.1:1/db
MAYHEM_DB=postgresql://m:pw@host/db wrong 78 "MAYHEM_DB: it has a password" flaky.example.net --dir text
equal "MAYHEM_DB is the record, as for the saver" "$(explain flaky.example.net --dir text)" \
    "$(MAYHEM_DB=text/mayhem.db explain flaky.example.net --dir text)"
equal "unless it is empty" "$(explain flaky.example.net --dir text)" \
    "$(MAYHEM_DB='' explain flaky.example.net --dir text)"
printf 'not a database, but long enough to be looked at as one\n' >empty/mayhem.db
wrong 65 "'empty/mayhem.db'.*is not a database" flaky.example.net --dir empty
