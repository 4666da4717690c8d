# What tests of runs with a policy share: the judge over the audit of a record. Sourced behind
# e2e_lib.sh. Such a test has the policy in policy.ini and the hosts in hosts.txt.
# shellcheck shell=bash disable=SC2154

late=3000 # ms: of the judge, see tests/judge/judge.h

# hosts_in GROUP: how many; "-": all.
hosts_in() {
    if [[ $1 == - ]]; then lines_in hosts.txt; else grep -cE "[=,]$1(,|\$)" hosts.txt; fi
}

# The policy and the hosts, as the judge reads them. Times of the policy are in seconds here.
judged_policy() {
    local group
    awk -F ' *= *' '
        /^\[run\]/ { group = "-" }
        /^\[group / { group = substr($0, 8, length($0) - 8) }
        $1 == "at-once" { print group, "cap=" $2 }
        $1 ~ /^(cap|max-unavailable|ramp)$/ { print group, $1 "=" $2 }
        $1 == "breaker" { gsub(/,/, " breaker=", $2); print group, "breaker=" $2 }
        $1 ~ /^(bake|last-start)$/ { print group, $1 "=" 1000 * $2 }
        group && !seen[group]++ { print group }' policy.ini >limits
    while read -r group; do
        printf '0 limit %s hosts=%s\n' "$group" "$(hosts_in "$group")"
    done < <(cut -d ' ' -f 1 limits | sort -u)
    sed -n 's/^\([^ ]*\) \(.*\)/0 limit \1 \2/p' limits
    printf '0 limit - permit=1500 late=%s%s\n' "$late" "${1:+ $1}"
    sed 's/ groups=/ /; s/^/0 host /' hosts.txt
}

# judge_audit FILE [LIMIT]: what the judge finds in the audit of this record, and its last line;
# fails when it finds something. LIMIT: a further one of the whole run.
judge_audit() {
    { judged_policy "${2:-}" &&
        sqlite3 -readonly "$1" <"$root/tests/judge/audit.sql"; } >judged.txt
    "$build/tests/judge" judged.txt >found.txt 2>&1
    code=$?
    tail -n 20 found.txt
    return "$code"
}

# kill -9 of the run in $dir, the supervisor first, by pid.
kill_everything() {
    local pid pids file
    pids=("$run_pid")
    for file in "$dir"/*.pid; do
        { read -r pid <"$file"; } 2>/dev/null || continue
        tr '\0' ' ' 2>/dev/null <"/proc/$pid/cmdline" | grep -q 'mayhem' && pids+=("$pid")
    done
    kill -KILL "${pids[@]}" 2>/dev/null
    wait "$run_pid" 2>/dev/null
    for pid in "${pids[@]}"; do
        wait_until 10 is_gone "$pid" || not_ok "behind kill -9 it is gone" "$pid"
    done
}
