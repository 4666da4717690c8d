#!/usr/bin/env bash
# The audit of a real run, tampered with by sqlite3: `mayhem audit verify` names each kind rightly.
# Orders on a stopped DIR, and a saver that is killed.
# shellcheck source=tests/e2e/e2e_lib.sh
. "$(dirname "$0")/e2e_lib.sh"

# mayhem_audit WORD [OPTION]...: sets `code` and `said`.
mayhem_audit() {
    said=$("$build/mayhem" audit "$@" --dir "$dir" 2>&1)
    code=$?
}

# order ACTION [OPTION]...
order() {
    "$build/mayhem-saver" --dir "$dir" --log-file "$dir/log/saver.log" --order "$@"
}

# Puts the record back as it was before the tampering.
keep() {
    sqlite3 "$dir/mayhem.db" 'PRAGMA wal_checkpoint(TRUNCATE)' >/dev/null
    cp "$dir/mayhem.db" kept.db
}
restore() {
    rm -f "$dir/mayhem.db-wal" "$dir/mayhem.db-shm" # of what is replaced
    cp kept.db "$dir/mayhem.db"
}

# tamper NAME SQL REGEX...: verify exits with 65, and says all of these.
tamper() {
    local name=$1 regex
    sqlite3 "$dir/mayhem.db" "$2" >/dev/null || not_ok "$name: sqlite3 does it"
    mayhem_audit verify
    equal "$name: exit 65" 65 "$code"
    for regex in "${@:3}"; do
        matches "$name: it is named" "$regex" "$said"
    done
    restore
}

# ---- a real run, whose saver is killed in the middle

hosts 60 >hosts.txt
printf '#!/bin/sh\nsleep 0.1\n' >restart.sh
chmod +x restart.sh
launch -i hosts.txt -x "$PWD/restart.sh {host}" --at-once 4 --cooldown 0s
settle_at_least 10 30
murder saver
settle_at_least 30 30
murder saver
finish 60
ends_with_code "the run ends well though its saver was killed twice" 0
equal "each attempt has its row" 60 \
    "$(store "SELECT count(DISTINCT job) FROM audit WHERE action = 'begun'")"
equal "each outcome has its row" 60 "$(store "SELECT count(*) FROM audit WHERE action = 'ended'")"
mayhem_audit verify
equal "after two kills the audit is intact: exit 0" 0 "$code"
matches "verify says from where to where" "^intact from row 1 to row $(store \
    'SELECT max(seq) FROM audit')" "$said"
matches "the heads in the log agree" '1 of 1 head in the logs agrees' "$said"

# ---- orders on a stopped DIR

order halt --order-why $'bad \xc2\x9b31m\xc2\x85kernel' --order-actor $'ann\xc2\x9d' # control characters of C1
mayhem_audit show --last 1
matches "a terminal obeys no text of show" 'halt +-  by ann   bad  31m kernel$' "$said"
check "an order prints nothing" test -z "$(order halt --order-why 'a bad kernel' --order-actor ann 2>&1)"
order deny --order-name web-00007 --order-why weekend --order-until 99999999999999
equal "the halt is in force" 'halt||a bad kernel|ann' \
    "$(store "SELECT kind, name, why, actor FROM holds WHERE kind = 'halt'")"
mayhem_audit show --last 2
matches "show tells who has ordered it" 'halt +-  by ann  a bad kernel' "$said"
mayhem_audit show --host WEB-00007.
matches "show tells of one host alone" 'deny +web-00007' "$said"
equal "and of no other one" 0 "$(grep -vc web-00007 <<<"$said")"
mayhem_audit show --json
equal "as JSON there is each row" "$(store 'SELECT count(*) FROM audit')" \
    "$(grep -o '"seq":' <<<"$said" | wc -l)"
mayhem_audit head
equal "head is the last row" "$(store 'SELECT seq || " " || lower(hex(hash)) FROM audit
    ORDER BY seq DESC LIMIT 1')" "$said"
mkdir fresh
"$build/mayhem-saver" --dir fresh --order halt --order-why 'before the first run'
equal "an order makes a record that does not exist" 1 \
    "$(query fresh/mayhem.db 'SELECT count(*) FROM audit')"
"$build/mayhem-saver" --dir fresh --order deny --order-name web-1 --order-why gone --order-until 1
matches "a deny that ends is told so" 'deny +web-1 .*  until now$' \
    "$("$build/mayhem" audit show --dir fresh --last 1 2>&1)"
order denyx 2>err
equal "an order that does not exist: exit 64" 64 $?

# ---- tampering

keep
last=$(store 'SELECT max(seq) FROM audit')
tamper 'one byte changed' "UPDATE audit SET reason = 'a bad kernek' WHERE reason = 'a bad kernel'" \
    "^intact from row 1 to row $((last - 2))" "row $((last - 1)) was changed"
tamper 'a row removed' 'DELETE FROM audit WHERE seq = 7' '^intact from row 1 to row 6' \
    'row 7 is missing'
tamper 'the tail cut' "DELETE FROM audit WHERE seq > $((last - 3))" \
    "^intact from row 1 to row $((last - 3))" \
    "rows $((last - 2)) to $last are missing: log/saver.log had a row $last"
tamper 'all rows removed' 'DELETE FROM audit' '^no row is sure' "rows 1 to $last are missing"
tamper 'the table dropped' 'DROP TABLE audit' 'not what this program expects'

# Another record with as many rows: its chain is sound in itself.
for ((i = 1; i <= last; i++)); do
    "$build/mayhem-saver" --dir other --order halt --order-why "number $i" || break
done
sqlite3 other/mayhem.db 'PRAGMA wal_checkpoint(TRUNCATE)' >/dev/null
mayhem_other=$("$build/mayhem" audit verify --dir other 2>&1)
matches "another record is intact beside its own logs" "^intact from row 1 to row $last" \
    "$mayhem_other"
cp other/mayhem.db "$dir/mayhem.db"
tamper 'the table swapped' 'SELECT 1' '^no row is sure' \
    "row $last is not the one that log/saver.log had at .*: the table was replaced"

mayhem_audit verify
equal "what was put back is intact: exit 0" 0 "$code"
check "nothing is left running" nothing_lives
