# Forged histories: of each the auditor (audit.c) must say what is wrong with it, or it would prove
# nothing. Sourced by tests/e2e/e2e_chaos.sh, with the record in SQLite, and e2e_pg_chaos.sh, which has
# it in PostgreSQL: it sets forged_store to what the auditor is given, and forged_id to the type of an
# id, and has functions of its own to write and to remove the record.
# shellcheck shell=bash
# shellcheck disable=SC2154 # audit is the caller's

zeros=000000000000000000000000000000

if [[ ! -v forged_store ]]; then
    forged_store=forged/store.db forged_id=BLOB

    # Runs statements in the record.
    forged_sql() {
        sqlite3 "$forged_store" "$(sed -E "s/x'(..)'/x'\1$zeros'/g" <<<"$1")"
    }

    forged_drop() {
        rm -f "$forged_store"
    }
fi

# A history of four hosts in which all is well. An id is written as its first byte here, x'01'.
forge() {
    rm -rf forged
    mkdir forged
    printf '%s\n' '# hosts' web-1 web-2 web-3 web-4 >forged/hosts
    forged_drop
    in_store "CREATE TABLE jobs (id $forged_id, host TEXT, received_ms BIGINT, settled_ms BIGINT,
            outcome TEXT, attempts BIGINT, worker TEXT, proof TEXT);
        CREATE TABLE attempts (job $forged_id, attempt BIGINT, began_ms BIGINT, ended_ms BIGINT,
            machine_id TEXT, boot_before TEXT, boot_after TEXT, outcome TEXT, proof TEXT,
            state TEXT);
        INSERT INTO jobs VALUES (x'01', 'web-1', 1000, 2000, 'restarted', 1, 'restarter-1', 'proven'),
            (x'02', 'web-2', 1000, 3000, 'restarted', 2, 'restarter-1', 'verified'),
            (x'03', 'web-3', 1000, 2000, 'restarted', 1, 'restarter-2', 'unverified'),
            (x'04', 'web-4', 1000, 2000, 'dead', 5, 'restarter-2', NULL);
        INSERT INTO attempts VALUES (x'01', 1, 1090, 2000, 'm', 'b', 'c', 'restarted', 'proven',
                'ended'),
            (x'02', 1, 1090, 1900, NULL, NULL, NULL, 'interrupted', NULL, 'ended'),
            (x'02', 2, 2090, 3000, NULL, NULL, NULL, 'restarted', 'verified', 'ended'),
            (x'04', 1, 1090, 2000, 'm', 'b', 'b', 'same-boot', NULL, 'ended'),
            (x'03', 1, 1090, 2000, 'm', 'b', NULL, 'restarted', 'unverified', 'ended'),
            (x'04', 2, NULL, NULL, 'm', 'b', NULL, NULL, NULL, 'not-started');"
    in_outbox "CREATE TABLE chunks (chunk INTEGER PRIMARY KEY, run INTEGER,
            jobs INTEGER, ids BLOB, hosts TEXT);
        CREATE TABLE settled (chunk INTEGER PRIMARY KEY, done BLOB);
        CREATE VIEW jobs (id, host) AS SELECT substr(ids, 16 * key + 1, 16), value FROM chunks,
            json_each(hosts) WHERE chunk NOT IN (SELECT chunk FROM settled) OR key = 1;
        CREATE TABLE runs (run INTEGER, source_done INTEGER, accepted INTEGER, restarted INTEGER,
            dead INTEGER, unneeded INTEGER DEFAULT 0, withdrawn INTEGER DEFAULT 0);
        CREATE TABLE dead (run INTEGER, id BLOB, host TEXT, error TEXT);
        INSERT INTO runs VALUES (1, 1, 4, 3, 1, 0, 0);
        INSERT INTO dead VALUES (1, x'04', 'web-4', 'exit 1');"
    printf '%s\n' 'begin web-1 11 1100' 'end web-1 11 1900' 'begin web-2 12 1100' \
        'begin web-3 13 1100' 'end web-3 13 1950' 'begin web-2 14 2100' 'end web-2 14 2900' \
        'begin web-4 15 1100' >forged/record
}

# in_store SQL, in_outbox SQL: of the history.
in_store() {
    forged_sql "$1"
}

in_outbox() {
    sqlite3 forged/outbox.db "$(sed -E "s/x'(..)'/x'\1$zeros'/g
        s/x'(..)(..)'/x'\1$zeros\2$zeros'/g" <<<"$1")"
}

# held ID HOST: one more job in the outbox.
held() {
    in_outbox "INSERT INTO chunks (run, jobs, ids, hosts) VALUES (1, 1, x'$1', '[\"$2\"]');
        UPDATE runs SET accepted = accepted + 1"
}

in_record() {
    printf '%s\n' "$@" >>forged/record
}

# judged NAME EXPECTED-CODE REGEX [OPTION]...: what the auditor says of the forged history.
judged() {
    local name=$1 expected=$2 regex=$3 said got
    shift 3
    said=$("$audit" "$@" forged/hosts "$forged_store" forged/outbox.db forged/record 2>&1)
    got=$?
    if [[ $got == "$expected" && $said =~ $regex ]]; then
        ok "the auditor: $name: exit $expected"
    else
        not_ok "the auditor: $name: exit $expected" "exit $got" "$said" "expected: $regex"
    fi
    forge
}

# ---- the histories -------------------------------------------------------------------------------

forge
judged 'a history in which all is well' 0 'RIGHT: every host'
in_store "DELETE FROM jobs WHERE host = 'web-3'"
judged 'a host that is nowhere' 1 'I1 hosts are neither.*web-3'
in_store "UPDATE jobs SET outcome = NULL, settled_ms = NULL WHERE host = 'web-3'"
judged 'a row without an outcome that the outbox has forgotten' 1 'I1 rows have no outcome.*web-3'
in_store "INSERT INTO jobs SELECT x'05', host, received_ms, settled_ms, outcome, 1, worker,
    'rehearsed' FROM jobs WHERE host = 'web-1'"
judged 'a host with two rows' 1 'I4 hosts have two jobs.*web-1'
in_store "INSERT INTO jobs SELECT * FROM jobs WHERE host = 'web-1'"
judged 'a job with two rows' 1 'I4 jobs have two rows: 1'
in_store "INSERT INTO jobs VALUES (x'06', 'db-1', 1, 2, 'restarted', 1, 'r', 'rehearsed')"
judged 'a row of a host that nobody asked for' 1 'I4 rows are of a host.*db-1'
held 06 db-1
judged 'a job of a host that nobody asked for' 1 'I4 jobs in the outbox.*db-1'
held 07 web-1
judged 'a second job for a host that is on record' 1 'I4 hosts have two jobs.*web-1'
held 01 web-2
judged 'a job whose host is another one on record' 1 'I4 jobs have another host.*web-2/web-1'
in_store "UPDATE jobs SET outcome = 'done' WHERE host = 'web-1'"
judged 'an outcome that is none' 1 'I4 rows have half an outcome'
in_store "UPDATE jobs SET settled_ms = NULL WHERE host = 'web-1'"
judged 'an outcome without its time' 1 'I4 rows have half an outcome'
in_outbox "UPDATE runs SET restarted = 2, dead = 2"
judged 'outcomes told otherwise than recorded' 1 'I4 counts differ.*restarted 2/3'
in_outbox "INSERT INTO dead VALUES (1, x'01', 'web-1', 'exit 1')"
judged 'a host told to be dead, on record as restarted' 1 'I4 hosts were told.*web-1'
sed -i '/web-3/d' forged/record
judged 'restarted without a record' 1 'I3 hosts are on record as restarted.*web-3'
sed -i '/end web-3/d' forged/record
judged 'restarted, and its only restart has no end' 1 'I3 hosts are on record.*web-3'
sed -i 's/end web-3 13 1950/end web-3 13 2050/' forged/record
judged 'restarted before its restart had ended' 1 'I3 hosts are on record.*web-3'
in_store "UPDATE jobs SET proof = NULL WHERE host = 'web-1'"
judged 'restarted, and nobody knows how sure' 1 'I3 hosts are on record.*not how sure.*web-1'
in_store "UPDATE attempts SET proof = 'unverified' WHERE job = x'01'"
judged 'a proof that no attempt has' 1 'I3 hosts have a proof.*web-1 proven'
in_store "UPDATE attempts SET boot_after = boot_before WHERE job = x'01'"
judged 'proven in the same boot' 1 'I3 attempts are proven without.*web-1 #1'
in_store "UPDATE attempts SET machine_id = NULL WHERE job = x'01'"
judged 'proven of an unknown machine' 1 'I3 attempts are proven without.*web-1 #1'
in_store "UPDATE attempts SET began_ms = 1200 WHERE job = x'01'"
judged 'a command before its attempt was on record' 1 'I3 real restarts.*web-1'
in_store "UPDATE attempts SET job = x'09' WHERE job = x'04' AND attempt = 1"
judged 'an attempt of no job' 1 'I4 attempts are of no job.*09'
in_store "UPDATE attempts SET outcome = NULL WHERE job = x'04'"
judged 'an attempt that ended somehow' 1 'I4 attempts have half an end.*web-4 #1'
in_store "UPDATE attempts SET state = 'gone' WHERE job = x'04'"
judged 'an attempt in a state that is none' 1 'I4 attempts have half an end.*web-4 #1'
in_store "UPDATE attempts SET state = 'open', ended_ms = NULL, outcome = NULL WHERE job = x'04'
    AND attempt = 1"
judged 'an attempt that is open behind the outcome' 1 'I4 attempts have no end.*web-4 #1'
in_record 'begin db-1 20 1000'
judged 'a command for a host that nobody asked for' 1 'I3 commands were run.*db-1'
in_record 'begin web-1 20 5000'
judged 'a restart begun long after the outcome' 1 'I5 restarts began after.*web-1 \+3000ms'
in_record 'begin web-1 20 2500'
judged 'one that was on its way is allowed' 0 'after the outcome was durable     1'
in_record 'begin web-1 20 1950' 'end web-1 20 1990'
judged 'a second success that no kill explains' 1 'I5 hosts were restarted twice.*web-1'
in_record 'begin web-1 20 1500' 'end web-1 20 1990'
judged 'two restarts side by side' 1 'I8 hosts had two restarts.*web-1'
in_record 'begin web-1 20 1500' 'end web-1 20 1990'
echo '1400 KILL consumer 4242 0' >forged.kills
judged 'the same is excused by a kill' 0 'twice because of a kill 1' -k forged.kills
in_record 'begin web-1 20 1500' 'end web-1 20 1990'
echo '1600 KILL consumer 4242 0' >forged.kills
judged 'but not by one that came later' 1 'I8 hosts had two restarts.*web-1' -k forged.kills
sed -i '/web-3/d' forged/record
echo '1500 KILL restarter-2 4242 0' >forged.kills
judged 'a kill is no excuse for a command without a record' 1 'I3 hosts are.*web-3' -k forged.kills
in_store "UPDATE jobs SET outcome = NULL, settled_ms = NULL WHERE host = 'web-3'"
held 03 web-3
in_outbox "UPDATE runs SET accepted = 4, restarted = 2"
judged 'a job that is left in the outbox: unfinished, not wrong' 75 'NOT FINISHED'
two_jobs="INSERT INTO chunks VALUES (1, 1, 2, x'0103', '[\"web-1\",\"web-3\"]');
    UPDATE runs SET restarted = 2;"
in_outbox "$two_jobs INSERT INTO settled VALUES (1, x'80')"
judged 'a chunk of which a job is left' 75 'in the outbox      1'
in_outbox "$two_jobs INSERT INTO settled VALUES (1, x'C0')"
judged 'a chunk that is settled and still there' 1 'I1 chunks of the outbox.*chunk 1'
in_outbox "INSERT INTO settled VALUES (7, x'80')"
judged 'bits of a chunk that is not there' 1 'I1 chunks of the outbox.*bits of no chunk, 7'
in_outbox "$two_jobs UPDATE chunks SET hosts = '[\"web-1\"]'"
judged 'a chunk that says two jobs and has one' 1 'I1 chunks of the outbox.*chunk 1'
in_outbox "UPDATE runs SET accepted = 5"
judged 'a job that was counted and is nowhere' 1 'I1 numbers differ.*1/0'
held 03 web-3
in_outbox "UPDATE runs SET accepted = 4, restarted = 2; DROP VIEW jobs;
    CREATE VIEW jobs AS SELECT x'03' AS id, 'web-4' AS host"
judged 'a view that shows other jobs' 1 'I1 jobs are in the outbox and not.*web-3'
sed -i '/web-3/d' forged/record
in_record '2026-11-22T07:25:14.123Z INFO restarter-2[42] restarted job=03 host=web-3 attempt=1'\
' took=0.4s'
in_store "UPDATE jobs SET settled_ms = 1795332314200 WHERE host = 'web-3'"
judged "a restarter's log is a record, too" 0 'ended well 3'

# Of web-3 the log says nothing; its restarter was killed before the job had come, or after.
for moment in 1795332313000 1795332313900; do
    sed -i '/web-3/d; /web-1 /d' forged/record
    in_record '2026-11-22T07:25:14.123Z INFO restarter-1[42] restarted job=01 host=web-1 attempt=1'\
' took=0.4s'
    in_store "UPDATE jobs SET received_ms = 1795332313500, settled_ms = 1795332314200
        WHERE host IN ('web-1', 'web-3')"
    echo "$moment KILL restarter-2 4242 0" >forged.kills
    if [[ $moment == *3000 ]]; then
        judged 'a line that no kill can have taken is missed' 1 'I3 hosts are.*web-3' -k forged.kills
    else
        judged 'a log line may die with its process: counted' 0 'killed restarter  1' -k forged.kills
    fi
done
