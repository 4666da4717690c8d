#!/usr/bin/env bash
# The auditor with a record in PostgreSQL: of each forged history it says what is wrong with it, as of
# one in SQLite; and what kills at random leave there is right.
# shellcheck source=tests/e2e/e2e_lib.sh
. "$(dirname "$0")/e2e_lib.sh"
# shellcheck source=tests/postgresql/postgresql.sh
. "$root/tests/postgresql/postgresql.sh"

audit=$build/tests/audit
pg_or_skip
"$audit" -e postgresql:///?host=none 2>&1 | grep -q 'built without' && {
    echo 'skip - it was built without libpq: install libpq-dev'
    exit 77
}
trap '{ pg_end; clean_up; } 2>/dev/null' EXIT
pg_begin && pg_start a || exit
export PGPASSWORD=$pg_password
uri=postgresql://mayhem@${pg_address[a]}:$pg_port/mayhem

# ---- forged histories ----------------------------------------------------------------------------

# In a schema of their own, beside the record of the real run.
forged_store="$uri?options=-csearch_path%3Dforged" forged_id=UUID

forged_drop() {
    pg_psql a "SET client_min_messages = warning; DROP SCHEMA IF EXISTS forged CASCADE;
        CREATE SCHEMA forged AUTHORIZATION mayhem" || not_ok 'the schema of the histories'
}

forged_sql() {
    pg_psql a "SET ROLE mayhem; SET search_path = forged; $(sed -E \
        "s/x'(..)'/UUID '\1$zeros'/g" <<<"$1")" || not_ok "a history is forged" "$1"
}

# shellcheck source=tests/audit/forged.sh
. "$root/tests/audit/forged.sh"

in_store "DROP TABLE attempts"
judged 'a record without attempts' 65 'relation "attempts" does not exist'
"$audit" -e "$forged_store" >out 2>err
code=$?
ends_with_code "a record with jobs is not empty: exit 1" 1
forged_drop
"$audit" -e "$forged_store" >out 2>err
code=$?
ends_with_code "a database without a record is empty: exit 0" 0
forge

# Rows are at the end of their page.
file=$pg/a/data/$(pg_psql a "CHECKPOINT; SELECT pg_relation_filepath('forged.jobs')")
pg_stop a fast
dd if=/dev/zero of="$file" bs=1 seek=8000 count=192 conv=notrunc 2>/dev/null
pg_start a
judged 'a page that is damaged' 65 'audit: .*invalid page'
pg_stop a fast
said=$("$audit" forged/hosts "$forged_store" forged/outbox.db forged/record 2>&1)
code=$?
ends_with_code "a server that does not answer: exit 69" 69
matches "and the auditor says so" 'audit: the record in PostgreSQL: .*refused' "$said"
pg_start a

# ---- kills ---------------------------------------------------------------------------------------

dir=run.chaos
timeout -k 5 70 "$root/run.sh" --chaos 10 --seed 42 --rate 60 -q --store "$uri" >out 2>err </dev/null &
run_pid=$!
started+=("$run_pid")
finish 70
ends_with_code "chaos: exit 0" 0
matches "chaos: each host has one outcome" 'one outcome        600 ' "$(cat out)"
matches "chaos: none has two rows" 'two rows           0' "$(cat out)"
matches "chaos: those that were restarted are proven" 'hosts proven [1-9][0-9]+, verified 0' \
    "$(cat out)"
check "chaos: the record is no file" test ! -e run.chaos/mayhem.db
check "chaos: nothing is left running" wait_until 2 nothing_lives
equal "nobody tells the password" "" "$(grep -rl "$pg_password" run.chaos out err)"
printf '%s\n' "$(grep -E 'kills|KILL|twice|back|settled|one outcome' out)" | sed 's/^/# /'

pg_psql a "DELETE FROM attempts WHERE job = (SELECT id FROM jobs WHERE host = 'chaos-00000001');
    DELETE FROM jobs WHERE host = 'chaos-00000001'"
"$audit" -k run.chaos/kills run.chaos/hosts "$uri" run.chaos/outbox.db run.chaos/record >out 2>err
code=$?
ends_with_code "one row taken out of the real record is noticed: exit 1" 1

dir=other
timeout 20 "$root/run.sh" --chaos 5 --dir other --store "$uri" >out 2>err </dev/null
code=$?
ends_with_code "a record that has jobs already is not taken: exit 73" 73
matches "and it says why" 'jobs are on record in --store' "$(cat err)"
