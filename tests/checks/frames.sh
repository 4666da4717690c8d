#!/usr/bin/env bash
# Each frame of common/wire/frames.def is received by those that its route names: their file has its
# kind. The compiler cannot tell, since a receiver's switch leaves out the frames of others.
set -u
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1
status=0 count=0
worker=(common/worker/core/worker_session.c common/worker/worker_client.c) # either

# received KIND FILE...
received() {
    local kind=$1
    shift
    count=$((count + 1))
    grep -qw "MM_FRAME_$kind" "$@" && return
    printf 'FAIL frames: %s does not receive %s\n' "$*" "$kind"
    status=1
}

# Each row must be one that the lines below can parse.
row='^FRAME\([0-9]+, [A-Z_]+, [a-z_]+, "[a-z]+ to [a-z]+ [^"]*"\)$'
while read -r line; do
    printf 'FAIL frames: cannot parse this row of common/wire/frames.def: %s\n' "$line"
    status=1
done < <(grep -E '^[[:space:]]*FRAME\b' common/wire/frames.def | grep -vE "$row")

while read -r kind receiver; do
    case $receiver in
    consumer | publisher) received "$kind" "$receiver/main.c" ;;
    worker | saver) received "$kind" "${worker[@]}" ;;
    viewers) received "$kind" ctl/watch/attach.c ;;
    all)
        received "$kind" publisher/main.c
        received "$kind" "${worker[@]}"
        ;;
    *)
        printf 'FAIL frames: %s goes to %s: who is that?\n' "$kind" "$receiver"
        status=1
        ;;
    esac
done < <(sed -n 's/^FRAME([0-9]*, \([A-Z_]*\), .*, "\(.*\)")$/\1 \2/p' common/wire/frames.def |
    awk '{ for (i = 2; i < NF; i++) if ($i == "to") print $1, $(i + 1) }')
((status)) || printf 'PASS frames: each of %d receivers has its case\n' "$count"
exit $status
