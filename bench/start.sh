#!/usr/bin/env bash
# start.sh COMMAND [RUNS]: from the command to the first restart, and from the last restart to the
# exit, for one host. COMMAND is a run.sh, or "build/mayhem run"; with OLD=COMMAND the two are timed
# in turn. Prints medians in milliseconds.
set -u
command=${1:-./run.sh} runs=${2:-21}
command=$(realpath -- "${command%% *}")${command#"${command%% *}"}
old=${OLD:-}
[[ $old == "" ]] || old=$(realpath -- "${old%% *}")${old#"${old%% *}"}
folder=$(mktemp -d) || exit 73
export MAYHEM_LOCKS=$folder/locks MAYHEM_AGAIN=yes # of its own: not the user's
trap 'rm -rf "$folder"' EXIT
cd "$folder" || exit 73
echo host-1 >hosts

# once COMMAND: "START END", in microseconds.
once() {
    local began ended moment
    rm -rf moment run
    began=${EPOCHREALTIME/[.,]/}
    # shellcheck disable=SC2086,SC2016 # $1 is two words; the command fills in its own time
    $1 --dir run -i hosts -n 1 -x 'bash -c "echo ${EPOCHREALTIME} >moment; : {host}"' --quiet >out 2>err \
        </dev/null || { cat out err >&2 && exit 1; }
    ended=${EPOCHREALTIME/[.,]/}
    moment=$(cat moment)
    moment=${moment/[.,]/}
    printf '%d %d\n' $((moment - began)) $((ended - moment))
}

# median COLUMN FILE, in tenths of a millisecond
median() {
    awk -v column="$1" '{ print column == 3 ? $1 + $2 : $column }' "$2" | sort -n |
        awk '{ value[NR] = $1 } END { printf "%.1f", value[int((NR + 1) / 2)] / 1000 }'
}

for ((i = 0; i < runs; i++)); do
    once "$command" >>times.new
    [[ $old == "" ]] || once "$old" >>times.old
done
for file in times.new times.old; do
    [[ -f $file ]] || continue
    printf '%s  to the first restart %6s ms, from the last %6s ms, together %6s ms\n' "${file#*.}" \
        "$(median 1 $file)" "$(median 2 $file)" "$(median 3 $file)"
done
