#!/usr/bin/env bash
# campaign_stop.sh [STOPS] [SEED]: TERM, INT and HUP at random moments, to run.sh or to one process,
# from the first milliseconds on. After each all must have left in time (I7), and the auditor must
# find every host on record or in the outbox (I1); the same command then goes on. Too long for
# --test: `make campaign` runs it.
# shellcheck source=tests/e2e/e2e_lib.sh
. "$(dirname "$0")/e2e_lib.sh"

stops=${1:-150}
RANDOM=${2:-1}
a_run=15         # stops, before a run is finished and the next begins
drain=3          # seconds
limit=7000       # ms from the signal until all have gone
targets=(run.sh run.sh publisher consumer saver)
signals=(TERM INT HUP)

# Nothing is wrong when there are no databases yet: 75 from the auditor is "jobs are left".
judge() {
    [[ -f $dir/outbox.db && -f $dir/mayhem.db ]] || return 75
    "$build/tests/audit" "$dir/hosts" "$dir/mayhem.db" "$dir/outbox.db" "$dir/record"
}

# one_stop NUMBER: starts the run or goes on with it, stops it, and judges what is left.
one_stop() {
    local target=${targets[RANDOM % 5]} signal=${signals[RANDOM % 3]} moment took said verdict victim
    printf -v moment '%d.%03d' $((RANDOM % 2)) $((RANDOM % 1000))
    rm -f "$dir/publisher.pid" "$dir/$target.pid"
    "$root/run.sh" --dir "$dir" "${options[@]}" >out 2>err </dev/null &
    run_pid=$!
    started+=("$run_pid")
    victim=$run_pid
    if [[ $target != run.sh ]]; then
        wait_until 10 test -s "$dir/$target.pid"
        victim=$(pid_of "$target")
    fi
    sleep "$moment"
    took=$(milliseconds)
    kill -"$signal" "$victim"
    finish 30
    took=$(($(milliseconds) - took))
    ((took > longest)) && longest=$took
    said=$(judge)
    verdict=$?
    # Before run.sh could listen it ends by the signal, and has started nothing.
    ((code != 129 && code != 130 && code != 143)) || code=75
    if ((code != 75 && code != 0)) || ((verdict != 75 && verdict != 0)) || ((took > limit)) ||
        ! nothing_lives; then
        not_ok "stop $1: SIG$signal to $target after $moment s: $took ms" "exit $code" "$said" \
            "$(cat out err)" "living: $(living)"
        wrong=$((wrong + 1))
    fi
    counts[$target]=$((${counts[$target]:-0} + 1))
}

declare -A counts=()
longest=0 wrong=0
for ((done = 0; done < stops;)); do
    dir=stops-$done
    mkdir "$dir"
    hosts 20000 >"$dir/hosts"
    touch "$dir/record"
    options=(-i "$dir/hosts" -n 2 --slots 16 --drain-timeout "${drain}s"
        -x "'$build/tests/append' '$dir/record' {host} 5 100")
    for ((last = done + a_run; done < last && done < stops; done++)); do
        one_stop "$done"
    done
    run "${options[@]}" --slots 64
    ends_with_code "after $done stops the same command finishes the rest: exit 0" 0
    check "after $done stops all 20000 hosts are restarted, none twice" judge
done
equal "of $stops stops (${counts[run.sh]:-0} of run.sh, ${counts[publisher]:-0} publisher, \
${counts[consumer]:-0} consumer, ${counts[saver]:-0} saver) the longest took $longest ms; wrong" \
    0 "$wrong"
