#!/usr/bin/env bash
# Each header compiles alone, and sees only its own folder and common/.
# check_headers.sh 'COMPILE COMMAND' FOLDER...
set -u
compile=$1
shift
status=0
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
for part in "$@"; do
    for header in "$part"/*.h; do
        printf '#include "%s"\n' "$(basename "$header")" >"$folder/alone.c"
        if $compile -I"$part" -Wno-unused -c -o "$folder/alone.o" "$folder/alone.c" 2>"$folder/errors"; then
            echo "PASS header: $header"
        else
            cat "$folder/errors"
            echo "FAIL header: $header"
            status=1
        fi
    done
done
exit $status
