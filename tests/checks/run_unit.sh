#!/usr/bin/env bash
# Runs one cmocka program and prints PASS or FAIL for each of its tests; the output of failed ones is
# shown. MEMCHECK is a command to run it under. run_unit.sh PROGRAM
set -u
name=$(basename "$1")
read -ra memcheck <<<"${MEMCHECK:-}"
output=$(CMOCKA_MESSAGE_OUTPUT=STDOUT timeout -k 5 120 "${memcheck[@]}" "$1" 2>&1 </dev/null)
status=$?
passed=$(grep -c '^\[       OK \]' <<<"$output")
sed -n "s/^\[       OK \] \(.*\)/PASS $name: \1/p" <<<"$output"
if ((status == 0 && passed > 0)); then
    exit 0
fi
grep -v '^\[       OK \]' <<<"$output"
mapfile -t failed < <(sed -n 's/^\[  FAILED  \] \([a-z].*\)$/\1/p' <<<"$output" | sort -u)
if ((${#failed[@]})); then
    printf "FAIL $name: %s\n" "${failed[@]}"
else
    echo "FAIL $name: ended with status $status, $passed tests passed"
fi
exit 1
