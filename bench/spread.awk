# Functions for bench/table.awk and bench/compare.awk: the spread of some figures, given as a text
# like "0.5 0.4 0.7".

# Fills values[1..count], the smallest first.
function sorted(texts, values,    count, i, j, swap) {
    count = split(texts, values, " ")
    for (i = 2; i <= count; i++)
        for (j = i; j > 1 && values[j - 1] + 0 > values[j] + 0; j--) {
            swap = values[j]; values[j] = values[j - 1]; values[j - 1] = swap
        }
    return count
}

function median(values, count) {
    return (values[int((count + 1) / 2)] + values[int(count / 2) + 1]) / 2
}

# The rank of the value that is the lower end of a 95 % interval for the median, by order
# statistics, which assume nothing about the distribution: the median is below it with a chance of
# 2.5 % at most, as with so few heads of `count` coins. The upper end has the same rank from above.
# 0: fewer than six values have no such interval.
function lower_rank(count,    rank, chance, sum) {
    chance = 0.5 ^ count
    for (sum = chance; sum <= 0.025; sum += chance) {
        rank++
        chance *= (count - rank + 1) / rank
    }
    return rank + 0
}
