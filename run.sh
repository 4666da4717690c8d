#!/usr/bin/env bash
# Starts Mayhem Mandrill: installs missing packages, builds, and becomes `build/mayhem run`, which
# has all else (docs/operations.md). `./run.sh --help` lists the options.
set -u
{ : <&0; } 2>/dev/null || exec </dev/null # what is closed would be the number of another file
{ : >&1; } 2>/dev/null || exec >/dev/null
{ : >&2; } 2>/dev/null || exec 2>/dev/null
home=$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")
build=${MAYHEM_BUILD:-$home/build} # with MAYHEM_BUILD, nothing is installed or built
unset MAYHEM_PARENT                # of a run whose command has started this one
export MAYHEM_CALLED=${0/#run.sh/.\/run.sh} # how `mayhem` calls itself in its messages
may_install=1

usage() {
    cat <<'END'
Usage: ./run.sh [OPTION]...             start the pipeline; Ctrl-C stops it
       ./run.sh COMMAND [OPTION]...     scale, status, dead, retry, explain ...: as `mayhem COMMAND`
       ./run.sh --test                  run all tests
       ./run.sh --chaos [SECONDS]       kill its own processes at random, audit what is left (60 s)
       ./run.sh --no-install ...        install nothing: say what is missing

END
    [[ ! -x $build/mayhem ]] || exec "$build/mayhem" run --help
    die 0 "the options are those of \`mayhem run\`: they are listed here once it is built"
}
die() { printf 'run.sh: %s\n' "$2" >&2 && exit "$1"; }
have() { command -v "$1" >/dev/null; }

# Each adds to `missing`; "a|b" is the one that the distribution has.
missing_for_build() {
    local cc=${CC:-cc} pair
    { have "${cc%% *}" && [[ -e /usr/include/stdio.h ]]; } || missing+=(gcc libc6-dev)
    have make || missing+=(make)
    have pkg-config || missing+=(pkg-config)
    [[ -e /usr/include/uthash.h || -e /usr/local/include/uthash.h ]] || missing+=(uthash-dev)
    pkg-config --exists msgpack 2>/dev/null || pkg-config --exists msgpack-c 2>/dev/null ||
        missing+=('libmsgpack-dev|libmsgpack-c-dev')
    for pair in libzmq:libzmq3-dev libczmq:libczmq-dev sqlite3:libsqlite3-dev \
        jansson:libjansson-dev inih:libinih-dev ncursesw:libncurses-dev libsodium:libsodium-dev; do
        pkg-config --exists "${pair%:*}" 2>/dev/null || missing+=("${pair#*:}")
    done
    [[ -e ${TZDIR:-/usr/share/zoneinfo}/Europe/Amsterdam ]] || missing+=(tzdata) # of --window
}

missing_for_lines() {
    have valgrind || missing+=(valgrind)
}

# The package of an entry that the lists know.
known() {
    local name
    for name in "${1%|*}" "${1#*|}"; do
        apt-cache show "$name" 2>/dev/null | grep -q '^Package:' && printf '%s' "$name" && return
    done
    return 1
}

# Sets `packages` from `missing`; fails when the lists do not know one of them.
choose_packages() {
    local entry
    packages=()
    for entry in "${missing[@]}"; do
        packages+=("$(known "$entry")") || return
    done
}

apt() {
    "${root[@]}" env DEBIAN_FRONTEND=noninteractive \
        apt-get -q -y -o DPkg::Lock::Timeout=300 --no-install-recommends "$@" </dev/null
}

# install_missing FUNCTION: installs what that function adds to `missing`.
install_missing() {
    local missing=() packages root=() log by_hand
    "$1"
    ((${#missing[@]})) || return 0
    by_hand="as root: apt-get update && apt-get install -y ${missing[*]%|*}"
    ((EUID == 0)) || root=(sudo)
    [[ ${root[*]} == "" || -t 0 ]] || root+=(-n)
    if [[ $may_install == "" || -v MAYHEM_BUILD ]] || ! have apt-get ||
        { [[ ${root[*]} ]] && ! { have sudo && "${root[@]}" true 2>/dev/null; }; }; then
        die 69 "packages are missing; install them $by_hand"
    fi
    log=$(mktemp) || die 73 "cannot create a temporary file in ${TMPDIR:-/tmp}"
    printf 'run.sh: installing %s (apt-get)\n' "${missing[*]%|*}" >&2
    if ! { choose_packages && apt install "${packages[@]}"; } >"$log" 2>&1 &&
        ! { apt update && choose_packages && apt install "${packages[@]}"; } >>"$log" 2>&1; then
        tail -n 20 "$log" >&2
        die 69 "the packages could not be installed; try it $by_hand"
    fi
    rm -f "$log"
}

# build TARGET...: nothing to do for "all" when no source has changed since the last time.
build() {
    local changed=all
    [[ ! -v MAYHEM_BUILD ]] || return 0
    [[ $* != all || ! -e $build/built ]] || changed=$(find "$home" -path "$build" -prune -o \
        -newer "$build/built" \( -name '*.[ch]' -o -name '*.def' -o -name '*.ini' -o \
        -name Makefile \) -print)
    [[ $changed ]] || return 0
    install_missing missing_for_build
    make -s -C "$home" --no-print-directory -j"$(nproc)" "$@" >&2 ||
        die 70 "the build failed: see the errors above"
}

for word; do
    shift
    if [[ $word == --no-install ]]; then may_install=""; else set -- "$@" "$word"; fi
done
case ${1:-} in
-h | --help) usage ;;
--test) shift && . "$home/tests/run_tests.sh" ;;
--chaos) shift && . "$home/tests/run_chaos.sh" ;;
status) shift && set -- status --brief "$@" ;;&
[a-z]*[!a-z]* | -* | "")
    build all
    [[ ! " $* " =~ ' --profile'[=\ ]lines[:\ ] ]] || install_missing missing_for_lines
    exec "$build/mayhem" run "$@"
    ;;
*) { [[ -x $build/mayhem ]] || build all; } && exec "$build/mayhem" "$@" ;;
esac
