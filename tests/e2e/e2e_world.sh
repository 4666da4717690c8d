#!/usr/bin/env bash
# The world fails: full disks, read-only folders, busy and broken databases, few descriptors, small
# files, a wall clock that jumps. Each is told in one clear line (shown below its check), and is a
# pause that ends with its cause, or an end; never an ack without a row, never a busy loop.
# shellcheck source=tests/e2e/e2e_lib.sh
. "$(dirname "$0")/e2e_lib.sh"

mounted=()

# unmount_all: before the folder is removed. Returns what the script ends with.
unmount_all() {
    local place status=$?
    for place in "${mounted[@]}"; do
        umount -l "$place" 2>/dev/null
    done
    return "$status"
}
trap 'unmount_all; clean_up' EXIT

# small_disk PLACE SIZE: a tmpfs; false without the right to mount.
small_disk() {
    mkdir -p "$1"
    mount -t tmpfs -o "size=$2,mode=700" tmpfs "$1" 2>/dev/null || return 1
    mounted+=("$work/$1")
}

fill() {
    cat /dev/zero >"$1/ballast" 2>/dev/null
}

# said PROCESS REGEX: whether its log has such a line.
said() {
    grep -qE "$2" "$dir/log/$1.log"
}

# tells NAME PROCESS REGEX: the line comes within ten seconds, and is shown.
tells() {
    if wait_until 10 said "$2" "$3"; then
        ok "$1: the user is told"
        grep -hE "$3" "$dir/log/$2.log" | head -n 1 | cut -d ' ' -f 2- | sed 's/^/# /'
    else
        not_ok "$1: the user is told" "no $3 in:" "$(tail -n 5 "$dir/log/$2.log")"
    fi
}

# Hundredths of a second of CPU that a process has used.
cpu_of() {
    local line fields
    line=$(<"/proc/$1/stat")
    read -ra fields <<<"${line##*) }"
    printf '%d' $((fields[11] + fields[12]))
}

# waits_quietly NAME: no process uses 0.3 s of CPU in 2 s.
waits_quietly() {
    local name most=0 used
    local -A before=()
    for name in publisher consumer saver restarter-1; do
        before[$name]=$(cpu_of "$(pid_of "$name")")
    done
    sleep 2
    for name in "${!before[@]}"; do
        used=$(($(cpu_of "$(pid_of "$name")") - before[$name]))
        most=$((used > most ? used : most))
    done
    at_most "$1: no busy loop meanwhile (0.$(printf %02d "$most") s of CPU in 2 s)" 29 "$most"
}

# acked_are_recorded NAME DB: each ack in the consumer's log has its row with an outcome.
acked_are_recorded() {
    local acked missing
    acked=$(grep -oE 'Done. Acked job=[0-9a-f]+' "$dir/log/consumer.log" | grep -oE '[0-9a-f]+$')
    missing=$(comm -23 <(sort -u <<<"$acked") <(query "$2" \
        'SELECT lower(hex(id)) FROM jobs WHERE outcome IS NOT NULL' | sort))
    equal "$1: no ack without a row ($(wc -l <<<"$acked") acks)" "" "$missing"
}

# refused NAME CODE REGEX COMMAND...: it ends with CODE (A|B) and one line that matches.
refused() {
    local name=$1 expected=$2 regex=$3
    shift 3
    timeout -k 5 20 "$@" >out 2>err </dev/null
    code=$?
    if [[ $code =~ ^($expected)$ && $(cat err) =~ $regex && $(wc -l <err) == 1 ]]; then
        ok "$name: exit $code"
        sed 's/^/# /' err
    else
        not_ok "$name: exit $expected" "got exit $code; expected: $regex; in:" "$(cat err)"
    fi
}

slow=(-n 1 --slots 16 --leases 100 --mock-time 10ms..40ms --attempts 10)
printf '[consumer]\nbackoff = 50ms..1s\n' >quick.ini

# ---- full disks ----------------------------------------------------------------------------------

outbox_full() {
    dir=outbox
    small_disk outbox 16m || return 1
    mkdir logs1
    ln -s ../logs1 outbox/log
    { cat quick.ini && printf '[saver]\ndb = %s/outbox-store.db\n' "$work"; } >outbox.ini
    hosts 800 >hosts.txt
    launch -i hosts.txt --rate 300 --config outbox.ini "${slow[@]}"
    wait_until 20 said consumer 'Done. Acked'
    fill outbox
    tells "the outbox's disk is full" publisher 'The outbox cannot be written.*no room to write'
    waits_quietly "the outbox's disk is full"
    acked_are_recorded "the outbox's disk is full" outbox-store.db
    rm outbox/ballast
    tells "there is room again" publisher 'The outbox can be written again'
    finish 30
    ends_with_code "the outbox's disk was full: the run goes on by itself, exit 0" 0
    equal "the outbox's disk was full: nothing is lost" "800 0" \
        "$(query outbox-store.db "SELECT count(*) FROM jobs WHERE outcome = 'restarted'") $(outbox \
            'SELECT count(*) FROM jobs')"
}

store_full() {
    dir=store
    small_disk small 8m || return 1
    { cat quick.ini && printf '[saver]\ndb = %s/small/mayhem.db\n' "$work"; } >store.ini
    hosts 400 >hosts.txt
    launch -i hosts.txt --rate 150 --config store.ini "${slow[@]}"
    wait_until 20 said consumer 'Done. Acked'
    fill small
    tells "the store's disk is full" saver 'Could not save.*no room to write'
    tells "the store's disk is full" consumer 'Retrying for failure to save.*no room to write'
    waits_quietly "the store's disk is full"
    acked_are_recorded "the store's disk is full" small/mayhem.db
    rm small/ballast
    finish 30
    ends_with_code "the store's disk was full: the run goes on by itself, exit 0" 0
    equal "the store's disk was full: nothing is lost" "400 0" \
        "$(query small/mayhem.db "SELECT count(*) FROM jobs WHERE outcome = 'restarted'") $(outbox \
            'SELECT count(*) FROM jobs')"
    acked_are_recorded "the store's disk was full" small/mayhem.db
}

all_full() {
    dir=full
    small_disk full 16m || return 1
    hosts 800 >hosts.txt
    launch -i hosts.txt --rate 300 --config quick.ini "${slow[@]}"
    settle_at_least 50 20
    fill full
    check "the whole folder's disk is full: standard error says so" \
        wait_until 10 grep -q 'the log cannot be written: No space left on device' err
    grep -m 1 'log cannot be written' err | sed 's/^/# /'
    waits_quietly "the whole folder's disk is full"
    rm full/ballast
    finish 30
    ends_with_code "the whole folder's disk was full: the run goes on by itself, exit 0" 0
    audit "the whole folder's disk was full" 800
    acked_are_recorded "the whole folder's disk was full" full/mayhem.db
}

# ---- what may not be written ---------------------------------------------------------------------

read_only() {
    local program=$build/mayhem
    small_disk ro 4m || return 1
    dir=ro
    hosts 5 >hosts.txt
    run -i hosts.txt --mock
    ends_with_code "a run before the folder is made read-only" 0
    mount -o remount,ro ro
    refused "a read-only folder" 73 'cannot create.* ro' "$root/run.sh" --dir ro -i hosts.txt --mock
    refused "a read-only folder, publisher" '73|74' 'ro/outbox.db.*Read-only' \
        "$program-publisher" --dir ro --input hosts.txt
    refused "a read-only folder, consumer" '73|74' 'ro/.*Read-only' "$program-consumer" --dir ro
    refused "a read-only folder, saver" '73|74' 'ro/mayhem.db.*Read-only' "$program-saver" --dir ro
    mount -o remount,rw ro
    for name in outbox mayhem; do
        mount --bind "ro/$name.db" "ro/$name.db" && mount -o remount,bind,ro "ro/$name.db"
        mounted+=("$work/ro/$name.db")
    done
    refused "a read-only file, publisher" '73|74' 'ro/outbox.db.*(written|readonly)' \
        "$program-publisher" --dir ro --input hosts.txt
    refused "a read-only file, saver" '73|74' 'ro/mayhem.db.*(written|readonly)' \
        "$program-saver" --dir ro
}

for part in outbox_full store_full all_full read_only; do
    "$part" || printf '# no right to mount a small tmpfs: %s is not tried\n' "$part"
done

# ---- somebody else writes ------------------------------------------------------------------------

# occupy DB: another connection holds a write transaction for 3 s.
occupy() {
    { printf 'BEGIN IMMEDIATE;\n' && sleep 3 && printf 'COMMIT;\n'; } |
        sqlite3 -cmd '.timeout 5000' "$1" &
    started+=("$!")
}

dir=busy
hosts 1200 >hosts.txt
launch -i hosts.txt --rate 200 --config quick.ini "${slow[@]}"
wait_until 20 said consumer 'Done. Acked'
occupy busy/outbox.db
tells "the outbox is busy" publisher 'The outbox cannot be written.*busy: another program'
waits_quietly "the outbox is busy"
tells "the outbox is free again" publisher 'The outbox can be written again'
occupy busy/mayhem.db
tells "the store is busy" saver 'Could not save.*busy: another program'
waits_quietly "the store is busy"
acked_are_recorded "the store is busy" busy/mayhem.db
finish 30
ends_with_code "both were busy for 3 s: the run goes on by itself, exit 0" 0
audit "both were busy for 3 s" 1200
acked_are_recorded "both were busy for 3 s" busy/mayhem.db

# ---- databases that are none ---------------------------------------------------------------------

for name in outbox mayhem; do
    role=$([[ $name == outbox ]] && printf publisher || printf saver)
    for harm in cut-off cut-in-a-page garbage empty-pages; do
        mkdir -p "$name-$harm"
        cp "busy/$name.db" "$name-$harm/"
        case $harm in
        cut-off) truncate -s 8192 "$name-$harm/$name.db" ;;
        cut-in-a-page) truncate -s 5000 "$name-$harm/$name.db" ;;
        garbage) seq 1 2000 >"$name-$harm/$name.db" ;;
        empty-pages) head -c 8192 /dev/zero >"$name-$harm/$name.db" ;;
        esac
        refused "$name.db at the start: $harm" 65 "$name.db" "$build/mayhem-$role" \
            --dir "$name-$harm"
    done
done

# ---- limits --------------------------------------------------------------------------------------

dir=soft
hosts 50 >hosts.txt
(ulimit -Sn 64 && exec "$root/run.sh" --dir soft -i hosts.txt --mock) >out 2>err </dev/null
code=$?
ends_with_code "a soft limit of 64 descriptors is raised: exit 0" 0
audit "a soft limit of 64 descriptors" 50
for role in publisher consumer saver restarter; do
    refused "$role with a hard limit of 64 descriptors" 69 '4096 descriptors.*ulimit -Hn' \
        bash -c "ulimit -n 64 && exec $build/mayhem-$role --dir hard"
done

# Files may not grow: their limit is set, and lifted, while the processes run.
dir=short
hosts 1200 >hosts.txt
launch -i hosts.txt --rate 300 --config quick.ini "${slow[@]}"
wait_until 20 said consumer 'Done. Acked'
prlimit --pid "$(pid_of saver)" --fsize=100000:unlimited
tells "the store may not grow (RLIMIT_FSIZE)" saver 'Could not save.*ulimit -f'
prlimit --pid "$(pid_of publisher)" --fsize=100000:unlimited
tells "the outbox may not grow" publisher 'The outbox cannot be written.*ulimit -f'
waits_quietly "files may not grow"
acked_are_recorded "files may not grow" short/mayhem.db
for name in publisher saver; do
    prlimit --pid "$(pid_of "$name")" --fsize=unlimited:unlimited
done
finish 30
ends_with_code "files may grow again: the run goes on by itself, exit 0" 0
audit "files could not grow for a while" 1200

# ---- a wall clock that jumps ---------------------------------------------------------------------

dir=clock
hosts 600 >hosts.txt
printf 0 >jump
export MAYHEM_CLOCK=$work/jump
LD_PRELOAD=$build/tests/clock_shift.so launch -i hosts.txt --rate 100 "${slow[@]}"
for jump in 315000000000 -315000000000 0; do
    settle_at_least $(($(settled) + 50)) 20
    printf '%d' "$jump" >"$work/jump"
done
finish 30
unset MAYHEM_CLOCK
ends_with_code "the wall clock jumps ten years ahead, twenty back, and home: exit 0" 0
audit "a wall clock that jumps" 600
equal "the jumps were seen" "2016 2026 2036" \
    "$(grep -ohE '^[0-9]{4}' clock/log/consumer.log | sort -u | paste -sd ' ')"
equal "ids grow all the same" 0 "$(store 'SELECT count(*) FROM jobs AS a JOIN jobs AS b
    ON a.host < b.host WHERE a.id > b.id')"
matches "the summary stays sensible" 'job time   p50 [0-9.]+ ms, p99 [0-9.]{1,8} ms' "$(cat out)"
check "nothing is left running" nothing_lives
