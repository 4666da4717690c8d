#!/usr/bin/env bash
# docs/sites.md, pasted from top to bottom: three machines, which are network namespaces here, keys,
# a run, two sites, a kill, a revoked key, another key for the hub. The namespaces have the names of
# the page, in a mount namespace of the test's own.
# shellcheck source=tests/e2e/e2e_lib.sh
. "$(dirname "$0")/e2e_lib.sh"

inside=(unshare --mount --propagation private bash -c
    'mkdir -p /run/netns && mount -t tmpfs none /run/netns && exec "$@"' inside)
if [[ $(id -u) != 0 ]] || ! "${inside[@]}" ip netns add hub 2>/dev/null; then
    printf 'skip - network namespaces need root, and a kernel that has them\n'
    exit 77
fi

# The page's commands are for a clone.
ln -s "$build" build
printf '#!/usr/bin/env bash\nexec %q "$@"\n' "$root/run.sh" >run.sh
chmod +x run.sh

# What the page kills is written down: the program of each pid, and its pid.
kill_noted() {
    printf '%s %s\n' "$(basename "$(readlink "/proc/${*: -1}/exe")")" "${*: -1}" >>killed
    builtin kill "$@"
}
# The processes that work in this folder, wherever their network is and whatever they are called.
working_here() {
    local folder pid
    for folder in /proc/[0-9]*/cwd; do
        pid=${folder//[^0-9]/}
        [[ ! $folder -ef $work || $pid == "$$" || $pid == "$BASHPID" ]] ||
            printf '%s %s\n' "$pid" "$(cat "/proc/$pid/comm" 2>/dev/null)"
    done
}
# The names of hosts that the blocks of a page make.
names_of() {
    grep -o "seq -f '[^']*'" "$root/$1" | sort -u
}

equal "no host is one of README's, which this machine has restarted within the hour" "" \
    "$(comm -12 <(names_of README.md) <(names_of docs/sites.md))"
{
    printf 'set -u\n%s\nkill() { kill_noted "$@"; }\n' "$(declare -f kill_noted)"
    awk '/^```sh/ { on = 1; next } /^```/ { on = 0 } on' "$root/docs/sites.md"
} >page.sh
at_least() {
    if (($3 >= $2)); then ok "$1"; else not_ok "$1" "at least: $2" "got: $3"; fi
}
at_least "the page has its blocks" 40 "$(lines_in page.sh)"

timeout -k 5 120 "${inside[@]}" bash page.sh >page.out 2>page.err </dev/null
equal "the page runs to its end" 0 $?
dir=hub
audit "sites" 250
matches "the summary says that all are restarted" '250 in all: 250 restarted' "$(cat summary.txt)"
for worker in eu-1 us-1 us-2; do
    at_least "$worker has restarted some" 1 \
        "$(store "SELECT count(*) FROM jobs WHERE worker = '$worker'")"
done
matches "doctor says that all is well" 'ok' "$(cat page.out)"
equal "doctor finds nothing" "" "$(grep -h '^FAIL' page.out)"
matches "status is seen from a site" 'restarter' "$(cat page.out)"
matches "the revoked key is told of on the hub" 'name=us-1' \
    "$(grep -h 'A key no longer counts' hub/log/consumer.log)"
matches "and at its site" 'refuse' "$(cat us.log)"
equal "each kill of the page ends a restarter, and no two the same one" \
    'mayhem-restarter mayhem-restarter mayhem-restarter mayhem-restarter, 4' \
    "$(cut -d ' ' -f 1 killed | paste -sd ' '), $(sort -u killed | wc -l)"
while read -r program pid; do
    check "$program $pid has ended" is_gone "$pid"
done <killed
equal "they are the four that have begun" \
    "$(sed -n 's/.*\[\([0-9]*\)\] Ready .*/\1/p' eu.log us.log | sort)" "$(cut -d ' ' -f 2 killed | sort)"
equal "the killed one is lost, and then the other one joins" \
    'A worker joins, Lost a worker, A worker joins' \
    "$(sed -n 's/.* \(A worker joins\|Lost a worker.*\) worker=eu-1 *.*/\1/p' hub/log/consumer.log |
        head -n 3 | paste -sd , | sed 's/,/, /g')"
equal "nothing else goes wrong" "" "$(grep -v ' Killed ' page.err)"
equal "nothing is left running" "" "$(working_here)"
mapfile -t started < <(working_here | cut -d ' ' -f 1) # clean_up ends them
if [[ -e .not_ok ]]; then
    sed 's/^/#   /' page.out page.err
fi
