#!/usr/bin/env bash
# e2e_policy.sh [HOSTS] [KILLS] [SEED] [ATTEMPTS]: a policy of six groups over a mock, under kill -9 of
# whatever there is, stops and goes, breakers that trip, and orders. In the end each host has one
# outcome, and the judge finds nothing in the audit, from which it finds what is planted there.
# shellcheck source=tests/e2e/e2e_lib.sh
. "$(dirname "$0")/e2e_lib.sh"
# shellcheck source=tests/e2e/policy_lib.sh
. "$root/tests/e2e/policy_lib.sh"

host_count=${1:-200} kills=${2:-6}
RANDOM=${3:-1}
attempts=${4:-1}
rate=$((10 + host_count / 20)) # starts a second
web_cap=$((2 + host_count / 80))
rate_span=2   # seconds over which the judge counts them
limit=$((60 + host_count / 8 + 4 * kills)) # seconds in all
declare -A counts=() tripped_ms=()

awk -v hosts="$host_count" 'BEGIN {
    for (i = 1; i <= hosts; i++) {
        groups = i % 10 < 6 ? ",web" : i % 10 < 8 ? ",db" : i % 10 == 8 ? ",edge" : ""
        groups = groups (i % 2 ? ",eu" : "") (i % 3 ? "" : ",us") (i % 20 == 5 ? ",night" : "")
        print "host-" i (groups ? " groups=" substr(groups, 2) : "")
    }
}' >hosts.txt
cat >policy.ini <<END
[run]
at-once = 6%
max-unavailable = 10%
breaker = 5/12
[consumer]
start-rate = $rate
[group web]
cap = $web_cap
breaker = 3/10,4/40
[group db]
cap = $((host_count / 70))
max-unavailable = 12%
[group edge]
ramp = 1,3,25%
bake = 1s
[group eu]
max-unavailable = 6%
[group us]
cap = 6%
breaker = 2/4
[group night]
cap = 10%
END

go() {
    # A shell starts what is in the background with INT ignored.
    env --default-signal=INT "$build/mayhem" run --dir "$dir" -i hosts.txt --mock -n 3 --slots 20 \
        --mock-time 200ms..1500ms --mock-fail 4% --attempts "$attempts" --config policy.ini \
        --crash-limit 0 --restart-pause 20ms..100ms --drain-timeout 5s >>out 2>>err </dev/null &
    run_pid=$!
    started+=("$run_pid")
}

# ---- what happens meanwhile

victims=(consumer saver publisher restarter-1 restarter-2 restarter-3 run stop)

disturb() {
    local name=${victims[RANDOM % 8]} pid=$run_pid
    [[ $name == run || $name == stop ]] || pid=$(pid_of "$name")
    [[ $pid ]] || return
    if [[ $name == stop ]]; then
        kill -INT "$pid" 2>/dev/null || return
        finish 30
        # 130: it had started nothing yet.
        [[ $code =~ ^(75|130|0|1)$ ]] || not_ok "a stop ends as it should" "exit $code" "$(cat err)"
        ((code > 1)) || return
        go
    else
        kill -KILL "$pid" 2>/dev/null || return
    fi
    counts[$name]=$((${counts[$name]:-0} + 1)) killed=$((killed + 1))
    [[ $name == run ]] || return
    wait "$run_pid" 2>/dev/null
    go
}

# So many kills and stops are to come, spread over the hosts.
is_behind() {
    ((killed < kills && killed * host_count < kills * $(settled)))
}

# A breaker that has tripped is let stand for longer than the judge is lenient.
resume() {
    local group
    while IFS= read -r group; do
        : "${tripped_ms[-$group]:=$(milliseconds)}"
        (($(milliseconds) > tripped_ms[-$group] + late + 1000)) || continue
        "$build/mayhem" resume ${group:+"$group"} --why 'looked at' --dir "$dir" --timeout 5s >>orders 2>&1 || continue
        unset "tripped_ms[-$group]"
        resumed=$((resumed + 1))
    done < <(store "SELECT '' || name FROM holds WHERE kind = 'trip'")
}

absolve() {
    local host
    while IFS= read -r host; do
        "$build/mayhem" absolve "$host" --why 'looked at' --dir "$dir" --timeout 5s >>orders 2>&1 && absolved=$((absolved + 1))
    done < <(store "SELECT host FROM places WHERE casualty AND NOT open AND since_ms < $(date +%s%3N) - 5000")
}

has_ended() {
    is_gone "$run_pid" || return 1
    wait "$run_pid" 2>/dev/null
    code=$?
    ((code < 2 || (code != 75 && code != 130)))
}

killed=0 resumed=0 absolved=0
end_ms=$(($(milliseconds) + limit * 1000))
go
until has_ended; do
    is_gone "$run_pid" && go
    (($(milliseconds) < end_ms)) || {
        not_ok "all is done in $limit s" "$(tail -n 20 $dir/log/run.log)" "$(cat orders)"
        break
    }
    sleep "0.$((RANDOM % 9 + 1))"
    if is_behind || ((killed < kills && RANDOM % 5 < 2)); then disturb; fi
    resume
    absolve
done
for name in "${!counts[@]}"; do
    said+=" $name ${counts[$name]}"
done
matches "it ends by itself; killed or stopped: ${said:-} , resumed $resumed, absolved $absolved" '^[01]$' "$code"
check "there were so many kills and stops: $killed of $kills" test $((2 * killed)) -ge "$kills"
audit "policy" "$host_count"

# ---- the judge

most_starts=rate=$(((rate_span * 1000 + late) * rate / 1000))/$((rate_span * 1000))
"$build/mayhem" audit verify --dir "$dir" >verified
equal "the audit is intact" 0 "$?"
equal "each job has one outcome there, and nothing begins behind it" "$host_count 0" "$(store "
    SELECT (SELECT count(DISTINCT job) FROM audit WHERE action = 'ended') || ' ' || count(*)
    FROM audit AS one JOIN audit AS other ON other.job = one.job AND other.seq > one.seq
    WHERE one.action = 'ended'")"
sqlite3 "$dir/mayhem.db" ".backup 'record.db'"
judge_audit record.db "$most_starts" >found
code=$?
equal "the judge finds nothing in it: $(tail -n 1 found)" "0 " "$code $(head -n -1 found)"
cp judged.txt sound.txt

# ---- what is planted in a copy is found ------------------------------------------------------------

# Room for rows between two, and each begin by itself.
room="UPDATE audit SET seq = -10 * seq; UPDATE audit SET seq = -seq;
    CREATE TEMP TABLE at AS SELECT seq, time_ms, host, ',' || grp || ',' AS groups,
        count(*) OVER (PARTITION BY job) AS begins FROM audit WHERE action = 'begun';
    CREATE TEMP TABLE half AS SELECT seq, time_ms, host FROM at
        WHERE begins = 1 AND groups LIKE '%,web,%' AND host IN (SELECT host FROM audit WHERE outcome = 'restarted')
        ORDER BY seq LIMIT 1 OFFSET (SELECT count(*) / 4 FROM at WHERE groups LIKE '%,web,%');"
into="INSERT INTO audit (seq, time_ms, actor, action, run, host, grp, reason, ids, until_ms, job, hash)"

# plant NAME RULE SQL
plant() {
    cp record.db planted.db
    sqlite3 planted.db "$room $3" >planted 2>&1 || not_ok "$1: sqlite3 does it" "$(cat planted)"
    judge_audit planted.db "$most_starts" >found
    equal "planted: $1: exit 1" 1 "$?"
    check "planted: $1: it is found" grep -q ": $2: host" found.txt
}

# The last begin of a host in the group that began once, moved to right behind that row.
move() {
    printf '%s' "CREATE TEMP TABLE moved AS SELECT (SELECT max(seq) FROM at
            WHERE groups LIKE '%,$1,%' AND begins = 1) AS old, seq, time_ms FROM at WHERE $2;
        UPDATE audit SET (seq, time_ms) = (SELECT seq + 5, time_ms FROM moved)
            WHERE seq = (SELECT old FROM moved);"
}

# full GROUP CAP: the row at which so many hosts of the group have places.
full() {
    awk -v group=",$1," -v cap="$2" '
        $2 == "host" && index("," $4 ",", group) { is_in[$3] = 1 }
        $2 == "start" && is_in[$3] && !has[$3] {
            has[$3] = 1
            if (++places < cap) next
            printf "host = \047%s\047 AND time_ms = %s", $3, $1
            exit
        }
        $2 ~ /^(end|return)$/ && has[$3] { delete has[$3]; places-- }' sound.txt
}

plant "a start in a full cap" cap "$(move web "$(full web "$web_cap")")"
plant "a start beyond a step of the ramp" ramp \
    "$(move edge "groups LIKE '%,edge,%' ORDER BY seq LIMIT 1")"
plant "a start right behind a trip" trip "$into SELECT seq - 5, time_ms, 'x', 'trip', 0, NULL, 'web', '', '',
    NULL, NULL, x'' FROM half;"
plant "a start right behind a halt" halt "$into SELECT seq - 5, time_ms, 'x', 'halt', 0, NULL, NULL, '', '', NULL,
    NULL, x'' FROM half;"
plant "a start of a denied host" deny "$into SELECT 5, time_ms - 600000, 'x', 'deny', 0, host, NULL, '',
        '', 0, NULL, x'' FROM half;
    UPDATE audit SET time_ms = time_ms - 600000 WHERE seq < 5;"
plant "no trip though there are dead" breaker "UPDATE audit SET outcome = 'dead' WHERE seq IN (SELECT
        seq FROM audit WHERE action = 'ended' AND ',' || grp || ',' LIKE '%,us,%' ORDER BY seq LIMIT 4);
    DELETE FROM audit WHERE action IN ('trip', 'resume');"
plant "casualties that are not counted" max-unavailable "UPDATE audit SET casualty = 1 WHERE seq IN
        (SELECT seq FROM audit WHERE action = 'ended' AND ',' || grp || ',' LIKE '%,eu,%'
        ORDER BY seq LIMIT $(($(hosts_in eu) * 6 / 100)));
    DELETE FROM audit WHERE action = 'absolve';"
((attempts == 1)) ||
    plant "attempts that have no end" 'two places' "DELETE FROM audit WHERE action = 'over';"
plant "more starts than the rate" rate 'UPDATE audit SET time_ms = time_ms / 64;'
plant "a bake cut short" ramp 'UPDATE audit SET time_ms = time_ms / 64;'
plant "a host begins twice at once" 'two places' "$into SELECT seq + 1, time_ms, actor, action, run, host,
    grp, reason, ids, until_ms, x'01', hash FROM audit
    WHERE seq = (SELECT max(seq) FROM at WHERE begins = 1);"
check "nothing is left running" nothing_lives
[[ ! -v KEEP ]] || cp -r . "$KEEP" # to look at
