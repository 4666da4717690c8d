#!/usr/bin/env bash
# A pipeline whose record is in PostgreSQL: each command finds it by DIR, orders and debts of a stopped
# DIR get onto it, and no other record is taken for an unfinished run.
# shellcheck source=tests/e2e/e2e_lib.sh
. "$(dirname "$0")/e2e_lib.sh"
# shellcheck source=tests/postgresql/postgresql.sh
. "$root/tests/postgresql/postgresql.sh"

export LC_ALL=C
program=$build/mayhem
pg_or_skip
trap 'pg_end; clean_up' EXIT
pg_begin && pg_start a || exit
uri=postgresql://mayhem@${pg_address[a]}:$pg_port/mayhem
export PGPASSWORD=$pg_password

psql_uri() {
    "$pg_bin/psql" -X -q -A -t -v ON_ERROR_STOP=1 "$uri" -c "$1"
}

outcomes() {
    psql_uri 'SELECT host, outcome FROM jobs WHERE outcome IS NOT NULL ORDER BY host, id' | paste -sd ' '
}

# Hosts are folders: `stuck` never boots, `gone` does not come back, `lost` has an --after that fails.
cat >host.sh <<'END'
#!/usr/bin/env bash
cd "hosts/$2" || exit 255
now=$(date +%s%3N)
case $1 in
identify)
    [[ ! -e away ]] || exit 255
    printf '%s' "$2" | md5sum | cut -d ' ' -f 1
    up=$((now - $(<since)))
    cat boot && printf '%d.%02d 1.00\n' $((up / 1000)) $((up % 1000 / 10))
    ;;
reboot)
    sleep 0.2
    [[ ! -e gone ]] || touch away
    [[ -e stuck ]] || { echo "$(date +%s%3N)" >since && cat /proc/sys/kernel/random/uuid >boot; }
    ;;
skip) [[ -e needless ]] ;;
after) echo after >>log; [[ ! -e lost ]] || { echo "no route to the bälancer"; exit 4; } ;;
esac
END
chmod +x host.sh
cat >hooks.ini <<'END'
[driver]
identify = ./host.sh identify {host}
restart = ./host.sh reboot {host}
skip-if = ./host.sh skip {host}
before = ./host.sh before {host}
after = ./host.sh after {host} {port?}
timeout = 6s
verify-timeout = 1s
settle = 0s
END
make_host() {
    mkdir -p "hosts/$1"
    cat /proc/sys/kernel/random/uuid >"hosts/$1/boot"
    echo $(($(date +%s%3N) - 1000000)) >"hosts/$1/since"
}
for name in well lost stuck last; do make_host "$name"; done
touch hosts/lost/lost hosts/stuck/stuck
printf '%s\n' well lost stuck last >list.txt
options=(-i list.txt --driver ./hooks.ini --attempts 1 --at-once 1 --max-unavailable 2 --cooldown 0s)
dir=run

# ---- a run that is stopped -----------------------------------------------------------------------

run "${options[@]}" --max-dead 1 --store "$uri"
ends_with_code "one is dead: it stops" 75
equal "on record in the database" "lost|restarted stuck|dead well|restarted" "$(outcomes)"
equal "and in no file" "" "$(ls run/mayhem.db 2>/dev/null)"
equal "DIR keeps where" "$uri" "$(cat run/store)"
equal "for its owner" 600 "$(stat -c %a run/store)"
equal "no file there has the password" "" "$(grep -rl "$pg_password" run)"
matches "status finds it" 'breaker of the whole run has tripped' "$("$program" status --dir run 2>&1)"
matches "explain, too" 'well: restarted \(proven\)' "$("$program" explain well --dir run 2>&1)"
matches "dead" 'stuck +.* 1 attempt ' "$("$program" dead --dir run 2>&1)"
matches "the chain that the database makes is intact" 'intact from row 1 to row' \
    "$("$program" audit verify --dir run 2>&1)"

# ---- another record for it -----------------------------------------------------------------------

run "${options[@]}" --max-dead 1 --store other.db
ends_with_code "a file, while it is unfinished: refused" 78
matches "it says where it is" "is on record in $uri, and --store says other.db" "$(cat err)"
run "${options[@]}" --max-dead 1 --db "$uri?application_name=other"
ends_with_code "another URI: refused" 78

# ---- orders of a stopped folder ------------------------------------------------------------------

"$program" deny last --why 'not yet' --dir run >/dev/null || not_ok "deny"
"$program" halt --why 'lunch' --dir run >/dev/null || not_ok "halt"
"$program" resume --why 'I have seen it' --dir run >/dev/null || not_ok "resume"
equal "they are in the database" "deny halt resume" \
    "$(psql_uri "SELECT action FROM audit WHERE order_id IS NOT NULL AND action <> 'run' AND action <> 'trip' ORDER BY seq" | paste -sd ' ')"
equal "what is in force" "deny|last" "$(psql_uri 'SELECT kind, name FROM holds')"
"$program" deny last --until now --why 'now' --dir run >/dev/null || not_ok "deny --until now"

# ---- the same command goes on, and pays ----------------------------------------------------------

rm hosts/lost/lost
: >hosts/lost/log
run "${options[@]}" --max-dead 1
ends_with_code "the same command, without --store" 1
equal "went on with that record" "last|restarted lost|restarted stuck|dead well|restarted" "$(outcomes)"
matches "it paid first" 'lost: --after is made up for' "$(cat out err)"
equal "once" after "$(cat hosts/lost/log)"
equal "which is on record" "0" "$(psql_uri "SELECT owes FROM attempts JOIN jobs ON id = job WHERE host = 'lost'")"
equal "the book is closed" "" "$(ls run/debts.db* 2>/dev/null)"

# What a killed one has paid, and not put on record, is put there, and not paid again.
psql_uri "UPDATE attempts SET owes = 1, debt = '' FROM jobs WHERE id = job AND host = 'lost'"
lost=$(psql_uri "SELECT replace(id::text, '-', '') FROM jobs WHERE host = 'lost'")
dir=empty
run -i list.txt --mock --only well
dir=run
cp empty/mayhem.db run/debts.db
sqlite3 run/debts.db "DELETE FROM jobs; INSERT INTO attempts (job, attempt, state, command, first_boot_ms,
    deadline_boot_ms, owes) VALUES (x'$lost', 1, 'ended', 0, 0, 0, 0)"
: >hosts/lost/log
rm hosts/stuck/stuck

# ---- retry ---------------------------------------------------------------------------------------

MAYHEM_LOCKS=$MAYHEM_LOCKS/$dir timeout 60 "$program" retry --dir run >out 2>err </dev/null
code=$?
ends_with_code "retry finds the record by DIR" 0
equal "the dead host is restarted" "last|restarted lost|restarted stuck|dead stuck|restarted well|restarted" "$(outcomes)"
equal "what was paid before a kill is put on record" "0" \
    "$(psql_uri "SELECT owes FROM attempts JOIN jobs ON id = job WHERE host = 'lost'")"
equal "and is not paid twice" "" "$(cat hosts/lost/log)"

# ---- a new driver, and a new record --------------------------------------------------------------

touch hosts/well/stuck
run "${options[@]}" --max-dead 1
run -i list.txt -x 'true {host}' --take-over
equal "the take-over is told in the database" 1 \
    "$(psql_uri "SELECT count(*) FROM audit WHERE action = 'take-over'")"
matches "all of it is one chain" 'intact from row 1 to row' "$("$program" audit verify --dir run 2>&1)"
run -i list.txt -x 'true {host}' --again --store run/mayhem.db
ends_with_code "a finished folder may have another record" 0
equal "then DIR keeps none" "" "$(ls run/store 2>/dev/null)"
