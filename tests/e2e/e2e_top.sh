#!/usr/bin/env bash
# Looking into a pipeline that runs: mayhem top in a real terminal, status, tail, live profiles,
# recordings; and that whoever looks costs the pipeline nothing.
# shellcheck source=tests/e2e/e2e_lib.sh
. "$(dirname "$0")/e2e_lib.sh"

ctl() {
    "$build/mayhem" "$@"
}

# ---- a terminal ----------------------------------------------------------------------------------

tm() {
    tmux -S "$work/tmux" -f /dev/null "$@"
}

keys() {
    tm send-keys -t top "$@"
}

screen() {
    tm capture-pane -p -t top
}

# shows REGEX
shows() {
    [[ $(screen) =~ $1 ]]
}

shows_not() {
    ! shows "$1"
}

# sees NAME REGEX [SECONDS]
sees() {
    if wait_until "${3:-6}" shows "$2"; then ok "$1"; else not_ok "$1" "no '$2' in:" "$(screen)"; fi
}

# in_terminal COMMAND: types it; "ended CODE" stands on the screen when it is over.
in_terminal() {
    keys "clear; $1; echo ended \$?" Enter
}

# Lines of a kind in a recording.
recorded() {
    grep -c "^{\"mayhem\":\"$1\"" seen.rec
}

has_recorded() {
    (($(recorded snapshot) >= $1))
}

is_longer_than() {
    (($(wc -c <"$1") > $2))
}

top_pid() {
    running "^$build/mayhem top --dir $dir\$"
}

tm new-session -d -s top -x 100 -y 30 "env PS1='$ ' TERM=screen-256color bash --norc" ||
    not_ok "tmux starts"
started+=("$(tm display -p '#{pid}')")

# ---- nobody is there -----------------------------------------------------------------------------

mkdir nobody
for command in 'top -b' status tail profile; do
    read -ra words <<<"$command"
    { ctl "${words[@]}" --dir nobody >/dev/null 2>"nobody/${words[0]}.err" && echo 0 ||
        echo $?; } >"nobody/${words[0]}" &
done
wait
for command in top tail profile; do
    equal "$command says with 69 that nobody is there" \
        "69 mayhem: nobody answers at ipc://nobody/consumer; is the pipeline running in this --dir?" \
        "$(cat nobody/$command) $(cat nobody/$command.err)"
done
matches "status says it, too" '^69 mayhem: nothing is running in nobody: nobody answers at ipc://nobody/consumer;' \
    "$(cat nobody/status) $(cat nobody/status.err)"

# ---- on the terminal -----------------------------------------------------------------------------

hosts 200000 >hosts.txt
options=(-i hosts.txt -n 2 --slots 64 --leases 1000 --mock-time 20ms..80ms --mock-fail 20% --attempts 2 -q)
launch "${options[@]}"
settle_at_least 500 20
keys 'stty -g >before' Enter
in_terminal "$build/mayhem top --dir run --record seen.rec"
for name in publisher consumer saver restarter-1 restarter-2; do
    sees "$name has a row" " $name +$(pid_of $name) up +[1-9]"
done
sees "the restarts are named as the limit" 'limit: restart - all 128 slots'
sees "and marked among the hops" '>restart +[1-9][0-9]* +1[0-9]+/128 +[1-9]'

keys Down Down Enter
sees "looking into the saver shows its handlers" 'saver  pid [0-9]+  up.* on_tasks'
sees "and the spans in them" ' +[1-9][0-9]* +[0-9.]+ +[0-9.]+ +[0-9.]+ +[0-9.]+ms +write rows'
keys Escape
sees "Esc goes back" '>restart'
keys Up Enter
sees "looking into the consumer shows why restarts wait" 'consumer  pid .*restarts wait: no free slot'
keys Escape
sees "Esc goes back from there" '>restart'

keys p
sees "p pauses" 'PAUSED'
before=$(screen)
at=$(recorded snapshot)
check "what happens meanwhile is received" wait_until 6 has_recorded $((at + 2))
equal "and what is shown stands still" "$before" "$(screen)"
keys p
check "p goes on" wait_until 5 shows_not "PAUSED|$(grep -o '[0-9:]*Z' <<<"$before")"

keys s
sees "s sorts by the next column" 'sorted by rate'
keys w
sees "w saves the profiles" 'saved 5 profiles to run/profile/top-[0-9TZ]+\.json'
ctl profile --read run/profile/top-*.json >read.txt
equal "of all processes, to be read" "consumer publisher restarter-1 restarter-2 saver" \
    "$(awk '/\.c:/ { print $7 }' read.txt | sort -u | paste -sd ' ')"

tm resize-window -t top -x 80 -y 24
sees "a smaller terminal has room for all of them" 'CPU%  HELD/LIMIT +P99 DOING.* restarter-2 '
keys h
sees "h helps" 'what keeps it from going faster'
keys x

old=$(pid_of restarter-2)
murder restarter-2
sees "a restarter that was killed is lost" "restarter-2 +$old lost [0-9]" 15
sees "its successor has another row" "restarter-2 +$(pid_of restarter-2) up" 15
sees "and its jobs are taken back" ' [1-9][0-9]* taken back' 15
keys q
sees "q ends it" 'ended 0'
keys 'stty -g >after' Enter
check "the terminal is asked how it is" wait_until 5 test -s after
equal "it is as it was before" "$(cat before)" "$(cat after)"
equal "its cursor is back, and its screen" "1 0" "$(tm display -p -t top '#{cursor_flag} #{alternate_on}')"

# ---- a recording ---------------------------------------------------------------------------------

check "profiles were recorded, too" test "$(recorded profile)" -ge 5
in_terminal "$build/mayhem top --replay seen.rec --speed 0"
sees "a recording stays on its last screen" "recorded.* [1-9][0-9]* taken back.*the recording has ended"
keys Down Down Enter
sees "its processes can be looked into" 'saver  pid .*write rows'
keys q
sees "until q" 'ended 0'
ctl top -b --dir run --record five.rec -n 5 >live.txt
equal "what was printed live" 0 $?
equal "has five snapshots" 5 "$(grep -c '^limit: ' live.txt)"
ctl top -b --replay five.rec >again.txt
equal "is printed again from its recording" "$(cat live.txt)" "$(cat again.txt)"
equal "as JSON, too" 5 "$(ctl top --json --replay five.rec --speed 0 | grep -c '^{"mayhem":"snapshot"')"
head -c 2000 five.rec >cut.rec
output=$(ctl top -b --replay cut.rec --speed 0 2>&1 >/dev/null)
equal "one that is cut off ends with 65" 65 $?
matches "and says where" 'cannot replay cut.rec: line [0-9]+ is cut off' "$output"

# ---- status, tail, profile -----------------------------------------------------------------------

equal "status --json has all processes, with their rates" \
    "publisher consumer saver restarter-1 restarter-2" \
    "$(ctl status --dir run --json | grep -oP '"name":"\K[^"]+(?="[^}]*"rate":[1-9])' | paste -sd ' ')"
matches "status shows them on a page" 'limit: restart.*saver +[0-9]+ up' "$(ctl status --dir run)"
line=$(timeout 20 "$build/mayhem" tail --dir run --outcome dead -n 1)
matches "tail shows a dead host as the log does" \
    " ERROR consumer\[$(pid_of consumer)\] Dead job=[0-9a-f]+ host=web-[0-9]+ attempts=2 error=" "$line"
host=$(grep -oP 'host=\K\S+' <<<"$line")
equal "which is dead indeed" dead "$(store "SELECT outcome FROM jobs WHERE host = '$host'")"
matches "tail --json gives objects" '^\{"wall_ms":[0-9]+,"event":"(pulled|acked)",.*"host":"web-' \
    "$(timeout 20 "$build/mayhem" tail --dir run --json --outcome acked -n 1)"
equal "a live profile has all processes" "consumer publisher restarter-1 restarter-2 saver" \
    "$(ctl profile --dir run --last 10s | awk '/\.c:/ { print $7 }' | sort -u | paste -sd ' ')"
matches "or one, in any format" 'saver;turn;write rows' \
    "$(ctl profile --consumer "ipc://$work/run/consumer" --process saver --format folded)"

# ---- viewers that read nothing -------------------------------------------------------------------

"$build/mayhem" top -b --dir run >stopped.top &
viewers=($!)
"$build/mayhem" tail --dir run >stopped.tail &
viewers+=($!)
started+=("${viewers[@]}")
for file in stopped.top stopped.tail; do
    check "$file is written" wait_until 10 test -s $file
done
kill -STOP "${viewers[@]}"
check "with stopped viewers jobs go on" wait_until 15 has_settled $(($(settled) + 3000))
in_terminal "$build/mayhem top --dir $dir"
sees "another viewer is served" 'restarter-2 +[0-9]+ up'
kill -INT "$run_pid"
finish 20
ends_with_code "the pipeline ends in good order" 75
{ kill -KILL "${viewers[@]}" && wait "${viewers[@]}"; } 2>/dev/null

# ---- it goes, and comes back ---------------------------------------------------------------------

sees "that the pipeline has gone is said" 'no answer for [0-9]+ s' 10
launch "${options[@]}"
sees "when it is there again it is shown" "consumer +$(pid_of consumer) up" 15
kill -TERM "$(top_pid)"
sees "TERM ends top, and restores the terminal" 'ended 0'
in_terminal "$build/mayhem top --dir $dir"
sees "it is begun once more" "consumer +$(pid_of consumer) up"
pid=$(top_pid)
tm kill-server
check "when its terminal goes away it ends" wait_until 3 is_gone "$pid"
kill -INT "$run_pid"
finish 20

# ---- wrong inputs --------------------------------------------------------------------------------

# wrong CODE REGEX COMMAND...
wrong() {
    local expected=$1 regex=$2 output
    shift 2
    output=$("$@" 2>&1 </dev/null)
    equal "$* ends with $expected" "$expected" $?
    matches "and says why" "$regex" "$output"
}

wrong 64 'must be one of: role rate' ctl top --sort size
wrong 64 'must be a number from 1 to 3600' ctl top -d 0
wrong 64 'must be a number from 0' ctl top --replay five.rec --speed fast
wrong 64 'needs -b or --json' ctl top -n 3
wrong 64 'say which, with --replay' ctl top --speed 3
wrong 64 'leave out --dir' ctl top --replay five.rec --dir run
wrong 64 'needs a terminal' ctl top --replay five.rec
wrong 64 'is no address' ctl status --consumer udp://here
MAYHEM_CONSUMER=udp://here wrong 78 'MAYHEM_CONSUMER: .*is no address' ctl status
wrong 64 'beyond this machine tcp needs a key' ctl status --consumer tcp://192.0.2.1:5000
wrong 64 'too long for a Unix socket' ctl status --dir "$(printf 'x%.0s' {1..100})"
MAYHEM_DIR=$(printf 'x%.0s' {1..100}) wrong 78 'MAYHEM_DIR: .*too long' ctl status
wrong 64 'must be one of: pulled acked' ctl tail --outcome fine
wrong 64 'is no host' ctl tail --host 'a b'
wrong 64 'from 1s to 10m' ctl profile --last 1h
wrong 64 'leave out --dir' ctl profile --read five.rec --dir run
wrong 65 'No such file' ctl top -b --replay nowhere
wrong 65 'line 1 is not the head of a recording' ctl top -b --replay run/profile/top-*.json
wrong 73 'cannot write nowhere/file' ctl top -b --dir run --record nowhere/file
echo precious >precious
wrong 73 'is no recording; name another' ctl top -b --dir run --record precious
equal "what is no recording is not written over" precious "$(cat precious)"
