#!/usr/bin/env bash
# Each header of a folder compiles alone, with the include paths of that folder.
# headers.sh 'COMPILE COMMAND' FOLDER [HEADER THAT IS LEFT OUT]...
set -u
compile=$1 folder=$2 status=0
shift 2
left_out=" $* "
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for header in "$folder"/*.h; do
    [[ -e $header && $left_out != *" $header "* ]] || continue
    printf '#include "%s"\n' "$(basename "$header")" >"$work/alone.c"
    if $compile -Wno-unused -c -o "$work/alone.o" "$work/alone.c" 2>"$work/errors"; then
        echo "PASS header: $header"
    else
        cat "$work/errors"
        echo "FAIL header: $header"
        status=1
    fi
done
exit $status
