#!/usr/bin/env bash
# campaign_trees.sh [TREES] [SEED]: random process trees as commands of real restarters, which end
# them by time-out or at the drain limit. Each way to get away from a parent is in them; one in 16
# has a fork bomb at a limit of 40 processes, one in 16 a process that forks and exits all the time.
# Beside each is a tree that must live on: its command ends by itself, before its children or after
# them, and each child tells when it has ended in its time.
#
# All processes of a tree hold a file of its own open, as descriptor 9: who holds it is alive,
# whatever the product thinks. At most some 300 processes are there at a time.
# shellcheck source=tests/e2e/e2e_lib.sh
. "$(dirname "$0")/e2e_lib.sh"

trees=${1:-2000} seed=${2:-$RANDOM}
helper=$build/tests/test_spawner_kill # as a command it is a bomb, or a comet
slots=8
timeout_ms=2500
printf 'trees %d, seed %d\n' "$trees" "$seed"
mkdir alive

# tree.sh HOST SEED: HOST says what it is: kill-…, left-… or wait-….
cat >tree.sh <<'END_OF_TREE'
#!/bin/bash
kind=${1%%-*}
exec 9>>"alive/$1"
case $kind in
kill)
    case $(($2 % 16)) in
    3) "$HELPER" bomb & ;;
    7) "$HELPER" comet >>"ends.txt" & ;;
    11) setsid -f "$HELPER" 'wandering comet' >>"ends.txt" ;;
    13) trap '' TERM ;;
    esac
    sh ./grow.sh "$1" "$2" 2 ;;
*)
    sh ./grow.sh "$1" "$2" 2 &
    # Until its leaves are there.
    until (($(grep -c '^up' "alive/$1") == 4)); do sleep 0.05; done
    [[ $kind == left ]] || until (($(grep -c '^done' "alive/$1") == 4)); do sleep 0.1; done
    exit 0 ;;
esac
END_OF_TREE

# grow.sh HOST SEED DEPTH: two branches, each by one of the ways. The leaves are 4.
cat >grow.sh <<'END_OF_GROW'
case $1 in kill-*) rest='exec sleep 600' ;; *) rest=: ;; esac
if [ "$3" -eq 0 ]; then
    echo "up $$" >&9
    eval "$rest"
    sleep 1
    echo "done $$" >&9
    exit
fi
seed=$2 depth=$(($3 - 1))
for branch in 1 2; do
    seed=$(((seed * 1103515245 + 12345) % 2147483648))
    case $((seed / 65536 % 9)) in
    0) sh ./grow.sh "$1" $seed $depth & ;;
    1) setsid sh ./grow.sh "$1" $seed $depth & ;;
    2) setsid -f sh ./grow.sh "$1" $seed $depth ;;
    3) ( (sh ./grow.sh "$1" $seed $depth &) & ) ;;
    4) timeout 500 sh ./grow.sh "$1" $seed $depth & ;;
    5) bash -c 'set -m; sh ./grow.sh $0 $1 $2 & wait' "$1" $seed $depth & ;;
    6) env -i /bin/sh ./grow.sh "$1" $seed $depth & ;;
    7) (trap '' TERM HUP INT; exec sh ./grow.sh "$1" $seed $depth) & ;;
    8) (setsid -f env -i /bin/sh ./grow.sh "$1" $seed $depth) & ;;
    esac
done
eval "$rest"
wait
END_OF_GROW
chmod +x tree.sh

# Who holds the file of a tree of that kind: "/proc/PID/fd/9 HOST", one a line.
holders() {
    find /proc/[0-9]*/fd -maxdepth 1 -name 9 -lname "$work/alive/$1-*" -printf '%p %l\n' 2>/dev/null
}

nobody_holds() {
    [[ $(holders "$1") == "" ]]
}

# The trees of kind $1 whose command has ended by itself, one a line; by the record.
ended_by_themselves() {
    store "SELECT host FROM jobs WHERE host LIKE '$1-%' AND outcome = 'restarted'"
}

# Trees that were not killed, whose processes have not all come to their end.
count_hurt() {
    local host hurt=0
    while read -r host; do
        (($(grep -c '^done' "alive/$host") == 4)) || { printf '# hurt: %s\n' "$host"; hurt=$((hurt + 1)); }
    done >&2
    printf '%d' "$hurt"
}

# judge NAME: what must be true behind a run.
judge() {
    check "$1: nothing of what was killed is left" nobody_holds kill
    holders kill | head -n 20 | sed 's/^/#   /'
    check "$1: what lives on comes to its end" wait_until 60 nobody_holds left
    equal "$1: no tree is hurt" 0 "$({ ended_by_themselves left && ended_by_themselves wait; } | count_hurt)"
    equal "$1: no command has failed by itself" 0 "$(store "SELECT count(*) FROM attempts
        WHERE outcome NOT IN ('restarted', 'timeout', 'stopped', 'interrupted')")"
    equal "$1: no comet has come to its end" 0 "$(grep -sc end ends.txt || true)"
}

# make_list FIRST LAST: a tree to be killed, then one that lives, by turns left and wait.
make_list() {
    local i
    for ((i = $1; i <= $2; i++)); do
        printf 'kill-%05d\n%s-%05d\n' "$i" "$( ((i % 2)) && echo left || echo wait)" "$i"
    done
}

# The seed of a tree follows from its host.
cat >command.sh <<'END_OF_COMMAND'
#!/bin/bash
number=${1#*-}
exec ./tree.sh "$1" $(((10#$number * 7919 + SEED) % 2147483648))
END_OF_COMMAND
chmod +x command.sh
export HELPER=$helper SEED=$seed

# ---- by time-out -----------------------------------------------------------------------------------

by_drain=$((trees / 20))
by_timeout=$((trees - by_drain))
dir=timeout
make_list 1 "$by_timeout" >hosts.txt
began=$SECONDS
launch -i hosts.txt -n 2 --slots $slots --at-once $((2 * slots)) -x './command.sh {host}' --attempts 1 \
    --timeout ${timeout_ms}ms -q
highest=0
while ! is_gone "$run_pid"; do
    sleep 0.5
    now=$(holders '*' | wc -l)
    highest=$((now > highest ? now : highest))
done
finish 5
ends_with_code "$by_timeout trees are ended by time-out: exit 1, they are dead" 1
audit "time-out" $((2 * by_timeout))
judge "time-out"
killed=$(store "SELECT count(*) FROM jobs WHERE outcome = 'dead'")
lived=$(store "SELECT count(*) FROM jobs WHERE outcome = 'restarted'")
equal "each tree to be killed was" 0 "$(store "SELECT count(*) FROM jobs WHERE host LIKE 'kill-%'
    AND outcome <> 'dead'")"
printf '# %d killed, %d lived on, at most %d processes at a time, %d s\n' "$killed" "$lived" \
    "$highest" $((SECONDS - began))

# ---- at the drain limit ------------------------------------------------------------------------------

all_up() {
    (($(holders kill | awk '{ print $2 }' | sort -u | wc -l) >= 2 * slots))
}

dir=drain
for ((first = by_timeout + 1; first <= trees; first += 2 * slots)); do
    rm -rf drain
    for ((i = first; i < first + 2 * slots; i++)); do
        printf 'kill-%05d\n' "$i"
    done >hosts.txt
    launch -i hosts.txt -n 2 --slots $slots --at-once $((2 * slots)) -x './command.sh {host}' \
        --attempts 1 --drain-timeout 3s -q
    wait_until 30 all_up || not_ok "the trees are up" "$(holders kill)"
    kill -INT "$run_pid"
    finish 30
    nobody_holds kill || not_ok "drain from $first: nothing is left" "$(holders kill)"
done
check "$by_drain trees at the drain limit: nothing is left" nobody_holds kill
check "nothing is left running" nothing_lives
