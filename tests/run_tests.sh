# ./run.sh --test: installs what the tests need, builds, runs `make check` and each tests/e2e/e2e_*.sh,
# and ends with one line of counts. Sourced by run.sh, with its functions; run by nobody else.
# shellcheck shell=bash
# shellcheck disable=SC2154,SC2034,SC2317 # home and build are run.sh's, `missing` and a function are for it

# Runs one part and counts its lines; the output is shown only when something failed in it. One that
# exits with 77 could not be tried here, and does not count.
# run_part NAME SECONDS PASS-PATTERN FAIL-PATTERN COMMAND...
run_part() {
    local name=$1 limit=$2 pass=$3 fail=$4 began=$SECONDS good bad status
    shift 4
    timeout -k 10 "$limit" "$@" >"$output" 2>&1 </dev/null &
    part=$!
    wait "$part"
    status=$?
    part=""
    if ((status == 77)); then
        printf 'SKIP %s: %s\n' "$name" "$(sed -n 's/^skip - //p' "$output")"
        return
    fi
    good=$(grep -c "$pass" "$output")
    bad=$(grep -c "$fail" "$output")
    # It ended badly, or tested nothing, without a word: that counts as one failure.
    ((bad > 0 || (status == 0 && good > 0))) || bad=1
    passed=$((passed + good)) failed=$((failed + bad))
    if ((bad)); then
        grep -v "$pass" "$output"
        ((status != 124)) || printf '%s: not finished within %d s\n' "$name" "$limit"
        printf 'FAIL %s: %d of %d failed, %d s\n' "$name" "$bad" $((good + bad)) \
            $((SECONDS - began))
    else
        printf 'PASS %s: %d passed, %d s\n' "$name" "$good" $((SECONDS - began))
    fi
}

missing_for_test() {
    local tool
    pkg-config --exists cmocka 2>/dev/null || missing+=(libcmocka-dev)
    for tool in sqlite3 shellcheck valgrind clang patch tmux strace; do
        have "$tool" || missing+=("$tool")
    done
    have ssh || missing+=(openssh-client)
    if ! have clang ||
        ! compgen -G "$(clang -print-resource-dir)/lib/linux/libclang_rt.fuzzer-*" >/dev/null; then
        missing+=('libclang-rt-14-dev|libclang-rt-dev')
    fi
}

passed=0 failed=0 part=""
(($# == 0)) || die 64 "--test takes no argument"
install_missing missing_for_build
install_missing missing_for_test
build all tests crash # what is built here does not count in the time that a part may take
# Not installed: its package would start one on port 22, now and at each boot.
if ! PATH=$PATH:/usr/sbin:/sbin have sshd && [[ $may_install && ! -v MAYHEM_BUILD ]]; then
    [[ -x $build/tests/openssh/sshd ]] || "$home/tests/fleet/get_sshd.sh" "$build/tests/openssh"
fi
output=$(mktemp) || die 73 "cannot create a temporary file in ${TMPDIR:-/tmp}"
trap 'rm -f "$output"' EXIT
trap '[[ $part == "" ]] || kill "$part"; exit 130' INT TERM HUP
run_part check 300 '^PASS ' '^FAIL ' make -C "$home" --no-print-directory check
for script in "$home"/tests/e2e/e2e_*.sh; do
    [[ $script != */e2e_lib.sh ]] || continue
    run_part "$(basename "$script" .sh)" 90 '^ok - ' '^not ok - ' bash "$script"
done
printf '%d passed, %d failed\n' "$passed" "$failed"
((failed == 0))
exit
