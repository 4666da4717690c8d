#!/usr/bin/env bash
# Proves that the include paths of the Makefile are the layers. For each folder, every header of the
# product that the folder may not see must be out of its reach, and every header of its own within.
#
#   base < wire < runtime < worker < programs      what is left of it, and itself
#   spawner, postgresql                            as the worker, but none sees another
#   schema                                         base, and itself
#   core/ of any folder                            base, wire, and itself
#   a program                                      all of common, and itself; never another program
#   supervisor                                     the consumer's core, too: `mayhem plan` asks it
#   ctl                                            supervisor, too: `mayhem` has both
#
# Each forbidden include is tried: the preprocessor looks for the header by the include paths of the
# folder. An include that names a path goes around them, and is refused, too.
# layers.sh COMPILER 'FOLDER=INCLUDE PATHS'...
set -u
read -ra compiler <<<"$1"
shift
status=0 forbidden=0

complain() {
    printf 'FAIL layers: %s\n' "$1"
    status=1
}

# The height of a folder's layer, in `rank`.
rank_of() {
    case $1 in
    common/base*) rank=1 ;;
    common/wire*) rank=2 ;;
    common/schema*) rank=3 ;;
    common/runtime*) rank=4 ;;
    common/worker* | common/spawner* | common/postgresql*) rank=5 ;;
    common/*) complain "$1 is in no layer: tests/checks/layers.sh has to know it" && rank=9 ;;
    *) rank=6 ;;
    esac
}

# may_see FOLDER OTHER: whether the headers of OTHER may be included in FOLDER.
may_see() {
    local own
    [[ $1 != "$2" ]] || return 0
    case $1 in
    supervisor) [[ $2 == consumer/core ]] && return ;;
    ctl) [[ $2 == supervisor ]] && return ;;
    common/schema) [[ $2 == common/base ]] && return ;;
    common/worker | common/spawner | common/postgresql)
        [[ $2 != "$1"/* ]] || return 0
        rank_of "$2"
        ((rank < 5))
        return
        ;;
    */core) [[ $2 == common/base || $2 == common/wire ]] && return ;;
    esac
    [[ $1 != common/schema && $1 != */core ]] || return 1
    rank_of "$1" && own=$rank
    rank_of "$2"
    ((rank < own)) || { ((rank == own)) && [[ ${1%%/*} == "${2%%/*}" ]]; }
}

around=$(grep -rnE '^ *# *include "[^"]*/' common publisher consumer saver restarter supervisor ctl \
    --include='*.[ch]')
[[ ! $around ]] || complain "an include that names a path goes around the include paths: $around"

folders=("${@%%=*}")
for argument in "$@"; do
    folder=${argument%%=*}
    source=""
    read -ra paths <<<"${argument#*=}"
    for other in "${folders[@]}"; do
        for header in "$other"/*.h; do
            [[ -e $header ]] || continue
            name=${header##*/}
            if may_see "$folder" "$other"; then
                [[ $folder == "$other" ]] || continue
                source+="#if !__has_include(\"$name\")"$'\n'"#error does not see its own $name"
            else
                source+="#if __has_include(\"$name\")"$'\n'"#error can include $header"
                forbidden=$((forbidden + 1))
            fi
            source+=$'\n#endif\n'
        done
    done
    while IFS= read -r line; do
        complain "$folder ${line#*#error }"
    done < <("${compiler[@]}" "${paths[@]}" -nostdinc -E -x c - <<<"$source" 2>&1 >/dev/null |
        grep -o '#error .*')
done
((forbidden > 500)) || complain "only $forbidden includes were tried"
((status)) || printf 'PASS layers: %d headers of higher layers and other programs are not found\n' \
    "$forbidden"
exit $status
