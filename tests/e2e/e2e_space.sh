#!/usr/bin/env bash
# The outbox holds a long backlog, and gives its space back at the end of the publisher that has
# settled it.
# shellcheck source=tests/e2e/e2e_lib.sh
. "$(dirname "$0")/e2e_lib.sh"

backlog=200000
dir=space

has_accepted() {
    [[ $(outbox 'SELECT sum(accepted) FROM runs') == "$1" ]]
}

mkdir -p space/log
hosts "$backlog" >hosts.txt
"$build/mayhem-publisher" --dir=space --input=hosts.txt "--leases=$((backlog / 2))" \
    --log-file=space/log/publisher.log >out 2>err &
publisher=$!
started+=("$publisher")
check "a publisher alone accepts $backlog hosts" wait_until 60 has_accepted "$backlog"
kill -TERM "$publisher"
wait "$publisher"
equal "it ends with 75" 75 $?
read -r before inode <<<"$(stat -c '%s %i' space/outbox.db)"
check "they take some megabytes: $before bytes" test "$before" -gt 5000000

launch --mock -i hosts.txt --leases "$((backlog / 2))" --slots 1000 --mock-time 0s..1ms
finish 120
ends_with_code "all of them are restarted: exit 0" 0
audit "a long backlog" "$backlog"
read -r after inode_after <<<"$(stat -c '%s %i' space/outbox.db)"
at_most "the outbox is small again: $after bytes" 131072 "$after"
equal "it is the same file" "$inode" "$inode_after"
equal "it is whole" ok "$(outbox 'PRAGMA integrity_check')"
equal "it knows its run" "$backlog $backlog" \
    "$(outbox "SELECT accepted || ' ' || restarted FROM runs")"
check "nothing is left running" nothing_lives
