#!/usr/bin/env bash
# Each crash point of common/runtime/crash.h once: a process dies there in the middle of a small run, as by
# kill -9, and nothing is lost. The points are taken from the programs, so none is forgotten.
# shellcheck source=tests/e2e/e2e_lib.sh
. "$(dirname "$0")/e2e_lib.sh"

at_a_time=6 # runs side by side: they mostly wait
total=300
build=$(realpath -m -- "$build")
if ! make -s -C "$root" --no-print-directory BUILD="$build" crash >make.log 2>&1; then
    not_ok "the programs with crash points are built" "$(cat make.log)"
    exit 1
fi
export MAYHEM_BUILD=$build/crash

# The points of a program, one a line. Each store has those of a commit.
points_of() {
    readelf -p mm_crash "$MAYHEM_BUILD/$1" | sed -n 's/^ *\[ *[0-9a-f]*\]  //p' | sort -u
}

# run_to POINT:COUNT [OPTION]...: a run in $dir whose first process to get there dies.
run_to() {
    local crash=$1
    shift
    MAYHEM_CRASH=$crash MAYHEM_CRASH_ONCE=$dir.hit timeout -k 5 60 "$root/run.sh" --dir "$dir" \
        -i hosts.txt --leases 60 --slots 8 --drain-timeout 4s "$@" \
        >"$dir.out" 2>"$dir.err" </dev/null
    code=$?
}

# Nobody says bye at the end of a run, when the consumer leaves first. run_to_bye POINT PROGRAM: one
# process is told to leave alone.
run_to_bye() {
    local name=$2
    [[ $name != restarter ]] || name=restarter-1
    { wait_until 10 has_settled 20 && kill -TERM "$(pid_of "$name")"; } &
    run_to "$1" --mock-time 0s..600ms
}

# try PROGRAM POINT NUMBER: dies there when it is passed for the third time, or else for the first.
try() {
    local point=$1/$2 name=${1#mayhem-} twice policy=()
    dir=point$3
    [[ $2 != *orders* ]] || policy=(--max-unavailable '100%') # without one the mock sends none
    if [[ $2 == *' bye '* ]]; then
        run_to_bye "$point" "$name"
    else
        run_to "$point:3" --mock-time 0s..10ms "${policy[@]}"
        if [[ ! -e $dir.hit ]]; then
            dir+=.first
            run_to "$point" --mock-time 0s..10ms "${policy[@]}"
        fi
    fi
    check "$point: it is hit" test -e "$dir.hit"
    matches "$point: run.sh tells that it died" "$name(-[12])? was killed by signal 9" \
        "$(cat "$dir.err" "$dir.out")"
    if [[ $code == 0 ]]; then
        ok "$point: the run ends with 0"
    else
        not_ok "$point: the run ends with 0" "exit $code" "$(cat "$dir.out" "$dir.err")" \
            "$(tail -n 15 "$dir"/log/*.log)"
    fi
    audit "$point" "$total"
    equal "$point: every host is restarted" "$total" \
        "$(store "SELECT count(*) FROM jobs WHERE outcome = 'restarted'")"
    twice=$(cat "$dir"/log/restarter-*.log | sed -n 's/.* restarted .*host=\([^ ]*\).*/\1/p' |
        sort | uniq -d | wc -l)
    printf '# %s: %d hosts were restarted twice\n' "$point" "$twice"
}

# try_order POINT NUMBER: an order on a stopped DIR dies there, and is given again.
try_order() {
    local point=mayhem-saver/$1 ended
    dir=point$2
    MAYHEM_CRASH=$point MAYHEM_CRASH_ONCE=$dir.hit "$MAYHEM_BUILD/mayhem-saver" --dir "$dir" \
        --order halt --order-why first 2>"$dir.err"
    ended=$?
    check "$point: it is hit" test -e "$dir.hit"
    equal "$point: it dies there" 137 "$ended"
    "$MAYHEM_BUILD/mayhem-saver" --dir "$dir" --order halt --order-why again
    equal "$point: the order that comes next is in force" again "$(store 'SELECT why FROM holds')"
    check "$point: the audit is intact" "$MAYHEM_BUILD/mayhem" audit verify --dir "$dir" >"$dir.out"
}

# try_keys POINT NUMBER: `mayhem keys` dies there, and the same command does it.
try_keys() {
    local point=mayhem/$1 step=() former
    dir=keys$2
    public() { sed -n 's/^public = //p' "$dir/$1"; }
    mayhem_keys() { "$MAYHEM_BUILD/mayhem" keys "$@" --keys "$dir" >"$dir.out" 2>&1; }
    [[ $1 == *'no key of the consumer' ]] || mayhem_keys new a --role restarter
    case $1 in
    *'no key of the consumer') step=(new b --role saver) ;;
    *'the line is not') step=(new b --role saver) ;;
    *'no client knows it') step=(rotate) ;;
    *'still in use') mayhem_keys rotate && step=(rotate --switch) ;;
    *forgotten*) mayhem_keys rotate && mayhem_keys rotate --switch && step=(rotate --finish) ;;
    esac
    MAYHEM_CRASH=$point mayhem_keys "${step[@]}"
    equal "$point: it dies there" 137 $?
    equal "$point: nobody has come in" "$(grep -c . <(find "$dir" -name a.key))" \
        "$(grep -vc '^#' "$dir/allowed")"
    [[ ! -e $dir/b.key ]] || former=$(public b.key)
    check "$point: the same command does it" mayhem_keys "${step[@]}"
    if [[ ${step[0]} == new ]]; then
        equal "$point: the key is on the list" "saver b $(public b.key)" \
            "$(tail -n 1 "$dir/allowed")"
        check "$point: it is another one" test "${former:-}" != "$(public b.key)"
    else
        check "$point: the client knows the key that counts" \
            grep -qxF "server = $(public consumer.key)" "$dir/a.key"
        check "$point: the next step is possible" mayhem_keys list
    fi
}

hosts "$total" >hosts.txt
number=0
for program in mayhem-publisher mayhem-consumer mayhem-saver mayhem-restarter; do
    points=$(points_of "$program")
    check "$program has crash points" test -n "$points"
    while IFS= read -r point; do
        while (($(jobs -rp | wc -l) >= at_a_time)); do
            wait -n
        done
        number=$((number + 1))
        if [[ $program == mayhem-saver && $point == *orders* ]]; then
            try_order "$point" "$number" >"tried.$number" 2>&1 &
        else
            try "$program" "$point" "$number" >"tried.$number" 2>&1 &
        fi
        started+=("$!")
    done <<<"$points"
done
wait
points=$(points_of mayhem | grep '^keys: ')
check "mayhem has crash points" test -n "$points"
while IFS= read -r point; do
    number=$((number + 1))
    try_keys "$point" "$number" >"tried.$number" 2>&1
done <<<"$points"
for ((i = 1; i <= number; i++)); do
    cat "tried.$i"
done
check "nothing is left running" nothing_lives
