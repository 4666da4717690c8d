# Helpers of the tests with real processes; each tests/e2e_*.sh sources it. A test works in a folder
# of its own, ends only what it has started itself, by pid, and waits for nothing without a limit.
# Each check prints "ok - NAME" or "not ok - NAME", with the reason below it. Exit 1: one was not ok.
# shellcheck shell=bash
set -u

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
build=${MAYHEM_BUILD:-$root/build}
export MAYHEM_BUILD=$build # run.sh then builds nothing
work=$(mktemp -d "${TMPDIR:-/tmp}/mayhem-e2e.XXXXXX") || exit 73
cd "$work" || exit 73
# What restarts hosts for real disturbs no other test and no user; of run and launch, no other DIR.
export MAYHEM_LOCKS=$work/locks
# An address of this machine that no other test has: ports of it are free.
export loopback=127.$((1 + $$ / 240 % 240)).$((1 + $$ % 240)).1
dir=run
started=() # pids of what runs in the background
run_pid=0
code=0

# ---- checks --------------------------------------------------------------------------------------

ok() {
    printf 'ok - %s\n' "$1"
}

# not_ok NAME [DETAIL]...
not_ok() {
    printf 'not ok - %s\n' "$1"
    [[ ! -d $work ]] || : >"$work/.not_ok" # also of a subshell
    shift
    local detail
    for detail in "$@"; do
        printf '%s\n' "$detail" | tail -n 30 | sed 's/^/#   /'
    done
}

# check NAME COMMAND...: the command succeeds.
check() {
    local name=$1
    shift
    if "$@"; then ok "$name"; else not_ok "$name" "failed: $*"; fi
}

# equal NAME EXPECTED ACTUAL
equal() {
    if [[ $2 == "$3" ]]; then ok "$1"; else not_ok "$1" "expected: $2" "got: $3"; fi
}

# at_most NAME LIMIT ACTUAL
at_most() {
    if [[ $3 =~ ^[0-9]+$ ]] && (($3 <= $2)); then
        ok "$1"
    else
        not_ok "$1" "at most: $2" "got: $3"
    fi
}

# matches NAME REGEX TEXT
matches() {
    if [[ $3 =~ $2 ]]; then ok "$1"; else not_ok "$1" "expected: $2" "in: $3"; fi
}

# ends_with_code NAME CODE: of the run that has just ended.
ends_with_code() {
    if [[ $code == "$2" ]]; then
        ok "$1"
    else
        not_ok "$1" "expected exit $2, got $code" "$(cat out err)" "$(tail -n 15 $dir/log/*.log)"
    fi
}

# ---- waiting -------------------------------------------------------------------------------------

# Milliseconds of a clock that only goes forward.
milliseconds() {
    local up
    read -r up _ </proc/uptime
    printf '%d' $((10#${up/./} * 10))
}

# wait_until SECONDS COMMAND...: false when the command has not succeeded by then.
wait_until() {
    local limit=$(($(milliseconds) + $1 * 1000))
    shift
    until "$@"; do
        (($(milliseconds) < limit)) || return 1
        sleep 0.05
    done
}

# A process that has ended is gone, even if nobody has asked for its exit code yet: the first
# process of a container may be one that never does.
is_gone() {
    local line
    { read -r line <"/proc/$1/stat"; } 2>/dev/null || return 0
    [[ ${line##*) } == Z* ]]
}

lines_in() {
    grep -c '' "$1" 2>/dev/null
}

has_lines() {
    ((10#0$(lines_in "$1") >= $2))
}

# ---- what is on record ---------------------------------------------------------------------------

# query FILE SQL; nothing when there is no such file yet.
query() {
    [[ -f $1 ]] || return 0
    sqlite3 -cmd '.timeout 10000' "$1" "$2" 2>/dev/null
}

store() {
    query "$dir/mayhem.db" "$1"
}

outbox() {
    query "$dir/outbox.db" "$1"
}

settled() {
    local count
    count=$(store 'SELECT count(*) FROM jobs WHERE outcome IS NOT NULL')
    printf '%d' "${count:-0}"
}

has_settled() {
    (($(settled) >= $1))
}

# settle_at_least N SECONDS
settle_at_least() {
    wait_until "$2" has_settled "$1" || not_ok "$1 hosts settle within $2 s" "settled: $(settled)" \
        "$(tail -n 15 $dir/log/*.log)"
}

# audit NAME N: all N hosts are on record once, with an outcome, and the outbox is empty.
audit() {
    equal "$1: each of $2 hosts has one row with an outcome, the outbox is empty" \
        "$2 rows, $2 hosts, $2 settled, 0 left" \
        "$(store "SELECT count(*) || ' rows, ' || count(DISTINCT host) || ' hosts, ' ||
            count(outcome) || ' settled, ' FROM jobs")$(outbox 'SELECT count(*) FROM jobs') left"
}

# hosts N [PREFIX]: the names of N hosts.
hosts() {
    seq -f "${2:-web}-%05g" 1 "$1"
}

# Lines of a file that stand in it more than once.
repeated() {
    sort "$1" | uniq -d | wc -l
}

# ---- processes -----------------------------------------------------------------------------------

# run OPTION...: run.sh to its end; sets `code`, writes out and err.
run() {
    MAYHEM_LOCKS=$MAYHEM_LOCKS/$dir timeout -k 5 60 "$root/run.sh" --dir "$dir" "$@" >out 2>err </dev/null
    code=$?
}

# launch OPTION...: run.sh in the background; sets run_pid. Returns when all have been started.
launch() {
    local former
    former=$(pid_of publisher) # its pid file stays: by it the run waits for what was left
    MAYHEM_LOCKS=$MAYHEM_LOCKS/$dir "$root/run.sh" --dir "$dir" "$@" >out 2>err </dev/null &
    run_pid=$!
    started+=("$run_pid")
    wait_until 10 is_started_again publisher "$former" ||
        not_ok "run.sh $* starts" "$(cat out err)"
}

# finish SECONDS: waits for the run that was launched; sets `code`.
finish() {
    if ! wait_until "$1" is_gone "$run_pid"; then
        not_ok "run.sh ends within $1 s" "$(cat out err)" "$(tail -n 15 $dir/log/*.log)"
        kill -KILL "$run_pid"
    fi
    wait "$run_pid" 2>/dev/null
    code=$?
}

# pid_of NAME: from its pid file; nothing while it is being restarted.
pid_of() {
    cat "$dir/$1.pid" 2>/dev/null
}

# murder NAME: kill -9; then waits until the supervisor has started it again.
murder() {
    local pid
    pid=$(pid_of "$1")
    kill -KILL "$pid"
    wait_until 10 is_started_again "$1" "$pid" || not_ok "$1 is started again after kill -9" \
        "$(cat out err)"
}

# running REGEX: the pids of all processes whose command line matches, one a line.
running() {
    local file words
    for file in /proc/[0-9]*/cmdline; do
        { mapfile -d '' -t words <"$file"; } 2>/dev/null || continue
        [[ ! "${words[*]}" =~ $1 ]] || basename "${file%/cmdline}"
    done
}

is_started_again() {
    local pid
    pid=$(pid_of "$1")
    [[ $pid != "" && $pid != "$2" ]]
}

# The processes that pid files name and that still run, one pid a line.
living() {
    local file pid
    for file in "$work"/*/*.pid; do
        { read -r pid <"$file"; } 2>/dev/null || continue
        tr '\0' ' ' 2>/dev/null <"/proc/$pid/cmdline" | grep -qE 'mayhem-|run\.sh' &&
            printf '%d\n' "$pid"
    done
}

nothing_lives() {
    [[ $(living) == "" ]]
}

clean_up() {
    local pid status=$?
    [[ ! -e $work/.not_ok ]] || status=1
    exec 2>/dev/null # bash tells of each that is killed
    for pid in "${started[@]}" $(living); do
        kill -KILL "$pid" 2>/dev/null
    done
    cd / && rm -rf "$work"
    exit "$status"
}
trap clean_up EXIT
trap 'exit 130' INT TERM HUP

[[ -x $build/mayhem-consumer ]] || {
    printf 'not ok - the programs are built\n#   no %s/mayhem-consumer: run make\n' "$build"
    exit 1
}

# ---- another user ----------------------------------------------------------------------------------

# Root can be one. What is theirs is in user/, their locks of hosts, too.
user=$((61000 + RANDOM % 4000))
by_user=(setpriv --reuid "$user" --regid "$user" --clear-groups env MAYHEM_LOCKS="$work/user/locks")

as_user() {
    "${by_user[@]}" "$@"
}

# Makes user/, if there can be such a user here, who can run the build.
has_user() {
    [[ $(id -u) == 0 ]] || return 1
    chmod 755 "$work"
    mkdir user && chown "$user" user
    as_user test -x "$build/mayhem"
}

# And ./helper, with which that user becomes root: with "root" it says its pid, and stays.
has_setuid() {
    has_user && cp "$build/tests/test_spawner_kill" helper && chmod 4755 helper || return 1
    timeout 1 "${by_user[@]}" ./helper root >/dev/null 2>&1
    [[ $? == 124 ]]
}

# launch_as_user OPTION...: like launch.
launch_as_user() {
    "${by_user[@]}" "$build/mayhem" run --dir "$dir" "$@" >out 2>err </dev/null &
    run_pid=$!
    started+=("$run_pid")
}
