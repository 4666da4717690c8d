#!/usr/bin/env bash
# What reads a record: over the same rows in a file of SQLite and in PostgreSQL every command says the
# same, byte for byte. Where the record of a folder is, is kept there, and no password with it.
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

# ---- one folder ----------------------------------------------------------------------------------

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
after) [[ ! -e lost ]] || { echo "no route to the bälancer"; exit 4; } ;;
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
for name in web-1 web-2 needless lost stuck gone-1 gone-2 db-1 db-2; do
    mkdir -p "hosts/$name"
    cat /proc/sys/kernel/random/uuid >"hosts/$name/boot"
    echo $(($(date +%s%3N) - 1000000)) >"hosts/$name/since"
done
touch hosts/needless/needless hosts/lost/lost hosts/stuck/stuck hosts/gone-{1,2}/gone
cat >list.txt <<'END'
{"host": "web-1", "groups": ["web"]}
{"host": "needless", "groups": ["web"]}
{"host": "lost", "groups": ["web"], "port": 2222}
{"host": "stuck", "groups": ["db"]}
{"host": "gone-1", "groups": ["db"]}
{"host": "gone-2", "groups": ["db"]}
{"host": "web-2", "groups": ["web"]}
{"host": "db-1", "groups": ["db"]}
{"host": "db-2", "groups": ["db"]}
END
options=(-i list.txt --driver ./hooks.ini --attempts 1 --at-once 1 --max-unavailable 5 --max-dead)

dir=of_sqlite
run "${options[@]}" 2
ends_with_code "two are dead: the run stops" 75
"$program" resume --why 'I have seen them' --dir $dir >/dev/null || not_ok "resume"
run "${options[@]}" 1
ends_with_code "another one, and it stops again" 75
"$program" deny db-2 --why 'its disk is "new"' --until +2h --dir $dir >/dev/null || not_ok "deny"
"$program" halt --why "let's see" --dir $dir >/dev/null || not_ok "halt"
# In mid-boot, as after a Ctrl-C.
open=$(outbox "SELECT hex(id) FROM jobs WHERE host = 'web-2'")
sqlite3 $dir/mayhem.db "INSERT INTO attempts (job, attempt, worker, began_ms, state, command, command_end, first_boot_ms,
    deadline_boot_ms) VALUES (x'$open', 1, 'restarter1', 1790000000000, 'open', 2, 'none', 1, 2)"
equal "there is something of each to read" "9 6 2 3 4 1" "$(store "SELECT
    (SELECT count(*) FROM jobs), (SELECT count(*) FROM attempts), (SELECT count(*) FROM places),
    (SELECT count(*) FROM holds), (SELECT count(*) FROM attempts WHERE owes > 0),
    (SELECT count(*) FROM audit WHERE action = 'resume')" | tr '|' ' ')"

# ---- the same rows in PostgreSQL -----------------------------------------------------------------

psql_uri() {
    "$pg_bin/psql" -X -q -A -t -v ON_ERROR_STOP=1 "$uri" "$@"
}

# copy TABLE COLUMNS SELECT: of a file of SQLite, DIR/mayhem.db.
copy() {
    sqlite3 -csv -nullvalue '\N' "file:$dir/mayhem.db?mode=ro" "$3" | tr -d '\r' |
        psql_uri -c "\\copy $1 ($2) FROM STDIN WITH (FORMAT csv, NULL '\\N')"
}

copy_all() {
    local rest attempts
    rest='host, instance, publisher, received_ms, settled_ms, outcome, attempts, deliveries, extended,
        worker, error, proof'
    copy jobs "id, ${rest//$'\n'/}" "SELECT hex(id), $rest FROM jobs"
    attempts='attempt, a.worker, began_ms, ended_ms, machine_id, boot_before, boot_after, exit,
        a.outcome, a.error, a.proof, state, command, command_end, first_boot_ms, deadline_boot_ms,
        control, health, owes, debt, host AS folded'
    rest=${attempts//a./} rest=${rest/host AS /} rest=${rest//$'\n'/}
    copy attempts "job, $rest" "SELECT hex(job), $attempts FROM attempts AS a
        JOIN jobs ON id = job"
    rest='seq, time_ms, actor, action, run, host, grp, reason, ids, outcome, proof, casualty, until_ms'
    copy audit "$rest, job, order_id, hash" "SELECT $rest, CASE WHEN job NOT NULL THEN hex(job) END,
        CASE WHEN order_id NOT NULL THEN hex(order_id) END, '\\x' || hex(hash) FROM audit"
    rest='id, kind, name, run, until_ms, since_ms, why, actor'
    copy holds "$rest" "SELECT $rest FROM holds"
    rest='id, host, groups, open, casualty, since_ms'
    copy places "$rest, job" "SELECT $rest, hex(job) FROM places"
}

mkdir of_pg
cp -r of_sqlite/. of_pg
rm of_pg/mayhem.db*

# say COMMAND...: what it says and how it ends, without the folder and what depends on now.
say() {
    "$program" "$@" >said 2>&1 </dev/null
    printf 'exit %d\n' $? >>said
    sed -E -e 's/of_(sqlite|pg)/DIR/g; s/over [0-9.]+ (s|min)/over TIME/; s/rate +[0-9.]+/rate N/' \
        -e 's/("(seconds|rate|eta_seconds|next_start_ms)":)[0-9.]+/\1N/g' said
}

# same NAME COMMAND...: in both folders. It says more than how it ends.
same() {
    local name=$1 expected
    shift
    expected=$(say "$@" --dir of_sqlite)
    if [[ $expected == exit* ]]; then
        not_ok "$name: it says something" "$expected"
    else
        equal "$name" "$expected" "$(say "$@" --dir of_pg)"
    fi
}

(umask 077 && echo "$uri" >of_pg/store)
matches "a database without a record is like a file that is not there" '"on_record":\{"holds":\[\]' \
    "$(say status --json --dir of_pg)"
matches "but not for its audit" 'no saver has made its tables yet.exit 65' \
    "$(say audit head --dir of_pg | tr '\n' ' ' | sed 's/ exit/.exit/')"
psql_uri -f "$root/saver/stores/postgresql.sql" >/dev/null || not_ok "the tables are made"
copy_all || not_ok "the rows are copied"

for host in web-1 needless lost stuck gone-1 gone-2 web-2 db-2; do
    same "explain $host" explain "$host"
    same "explain --json $host" explain --json "$host"
done
job=$(store "SELECT lower(hex(id)) FROM jobs WHERE host = 'lost'")
same "explain of a job" explain --json "$job"
same "explain of an unknown host" explain nobody
same "dead" dead
same "dead --json" dead --json
same "status of a stopped folder" status
same "status --json" status --json
same "audit verify" audit verify
same "audit verify --json" audit verify --json
same "audit head" audit head
same "audit show" audit show --json
same "the last rows of the audit" audit show --last 3
same "the rows of a host" audit show --host STUCK
same "plan --json" plan --json "${options[@]}" 1
same "plan" plan "${options[@]}" 1
same "the run that its breaker has stopped" run "${options[@]}" 1

# ---- a table that was tampered with --------------------------------------------------------------

psql_uri -c "UPDATE audit SET reason = 'nothing' WHERE seq = 2"
sqlite3 of_sqlite/mayhem.db "UPDATE audit SET reason = 'nothing' WHERE seq = 2"
same "audit verify finds a changed row" audit verify
psql_uri -c "DELETE FROM audit WHERE seq = 3"
sqlite3 of_sqlite/mayhem.db "DELETE FROM audit WHERE seq = 3"
same "and a missing one" audit verify --json

# ---- many ----------------------------------------------------------------------------------------

sqlite3 of_sqlite/mayhem.db "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE
    i < 100000) INSERT INTO jobs (id, host, instance, publisher, received_ms, settled_ms, outcome,
    attempts, deliveries, extended, error) SELECT CAST(printf('job-%012d', i) AS BLOB), 'many-' || i,
    'many', 'p', 1, 1790000000000 + i, 'dead', 1 + i % 9, 1, 0, 'no' FROM n"
many="ATTACH 'file:of_sqlite/mayhem.db?mode=ro' AS record; INSERT INTO dead (run, id, host, error)
    SELECT (SELECT max(run) FROM runs), id, host, error FROM record.jobs WHERE host LIKE 'many-%'"
sqlite3 of_sqlite/outbox.db "$many"
sqlite3 of_pg/outbox.db "$many"
psql_uri -c 'DELETE FROM jobs'
copy jobs "id, host, instance, publisher, received_ms, settled_ms, outcome, attempts, deliveries,
 extended, error" "SELECT hex(id), host, instance, publisher, received_ms, settled_ms, outcome,
    attempts, deliveries, extended, error FROM jobs"
began=$(milliseconds)
"$program" dead --json --dir of_pg >many.pg || not_ok "dead with many hosts"
at_most "100,000 dead hosts are read from PostgreSQL in 5 s" 5000 $(($(milliseconds) - began))
"$program" dead --json --dir of_sqlite >many.sqlite
check "the same ones as from a file" cmp many.sqlite many.pg
equal "all of them with their attempts" 100000 "$(grep -o '"host":"many-[0-9]*","job":"[0-9a-f]*","error":"no","attempts":[1-9],"settled_ms":179' many.pg | wc -l)"

# ---- which record --------------------------------------------------------------------------------

mv of_pg/store kept
matches "--store counts" '"seq":' "$(say audit head --json --store "$uri" --dir of_pg)"
matches "--db is the same" '"seq":' "$(say audit head --json --db "$uri" --dir of_pg)"
matches "MAYHEM_STORE" '"seq":' "$(MAYHEM_STORE=$uri say audit head --json --dir of_pg)"
matches "MAYHEM_DB" '"seq":' "$(MAYHEM_DB=$uri say audit head --json --dir of_pg)"
matches "nothing: the file" "there is no 'DIR/mayhem.db'" "$(say audit head --dir of_pg)"
secret=postgresql://mayhem:hunter2@${pg_address[a]}:$pg_port/mayhem
for command in "audit head" dead "explain web-1" status "halt --why x"; do
    # shellcheck disable=SC2086
    said=$(say $command --store "$secret" --dir of_pg)
    matches "$command: a password is refused" 'leave it out of the URI.*exit 64' "$(tr '\n' ' ' <<<"$said")"
    equal "$command: and not repeated" "" "$(grep hunter2 <<<"$said")"
done
matches "in a variable, too" 'MAYHEM_STORE: .*~/.pgpass.*exit 78' \
    "$(MAYHEM_STORE=$secret say dead --dir of_pg | tr '\n' ' ')"
for option in --store --db; do
    said=$(say run "${options[@]}" 1 "$option=$secret" --dir of_pg)
    matches "run $option: a password is refused" 'leave it out of the URI.*exit 64' "$(tr '\n' ' ' <<<"$said")"
    equal "run $option: and not repeated" "" "$(grep hunter2 <<<"$said")"
done
matches "the saver refuses one" "exit 78" "$(MAYHEM_DB=$secret "$build/mayhem-saver" --check 2>&1; echo "exit $?")"
cp kept of_pg/store && chmod 644 of_pg/store
matches "what others may read is not used" 'of_pg|DIR/store.*exit 77' "$(say dead --dir of_pg | tr '\n' ' ')"
(umask 077 && rm of_pg/store && echo "$secret" >of_pg/store)
matches "nor one with a password" 'DIR/store:1: it has a password.*exit 78' \
    "$(say dead --dir of_pg | tr '\n' ' ')"
rm of_pg/store

# ---- doctor --------------------------------------------------------------------------------------

said=$(say doctor --dir of_pg --store "$uri")
matches "doctor: the server" 'ok +record [0-9.:]+: PostgreSQL [0-9.]+, tables of version 1' "$said"
matches "doctor: what asynchronous means" 'warn +record: no synchronous standby.*may lose outcomes' "$said"
matches "doctor: its clock" 'ok +record: its clock and this one are [0-9]+ ms apart' "$said"
matches "doctor: nobody leads" 'ok +record: no consumer has ever led.*exit 0' "$(tr '\n' ' ' <<<"$said")"
cp kept of_pg/store
psql_uri -c "UPDATE lease SET epoch = 7, holder = 'abc', expires = now() + interval '1 hour'"
pg_standby b a || not_ok "a standby"
said=$(say doctor --dir of_pg)
matches "doctor: by DIR, with a standby" 'ok +record: commits wait for a standby of .b.' "$said"
matches "doctor: who leads" 'ok +record: epoch 7 \(abc\) leads for another 3[0-9]{3}\.[0-9] s' "$said"
psql_uri -c "UPDATE lease SET expires = now() - interval '1 minute'"
matches "doctor: who did" 'warn +record: no consumer leads; epoch 7 \(abc\) ended 6[0-9] s ago' \
    "$(say doctor --dir of_pg)"
pg_stop b
rm -rf "${pg:?}/b" # later it is a server of its own
pg_limit=10 wait_until 10 pg_waits_for a ""
matches "doctor: without its standby every commit waits" \
    'FAIL +record: no standby of synchronous_standby_names = .b. is connected.*exit 1' \
    "$(say doctor --dir of_pg | tr '\n' ' ')"
pg_synchronous a
matches "doctor: of a file" 'ok +record DIR/mayhem.db: version 4' "$(say doctor --dir of_sqlite)"
matches "doctor: of none" 'warn +record none.db: it can be reached, and no saver has made it yet' \
    "$(say doctor --store none.db)"

# ---- a server that is not there, or refuses ------------------------------------------------------

matches "a wrong password is said" 'authentication failed.*exit 77' \
    "$(PGPASSWORD=wrong say audit head --store "$uri" --dir of_pg | tr '\n' ' ')"
matches "another schema has no record" 'no saver has made its tables yet' \
    "$(say audit head --store "$uri?options=-csearch_path%3Dpg_temp" --dir of_pg)"
psql_uri -c 'UPDATE mayhem_record SET version = 99'
matches "a later release is said" 'another release has made its tables.*exit 78' \
    "$(say audit head --store "$uri" --dir of_pg | tr '\n' ' ')"
psql_uri -c 'UPDATE mayhem_record SET version = 1'
pg_freeze a
began=$(milliseconds)
matches "a server that does not answer is said" 'exit 69' "$(say audit head --store "$uri" --dir of_pg)"
at_most "within 7 s" 7000 $(($(milliseconds) - began))
pg_start b || not_ok "another server starts"
psql_b() { "$pg_bin/psql" -X -q "postgresql://mayhem@${pg_address[b]}:$pg_port/mayhem" "$@"; }
psql_b -f "$root/saver/stores/postgresql.sql" >/dev/null
both=postgresql://mayhem@${pg_address[a]}:$pg_port,${pg_address[b]}:$pg_port/mayhem
matches "a silent server is passed over for the next" '"seq":0.*exit 0' \
    "$(say audit head --json --store "$both" --dir of_pg | tr '\n' ' ')"
pg_thaw a
pg_stop a
matches "doctor: nobody there" 'FAIL .*Connection refused.*exit 1' "$(say doctor --store "$uri" | tr '\n' ' ')"
matches "status says that it does not know what is on record" \
    '"on_record":null.*nobody knows what is on record: .*Connection refused' \
    "$(say status --json --store "$uri" --dir of_pg | tac | tr '\n' ' ')"
matches "nobody there" 'Connection refused.*exit 69' \
    "$(say audit head --store "$uri" --dir of_pg | tr '\n' ' ')"
