# The parts of run.sh around a run: it installs missing packages, builds, and talks to a running
# run.sh (scale, status). Sourced by run.sh only.
# shellcheck shell=bash
# shellcheck disable=SC2154 # home, build, dir, given and words are run.sh's

die() {
    printf 'run.sh: %s\n' "$2" >&2
    exit "$1"
}

have() {
    command -v "$1" >/dev/null
}

# Hundredths of a second since the machine was booted, in `now`.
tick() {
    local up
    read -r up _ </proc/uptime
    now=$((10#${up/./}))
}

# ---- what must be installed ----------------------------------------------------------------------

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
        jansson:libjansson-dev inih:libinih-dev ncursesw:libncurses-dev; do
        pkg-config --exists "${pair%:*}" 2>/dev/null || missing+=("${pair#*:}")
    done
}

missing_for_lines() {
    have valgrind || missing+=(valgrind)
}

missing_for_test() {
    local tool
    pkg-config --exists cmocka 2>/dev/null || missing+=(libcmocka-dev)
    for tool in sqlite3 shellcheck valgrind clang patch tmux; do
        have "$tool" || missing+=("$tool")
    done
    if ! have clang ||
        ! compgen -G "$(clang -print-resource-dir)/lib/linux/libclang_rt.fuzzer-*" >/dev/null; then
        missing+=('libclang-rt-14-dev|libclang-rt-dev')
    fi
}

is_package() {
    apt-cache show "$1" 2>/dev/null | grep -q '^Package:'
}

# Sets `packages` from `missing`; false when the package lists do not know one of them.
choose_packages() {
    local entry unknown=0
    packages=("${missing[@]%|*}")
    for entry in "${!missing[@]}"; do
        is_package "${packages[entry]}" && continue
        if is_package "${missing[entry]#*|}"; then
            packages[entry]=${missing[entry]#*|}
        else
            unknown=1
        fi
    done
    return "$unknown"
}

apt() {
    "${root[@]}" env DEBIAN_FRONTEND=noninteractive \
        apt-get -q -y -o DPkg::Lock::Timeout=300 --no-install-recommends "$@" </dev/null
}

# install_missing FUNCTION: installs what that function adds to `missing`.
install_missing() {
    local missing=() packages=() root=() log
    "$1"
    ((${#missing[@]})) || return 0
    packages=("${missing[@]%|*}")
    if ((EUID != 0)); then
        root=(sudo)
        [[ -t 0 ]] || root=(sudo -n)
    fi
    if [[ -v given[no-install] || -v MAYHEM_BUILD ]] || ! have apt-get ||
        { ((EUID != 0)) && ! { have sudo && "${root[@]}" true 2>/dev/null; }; }; then
        die 69 "packages are missing; install them as root:
    apt-get update && apt-get install -y ${packages[*]}"
    fi
    log=$(mktemp) || die 73 "cannot create a temporary file in ${TMPDIR:-/tmp}"
    if ! choose_packages; then
        printf 'run.sh: reading the package lists (apt-get update)\n' >&2
        apt update >"$log" 2>&1
        choose_packages
    fi
    printf 'run.sh: installing %s (apt-get install)\n' "${packages[*]}" >&2
    if ! apt install "${packages[@]}" >>"$log" 2>&1 &&
        ! { apt update && apt install "${packages[@]}"; } >>"$log" 2>&1; then
        tail -n 20 "$log" >&2
        rm -f "$log"
        die 69 "the packages could not be installed; try it as root:
    apt-get update && apt-get install -y ${packages[*]}"
    fi
    rm -f "$log"
}

build_programs() {
    [[ -v MAYHEM_BUILD ]] && return
    install_missing missing_for_build
    make -s -C "$home" --no-print-directory -j"$(nproc)" all >&2 ||
        die 70 "the build failed: see the errors above"
}

# ---- scale and status ----------------------------------------------------------------------------

is_count() {
    [[ $1 =~ ^[0-9]{1,3}$ ]] && ((10#$1 >= $2 && 10#$1 <= 256))
}

# Refuses all options but these. only_options "NAME..."
only_options() {
    local name
    for name in "${!given[@]}"; do
        [[ " $1 " == *" $name "* ]] || die 64 "${words[0]:---test} does not take --$name"
    done
}

# Whether a run.sh is running in DIR.
is_taken() {
    [[ -e $dir/run.lock ]] && ! flock -n "$dir/run.lock" true
}

# Sets `run` to its pid.
find_run() {
    if ! is_taken || ! read -r run 2>/dev/null <"$dir/run.pid"; then
        die 69 "nothing is running in $dir: start it with ./run.sh, or name its folder with --dir"
    fi
}

scale() {
    local run tries
    only_options dir
    if [[ ${#words[@]} != 2 ]] || ! is_count "${words[1]}" 0; then
        die 64 "scale takes the number of restarters, 0 to 256: ./run.sh scale 6"
    fi
    find_run
    rm -f -- "$dir/scaled"
    if ! printf '%s\n' "${words[1]}" >"$dir/scale.$$" || ! mv -f "$dir/scale.$$" "$dir/scale"; then
        die 73 "cannot create $dir/scale"
    fi
    kill -USR1 "$run" 2>/dev/null || die 69 "run.sh (pid $run) in $dir cannot be signaled"
    for ((tries = 0; tries < 100; tries++)); do
        if [[ ! -e $dir/scale ]]; then
            [[ -e $dir/scaled ]] || die 69 "run.sh (pid $run) in $dir is stopping"
            printf 'restarters: %d\n' "$((10#${words[1]}))"
            cat "$dir/scaled"
            rm -f -- "$dir/scaled"
            exit 0
        fi
        sleep 0.05
    done
    rm -f "$dir/scale"
    die 69 "run.sh (pid $run) in $dir did not answer"
}

# Prints the age of a process in seconds; nothing when it is gone.
uptime_of() {
    local line fields
    read -r line 2>/dev/null <"/proc/$1/stat" || return
    read -ra fields <<<"${line##*) }"
    printf '%d' $((now / 100 - fields[19] / $(getconf CLK_TCK)))
}

status() {
    local run file name number up now report lines=()
    only_options "dir json"
    [[ ${#words[@]} == 1 ]] || die 64 "status takes no argument but --dir and --json"
    find_run
    tick
    for file in "$dir"/*.pid; do
        name=${file##*/} name=${name%.pid}
        read -r number 2>/dev/null <"$file" || continue
        up=$(uptime_of "$number")
        if [[ -v given[json] ]]; then
            lines+=("{\"name\":\"$name\",\"pid\":$number,\"uptime_s\":${up:-null}}")
        else
            printf '%-14s pid %-8s %s\n' "$name" "$number" "${up:+up $up s}"
        fi
    done
    if [[ -v given[json] ]]; then
        report=$("$build/mayhem-publisher" --dir="$dir" --report=json)
        name=$(IFS=, && printf '%s' "${lines[*]}")
        printf '{"processes":[%s],"report":%s}\n' "$name" "${report:-null}"
    else
        "$build/mayhem-publisher" --dir="$dir" --report=text
    fi
    exit 0
}
