#!/usr/bin/env bash
# Prints the branch coverage of the named sources after a build with --coverage was run.
# coverage.sh BUILD SOURCE...    (common/base/heap for common/base/heap.c)
set -u
build=$1
shift
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
home=$PWD
for source in "$@"; do
    (cd "$folder" && gcov -b -o "$home/$build/$source.o" "$home/$source.c" 2>/dev/null) |
        awk -v name="$source" -v want="$source.c" '
            /^File/ { mine = index($0, want) > 0 }
            mine && /^Lines executed/ { lines = $2 }
            mine && /^Branches executed/ { branches = $2 }
            mine && /^Taken at least once/ { taken = $4 }
            END { sub("executed:", "", lines); sub("once:", "", taken)
                  printf "%-28s lines %-8s branches taken %s\n", name, lines, taken }'
done
