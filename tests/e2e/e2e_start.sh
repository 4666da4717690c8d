#!/usr/bin/env bash
# What a run inherits from whoever starts it: closed streams, signals that are ignored or blocked, a
# umask, a terminal that stops writers, nothing in the environment, the number 1. And what it reads
# once and keeps, who it says is there, and what it says of files that somebody takes away.
# shellcheck source=tests/e2e/e2e_lib.sh
. "$(dirname "$0")/e2e_lib.sh"

hosts 40 >hosts.txt
mock=(-n 1 --mock-time 10ms..20ms)

# started NAME CODE COMMAND...: the command restarts the 40 hosts in $dir and ends with CODE.
started() {
    local name=$1 expected=$2
    shift 2
    timeout -k 5 30 "$@" >started.out 2>started.err </dev/null
    code=$?
    equal "$name: exit $expected" "$expected" "$code"
    audit "$name" 40
}

# ---- standard streams ----------------------------------------------------------------------------

dir=no-in
started "standard input is closed" 0 bash -c 'exec "$@" <&-' bash \
    "$root/run.sh" --dir $dir -i hosts.txt "${mock[@]}"
dir=no-out
started "standard output is closed" 0 bash -c 'exec "$@" >&- 2>err' bash \
    "$root/run.sh" --dir $dir -i hosts.txt "${mock[@]}"
equal "and nothing was complained of" "" "$(grep -v settled err)"
dir=none
started "all three are closed" 0 bash -c 'exec "$@" <&- >&- 2>&-' bash \
    "$root/run.sh" --dir $dir -i hosts.txt "${mock[@]}"
dir=none2
started "all three are closed, without run.sh" 0 bash -c 'exec "$@" <&- >&- 2>&-' bash \
    "$build/mayhem" run --dir $dir -i hosts.txt "${mock[@]}"
dir=full
started "the summary cannot be written" 74 bash -c 'exec "$@" >/dev/full 2>err' bash \
    "$root/run.sh" --dir $dir -i hosts.txt "${mock[@]}"
matches "and says so" 'summary cannot be written: No space left' "$(cat err)"
dir=full2
started "nor can it as JSON" 74 bash -c 'exec "$@" >/dev/full 2>err' bash \
    "$root/run.sh" --dir $dir -i hosts.txt --json "${mock[@]}"
dir=pipe
"$root/run.sh" --dir pipe -i hosts.txt --json "${mock[@]}" 2>err </dev/null | true
equal "nobody reads the summary: exit 74" 74 "${PIPESTATUS[0]}"
audit "nobody reads the summary" 40

# ---- signals, umask, environment -----------------------------------------------------------------

dir=mask
(umask 0777 && started "umask 0777" 0 "$root/run.sh" --dir mask -i hosts.txt "${mock[@]}") >out 2>err
grep -E '^(not )?ok' out
dir=umask0
(umask 0002 && exec "$root/run.sh" --dir umask0 -i hosts.txt -x 'sh -c "umask >mask.{host}"') \
    >out 2>err </dev/null
equal "a command has the umask of whoever started the run" 0002 "$(cat mask.web-00001)"
equal "and the files of the run are the owner's alone" "" "$(find umask0 -perm /077)"
dir=empty
started "nothing in the environment" 0 env -i "PATH=$PATH" "MAYHEM_BUILD=$build" "$root/run.sh" \
    --dir empty -i hosts.txt "${mock[@]}" --quiet
dir=session
started "no terminal, a session of its own" 0 setsid -w "$root/run.sh" --dir session -i hosts.txt \
    "${mock[@]}" --quiet

# goes_on NAME SIGNAL: a run that was launched is sent a signal, as are its processes, and ends all
# the same with 0.
goes_on() {
    settle_at_least 5 10
    kill -"$2" "$run_pid" "$(pid_of consumer)" "$(pid_of saver)" "$(pid_of publisher)" \
        "$(pid_of restarter-1)"
    finish 20
    ends_with_code "$1: SIG$2 to all changes nothing, exit 0" 0
    audit "$1" 40
}

slow=(-n 1 --slots 4 --mock-time 100ms..150ms)
dir=hup
trap '' HUP
launch -i hosts.txt "${slow[@]}"
trap - HUP
goes_on "HUP is ignored, as by nohup" HUP
dir=chld
(trap '' CHLD && started "CHLD is ignored" 0 "$root/run.sh" --dir chld -i hosts.txt "${mock[@]}") \
    >out 2>err </dev/null
grep -E '^(not )?ok' out
dir=blocked
env --block-signal "$root/run.sh" --dir blocked -i hosts.txt "${slow[@]}" >out 2>err </dev/null &
run_pid=$!
started+=("$run_pid")
wait_until 10 test -s blocked/publisher.pid
settle_at_least 5 10
kill -TERM "$run_pid"
finish 20
ends_with_code "all signals are blocked: TERM stops it, exit 75" 75
run -i hosts.txt "${mock[@]}"
audit "all signals were blocked" 40

# In a session of its own with a terminal, in which writers in the background are stopped.
dir=tostop
cat >in_terminal <<END
set -m
stty tostop
"$root/run.sh" --dir tostop -i hosts.txt ${mock[@]} &
wait
END
timeout 30 script -qec 'bash in_terminal' /dev/null >out 2>&1 </dev/null
equal "stty tostop, in the background: exit 0" 0 $?
audit "stty tostop" 40

# ---- process 1 -----------------------------------------------------------------------------------

zombies() {
    local file line
    for file in /proc/[0-9]*/stat; do
        { read -r line <"$file"; } 2>/dev/null || continue
        [[ ${line##*) } != "Z $1 "* ]] || printf '%s\n' "${line%% *}"
    done
}

dir=one
if unshare --pid --fork --mount-proc true 2>/dev/null; then
    unshare --pid --fork --mount-proc --kill-child "$root/run.sh" --dir one -i hosts.txt -n 1 \
        --slots 4 -x 'sh -c "sleep 0.2; (setsid -f sleep 0.1)" {host}' >out 2>err </dev/null &
    run_pid=$!
    started+=("$run_pid")
    wait_until 10 test -s one/publisher.pid
    settle_at_least 30 20
    first=$(head -n 1 "/proc/$run_pid/task/$run_pid/children")
    at_most "process 1 reaps the orphans of its commands" 4 "$(zombies "${first%% *}" | wc -l)"
    finish 20
    ends_with_code "as process 1: exit 0" 0
    audit "as process 1" 40
else
    printf '# no right to make a pid namespace: process 1 is not tried\n'
fi

# ---- read once, and kept -------------------------------------------------------------------------

# kept NAME: a run that was launched loses its publisher and its consumer, and does all 40.
kept() {
    settle_at_least 5 10
    murder publisher
    murder consumer
    finish 30
    ends_with_code "$1: exit 0 after kill -9 of its readers" 0
    audit "$1" 40
}

dir=fifo
mkfifo fifo-hosts
(sleep 0.3 && cat hosts.txt) >fifo-hosts &
launch -i fifo-hosts "${slow[@]}"
kept "the input is a FIFO whose writer comes late"
dir=process
launch -i <(cat hosts.txt) "${slow[@]}"
kept "the input is <(...)"
dir=stdin
MAYHEM_LOCKS=$MAYHEM_LOCKS/$dir "$root/run.sh" --dir stdin -i /dev/stdin "${slow[@]}" >out 2>err <hosts.txt &
run_pid=$!
started+=("$run_pid")
wait_until 10 test -s stdin/publisher.pid
kept "the input is /dev/stdin"
check "its copy is gone at the end" test ! -e stdin/stdin
dir=cut-off
mkfifo feed
exec 8<>feed
MAYHEM_LOCKS=$MAYHEM_LOCKS/$dir "$root/run.sh" --dir cut-off -i - -n 1 --slots 4 -x "sh -c 'echo {host} >>ran.txt'" >out 2>err <feed &
run_pid=$!
started+=("$run_pid")
head -n 20 hosts.txt >&8
printf web-0 >&8 # half a host
wait_until 10 test -s cut-off/publisher.pid
settle_at_least 20 20
kill -KILL "$run_pid"
wait "$run_pid" 2>/dev/null
check "the supervisor is killed while the stream goes on: all leave" wait_until 10 nothing_lives
exec 8>&-
equal "the half host was not restarted" 20 "$(wc -l <ran.txt)"
MAYHEM_LOCKS=$MAYHEM_LOCKS/$dir "$root/run.sh" --dir cut-off -i - -n 1 --slots 4 -x "sh -c 'echo {host} >>ran.txt'" >out 2>err <hosts.txt
equal "the same command goes on: exit 0" 0 $?
audit "a stream that was cut off" 40
equal "no host was restarted twice" 0 "$(repeated ran.txt)"
dir=config
launch -i hosts.txt --config <(printf '[consumer]\nmax-dead = 1\n[restarter]\nmock-fail = 100%%\nmock-time = 700ms..800ms\n') \
    -n 1 --attempts 1 --slots 1
murder consumer
murder restarter-1
finish 20
ends_with_code "a configuration that is a stream, max-dead = 1: exit 75" 75
equal "each start has read it: one host is dead, and no more" 1 \
    "$(store "SELECT count(*) FROM jobs WHERE outcome = 'dead'")"
"$root/run.sh" --dir config2 --config <(printf '[consumer]\nmax-daed = 1\n') -i hosts.txt --mock 2>err
equal "a fault in such a stream: exit 78" 78 $?
matches "it is named with its line" '/dev/fd/[0-9]+:2: .*max-dead' "$(cat err)"

# ---- installed -----------------------------------------------------------------------------------

# With MAYHEM_BUILD it is what was built there, wherever the clone is.
make -s -C "$root" --no-print-directory BUILD="$build" install DESTDIR="$work/tree" PREFIX=/usr >made 2>&1
equal "make install" 0 $?
dir=tree-run
started "the tree runs where it is, without run.sh" 0 env -u MAYHEM_BUILD tree/usr/bin/mayhem run \
    --dir $dir -i hosts.txt "${mock[@]}"
matches "the last line says why it ended" '^finished$' "$(tail -n 1 started.out)"
matches "it has a manual page" '\.SH MAYHEM run' "$(cat tree/usr/share/man/man1/mayhem.1)"
# shellcheck disable=SC1091 # made just now
. tree/usr/share/bash-completion/completions/mayhem
COMP_WORDS=(mayhem run --restart) COMP_CWORD=2
_mayhem tree/usr/bin/mayhem
equal "and bash completes its options" "--restarters --restart-pause" "${COMPREPLY[*]}"

# ---- streams that are no list, the same one twice -------------------------------------------------

dir=twice
"$root/run.sh" --dir twice --config - -i - --mock >out 2>err < <(printf "[common]\n")
equal "standard input as configuration and hosts: exit 64" 64 $?
"$root/run.sh" --dir twice -i - --mock >out 2>err </tmp
equal "a folder as standard input: exit 65" 65 $?
matches "and it says so" 'standard input is a folder' "$(cat err)"
check "neither has made a folder" test ! -e twice

# ---- a file that changes, a limit, a signal to all ------------------------------------------------

dir=changed
cp hosts.txt changing.txt
launch -i changing.txt "${slow[@]}"
settle_at_least 5 10
head -n 20 hosts.txt >changing.txt
kill -KILL "$(pid_of publisher)"
finish 20
ends_with_code "the list changes, and the publisher is killed: exit 0" 0
audit "the list is what it was when it was read" 40

dir=limit
run -i hosts.txt -n 1 --slots 1 --attempts 1 --max-dead 2 --mock-fail 100%
ends_with_code "--max-dead: exit 75" 75
matches "the last line says so" '^stopped by --max-dead, see limit/dead.txt first: 38 hosts left; to go on: ' \
    "$(tail -n 1 out)"
again=$(tail -n 1 out)
(eval "${again#*to go on: }") >out 2>err
equal "and its command goes on" 4 "$(store "SELECT count(*) FROM jobs WHERE outcome = 'dead'")"

dir=all
launch -i hosts.txt -n 2 --slots 4 -x 'sh -c "echo {host} >>all.txt; sleep 0.4; echo {host} >>all.ends"'
settle_at_least 8 20
kill -TERM "$run_pid" "$(pid_of consumer)" "$(pid_of saver)" "$(pid_of publisher)" \
    "$(pid_of restarter-1)" "$(pid_of restarter-2)"
finish 20
ends_with_code "TERM to all at once, as from a service manager: exit 75" 75
matches "it drains" 'clean shutdown: yes' "$(cat out)"
equal "what had begun was finished" "$(sort all.txt)" "$(sort all.ends)"

# ---- who is there, and what is taken away --------------------------------------------------------

dir=taken
hosts 200 >many.txt
launch -i many.txt --drain-timeout 4s "${slow[@]}"
"$root/run.sh" --dir taken -i many.txt --mock >out2 2>err2
matches "a second operator is told who runs what, since when" \
    "pid $run_pid of [^ ]+, since [0-9-]+ [0-9:]+: .*-i many.txt" "$(cat err2)"
for file in run.pid restarter-1.pid control run.lock; do
    rm taken/$file
    check "$file is taken away: it says so" wait_until 5 grep -q "removed taken/$file" err
done
check "the pid files are written again" test -s taken/run.pid -a -s taken/restarter-1.pid
"$root/run.sh" scale 3 --dir taken >out2 2>&1
equal "a lock that is gone is no run to talk to: exit 69" 69 $?
rm taken/consumer.*
check "the consumer's sockets are taken away: it says so" \
    wait_until 5 grep -q 'removed taken/consumer.*no worker can join' err
rm taken/mayhem.db taken/outbox.db
for file in mayhem.db outbox.db; do
    check "$file is taken away: it says so" wait_until 5 grep -q "removed taken/$file" err
done
finish 60
ends_with_code "without its record it ends by itself: exit 74" 74
check "nothing is left running" nothing_lives
