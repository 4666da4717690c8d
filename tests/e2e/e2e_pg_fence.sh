#!/usr/bin/env bash
# The fence of the record (tests/postgresql/fence.c) on a real primary with a synchronous standby: no
# row of an epoch is late; and where the epoch is no key, the same test finds rows that are.
# e2e_pg_fence.sh [TAKE-OVERS] [SEED]. `make campaign-fence` has 25,000.
# shellcheck source=tests/e2e/e2e_lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/e2e_lib.sh"
# shellcheck source=tests/postgresql/postgresql.sh
. "$root/tests/postgresql/postgresql.sh"
pg_or_skip
[[ -x $build/tests/fence ]] || {
    echo 'skip - it was built without libpq: install libpq-dev'
    exit 77
}
trap '{ pg_end; clean_up; } 2>/dev/null' EXIT
takeovers=${1:-300} seed=${2:-$SRANDOM}

# fence TAKE-OVERS VARIANT: sets `code` and `said`.
fence() {
    said=$(timeout $((60 + $1)) "$build/tests/fence" "$(pg_uri a)" "$1" "$seed" "$2" 2>&1)
    code=$?
    printf '# %s\n' "${said##*$'\n'}"
}

check "a primary and its synchronous standby start" eval \
    'pg_begin memory && pg_start a max_wal_size=2GB && pg_standby b a'
fence "$takeovers" key
equal "$takeovers take-overs under load: no late row" 0 "$code"
matches "nothing but take-overs, rows and fenced batches" ' 0 late rows$' "$said"
# In rounds of leases that expire, and in rounds of others.
fence 300 nonkey
equal "an epoch that is no key lets late rows through, and they are found" 1 "$code"
matches "of leases that expire" 'late rows: .* of leases that expire' "$said"
matches "and of those that are taken at any time" 'late rows: .* at any time' "$said"
exit
