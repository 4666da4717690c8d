#!/usr/bin/env bash
# Whose restarts run again when a restarter or the consumer is killed, and whose do not.
# shellcheck source=tests/e2e/e2e_lib.sh
. "$(dirname "$0")/e2e_lib.sh"

# Tells when it begins and ends: "begin|end HOST ATTEMPT MILLISECONDS". Lasts 1 to 3 seconds, and for
# as long as there is a file `hold`.
cat >restart.sh <<'END'
#!/bin/sh
say() { echo "$1 $2 $3 $(sed 's/\([0-9]*\)\.\([0-9]*\).*/\1\20/' /proc/uptime)" >>ran.txt; }
say begin "$1" "$2"
while [ -f hold ]; do sleep 0.1; done
sleep "$(echo "$1" | awk -F - '{ printf "%.2f", 1 + $2 * 37 % 200 / 100 }')"
say end "$1" "$2"
END
chmod +x restart.sh

begun() {
    [[ -f ran.txt ]] && (($(grep -c '^begin' ran.txt) >= $1))
}

# Hosts that began again while an earlier attempt still ran: it ended later.
overlapping() {
    sort -k 2,2 -k 4,4n ran.txt | awk '
        $1 == "begin" { if ($2 in running) print $2; running[$2] = 1 }
        $1 == "end" { delete running[$2] }' | sort -u | wc -l
}

# ---- a restarter is killed -----------------------------------------------------------------------

dir=worker
hosts 48 w >hosts.txt
: >hold # all of them run until the restarter is gone
launch -i hosts.txt -n 3 --slots 32 -x './restart.sh {host} {attempt}'
wait_until 60 begun 48
moment=$(milliseconds)
murder restarter-2
rm hold
finish 60
ends_with_code "a restarter is killed: exit 0" 0
audit "a restarter is killed" 48
equal "every host is restarted" 48 \
    "$(store "SELECT count(*) FROM jobs WHERE outcome = 'restarted'")"
again=$(awk '$1 == "begin" && $3 > 1' ran.txt | wc -l)
check "its $again hosts are tried again" test "$again" -gt 0
last=$(awk -v moment="$moment" '$1 == "begin" && $3 > 1 { if ($4 - moment > max) max = $4 - moment }
    END { print max + 0 }' ran.txt)
at_most "the last of them has begun elsewhere after $last ms (goal: 2500)" 4000 "$last"
equal "no command outlived the restarter, and none ran again that had ended" 48 \
    "$(grep -c '^end' ran.txt)"

# ---- the consumer is killed ----------------------------------------------------------------------

dir=consumer
rm ran.txt
hosts 400 c >hosts.txt
launch -i hosts.txt -n 4 --slots 64 -x './restart.sh {host} {attempt}'
wait_until 20 begun 256
settle_at_least 30 20
running=$(($(grep -c '^begin' ran.txt) - $(grep -c '^end' ran.txt)))
murder consumer
finish 60
ends_with_code "the consumer is killed with $running commands running: exit 0" 0
audit "the consumer is killed" 400
check "more than 150 were running" test "$running" -gt 150
equal "no host was run again while its command ran" 0 "$(overlapping)"
twice=$(awk '$1 == "end" { print $2 }' ran.txt | sort | uniq -d | wc -l)
at_most "hosts restarted twice because their results were lost: $twice" 10 "$twice"
