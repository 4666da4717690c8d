#!/usr/bin/env bash
# What a job costs in instructions, or in cache misses, part by part: bench/instructions.c under
# callgrind, which counts and does not measure time. So a busy machine gives the same figures as an
# idle one.
#
#   instructions.sh WHAT check PROGRAM         compares with bench/WHAT.txt; ends with PASS, FAIL or SKIP
#   instructions.sh WHAT record PROGRAM        writes the figures of now there
#   instructions.sh WHAT profile PROGRAM PART  the dearest functions in a part (gather, encode_*, ...)
#
# WHAT       instructions, of some thousand jobs from the first to the last; or
#            cachemisses, in the midst of a window that is full, with a real store: what callgrind's
#            model of a cache misses. That is always the same one, so that no figure depends on the
#            machine: 32 KiB, and behind it 1 MiB, in 8 and 16 ways and lines of 64 bytes. A core
#            has about so much for itself. It holds less than a window of 10,000 jobs needs, so a
#            miss is an access that goes to a shared cache or to memory. Addresses are virtual
#            ones, nothing is fetched ahead, and what the kernel does is not counted
# CC, FLAGS  the compiler and the flags that PROGRAM was built with beyond the project's own: figures of
#            another compiler are not compared
# MARGIN     how many percent dearer a part may be (5)
# TOP        how many functions a profile lists (10)
# WINDOW     of cachemisses, for a profile: how many jobs are in flight (100000)
set -euo pipefail

what=$1 mode=$2 program=$3 part=${4:-}
margin=${MARGIN:-5}
top=${TOP:-10}
recorded=$(dirname "$0")/$what.txt
case $what in
instructions) slack=5 ;; # so many are free: 5 % of a small part is nothing
cachemisses) slack=0.3 ;;
esac

# What the figures depend on, beside the source.
builder() {
    local store=''
    [[ $what != cachemisses ]] || store=", SQLite $(pkg-config --modversion sqlite3)"
    printf '%s, %s%s%s\n' "$(uname -m)" \
        "$(${CC:-cc} --version | sed 's/^[^ ]*cc[^ ]* //;1q')" "$store" "${FLAGS:+, $FLAGS}"
}

fail() {
    printf 'FAIL %s: %s\n' "$what" "$1"
    exit 1
}

skip() {
    printf 'SKIP %s: %s\n' "$what" "$1"
    exit 0
}

# The plainest memcpy of glibc on any machine, and nothing of the environment on the stack.
plain=-AVX,-AVX2,-AVX512F,-AVX512VL,-AVX512BW,-ERMS,-FSRM,-SSSE3,-SSE4_1,-SSE4_2,-BMI1,-BMI2,-LZCNT
plain+=,-MOVBE,-RTM,-AVX_Fast_Unaligned_Load,-Fast_Unaligned_Copy

# count WINDOW OPTION...: the trace under callgrind with these options; sets `jobs` to how many count.
# WINDOW 0: from the first job to the last.
count() {
    local window=$1 trace=(6144)
    shift
    if ((window > 0)); then
        rm -rf "$folder/store" && mkdir "$folder/store"
        trace=(-w "$window" "$folder/store")
        set -- --cache-sim=yes --I1=32768,8,64 --D1=32768,8,64 --LL=1048576,16,64 --instr-atstart=no "$@"
    fi
    timeout 300 env -i LC_ALL=C GLIBC_TUNABLES="glibc.cpu.hwcaps=$plain" \
        "$valgrind" -q --tool=callgrind --callgrind-out-file="$folder/out" "$@" \
        "$program" "${trace[@]}" >"$folder/said" 2>"$folder/errors" ||
        fail "the trace was not played to its end: $(cat "$folder/said" "$folder/errors" | tail -n 1)"
    jobs=$(sed -n 's/^\([0-9]*\) jobs .*/\1/p' "$folder/said")
}

# callgrind's file as lines "inclusive FUNCTION COST" for calls of part_*, and "self FUNCTION COST".
# Behind a line's number are Ir Dr Dw I1mr D1mr D1mw ILmr DLmr DLmw; only Ir without the model.
# Names are given once with a number, then by the number; the line behind calls= is the callee's.
read_costs() {
    awk -v what="$what" '
    function cost() { return what == "cachemisses" ? $8 + $9 + $10 : $2 }
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
    /^calls=/ { getline; if (callee ~ /^part_/) inclusive[callee] += cost(); next }
    /^[0-9+*-]/ { self[current] += cost() }
    END {
        for (each in inclusive) print "inclusive", each, inclusive[each]
        for (each in self) print "self", each, self[each]
    }' "$folder/out"
}

# "NAME COST-OF-A-JOB" for each part, and for all but the log; the names begin with $1.
read_parts() {
    read_costs | awk -v jobs="$jobs" '
    $1 == "inclusive" { printf "%s %.2f\n", substr($2, length("part_") + 1), $3 / jobs }' | sort |
        awk -v prefix="$1" '
            { print prefix $0; if ($1 !~ /^log_/) all += $2 }
            END { printf "%sall %.2f\n", prefix, all }'
}

measure() {
    if [[ $what == instructions ]]; then
        count 0 --toggle-collect=play_measured
        read_parts ''
        return
    fi
    local window
    for window in 10000 100000; do
        count "$window" --toggle-collect=play_window
        read_parts "$window-"
    done
}

compare() {
    awk -v what="$what" -v margin="$margin" -v slack="$slack" '
    NR == FNR { if ($0 !~ /^#/) before[$1] = $2; next }
    FNR == 1 { printf "%-20s %12s %12s %8s\n", "part", what, "recorded", "ratio" }
    {
        seen[$1] = 1
        if (!($1 in before)) {
            printf "%-20s %12.2f %12s\n", $1, $2, "-"
            bad = bad ? bad : $1 " is not on record: record it with make " what "-record"
            next
        }
        ratio = before[$1] > 0 ? $2 / before[$1] : 1 + $2
        printf "%-20s %12.2f %12.2f %8.3f\n", $1, $2, before[$1], ratio
        more = 100 * (ratio - 1)
        if (more > worst) worst = more
        if (more > margin && $2 - before[$1] > slack && more > dearest) {
            dearest = more
            bad = sprintf("%s has %.2f per job, recorded %.2f (%+.1f %%): mend it, or record it " \
                          "with make %s-record", $1, $2, before[$1], more, what)
        }
        if (-more > margin && before[$1] - $2 > slack) cheaper = cheaper " " $1
    }
    END {
        for (each in before)
            if (!(each in seen))
                bad = each " is on record, but was not called: make " what "-record"
        if (bad) {
            print "FAIL " what ": " bad
            exit 1
        }
        if (cheaper)
            print "cheaper than recorded (make " what "-record keeps it so):" cheaper
        printf "PASS %s: no part is more than %g %% above its record (most: %+.1f %%)\n", what,
               margin, worst
    }' "$recorded" -
}

[[ ${FLAGS:-} != *-fsanitize* ]] || skip 'sanitizers are not counted'
valgrind=$(command -v valgrind) || skip 'valgrind is not installed (apt-get install valgrind)'
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

case $mode in
check)
    [[ -f $recorded ]] || fail "there is no $recorded: make $what-record"
    [[ "# $(builder)" == "$(sed -n 1p "$recorded")" ]] ||
        skip "the record is of $(sed -n '1s/^# //p' "$recorded"), this is $(builder)"
    measure | compare
    ;;
record)
    {
        echo "# $(builder)"
        echo "# $what of a job, by make $what-record; all: without the log"
        measure
    } >"$folder/recorded"
    cp "$folder/recorded" "$recorded"
    cat "$recorded"
    ;;
profile)
    if [[ $what == instructions ]]; then
        count 0 --zero-before=play_measured --toggle-collect="part_$part"
    else
        count "${WINDOW:-100000}" --zero-before=play_window --toggle-collect="part_$part"
    fi
    read_costs | awk -v jobs="$jobs" -v part="part_$part" '
    $1 == "self" { printf "%10.2f %s\n", $3 / jobs, $2; all += $3 }
    END { printf "%10.2f %s in all\n", all / jobs, part }' | sort -rn | head -n $((top + 1))
    ;;
esac
