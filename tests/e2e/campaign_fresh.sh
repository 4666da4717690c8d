#!/usr/bin/env bash
# campaign_fresh.sh: both commands of the README as a user types them, each in a Debian that has
# nothing but what every Debian has (debootstrap's minbase), without a terminal: once as root, once
# as a user who may use sudo, once as root and as process 1, like a container's only command.
# SUITES="bookworm trixie" and USERS="root user one" choose; what is committed (HEAD) is tried. Needs root, git and 3 GB in TMPDIR. All that is mounted is mounted in
# a mount namespace of its own and goes away with it. Too long for --test: `make campaign-fresh`.
set -u

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
logs=${BUILD:-$root/build}/fresh
passed=0 failed=0
child="" # what runs in a folder

die() {
    printf 'campaign_fresh.sh: %s\n' "$2" >&2
    exit "$1"
}

# ---- the folders ---------------------------------------------------------------------------------

# What is missing here, on the machine that makes the folders.
install_debootstrap() {
    command -v debootstrap >/dev/null && return
    { apt-get -q update && DEBIAN_FRONTEND=noninteractive apt-get -q -y --no-install-recommends \
        install debootstrap debian-archive-keyring; } </dev/null >"$logs/debootstrap.log" 2>&1 ||
        die 69 "debootstrap could not be installed: see $logs/debootstrap.log"
}

# Where this machine's apt has its Debian from.
mirror() {
    # shellcheck disable=SC2016 # apt's own names
    apt-get indextargets --format '$(COMPONENT) $(REPO_URI)' 'Created-By: Packages' \
        'Label: Debian' | awk '$1 == "main" { print $2; exit }'
}

# How this machine's apt reaches it, as a file of apt's options.
apt_options() {
    apt-config dump | grep -E '^Acquire::(https?|ftp|Check-|Retries|ForceIPv)'
    [[ ! ${http_proxy:-} ]] || printf 'Acquire::http::Proxy "%s";\n' "$http_proxy"
}

# apart [OPTION]... COMMAND...: with processes and mounts of its own, which end with this script.
apart() {
    local status
    unshare --mount --pid --fork --kill-child "$@" </dev/null &
    child=$!
    wait "$child"
    status=$?
    child=""
    return "$status"
}

# make_base SUITE: the folder that each trial in it begins with, once.
make_base() {
    local base=$work/base-$1
    [[ -d $base ]] && return
    apart --mount-proc debootstrap --variant=minbase "$1" "$base" "$mirror" \
        >"$logs/$1.log" 2>&1 || {
        tail -n 20 "$logs/$1.log"
        rm -rf --one-file-system "$base"
        return 1
    }
    apt_options >"$base/etc/apt/apt.conf.d/99campaign"
    rm -rf "$base"/var/lib/apt/lists/* # an image does not come with package lists
    [[ ! -e /etc/hosts ]] || cp -L /etc/hosts "$base/etc/hosts"
}

# inside FOLDER COMMAND...: as root in the folder, without a terminal. Its first process reaps
# nobody, as that of many containers; with `is_one` it is COMMAND itself.
inside() {
    local folder=$1 first=(timeout -k 10 3600 setsid -w)
    shift
    [[ ! ${is_one:-} ]] || first=(setsid)
    # shellcheck disable=SC2016 # for the inner shell
    apart "${first[@]}" bash -c '
        folder=$1
        shift
        mount --bind /dev "$folder/dev" && mount -t tmpfs tmpfs "$folder/dev/shm" &&
            mount -t devpts -o newinstance,ptmxmode=0666,mode=620 devpts "$folder/dev/pts" &&
            mount -t proc proc "$folder/proc" && mount -t tmpfs tmpfs "$folder/run" || exit 71
        exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin chroot "$folder" "$@"
        ' inside "$folder" "$@"
}

# The second kind of user: no root, but sudo without a password.
add_user() {
    inside "$1" bash -ec '
        apt-get -q update
        DEBIAN_FRONTEND=noninteractive apt-get -q -y --no-install-recommends install sudo
        rm -rf /var/lib/apt/lists/*
        useradd --create-home --shell /bin/bash user
        echo "user ALL=(ALL) NOPASSWD: ALL" >/etc/sudoers.d/user
        chmod 440 /etc/sudoers.d/user'
}

# ---- the trials ----------------------------------------------------------------------------------

# told NAME LOG REASON: one result; REASON is empty when it passed.
told() {
    if [[ $3 == "" ]]; then
        passed=$((passed + 1))
        printf 'PASS fresh: %s: %s\n' "$1" "$(tail -n 1 "$2")"
    else
        failed=$((failed + 1))
        tail -n 40 "$2"
        printf 'FAIL fresh: %s: %s, see %s\n' "$1" "$3" "$2"
    fi
}

# try FOLDER USER LOG COMMAND: as typed after logging in, in the folder of the source.
try() {
    if [[ $2 == one ]]; then
        is_one=1 inside "$1" bash -c "cd /root/mayhem-mandrill && exec $4" >"$3" 2>&1
    else
        inside "$1" runuser -l "$2" -c "cd mayhem-mandrill && $4" >"$3" 2>&1
    fi
}

# one SUITE USER
one() {
    local folder=$work/fresh log=$logs/$1-$2 home=/root reason
    cp -a --reflink=auto "$work/base-$1" "$folder" || die 74 "cannot copy to $folder"
    if [[ $2 == user ]]; then
        home=/home/$2
        add_user "$folder" >"$log-user.log" 2>&1 ||
            told "$1, a user with sudo" "$log-user.log" "could not be added"
    fi
    mkdir "$folder$home/mayhem-mandrill"
    git -C "$root" archive HEAD | tar -xC "$folder$home/mayhem-mandrill"
    [[ $2 != user ]] || inside "$folder" chown -R user "$home/mayhem-mandrill"

    reason=""
    try "$folder" "$2" "$log-run.log" './run.sh --for 10s' || reason="exit $?"
    [[ $reason != 'exit 1' ]] || reason="" # hosts of the demo may be dead
    [[ $reason ]] || grep -q '^clean shutdown: yes' "$log-run.log" || reason="no clean end"
    told "$1, $2, ./run.sh --for 10s" "$log-run.log" "$reason"

    reason=""
    try "$folder" "$2" "$log-test.log" './run.sh --test' || reason="exit $?"
    [[ $reason || $(tail -n 1 "$log-test.log") =~ ^[0-9]{3,}' passed, 0 failed'$ ]] ||
        reason="its last line says otherwise"
    told "$1, $2, ./run.sh --test" "$log-test.log" "$reason"
    rm -rf --one-file-system "$folder"
}

# All processes in a folder end with the one that made their namespace, some moments after it.
# shellcheck disable=SC2317,SC2329 # a trap calls it
clean_up() {
    [[ ! $child ]] || { kill -KILL "$child" && wait "$child"; } 2>/dev/null
    rm -rf --one-file-system "$work" 2>/dev/null || { sleep 2 && rm -rf --one-file-system "$work"; }
}

# A function, so that this file may be edited meanwhile.
main() {
    local suite user
    ((EUID == 0)) || die 77 "only root can make the folders"
    mkdir -p "$logs" || exit 73
    work=$(mktemp -d "${TMPDIR:-/tmp}/mayhem-fresh.XXXXXX") || exit 73
    trap clean_up EXIT
    trap 'exit 130' INT TERM HUP
    install_debootstrap
    mirror=$(mirror)
    [[ $mirror ]] || die 69 "apt knows no Debian mirror here: run apt-get update"
    for suite in ${SUITES:-bookworm trixie}; do
        for user in ${USERS:-root user one}; do
            if make_base "$suite"; then
                one "$suite" "$user"
            else
                told "$suite, debootstrap" "$logs/$suite.log" "it failed"
            fi
        done
    done
    printf '%d passed, %d failed\n' "$passed" "$failed"
    ((failed == 0))
}

main; exit
