#!/usr/bin/env bash
# Kills at random while it works, judged by the auditor; and the auditor itself is judged: of each
# forged history it must say what is wrong with it, or it would prove nothing.
# shellcheck source=tests/e2e/e2e_lib.sh
. "$(dirname "$0")/e2e_lib.sh"

audit=$build/tests/audit
[[ -x $audit ]] || {
    not_ok "the auditor is built" "no $audit: run make audit"
    exit 1
}

# ---- forged histories ----------------------------------------------------------------------------

# shellcheck source=tests/audit/forged.sh
. "$root/tests/audit/forged.sh"

dd if=/dev/zero of=forged/store.db bs=1 seek=100 count=300 conv=notrunc 2>/dev/null
judged 'a database that is damaged' 65 'audit: '
rm forged/store.db
judged 'no database' 66 'store.db'

# ---- kills ---------------------------------------------------------------------------------------

dir=run.chaos
timeout -k 5 70 "$root/run.sh" --chaos 18 --seed 42 --rate 60 -q >out 2>err </dev/null &
run_pid=$!
started+=("$run_pid")
finish 70
ends_with_code "chaos: exit 0" 0
kills=$(awk '$2 == "KILL"' run.chaos/kills | wc -l)
all=$(wc -l <run.chaos/kills)
check "chaos: $all kills, $kills of them with KILL" test "$all" -ge 30
matches "chaos: each host has one outcome" 'one outcome        1080 ' "$(cat out)"
matches "chaos: none has two rows" 'two rows           0' "$(cat out)"
matches "chaos: those that were restarted are proven" 'hosts proven [1-9][0-9]+, verified 0' \
    "$(cat out)"
matches "chaos: no host was restarted twice, as counted by itself" \
    'restarted twice: 0 of 1080 \(without identify: [0-9]+\)' "$(cat out)"
matches "chaos: the receipt tells recoveries" 'KILL to the consumer back at work  p50 ' "$(cat out)"
matches "chaos: the receipt says how to repeat it" 'again: ./run.sh --chaos 18 --seed 42' \
    "$(cat out)"
check "chaos: nothing is left running" wait_until 2 nothing_lives
printf '%s\n' "$(grep -E 'kills|KILL|twice|back|settled|one outcome' out)" | sed 's/^/# /'

sqlite3 run.chaos/mayhem.db "DELETE FROM jobs WHERE host = 'chaos-00000001'"
"$audit" -k run.chaos/kills run.chaos/hosts run.chaos/mayhem.db run.chaos/outbox.db \
    run.chaos/record >out 2>err
code=$?
ends_with_code "one row taken out of the real record is noticed: exit 1" 1

mkdir other
touch other/precious
dir=other
timeout 20 "$root/run.sh" --chaos 5 --dir other >out 2>err </dev/null
code=$?
ends_with_code "a folder that is not its own is not removed: exit 73" 73
check "what was in it is still there" test -f other/precious
