#!/usr/bin/env bash
# The fence of the record (tests/postgresql/fence.c) on a real primary with a synchronous standby: no
# row of an epoch is late; and where the fence is wrong, the same test finds rows that are.
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
# Both kinds of rounds find them: of leases that expire, and of those that are taken at any time.
for variant in nonkey nolock; do
    fence 300 "$variant"
    equal "$variant: late rows are let through, and found" 1 "$code"
    matches "$variant: of leases that expire" 'late rows: .* of leases that expire' "$said"
    matches "$variant: at any time" 'late rows: .* at any time' "$said"
done
exit
