# ./run.sh --test: installs what the tests need, builds, runs `make check` and each tests/e2e/e2e_*.sh,
# and ends with one line of counts. Sourced by run.sh, with its functions; run by nobody else.
# shellcheck shell=bash
# shellcheck disable=SC2154,SC2034,SC2317 # home and build are run.sh's, `missing` and a function are for it

# Runs one part and adds its counts to the file "counts"; its output is shown, in one piece, only when
# something failed in it. One that exits with 77 could not be tried here, and does not count.
# run_part NAME SECONDS PASS-PATTERN FAIL-PATTERN COMMAND...
run_part() {
    local name=$1 limit=$2 pass=$3 fail=$4 began=$SECONDS output=$results/$1.out good bad status
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
    printf '%d %d\n' "$good" "$bad" >>"$results/counts"
    if ((bad)); then
        ((status != 124)) || printf '%s: not finished within %d s\n' "$name" "$limit" >>"$output"
        printf '%s\nFAIL %s: %d of %d failed, %d s\n' "$(grep -v "$pass" "$output")" "$name" "$bad" \
            $((good + bad)) $((SECONDS - began))
    else
        printf 'PASS %s: %d passed, %d s\n' "$name" "$good" $((SECONDS - began))
    fi
}

# One of those that take the scripts in turn: a script belongs to who makes its folder first.
lane() {
    local script name
    trap '[[ $part == "" ]] || kill "$part"; exit 130' INT TERM HUP
    for script in "$home"/tests/e2e/e2e_*.sh; do
        name=$(basename "$script" .sh)
        [[ $name != e2e_lib ]] || continue
        mkdir "$results/$name" 2>/dev/null || continue
        run_part "$name" 180 '^ok - ' '^not ok - ' bash "$script"
    done
}

# Whether its programs are there, or may not be installed: its package makes a cluster that starts
# now and at each boot, unless a file says no. Where that file says something else, it is left alone,
# and so are the tests that need PostgreSQL.
has_postgresql() {
    local file=/etc/postgresql-common/createcluster.conf
    have initdb || compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null ||
        { [[ -e $file ]] && ! grep -qE '^ *create_main_cluster *= *(false|off|no)' "$file"; }
}

no_cluster() {
    local missing=() root=() file=/etc/postgresql-common/createcluster.conf
    missing_for_test
    [[ " ${missing[*]} " == *' postgresql '* && ! -e $file ]] || return 0
    ((EUID == 0)) || root=(sudo)
    # shellcheck disable=SC2016 # $0 is for the other shell
    "${root[@]}" sh -c 'mkdir -p "${0%/*}" && echo "create_main_cluster = false" >"$0"' "$file" ||
        die 69 "postgresql is missing; install it, as root, when $file says create_main_cluster = false"
}

missing_for_test() {
    local tool
    pkg-config --exists cmocka 2>/dev/null || missing+=(libcmocka-dev)
    for tool in sqlite3 shellcheck valgrind clang patch tmux strace; do
        have "$tool" || missing+=("$tool")
    done
    have ssh || missing+=(openssh-client)
    have ip || missing+=(iproute2)
    pkg-config --exists libpq 2>/dev/null || missing+=(libpq-dev)
    has_postgresql || missing+=(postgresql)
    { have python3 && /usr/bin/python3 -c 'import msgpack, zmq' 2>/dev/null; } ||
        missing+=(python3-zmq python3-msgpack)
    if ! have clang ||
        ! compgen -G "$(clang -print-resource-dir)/lib/linux/libclang_rt.fuzzer-*" >/dev/null; then
        missing+=('libclang-rt-14-dev|libclang-rt-dev')
    fi
}

part=""
(($# == 0)) || die 64 "--test takes no argument"
install_missing missing_for_build
[[ $may_install == "" || -v MAYHEM_BUILD ]] || ! have apt-get || no_cluster
install_missing missing_for_test
build all tests crash # what is built here does not count in the time that a part may take
# Not installed: its package would start one on port 22, now and at each boot.
if ! PATH=$PATH:/usr/sbin:/sbin have sshd && [[ $may_install && ! -v MAYHEM_BUILD ]]; then
    [[ -x $build/tests/openssh/sshd ]] || "$home/tests/fleet/get_sshd.sh" "$build/tests/openssh"
fi
results=$(mktemp -d) || die 73 "cannot create a temporary folder in ${TMPDIR:-/tmp}"
lanes=()
trap 'rm -rf "$results"' EXIT
trap '[[ ${part:-}${lanes[*]} == "" ]] || kill $part "${lanes[@]}"; wait; exit 130' INT TERM HUP
run_part check 600 '^PASS ' '^FAIL ' make -C "$home" --no-print-directory -j2 -Otarget check
for _ in 1 2; do # they wait most of the time
    lane &
    lanes+=("$!")
done
wait
read -r passed failed < <(awk '{p += $1; f += $2} END {print p, f}' "$results/counts")
printf '%d passed, %d failed\n' "$passed" "$failed"
((failed == 0))
exit
