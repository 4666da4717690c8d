#!/usr/bin/env bash
# TERM, INT and HUP to run.sh and to each process; resume; the second Ctrl-C; run.sh is killed.
# shellcheck source=tests/e2e/e2e_lib.sh
. "$(dirname "$0")/e2e_lib.sh"

# ---- run.sh is told to stop, the same command goes on --------------------------------------------

dir=stop
hosts 400 >hosts.txt
options=(-i hosts.txt -n 2 --slots 4 -x 'sh -c "echo {host} >>ran.txt; sleep 0.05"')
wanted=30
for signal in INT TERM HUP; do
    launch "${options[@]}"
    settle_at_least "$wanted" 20
    moment=$(milliseconds)
    kill -"$signal" "$run_pid"
    finish 10
    ends_with_code "SIG$signal to run.sh: exit 75" 75
    at_most "SIG$signal: it has stopped soon" 5000 $(($(milliseconds) - moment))
    matches "SIG$signal: it says so" "SIG$signal" "$(cat err)"
    matches "SIG$signal: the shutdown was clean" 'clean shutdown: yes' "$(cat out)"
    check "SIG$signal: nothing is left running" nothing_lives
    equal "SIG$signal: what ran is on record" "$(sort -u ran.txt | wc -l)" "$(settled)"
    wanted=$(($(settled) + 30))
done
matches "the consumer says it in the article's words" 'Nacking outstanding messages' \
    "$(cat stop/log/consumer.log)"
matches "and that it received the signal" 'Received exit signal SIGTERM' \
    "$(cat stop/log/consumer.log)"

run -i hosts.txt -x 'sh -c "echo {host} again >>other.txt"'
ends_with_code "another command on what is left is refused: exit 78" 78
check "it has run nothing" test ! -e other.txt
run --for 1s
ends_with_code "so is the demo: exit 78" 78

run "${options[@]}"
ends_with_code "the same command finishes the rest: exit 0" 0
audit "stopped three times" 400
equal "no host was restarted twice" 0 "$(repeated ran.txt)"

# ---- one process is told to stop -----------------------------------------------------------------

dir=single
hosts 1800 >many.txt
options=(-i many.txt -n 2 --slots 4 --drain-timeout 3s
    -x 'sh -c "echo {host} >>single.txt; sleep 0.2"')
while read -r name signal; do
    launch "${options[@]}"
    settle_at_least $(($(settled) + 20)) 20
    moment=$(milliseconds)
    kill -"$signal" "$(pid_of "$name")"
    finish 12
    ends_with_code "SIG$signal to the $name alone: exit 75" 75
    at_most "SIG$signal to the $name alone: all have stopped within 7 s" 7000 \
        $(($(milliseconds) - moment))
    check "SIG$signal to the $name alone: nothing is left running" nothing_lives
done <<'END'
consumer TERM
saver INT
publisher HUP
consumer HUP
publisher TERM
END
run "${options[@]}" --slots 32
ends_with_code "the same command finishes the rest: exit 0" 0
audit "stopped one by one" 1800
equal "no host was restarted twice, whoever left first" 0 "$(repeated single.txt)"

# ---- at once -------------------------------------------------------------------------------------

dir=twice
launch -i hosts.txt -x 'sh -c "echo {host} >>begun.txt; sleep 20"'
wait_until 10 test -s begun.txt
kill -INT "$run_pid"
wait_until 5 grep -q SIGINT err
sleep 0.3 # two signals at the same moment are one: `timeout` sends it twice
moment=$(milliseconds)
kill -INT "$run_pid"
finish 5
ends_with_code "the second Ctrl-C: exit 130" 130
at_most "the second Ctrl-C ends at once" 1500 $(($(milliseconds) - moment))
check "nothing is left running" wait_until 2 nothing_lives

timeout -s INT 2 "$root/run.sh" --dir demo >out 2>err
code=$?
ends_with_code "timeout -s INT, as in the article, ends the demo (124 is its own code)" 124
matches "in good order" 'clean shutdown: yes' "$(cat out)"

# ---- run.sh itself is killed ---------------------------------------------------------------------

dir=orphans
rm ran.txt
options=(-i hosts.txt -n 2 --slots 4 -x 'sh -c "echo {host} >>ran.txt; sleep 0.05"')
launch "${options[@]}"
settle_at_least 30 20
kill -KILL "$run_pid"
wait "$run_pid" 2>/dev/null
check "run.sh is killed: its processes drain and leave" wait_until 10 nothing_lives
matches "they were told to stop" 'Received exit signal SIGTERM' "$(cat orphans/log/consumer.log)"
run "${options[@]}"
ends_with_code "the same command finishes the rest: exit 0" 0
audit "run.sh was killed" 400
equal "no host was restarted twice after run.sh was killed" 0 "$(repeated ran.txt)"
