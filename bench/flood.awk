# The table of bench/flood.sh from its lines of key=value, one a run: a row for each kind of round,
# as min / median / max, and the ratio of jobs/s to the control's of the same round, as its median and
# a 95 % interval, or with fewer than six rounds all that there were. With spread.awk.

function texts(kind, key,    round, list) {
    for (round = 1; round <= rounds; round++)
        if ((kind, round, key) in all)
            list = list " " all[kind, round, key]
    return list
}

function spread(kind, key,    values, count) {
    count = sorted(texts(kind, key), values)
    if (count == 0)
        return "-"
    return sprintf("%.0f / %.0f / %.0f", values[1], median(values, count), values[count])
}

function middle(kind, key,    values, count) {
    count = sorted(texts(kind, key), values)
    return count == 0 ? "-" : sprintf("%.0f", median(values, count))
}

function ratio(kind,    round, list, values, count, rank) {
    for (round = 1; round <= rounds; round++)
        if ((kind, round, "jobs_per_s") in all && all["control", round, "jobs_per_s"] + 0 > 0)
            list = list " " all[kind, round, "jobs_per_s"] / all["control", round, "jobs_per_s"]
    count = sorted(list, values)
    if (count == 0)
        return "-"
    rank = lower_rank(count)
    return sprintf("%.2f (%.2f to %.2f)%s", median(values, count), values[rank > 0 ? rank : 1],
        values[count - (rank > 0 ? rank - 1 : 0)], rank > 0 ? "" : " all")
}

{
    split("", words)
    for (i = 1; i <= NF; i++) {
        at = index($i, "=")
        words[substr($i, 1, at - 1)] = substr($i, at + 1)
    }
    if (words["round"] > rounds)
        rounds = words["round"] + 0
    for (key in words)
        all[words["kind"], words["round"], key] = words[key]
}

END {
    count = split("quiet control open firewall", kinds, " ")
    printf "%-9s %-26s %-24s %-22s %-9s %s\n", "", "jobs/s min/median/max", "ratio to control",
        "a restarter joins, ms", "p99 ms", "consumer CPU ms"
    for (i = 1; i <= count; i++)
        printf "%-9s %-26s %-24s %-22s %-9s %s\n", kinds[i], spread(kinds[i], "jobs_per_s"),
            ratio(kinds[i]), spread(kinds[i], "join_ms"), middle(kinds[i], "p99_ms"),
            middle(kinds[i], "consumer_cpu_ms")
    printf "\n%-9s %-26s %-26s %-13s %-14s %-12s %s\n", "strangers", "tried/s (median)",
        "accepted/s", "served/s", "given up", "their CPU %", "lines: refused, lost, all WARN; exit"
    for (i = 2; i <= count; i++)
        printf "%-9s %-26s %-26s %-13s %-14s %-12s %s, %s, %s; %s\n", kinds[i],
            middle(kinds[i], "tried_per_s"), middle(kinds[i], "begun_per_s"),
            middle(kinds[i], "served_per_s"), middle(kinds[i], "given_up"),
            middle(kinds[i], "cpu_percent"), middle(kinds[i], "refused_lines"),
            middle(kinds[i], "lost_lines"), middle(kinds[i], "warn_lines"), spread(kinds[i], "exit")
}
