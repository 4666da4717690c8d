#!/usr/bin/env bash
# Strangers at the listener of a pipeline that works (--listen, on loopback): without a key, with one
# of another role, and with the right role in another's name. Nobody is let in or believed, nothing is
# acked that was not done, and the workers of this machine go on.
# shellcheck source=tests/e2e/e2e_lib.sh
. "$(dirname "$0")/e2e_lib.sh"

rogue=$build/tests/rogue
[[ -x $rogue ]] || {
    not_ok "the rogue is built" "no $rogue: run make tests"
    exit 1
}
port=7100
address=tcp://$loopback:$port

cat >restart <<'END'
#!/bin/sh
sleep 0.1
echo "$1" >>record
END
chmod 755 restart
: >record

# ---- what is wrong from the start

dir=wrong
run --listen "$address" --mock --jobs 1
ends_with_code "a listener without keys: exit 78" 78
matches "and the command that makes some" 'mayhem keys new NAME --role restarter' "$(cat out err)"

"$rogue" keys keys || exit 1
chmod 644 keys/consumer.key
run --listen "$address" --keys keys --mock --jobs 1
ends_with_code "a secret that others can read: exit 77" 77
chmod 600 keys/consumer.key
dir=run

# ---- the attack

driver=$("$build/mayhem-restarter" --exec './restart {host}' --check | sed -n 's,^digest: ,,p')

# Hosts come in until the strangers have given up.
mkfifo feed
"$root/run.sh" --dir "$dir" --listen "$address" --keys keys \
    --task-ports $((port + 10))..$((port + 29)) -n 2 --slots 8 --at-once 16 \
    -i - -x './restart {host}' --cooldown 0s <feed >out 2>err &
run_pid=$!
started+=("$run_pid")
exec 9>feed
hosts 40 before >&9
settle_at_least 40 20
is_gone "$run_pid" && exit 1
matches "the consumer says where it listens" "Listening for other machines address=$address" \
    "$(cat "$dir/log/consumer.log")"
before=$(cat "$dir"/*.pid | sort -n | paste -sd ' ')
hosts 200 beside >&9
"$rogue" attack "$address" keys "$driver" 9>&-
equal "each attempt has ended as it should" 0 $?

# An honest one whose key is taken off the list in mid-run: it is lost at once.
"$rogue" stay "$address" keys "$driver" >eu-2 2>&1 9>&- &
stay=$!
started+=("$stay")
check "eu-2 joins" wait_until 10 grep -q '^ok - eu-2 joins' eu-2
sed -i '/ eu-2 /d' keys/allowed
check "its key no longer counts" wait_until 5 \
    grep -q 'A key no longer counts role=restarter name=eu-2' "$dir/log/consumer.log"
check "and it is lost" wait_until 5 grep -q 'Lost a worker.*worker=eu-2' "$dir/log/consumer.log"
kill "$stay"

hosts 40 after >&9
exec 9>&-
finish 60
ends_with_code "the run beside it: exit 0" 0
equal "each host was restarted, and once" "280 0" "$(lines_in record) $(repeated record)"
equal "each is on record as restarted, and nothing else is" "280 rows, 280 restarted" \
    "$(store "SELECT count(*) || ' rows, ' || count(CASE outcome WHEN 'restarted' THEN 1 END) ||
        ' restarted' FROM jobs")"
equal "no host on record was left out by its command" "" \
    "$(comm -3 <(sort record) <(store 'SELECT host FROM jobs' | sort))"
equal "nothing is on record of an order" 0 "$(store "SELECT count(*) FROM audit WHERE action = 'halt'")"
log=$dir/log/consumer.log
equal "no worker of this machine was lost or has left in between" "" \
    "$(grep -E 'Lost a worker.*(saver|restarter)' "$log")"
matches "the log says who was refused, and why" \
    'Refused a key address=127.0.0.1 key="?.{40}"? why="?(it is not on the list|role )' "$(grep Refused "$log")"
matches "and what was dropped" "Dropped a bad frame why=\"?a frame (in another's name|that is no)" \
    "$(grep Dropped "$log")"
matches 'and by whose key' 'Dropped a bad frame .* key=[a-z0-9-]+ address=127[.0-9]+ ' \
    "$(grep Dropped "$log")"
matches "and by which key another has joined" \
    'A worker joins worker=eu-1 session=[0-9]+ key="?.{40}"? address=127.0.0.1' \
    "$(grep -E 'worker=eu-1|Refused a worker' "$log")"
equal "the processes are the same" "" "$(grep restarting err)"
[[ $before != "" ]] || not_ok "there are pid files"
check "nothing is left running" nothing_lives
