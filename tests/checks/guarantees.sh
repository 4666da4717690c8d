#!/usr/bin/env bash
# Each test that docs/guarantees.md names exists. check_guarantees.sh DOCUMENT
set -u
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
status=0 count=0

# exists KIND NAME
exists() {
    case $1 in
    sim) grep -qF "\"$2\"" "$root"/tests/sim/sim_*.c ;;
    scenario) [[ -f $root/tests/scenarios/$2.txt ]] ;;
    point) grep -rqF "MM_CRASH_POINT(\"$2\")" "$root"/{common,publisher,consumer,saver,restarter} ;;
    test_*) grep -qE "[(]$2[),]" "$root"/tests/unit/*/"$1.c" &&
        grep -q "^static void $2(" "$root"/tests/unit/*/"$1.c" ;;
    e2e_*) grep -qF -- "$2" "$root/tests/e2e/$1.sh" ;;
    file) [[ -f $root/$2 ]] ;;
    esac
}

while IFS= read -r token; do
    kind=${token%%: *} name=${token#*: }
    case $token in
    tests/*/*.sh) kind='file' ;;
    sim:* | scenario:* | point:* | test_*:* | e2e_*:*) ;;
    *) continue ;;
    esac
    count=$((count + 1))
    exists "$kind" "$name" && continue
    printf 'FAIL guarantees: there is no %s\n' "$token"
    status=1
done < <(grep -o "\`[^\`]*\`" "$1" | tr -d "\`")
((count > 30)) || { printf 'FAIL guarantees: only %d tests are named in %s\n' "$count" "$1" && exit 1; }
((status)) || printf 'PASS guarantees: %d tests are named, and exist\n' "$count"
exit $status
