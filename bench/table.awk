# The table of `make bench` from its results: lines of key=value, one a run. A figure is shown as
# min / median / max; a ratio is that of the two runs of a round, shown as its median and a 95 %
# interval, or with fewer than six rounds all that there were. With -v medians=1 it prints one
# median a line instead, for the charts: CASE VARIANT SIDE KEY VALUE. With spread.awk.

# "min / median / max" of the values of texts like "0.5 0.4 0.7"; a number reads like 28140 or 3.21.
function spread(texts,    values, count) {
    count = sorted(texts, values)
    if (count == 0)
        return ""
    return number(values[1]) " / " number(median(values, count)) " / " number(values[count])
}

# "0.41 (0.38 to 0.43)"
function interval(texts,    values, count, rank) {
    count = sorted(texts, values)
    if (count == 0)
        return ""
    rank = lower_rank(count)
    return number(median(values, count)) " (" number(values[rank > 0 ? rank : 1]) " to " \
        number(values[count - (rank > 0 ? rank - 1 : 0)]) ")" (rank > 0 ? "" : " all")
}

function number(value) {
    if (value >= 100)
        return sprintf("%.0f", value)
    return sprintf(value >= 10 ? "%.1f" : "%.2f", value)
}

# All values of a side in order of rounds, times `factor`; and their ratios to the other side's.
function collect(place, side, key, factor,    round, texts) {
    for (round = 1; round <= rounds; round++)
        if ((place, round, side, key) in all)
            texts = texts " " all[place, round, side, key] * factor
    return texts
}

function ratios(place, other_place, other, key,    round, texts) {
    for (round = 1; round <= rounds; round++)
        if ((place, round, "pipeline", key) in all && all[other_place, round, other, key] + 0 > 0)
            texts = texts " " all[place, round, "pipeline", key] / all[other_place, round, other, key]
    return texts
}

function row(place, title, key, factor,    other, ours) {
    ours = collect(place, "pipeline", key, factor)
    if (ours == "")
        return
    other = place ~ /^(peers|commands) / ? "peer" : "skeleton"
    printf "%-27s %-22s %-27s %-27s %s\n", place, title, spread(ours),
        spread(collect(place, other, key, factor)), interval(ratios(place, place, other, key))
}

# Of two pipelines: that of a place beside that of another one in the same round.
function beside(place, other, title, key, factor,    part, name) {
    split(other, part, " ")
    name = place " : " part[2]
    if (collect(place, "pipeline", key, 1) != "" && collect(other, "pipeline", key, 1) != "")
        printf "%-27s %-22s %-27s %-27s %s\n", name, title,
            spread(collect(place, "pipeline", key, factor)),
            spread(collect(other, "pipeline", key, factor)),
            interval(ratios(place, other, "pipeline", key))
}

function processes_beside(place, other,    i, names) {
    split("publisher consumer saver restarter", names, " ")
    for (i = 1; i <= 4; i++)
        beside(place, other, "CPU us/job " names[i] (i == 4 ? "s" : ""), "cpu_" names[i], 1)
}

# What keys cost: the pipeline with them beside each without.
function transports(    i, others) {
    split("ipc tcp", others, " ")
    for (i = 1; i <= 2; i++) {
        beside("transport curve", "transport " others[i], "jobs/s", "jobs_per_s", 1)
        beside("transport curve", "transport " others[i], "CPU us/job", "cpu_us_per_job", 1)
        processes_beside("transport curve", "transport " others[i])
    }
    for (i = 1; i <= 2; i++) {
        beside("paced-transport curve", "paced-transport " others[i], "job time p50 ms", "p50_us",
            0.001)
        beside("paced-transport curve", "paced-transport " others[i], "job time p99 ms", "p99_us",
            0.001)
        beside("paced-transport curve", "paced-transport " others[i], "CPU us/job",
            "cpu_us_per_job", 1)
    }
}

# What a record in PostgreSQL costs: each pipeline with it beside the one with a file.
function stores(    i, others, here, file) {
    split("local standby", others, " ")
    for (i = 1; i <= 2; i++) {
        here = "store " others[i]
        file = "store sqlite"
        beside(here, file, "jobs/s", "jobs_per_s", 1)
        beside(here, file, "CPU us/job", "cpu_us_per_job", 1)
        processes_beside(here, file)
        single(here, "CPU us/job primary", "pipeline", "cpu_primary", 1)
        single(here, "CPU us/job standby", "pipeline", "cpu_standby", 1)
        beside("paced-" here, "paced-" file, "job time p50 ms", "p50_us", 0.001)
        beside("paced-" here, "paced-" file, "job time p99 ms", "p99_us", 0.001)
        beside("paced-" here, "paced-" file, "CPU us/job", "cpu_us_per_job", 1)
        single("paced-" here, "CPU us/job servers", "pipeline", "cpu_us_servers", 1)
    }
}

# A figure that stands for itself.
function single(place, title, side, key, factor,    texts) {
    texts = spread(collect(place, side, key, factor))
    if (texts != "")
        printf "%-27s %-22s %s\n", place, title, texts
}

function processes(place, title, prefix, factor) {
    row(place, title " publisher", prefix "publisher", factor)
    row(place, title " consumer", prefix "consumer", factor)
    row(place, title " saver", prefix "saver", factor)
    row(place, title " restarters", prefix "restarter", factor)
}

function paced(place) {
    row(place, "job time p50 ms", "p50_us", 0.001)
    row(place, "job time p99 ms", "p99_us", 0.001)
    row(place, "job time p99.9 ms", "p999_us", 0.001)
    single(place, "disk alone p50 ms", "floor", "job_p50_us", 0.001)
    single(place, "disk alone p99.9 ms", "floor", "job_p999_us", 0.001)
    single(place, "line to start p50 ms", "fed", "start_p50_us", 0.001)
    single(place, "line to start p99 ms", "fed", "start_p99_us", 0.001)
    row(place, "CPU us/job", "cpu_us_per_job", 1)
    disk(place)
}

function lowload(place,    i) {
    row(place, "switches/job", "context_switches", 1)
    row(place, "system calls/job", "calls", 1)
    for (i = 1; i <= key_count; i++)
        if (keys[i] ~ /^calls_/ && all[place, 1, "pipeline", keys[i]] >= 0.01)
            row(place, "  " substr(keys[i], 7), keys[i], 1)
}

function misses(place) {
    row(place, "cache misses/job", "cache_misses", 1)
    row(place, "instructions/job", "instructions", 1)
}

function disk(place) {
    single(place, "fdatasync p50 ms", "disk", "p50_us", 0.001)
    single(place, "fdatasync p99 ms", "disk", "p99_us", 0.001)
}

function slots(place) {
    single(place, "kB PSS/slot", "pipeline", "pss_kb_per_slot", 1)
    single(place, "restarter kB before", "pipeline", "restarter_before_kb", 1)
    single(place, "restarter kB", "pipeline", "restarter_kb", 1)
    single(place, "spawner kB before", "pipeline", "spawner_before_kb", 1)
    single(place, "spawner kB", "pipeline", "spawner_kb", 1)
}

function fast(place) {
    row(place, "jobs/s", "jobs_per_s", 1)
    row(place, "CPU us/job", "cpu_us_per_job", 1)
    row(place, "commands/s", "commands_per_s", 1)
    row(place, "CPU ms/command", "cpu_ms", 1)
    if (place ~ /^slots /)
        slots(place)
    if (place ~ /^peers /) {
        single(place, "CPU us/job its server", "peer", "cpu_server", 1)
        single(place, "jobs of the peer", "peer", "jobs", 1)
    }
    if (place ~ /^transport /)
        processes(place, "CPU us/job", "cpu_", 1)
    if (place ~ /^throughput /) {
        processes(place, "CPU us/job", "cpu_", 1)
        disk(place)
    }
    if (place ~ /^(throughput|inflight) /)
        processes(place, "peak MB", "rss_kb_", 1 / 1024)
    if (place ~ /^sustained /) {
        row(place, "longest pause ms", "longest_pause_us", 0.001)
        row(place, "pauses of 20 ms", "long_pauses", 1)
        printf "%-27s %-22s %s\n", place, "long ones, at s:ms", all[place, 1, "pipeline", "pauses"]
        row(place, "job time max ms", "max_us", 0.001)
        disk(place)
    }
    if (place ~ /^million /)
        single(place, "peak MB publisher", "pipeline", "rss_kb_publisher", 1 / 1024)
    if (place ~ /^(growth-)?backlog /) {
        row(place, "filled jobs/s", "fill_jobs_per_s", 1)
        row(place, "drained jobs/s", "drain_jobs_per_s", 1)
        row(place, "drain CPU us/job", "drain_cpu_us_per_job", 1)
        row(place, "peak MB publisher", "rss_kb_publisher", 1 / 1024)
    }
}

# The consumer's memory for one job more.
function in_flight(    few, many, bytes) {
    few = all["inflight 10000", 1, "pipeline", "rss_kb_consumer"]
    many = all["inflight 100000", 1, "pipeline", "rss_kb_consumer"]
    if (few > 0 && many > 0) {
        bytes = (many - few) * 1024 / 90000
        printf "%-27s %-22s %.0f\n", "inflight", "consumer bytes/job", bytes
    }
}

function print_medians(    slot, part, done, values, count) {
    for (slot in all) {
        split(slot, part, SUBSEP)
        if (part[4] ~ /^(case|variant|round|side)$/ || (part[1], part[3], part[4]) in done)
            continue
        done[part[1], part[3], part[4]] = 1
        count = sorted(collect(part[1], part[3], part[4], 1), values)
        print part[1], part[3], part[4], median(values, count)
    }
}

{
    split("", words)
    for (i = 1; i <= NF; i++) {
        at = index($i, "=")
        key = substr($i, 1, at - 1)
        words[key] = substr($i, at + 1)
        if (!(key in known)) {
            known[key] = 1
            keys[++key_count] = key
        }
    }
    place = words["case"] " " words["variant"]
    if (!(place in seen)) {
        seen[place] = 1
        places[++count] = place
    }
    if (words["round"] > rounds)
        rounds = words["round"]
    # Of two lines of a side in one round (the disk, before and after) the mean counts.
    for (key in words) {
        slot = place SUBSEP words["round"] SUBSEP words["side"] SUBSEP key
        if (slot in all)
            all[slot] = (all[slot] + words[key]) / 2
        else
            all[slot] = words[key]
    }
}

END {
    if (medians) {
        print_medians()
        exit
    }
    printf "%-27s %-22s %-27s %-27s %s\n", "case", "min / median / max of", "pipeline",
        "skeleton (or peer)", "ratio (95 % interval)"
    for (i = 1; i <= count; i++) {
        if (places[i] ~ /^(paced-)?store /)
            continue
        if (places[i] ~ /^(latency|paced-transport) /)
            paced(places[i])
        else if (places[i] ~ /^lowload /)
            lowload(places[i])
        else if (places[i] ~ /^misses /)
            misses(places[i])
        else
            fast(places[i])
    }
    in_flight()
    transports()
    stores()
}
