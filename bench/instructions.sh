#!/usr/bin/env bash
# What a job costs in instructions, part by part: bench/instructions.c under callgrind, which counts and
# does not measure time. So a busy machine gives the same figures as an idle one.
#
#   instructions.sh check PROGRAM         compares with bench/instructions.txt; ends with PASS, FAIL or SKIP
#   instructions.sh record PROGRAM        writes the figures of now there
#   instructions.sh profile PROGRAM PART  the dearest functions in a part (gather, encode_*, ...)
#
# CC, FLAGS  the compiler and the flags that PROGRAM was built with beyond the project's own: figures of
#            another compiler are not compared
# MARGIN     how many percent dearer a part may be (5)
# TOP        how many functions a profile lists (10)
set -euo pipefail

jobs=6144
margin=${MARGIN:-5}
slack=5 # instructions that are free: 5 % of a small part is nothing
top=${TOP:-10}
recorded=$(dirname "$0")/instructions.txt
mode=$1 program=$2

# What the figures depend on, beside the source.
builder() {
    printf '%s, %s%s\n' "$(uname -m)" \
        "$(${CC:-cc} --version | sed 's/^[^ ]*cc[^ ]* //;1q')" "${FLAGS:+, $FLAGS}"
}

fail() {
    printf 'FAIL instructions: %s\n' "$1"
    exit 1
}

skip() {
    printf 'SKIP instructions: %s\n' "$1"
    exit 0
}

# The plainest memcpy of glibc on any machine, and nothing of the environment on the stack.
plain=-AVX,-AVX2,-AVX512F,-AVX512VL,-AVX512BW,-ERMS,-FSRM,-SSSE3,-SSE4_1,-SSE4_2,-BMI1,-BMI2,-LZCNT
plain+=,-MOVBE,-RTM,-AVX_Fast_Unaligned_Load,-Fast_Unaligned_Copy

# Runs the trace under callgrind with these options.
count() {
    timeout 120 env -i LC_ALL=C GLIBC_TUNABLES="glibc.cpu.hwcaps=$plain" \
        "$valgrind" -q --tool=callgrind --callgrind-out-file="$folder/out" "$@" \
        "$program" "$jobs" >"$folder/said" 2>&1 ||
        fail "the trace was not played to its end: $(tail -n 1 "$folder/said")"
}

# callgrind's file as lines "inclusive FUNCTION COST" for calls of part_*, and "self FUNCTION COST".
# Names are given once with a number, then by the number; the line behind calls= is the callee's.
read_costs() {
    awk '
    function name(names, text,    id) {
        id = text
        sub(/\).*/, "", id)
        if (text ~ /\) /) {
            sub(/^[^)]*\) /, "", text)
            names[id] = text
        }
        return names[id]
    }
    /^ob=/ { object = name(objects, substr($0, 4)); sub(/.*\//, "", object); next }
    /^fn=/ {
        current = name(functions, substr($0, 4))
        if (current ~ /^0x/) current = object ":" current # without symbols
        next
    }
    /^cfn=/ { callee = name(functions, substr($0, 5)); next }
    /^calls=/ { getline; if (callee ~ /^part_/) inclusive[callee] += $2; next }
    /^[0-9+*-]/ { self[current] += $2 }
    END {
        for (each in inclusive) print "inclusive", each, inclusive[each]
        for (each in self) print "self", each, self[each]
    }' "$folder/out"
}

# "NAME INSTRUCTIONS-PER-JOB" for each part, and for all but the log.
read_parts() {
    read_costs | awk -v jobs="$jobs" '
    $1 == "inclusive" { printf "%s %.1f\n", substr($2, length("part_") + 1), $3 / jobs }' | sort |
        awk '{ print; if ($1 !~ /^log_/) all += $2 } END { printf "all %.1f\n", all }'
}

compare() {
    awk -v margin="$margin" -v slack="$slack" '
    NR == FNR { if ($0 !~ /^#/) before[$1] = $2; next }
    FNR == 1 { printf "%-20s %12s %12s %8s\n", "part", "instructions", "recorded", "ratio" }
    {
        seen[$1] = 1
        if (!($1 in before)) {
            printf "%-20s %12.1f %12s\n", $1, $2, "-"
            bad = bad ? bad : $1 " is not on record: record it with make instructions-record"
            next
        }
        printf "%-20s %12.1f %12.1f %8.3f\n", $1, $2, before[$1], $2 / before[$1]
        more = 100 * ($2 / before[$1] - 1)
        if (more > worst) worst = more
        if (more > margin && $2 - before[$1] > slack && more > dearest) {
            dearest = more
            bad = sprintf("%s has %.1f per job, recorded %.1f (%+.1f %%): mend it, or record it " \
                          "with make instructions-record", $1, $2, before[$1], more)
        }
        if (-more > margin && before[$1] - $2 > slack) cheaper = cheaper " " $1
    }
    END {
        for (each in before)
            if (!(each in seen))
                bad = each " is on record, but was not called: make instructions-record"
        if (bad) {
            print "FAIL instructions: " bad
            exit 1
        }
        if (cheaper)
            print "cheaper than recorded (make instructions-record keeps it so):" cheaper
        printf "PASS instructions: no part is more than %g %% above its record (most: %+.1f %%)\n",
               margin, worst
    }' "$recorded" -
}

[[ ${FLAGS:-} != *-fsanitize* ]] || skip 'sanitizers are not counted'
valgrind=$(command -v valgrind) || skip 'valgrind is not installed (apt-get install valgrind)'
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

case $mode in
check)
    [[ -f $recorded ]] || fail "there is no $recorded: make instructions-record"
    [[ "# $(builder)" == "$(sed -n 1p "$recorded")" ]] ||
        skip "the record is of $(sed -n '1s/^# //p' "$recorded"), this is $(builder)"
    count --toggle-collect=play_measured
    read_parts | compare
    ;;
record)
    count --toggle-collect=play_measured
    {
        echo "# $(builder)"
        echo '# instructions per job, by make instructions-record; all: without the log'
        read_parts
    } >"$folder/recorded"
    cp "$folder/recorded" "$recorded"
    cat "$recorded"
    ;;
profile)
    count --zero-before=play_measured --toggle-collect="part_$3"
    read_costs | awk -v jobs="$jobs" -v part="part_$3" '
    $1 == "self" { printf "%10.1f %s\n", $3 / jobs, $2; all += $3 }
    END { printf "%10.1f %s in all\n", all / jobs, part }' | sort -rn | head -n $((top + 1))
    ;;
esac
