#!/bin/sh
# Says how much of the given sources a fuzz target reaches with its inputs, those in the tree and those that
# `make fuzz` has found: tests/fuzz/fuzz_coverage.sh BUILD TARGET SOURCE...
set -eu
build=$1 target=$2
shift 2
program=$build/fuzz-coverage/tests/fuzz_replay_$target
inputs=$build/fuzz-coverage/inputs-$target
rm -rf "$inputs"
mkdir -p "$inputs"
for folder in "tests/corpus/$target" "$build/fuzz/corpus/$target"; do
    if [ -d "$folder" ]; then
        find "$folder" -type f -exec cp {} "$inputs" \;
    fi
done
LLVM_PROFILE_FILE=$inputs.profraw "$program" "$target" "$inputs"
llvm-profdata merge -sparse "$inputs.profraw" -o "$inputs.profdata"
llvm-cov report "$program" -instr-profile="$inputs.profdata" -show-region-summary=false "$@"
