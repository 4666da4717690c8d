#!/usr/bin/env bash
# leases.sh BUILD: what a publisher needs for JOBS hosts of a policy that are all under a long lease,
# held by a consumer that starts none (bench/leases.c). A third of the hosts is in no group, a third
# in one, a third in two.
set -u
build=$(realpath -- "${1:-build}") jobs=${JOBS:-1000000}
folder=$(mktemp -d) || exit 73
publisher=
trap '[[ $publisher ]] && kill "$publisher" 2>/dev/null; rm -rf "$folder"' EXIT
seq "$jobs" | awk '{ print "host-" $1 ".example.net" ($1 % 3 == 1 ? " groups=web" : $1 % 3 == 2 ? " groups=web,eu" : "") }' \
    >"$folder/hosts"
"$build/mayhem-publisher" --dir "$folder" --input "$folder/hosts" --window "$jobs" --policy \
    --policy-groups web,eu,db --heartbeat 500ms --log-file "$folder/log" &
publisher=$!
"$build/bench/leases" "ipc://$folder/consumer" "$publisher" "$jobs"
status=$?
grep -E 'WARN|ERROR' "$folder/log" | head -n 5
exit "$status"
