#!/usr/bin/env bash
# common/postgresql/pg_link.h on real servers: who is let in, which server is found, what comes back
# after a restart, and what a session is like whatever the role's settings say.
# shellcheck disable=SC2016 # $1 is for the server
# shellcheck source=tests/e2e/e2e_lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/e2e_lib.sh"
# shellcheck source=tests/postgresql/postgresql.sh
. "$root/tests/postgresql/postgresql.sh"
# shellcheck source=tests/postgresql/link_lib.sh
. "$root/tests/postgresql/link_lib.sh"
pg_or_skip
[[ -x $build/tests/link_shell ]] || {
    echo 'skip - it was built without libpq: install libpq-dev'
    exit 77
}
trap '{ pg_end; clean_up; } 2>/dev/null' EXIT

# opens NAME CODE REGEX URI [PREPARE SQL]...: an open that fails with that code and text.
opens() {
    local name=$1 expected=$2 text=$3 said
    shift 3
    said=$(timeout 20 "$build/tests/link_shell" "$1" 3000 "${@:2}" </dev/null)
    matches "$name" "^exit $expected .*$text" "$said"
    [[ $said != *"$pg_password"* && $said != *hush* ]] || not_ok "$name: tells no password" "$said"
}

# answers NAME ANSWER COMMAND: what the link says to it.
answers() {
    link_tell "$3"
    link_hears '^(done|failed|unknown) ' 20
    matches "$1" "$2" "$line"
}

check "a primary and its standby start" eval 'pg_begin memory && pg_start a && pg_standby b a'
uri=$(pg_uri a) both=$(pg_uri b a)

# ---- who is let in -------------------------------------------------------------------------------

opens 'a wrong password' 77 "${pg_address[a]}:5432: password authentication failed" \
    "${uri/"$pg_password"/hush}"
opens 'a role that is none' 77 'password authentication failed' "${uri/mayhem:/nobody:}"
opens 'no password at all' 77 'password' "${uri/:"$pg_password"/}"
opens 'no such database' 78 'database "nothing" does not exist' "${uri%/mayhem}/nothing"
opens 'a standby alone' 69 'standby' "$(pg_uri b)"
opens 'a command that cannot be prepared' 78 'no_such_table' "$uri" put 'SELECT * FROM no_such_table'
pg_psql a 'CREATE SCHEMA hidden'
opens 'a schema that the role may not use' 77 'permission denied' "$uri" put \
    'SELECT * FROM hidden.things'
opens 'a wrong password beside a silent port' 77 'password' \
    "$(pg_uri a | sed "s/$pg_password/hush/; s|@|@127.0.0.1:1,|")"

# ---- which server, and what a session is like ----------------------------------------------------

pg_psql a 'CREATE TABLE things (id text PRIMARY KEY, n int CHECK (n IS NULL))'
pg_psql a 'GRANT ALL ON things TO mayhem'
pg_psql a "ALTER ROLE mayhem SET synchronous_commit = 'local'"
pg_psql a "ALTER ROLE mayhem SET client_min_messages = 'error'"
pg_psql a "ALTER ROLE mayhem SET statement_timeout = '1s'"
pg_psql a "ALTER ROLE mayhem SET default_transaction_isolation = 'serializable'"
prepares=(insert 'INSERT INTO things VALUES ($1) ON CONFLICT DO NOTHING RETURNING id'
    wrong 'INSERT INTO things VALUES ($1, 1)' bytes 'SELECT repeat($1, 30000000)'
    size 'SELECT length($1::text)::text' setting 'SELECT current_setting($1)')
link_begin "$both" 10000 "${prepares[@]}"
check 'of two hosts, the first of which is a standby, the primary is found' link_hears \
    "^ready ${pg_address[a]}:5432$" 10
answers 'a command is done' '^done 1 x$' 'send insert x'
answers 'the same again' '^done 0 $' 'send insert x'
answers 'what the server refuses has failed' '^failed 23514 .*violates check constraint' 'send wrong y'
answers 'and the connection goes on' '^done 1 y$' 'send insert y'
answers 'a big result' '^done 1 30000000 bytes$' 'send bytes ,'
answers 'a big command' '^done 1 50000000$' 'blob size 50000000'
answers 'warnings arrive' '^done 1 warning$' 'send setting client_min_messages'
answers 'a commit waits for the standby' '^done 1 on$' 'send setting synchronous_commit'
answers 'nothing ends a statement from outside' '^done 1 0$' 'send setting statement_timeout'
answers 'a transaction is READ COMMITTED' '^done 1 read committed$' \
    'send setting default_transaction_isolation'
answers 'what is left of a closed connection ends' '^done 1 2s$' \
    'send setting client_connection_check_interval'
answers 'several statements are one transaction' '^failed 22012 ' \
    "run INSERT INTO things VALUES ('half'); SELECT 1 / 0"
answers 'of which nothing is left' '^done 1 0$' "run SELECT count(*) FROM things WHERE id = 'half'"
answers 'a transaction that stays open is nothing that is known' '^unknown ' \
    "run BEGIN; INSERT INTO things VALUES ('open')"
check 'it is ended by a new connection' link_hears '^ready ' 10
answers 'of which nothing is left' '^done 1 0$' "run SELECT count(*) FROM things WHERE id = 'open'"
answers 'a COPY is none of its commands' '^unknown ' 'run COPY things TO STDOUT'
check 'it ends by a new connection, too' link_hears '^ready ' 10

# ---- again, when it has broken -------------------------------------------------------------------

pg_synchronous a
began=$(milliseconds)
pg_kill a
check 'that the server is gone is seen' link_hears '^lost ' 10
pg_start a
began=$(milliseconds)
check 'it is connected again' link_hears '^ready ' 10
at_most 'within 3 s after the server is up' 3000 $(($(milliseconds) - began))
answers 'its commands are prepared again' '^done 1 z$' 'send insert z'
pg_kill a
link_hears '^lost ' 10
pg_promote b
check 'the promoted standby is found' link_hears "^ready ${pg_address[b]}:5432$" 10
answers 'and has what was committed before its primary ceased to wait' '^done 1 2$' \
    "run SELECT count(*) FROM things WHERE id IN ('x', 'y')"
link_end
exit
