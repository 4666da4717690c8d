# BENCH=store: the record in SQLite, in PostgreSQL on this machine, and there with a synchronous
# standby, in turn; sourced by bench.sh. The servers are those of the tests, in BENCH_DIR beside the
# files of SQLite, with fsync. STORE_SETTINGS: of the servers, more SETTING=VALUE.
# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # variables of bench.sh

# What a database of its own on a machine of this size would be given, by PostgreSQL's documentation
# ("Resource Consumption", "WAL Configuration"): room for the tables, and few checkpoints.
store_settings=(shared_buffers=256MB max_wal_size=4GB checkpoint_timeout=15min)

# shellcheck source=tests/postgresql/postgresql.sh
source "$root/tests/postgresql/postgresql.sh"

# by_store STORE CASE ROUND OPTION...: a run with it; the record has the rows of those before.
by_store() {
    local store=$1 label=("$2" "$1" "$3") servers=()
    shift 3
    case $store in
    sqlite) ;;
    local) servers=(-c "primary=${pg_pid[alone]}") ;;
    standby) servers=(-c "primary=${pg_pid[primary]}" -c "standby=${pg_pid[standby]}") ;;
    esac
    MAYHEM_STORE=${store_uris[$store]} pipeline "${label[@]}" "${servers[@]}" -r "$restarters" "$@"
}

start_servers() {
    # shellcheck disable=SC2206 # words
    store_settings+=(${STORE_SETTINGS:-})
    TMPDIR=${work%/*} pg_begin || return
    pg_start alone "${store_settings[@]}" && pg_start primary "${store_settings[@]}" &&
        pg_standby standby primary "${store_settings[@]}"
}

run_store() {
    local round place stores=(sqlite local standby)
    local -A store_uris=([sqlite]="")
    pg_find || { printf 'store: no PostgreSQL: install postgresql\n' && return; }
    trap 'pg_end; rm -rf "$work"' EXIT
    start_servers || { failed=1 && return; }
    export PGPASSWORD=$pg_password
    store_uris[local]=postgresql://mayhem@${pg_address[alone]}:$pg_port/mayhem
    store_uris[standby]=postgresql://mayhem@${pg_address[primary]}:$pg_port/mayhem
    for ((round = 1; round <= runs; round++)); do
        for place in 0 1 2; do
            by_store "${stores[(round + place - 1) % 3]}" store "$round" -n "$jobs"
            by_store "${stores[(round + place - 1) % 3]}" paced-store "$round" -p 2000 -s "$paced"
        done
    done
    pg_end
}
