#!/usr/bin/env bash
# Runs each sh block of README.md as a reader pastes it: one after the other, in one shell, in a
# fresh copy of the tree, with the programs that are built already. It fails when a command of a
# block fails, when a line that says "# prints TEXT" does not print that, and when it takes too long.
# readme.sh BUILD [README]
set -u
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
build=$1
readme=${2:-$root/README.md}
limit=150 # seconds for all blocks together; a quiet machine takes 40
work=$(mktemp -d "${TMPDIR:-/tmp}/mayhem-readme.XXXXXX") || exit 1
session=0
trap 'stop; rm -rf "$work"' EXIT
trap 'exit 130' INT TERM HUP

# What still runs when the check ends: run.sh, whose processes follow it.
# shellcheck disable=SC2317 # the trap above calls it
stop() {
    ((session == 0)) || kill -TERM -- "-$session" 2>/dev/null
}

# ---- what is not run as it is written, and why

# Why a block is not run at all, in `reason`; empty: it is run.
skip_reason() {
    reason=""
    case $1 in
    *'./run.sh --test'*) reason='it runs this check' ;;
    *apt-get* | *'apt install'*) reason='it installs packages' ;;
    esac
}

# The same commands with shorter times and fewer hosts. run.sh neither installs nor builds anything,
# because MAYHEM_BUILD is set.
shorten() {
    sed -e 's/--for 10s/--for 2s/' -e 's/--chaos 20/--chaos 4/' -e 's/100000/20000/g'
}

# ---- a copy of the tree, and the blocks in it: NUMBER.sh

tree=$work/tree
mkdir "$tree" "$work/blocks"
cp -r "$root"/{run.sh,Makefile,README.md,common,tests} "$tree/"
ln -s "$build" "$tree/build"
awk -v folder="$work/blocks" '
    /^```sh$/ { file = sprintf("%s/%03d.sh", folder, NR + 1); printf "" >file; next }
    /^```/ { file = ""; next }
    file { print >file }' "$readme"

skipped=0
for block in "$work"/blocks/*.sh; do
    [[ -e $block ]] || { echo "FAIL readme: there is no sh block in $readme" && exit 1; }
    skip_reason "$(<"$block")"
    if [[ $reason ]]; then
        skipped=$((skipped + 1))
        printf 'note: readme: the block at line %d is not run: %s\n' \
            "$((10#$(basename "$block" .sh)))" "$reason"
        rm "$block"
    else
        shorten <"$block" >"$block.short" && mv "$block.short" "$block"
    fi
done

# ---- one shell runs them all

cat >"$work/session.sh" <<'END'
set -e -o pipefail
trap 'kill $(jobs -p) 2>/dev/null || :' EXIT
for block in ../blocks/*.sh; do
    echo "$block" >../current
    exec >"${block%.sh}.out" 2>&1
    . "$block"
    touch "${block%.sh}.done"
done
END
cd "$tree" || exit 1
unset "${!MAYHEM_@}"
began=$SECONDS
# Locks of its own: not the user's.
MAYHEM_BUILD=$build MAYHEM_LOCKS=$work/locks setsid timeout -k 10 "$limit" bash "$work/session.sh" </dev/null &
session=$!
wait "$session"
code=$?

# ---- what came of each

status=0
for block in "$work"/blocks/*.sh; do
    name=${block%.sh} line=$((10#$(basename "$block" .sh)))
    if [[ ! -e $name.done ]]; then
        sed 's/^/    /' "$block"
        [[ ! -e $name.out ]] || tail -n 15 "$name.out" | sed 's/^/  > /'
        why="a command fails (exit $code)"
        ((code != 124)) || why="not finished within $limit s"
        printf 'FAIL readme: the block at line %d of README.md: %s\n' "$line" "$why"
        status=1
        break
    fi
    while IFS= read -r promised; do
        grep -qxF -- "$promised" "$name.out" && continue
        tail -n 15 "$name.out" | sed 's/^/  > /'
        printf 'FAIL readme: the block at line %d of README.md does not print %s\n' \
            "$line" "$promised"
        status=1
    done < <(sed -n 's/.*# prints \([^:]*\).*/\1/p' "$block")
done
((status)) || printf 'PASS readme: %d blocks run, %d skipped, %d s\n' \
    "$(find "$work/blocks" -name '*.done' | wc -l)" "$skipped" $((SECONDS - began))
exit $status
