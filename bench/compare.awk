# What bench/compare.sh says of its pairs: lines of jobs/s old and new, CPU per job old and new. Ends
# with 1 when the lower end of the interval of jobs/s is below -v least=RATIO. With spread.awk.

function say(name, texts,    values, count, rank) {
    count = sorted(texts, values)
    rank = lower_rank(count)
    rank = rank > 0 ? rank : 1
    printf "%s: new by old, median %.3f, 95 %% interval %.3f to %.3f, %d pairs%s\n", name,
        median(values, count), values[rank], values[count - rank + 1], count,
        count < 6 ? " (too few: all of them)" : ""
    return values[rank]
}

{
    speed = speed " " $2 / $1
    cpu = cpu " " $4 / $3
}

END {
    say("CPU a job", cpu)
    exit say("jobs a second", speed) < least
}
