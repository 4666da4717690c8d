#!/usr/bin/env bash
# Runs a command with a server of PostgreSQL, whose URI is in TEST_POSTGRESQL then; where there
# is none, without it. One that the variable names already is used. with_server.sh COMMAND...
# shellcheck source=tests/postgresql/postgresql.sh
set -u
[[ ! ${TEST_POSTGRESQL:-} ]] || exec "$@"
. "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")/postgresql.sh"
pg_find || exec "$@"
if ((EUID == 0)) && ! getent passwd postgres >/dev/null; then
    exec "$@"
fi
trap 'exit 130' INT TERM HUP
trap pg_end EXIT
pg_begin && pg_start a fsync=off || exit # no test here takes its power away
TEST_POSTGRESQL=$(pg_uri a) "$@"
