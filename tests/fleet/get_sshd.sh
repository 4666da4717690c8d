#!/usr/bin/env bash
# get_sshd.sh FOLDER: takes sshd out of its Debian package, and with it the libraries that this
# system lacks; FOLDER/sshd then runs it. Nothing is installed: the package would start an sshd on
# port 22, now and at each boot. Works as any user. Exit 69, with a sentence, when it cannot be done.
set -u
export LC_ALL=C
apt=(apt-get -q -y)

fail() {
    printf 'get_sshd: %s\n' "$1" >&2
    exit 69
}

fetch() {
    (cd "$folder/debs" && "${apt[@]}" download "$1")
}

# take PACKAGE: downloads and unpacks it. The system's lists may be missing, and only root may
# update those: then by lists in a folder of its own.
take() {
    local files
    if ! fetch "$1"; then
        ((${#apt[@]} == 3)) || return
        mkdir -p "$folder/lists/partial" "$folder/cache/archives/partial" || return
        apt+=(-o "Dir::State::lists=$folder/lists" -o "Dir::Cache=$folder/cache")
        "${apt[@]}" update && fetch "$1" || return
    fi
    files=("$folder/debs/$1"_*.deb)
    dpkg-deb -x "${files[0]}" "$folder"
}

# Packages of libraries that those taken so far depend on, and that are not here.
lacking() {
    local file name
    for file in "$folder"/debs/*.deb; do
        dpkg-deb -f "$file" Pre-Depends Depends
    done | tr ',' '\n' | sed 's/^[A-Za-z-]*: //; s/^ *//; s/[ |(:].*$//' | grep '^lib' | sort -u |
        while read -r name; do
            compgen -G "$folder/debs/${name}_*.deb" >/dev/null ||
                dpkg -s "$name" >/dev/null 2>&1 || printf '%s\n' "$name"
        done
}

# Folders with libraries, as LD_LIBRARY_PATH.
libraries() {
    local each all=""
    for each in "$folder"/lib/*-linux-* "$folder"/usr/lib/*-linux-*; do
        [[ ! -d $each ]] || all+=${all:+:}$each
    done
    printf '%s' "$all"
}

# Its program and, of newer ones, those that it starts find their libraries: so they come as far as
# to say what they are, or that they know no such option.
is_whole() {
    local program
    for program in "$folder"/usr/sbin/sshd "$folder"/usr/lib/openssh/sshd-*; do
        [[ ! -x $program ]] || ! LD_LIBRARY_PATH=$(libraries) "$program" -V 2>&1 |
            grep 'shared libraries' || return
    done
    [[ -x $folder/usr/sbin/sshd ]]
}

# What runs it in place. It looks for the others where options say.
write_starter() {
    local name options=""
    for name in session auth; do
        [[ ! -x $folder/usr/lib/openssh/sshd-$name ]] ||
            options+=" -o Sshd${name^}Path='$folder/usr/lib/openssh/sshd-$name'"
    done
    printf '#!/bin/sh\nLD_LIBRARY_PATH=%s exec %s%s "$@"\n' "'$(libraries)'" \
        "'$folder/usr/sbin/sshd'" "$options" >"$folder/sshd" && chmod 755 "$folder/sshd"
}

get() {
    local name
    take openssh-server || return
    for _ in 1 2 3 4 5; do
        ! is_whole || break
        for name in $(lacking); do
            take "$name" || return
        done
    done
    is_whole && write_starter
}

(($# == 1)) || fail 'usage: get_sshd.sh FOLDER'
for program in apt-get dpkg-deb; do
    command -v "$program" >/dev/null || fail "no $program here: install sshd by other means"
done
mkdir -p "$1/debs" || fail "cannot write to $1"
folder=$(cd "$1" && pwd)
rm -f "$folder/sshd" "$folder"/debs/*
get >"$folder/log" 2>&1 || fail "no sshd can be taken out of its package: see $folder/log"
