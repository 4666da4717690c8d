#!/usr/bin/env bash
# The simulator's own score: plants each bug of tests/plants/ in a copy of the sources and counts the
# seeds until an invariant breaks; those of an S-rule are for the supervisor's simulator. One that none
# of SEEDS seeds finds is covered by another rule: then the scenarios, and the unit tests named in the
# plant, have to see it.
#
#   sim_score.sh [PATTERN]     from `make sim-score`, which says how to compile and link (SCORE_...)
#
# A plant is a unified patch. Its first line is "# RULE: what it takes away"; "# tests: NAME..." names
# unit tests, "# sim: policy" asks for seeds with a policy, whose judge has to find it, "# sim: shared"
# for seeds with a record that two consumers share, and "# seeds: N" for more of them than SEEDS. Only
# the patched files are compiled; headers cannot be planted in. Ends with 1 when a plant is neither found nor seen, or does not apply.
set -u -o pipefail

seeds=${SEEDS:-3000}
pattern=${1:-*}
top=$PWD
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
tree=$work/tree
found=0 seen=0 failed=0

complain() {
    printf '%-46s %-4s %s\n' "$name" "${rule:-?}" "ERROR: $1"
    [[ -s $work/log ]] && head -n 20 "$work/log"
    failed=$((failed + 1))
    return 1
}

# A fresh copy of what the simulator is made of.
copy_sources() {
    rm -rf "$tree" "$work/objects"
    mkdir -p "$tree/tests" "$work/objects"
    cp -r common consumer publisher saver restarter supervisor ctl "$tree/"
    cp -r tests/sim tests/stage tests/trace tests/judge "$tree/tests/"
}

# Compiles the files that the plant has changed; the rest is taken from the build as it is.
compile_changed() {
    local file object
    changed=() replaced=() product=()
    while read -r file; do
        [[ $file == *.c ]] || { : >"$work/log"; complain "plants in $file, which is no .c file"; return 1; }
        object=$work/objects/$(basename "$file" .c).o
        if ! (cd "$tree" && eval "$SCORE_COMPILE -w $SCORE_INCLUDES -c -o $object $file") \
            >"$work/log" 2>&1; then
            complain "$file does not compile"
            return 1
        fi
        changed+=("$object")
        [[ $file == tests/* ]] || product+=("$object")
        replaced+=("$SCORE_BUILD/obj/${file%.c}.o")
    done < <(sed -n 's#^+++ b/\([^[:space:]]*\).*#\1#p' "$patch")
    ((${#changed[@]})) || { : >"$work/log"; complain "changes nothing"; return 1; }
}

# link_with OUTPUT OBJECT...: changed objects come before the archives with their former selves.
link_with() {
    local output=$1
    shift
    eval "$SCORE_LINK -o $output $* $SCORE_LIBRARIES -lcmocka" >"$work/log" 2>&1
}

rule_of() {
    sed -n '1s/^# \([^:]*\): .*/\1/p' "$1"
}

# The simulator that checks a rule, and what it is made of.
simulator_of() {
    case $1 in
    S*) simulator=sim_supervisor simulator_objects=$SCORE_SUPERVISOR_OBJECTS ;;
    *) simulator=sim simulator_objects=$SCORE_OBJECTS ;;
    esac
}

link_simulator() {
    local objects=() object
    for object in $simulator_objects; do
        [[ " ${replaced[*]} " == *" $object "* ]] || objects+=("$object")
    done
    link_with "$work/$simulator" "${changed[@]}" "${objects[@]}"
}

# What the simulator says is wrong: the invariant, or the assertion that ended it.
by_what() {
    sed -n -e 's/^seed [0-9]*, .*step [0-9]*: \(.*\) violated: .*/\1/p' \
        -e 's/^seed [0-9]*, at [0-9]* ms: \(.*\) violated: .*/\1/p' \
        -e 's/^[^ ]*: \([a-z_/]*\.c\):[0-9]*: \([a-z_0-9]*\): Assertion.*/assertion in \1, \2()/p' \
        "$1" | tail -n 1
}

# failing_tests TEST...: those that fail with the changed objects in them.
failing_tests() {
    local test
    for test in "$@"; do
        if ! link_with "$work/$test" "${product[@]}" "$SCORE_BUILD"/obj/tests/unit/*/"$test.o"; then
            echo "$name: $test does not link" >&2
            continue
        fi
        tests/checks/run_unit.sh "$work/$test" | sed -n "s#^FAIL $test: #$test: #p"
    done | sed 's#^test_scenarios: \(.*\)\.txt$#scenario \1#' | sort
}

plant() {
    rule=$(rule_of "$patch")
    tests=$(sed -n 's/^# tests: //p' "$patch")
    if [[ -z $rule ]]; then
        : >"$work/log"
        complain 'the first line must be "# RULE: what it takes away"'
        return 1
    fi
    copy_sources
    if ! (cd "$tree" && patch -p1 -s -F0 --no-backup-if-mismatch) <"$patch" >"$work/log" 2>&1; then
        complain "the patch does not apply"
        return 1
    fi
    simulator_of "$rule"
    compile_changed || return 1
    link_simulator || { complain "does not link"; return 1; }
    local policy=() most
    grep -q '^# sim: policy$' "$patch" && policy=(-p)
    grep -q '^# sim: shared$' "$patch" && policy=(-S)
    most=$(sed -n 's/^# seeds: //p' "$patch")
    timeout -k 5 300 "$work/$simulator" "${policy[@]}" -c "${most:-$seeds}" -1 >"$work/output" 2>&1
    local status=$?
    if ((status == 1)) || grep -q '^found after' "$work/output"; then # or died, showing it
        printf '%-46s %-4s %6s  %s\n' "$name" "$rule" \
            "$(sed -n 's/^found after \([0-9]*\) seeds$/\1/p' "$work/output")" "$(by_what "$work/output")"
        found=$((found + 1))
    elif ((status == 0)); then
        local by=
        # The simulator's own files are in no other test; and what fails without the plant sees nothing.
        ((${#product[@]})) &&
            by=$(read -ra names <<<"$tests" && failing_tests test_scenarios "${names[@]}" | comm -23 - "$work/ill")
        if [[ -z $by ]]; then
            : >"$work/log"
            complain "not found in $seeds seeds, seen by no test"
            return 1
        fi
        local count first
        count=$(wc -l <<<"$by")
        first=$(head -n 1 <<<"$by")
        ((count > 1)) && first+=" and $((count - 1)) more"
        printf '%-46s %-4s %6s  not found in %s seeds; seen by: %s\n' "$name" "$rule" - "$seeds" "$first"
        seen=$((seen + 1))
    else
        cp "$work/output" "$work/log"
        complain "the simulator ended with $status"
    fi
}

command -v patch >/dev/null || { echo "sim-score needs the program patch: apt-get install patch" >&2; exit 69; }
began=$SECONDS
declare -A needed
for patch in tests/plants/$pattern.patch; do
    [[ -f $patch ]] || { echo "no plant is named $pattern" >&2; exit 64; }
    simulator_of "$(rule_of "$patch")"
    needed[$simulator]=1
done
for simulator in "${!needed[@]}"; do
    if ! "$SCORE_BUILD/tests/$simulator" -c "$seeds" -1 >"$work/output" 2>&1; then
        cat "$work/output"
        echo "the code breaks without any plant in it" >&2
        exit 1
    fi
done
if [[ -n ${needed[sim]:-} ]] && ! "$SCORE_BUILD/tests/sim" -p -c "$seeds" -1 >"$work/output" 2>&1; then
    cat "$work/output"
    echo "the code breaks without any plant in it, with a policy" >&2
    exit 1
fi
if [[ -n ${needed[sim]:-} ]] && ! "$SCORE_BUILD/tests/sim" -S -c "$seeds" -1 >"$work/output" 2>&1; then
    cat "$work/output"
    echo "the code breaks without any plant in it, with a shared record" >&2
    exit 1
fi
name=none
product=()
mapfile -t unit < <(sed -n 's/^# tests: //p' tests/plants/*.patch | tr ' ' '\n' | sort -u)
failing_tests test_scenarios "${unit[@]}" >"$work/ill"
sed 's/^/fails without any plant: /' "$work/ill"
printf '%-46s %-4s %6s  %s\n' plant rule seeds "found by"
printf '%-46s %-4s %6s  %s\n' "(none)" - - "nothing in $seeds seeds"
cd "$top" || exit 70
count=0
for patch in tests/plants/$pattern.patch; do
    patch=$top/$patch
    name=$(basename "$patch" .patch)
    plant
    count=$((count + 1))
done
printf '%d planted bugs: %d found, %d covered by another rule and seen by a test, %d neither; %d s\n' \
    "$count" "$found" "$seen" "$failed" $((SECONDS - began))
((failed == 0))
