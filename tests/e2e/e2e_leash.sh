#!/usr/bin/env bash
# The leash: a run with a policy in its file and a real driver executes nothing but its own programs,
# as strace sees it, until somebody says --unleash. Each command is there: what identifies, probes,
# asks for health, is done before and after, skips, restarts, and guards.
# shellcheck source=tests/e2e/e2e_lib.sh
. "$(dirname "$0")/e2e_lib.sh"

mkdir bin hosts
cat >bin/touched <<'END'
#!/usr/bin/env bash
# touched WHAT [HOST]: leaves a file, and answers as a host would that restarts at once.
folder=$(dirname "$(readlink -f "$0")")/..
echo "$1 ${2:-}" >>"$folder/ran"
cd "$folder/hosts" || exit 255
# A host's boot and its time are one file that is there at once: this script is killed, too.
boot() { echo "$(</proc/sys/kernel/random/uuid) $2" >"$1.boot.$$" && mv "$1.boot.$$" "$1.boot"; }
case $1 in
identify)
    [[ -e $2.boot ]] || boot "$2" 1000
    read -r boot since <"$2.boot"
    up=$(($(date +%s%3N) - since))
    printf '%s' "$2" | md5sum | cut -d ' ' -f 1
    echo "$boot" && echo "$((up / 1000)).00 1.00"
    ;;
restart) sleep 2 && boot "$2" "$(date +%s%3N)" ;;
skip) exit 1 ;;
esac
END
cp bin/touched bin/ssh # `--driver ssh` must not find the real one
chmod +x bin/touched bin/ssh
export PATH=$work/bin:$PATH
cat >all.ini <<'END'
[driver]
identify = touched identify {host}
health = touched health {host}
restart = touched restart {host}
restart = touched harder {host}
skip-if = touched skip {host}
before = touched before {host}
after = touched after {host}
timeout = 20s
verify-timeout = 20s
settle = 1s
END
cat >policy.ini <<'END'
[run]
max-unavailable = 2
guard = touched guard
[group web]
cap = 1
END
printf 'web-%d groups=web\n' 1 2 3 4 >hosts.txt

# traced OPTION...: a run under strace, to its end; `trace` has each execve. It must not hang.
traced() {
    rm -f trace ran
    timeout -k 5 90 strace -f -qq -s 200 -e trace=execve,execveat -o trace \
        "$build/mayhem" run "$@" >out 2>err </dev/null
    code=$?
}

# What was executed, but for the programs of the product: one a line. A failed try is one, too.
executed() {
    sed -n 's/^[0-9]* *execve\(at\)\?([^"]*"\([^"]*\)".*/\2/p' trace | grep -v "^$build/mayhem\(-[a-z]*\)\?\$"
}

# leashed NAME DIR: of the run that has just ended.
leashed() {
    local name=$1
    dir=$2
    ends_with_code "$name: exit 0" 0
    check "$name: strace has seen the programs" grep -q "execve.*mayhem-restarter" trace
    equal "$name: nothing else was executed" "" "$(executed)"
    equal "$name: no command has left a trace" "" "$(cat ran 2>/dev/null)"
    equal "$name: each host is on record as rehearsed" "4 restarted rehearsed" \
        "$(store "SELECT count(*) || ' ' || outcome || ' ' || proof FROM jobs GROUP BY outcome, proof")"
    check "$name: the folder of a real run is not there" test ! -e run
}

have_strace() {
    command -v strace >/dev/null
}
check "strace is there" have_strace

# ---- leashed -------------------------------------------------------------------------------------

traced -i hosts.txt --driver ./all.ini --config policy.ini
leashed "a leashed run" run.dry
equal "the first line says so" "leashed: a dry run; --unleash to restart for real" "$(head -n 1 out)"
equal "and so does the last one" "leashed: no host was restarted; --unleash to restart for real" \
    "$(tail -n 1 out)"
said=$(cat out run.dry/log/restarter-*.log 2>/dev/null)
for what in restart harder skip identify before health after; do
    matches "it prints what it would run: $what" "touched $what web-3" "$said"
done

rm -rf run.dry
traced -i hosts.txt --driver ssh --config policy.ini
leashed "a leashed run by ssh" run.dry

rm -rf run.dry
traced -i hosts.txt -x "$work/bin/touched restart {host}" --verify "$work/bin/touched verify {host}" \
    --config policy.ini --dry-run=no
leashed "a leashed run by -x, with --dry-run=no" run.dry

"$build/mayhem" run --check -i hosts.txt --driver ./all.ini --config policy.ini >out 2>err
matches "--check says so" 'leashed: a dry run; --unleash to restart for real' "$(cat out)"
matches "--check says so in JSON" '"leashed":true' \
    "$("$build/mayhem" run --check --json -i hosts.txt --driver ./all.ini --config policy.ini)"
equal "neither has run anything" "" "$(cat ran 2>/dev/null)"

# ---- the same test sees a run that is not ----------------------------------------------------------

printf 'web-1 groups=web\n' >one.txt
sed 's/^guard/unleash = yes\nguard/' policy.ini >free.ini
traced -i one.txt --driver ./all.ini --config free.ini
dir=run
ends_with_code "unleashed: exit 0" 0
for what in restart skip identify before health after; do
    check "unleashed it is executed: $what" grep -q "^$what web-1" ran
done
check "unleashed the guard is asked" grep -q '^guard ' ran
check "and strace sees it" test "$(executed | grep -c touched)" -gt 5
equal "as proven" "1 restarted proven" \
    "$(store "SELECT count(*) || ' ' || outcome || ' ' || proof FROM jobs")"
equal "nothing speaks of a leash" "" "$(grep leashed: out err)"
