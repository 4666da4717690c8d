#!/usr/bin/env bash
# Each option of options.def stands in a table of docs/operations.md, those of `mayhem run` in its
# own section; and each option in those tables is one of that program's or of options.def.
# options.sh [ROOT]
set -u
cd "${1:-$(dirname "${BASH_SOURCE[0]}")/../..}" || exit 1
table=common/runtime/options/options.def
manual=docs/operations.md
status=0 count=0

complain() {
    printf 'FAIL options: %s\n' "$1"
    status=1
}

# "NAME PROGRAMS", one option a line.
options() {
    sed -nE 's/^MM_OPTION\(([^,]*), [^"]*"([a-z-]+)".*/\2 \1/p' "$table"
}

# The options in the first column of a section's tables. \x60 is a backtick.
rows() {
    awk -v heading="## $1" '/^## / { here = $0 == heading } here && /^\|/' "$manual" |
        sed 's/\\|//g' | cut -d '|' -f 2 | grep -oP '\x60--\K[a-z-]+' | sort -u
}

run=$(rows 'mayhem run') programs=$(rows 'Options of the programs')
while read -r name owners; do
    count=$((count + 1))
    if [[ " $owners " == *' RUN '* ]]; then
        grep -qxF -- "$name" <<<"$run" || complain "--$name has no row under 'mayhem run' in $manual"
    fi
    if [[ " $owners " =~ ' '(P|C|S|R|ALL)' ' ]]; then
        grep -qxF -- "$name" <<<"$programs" ||
            complain "--$name has no row under 'Options of the programs' in $manual"
    fi
done < <(options)
((count)) || complain "no option was found in $table"
for name in $run; do
    options | grep -q "^$name .*RUN" || complain "$manual: mayhem run has no option --$name"
done
for name in $programs; do
    options | grep -q "^$name " || complain "$manual: no program has an option --$name"
done
((status)) || printf 'PASS options: %d options have their rows in %s\n' "$count" "$manual"
exit $status
