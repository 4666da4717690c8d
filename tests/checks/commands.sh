#!/usr/bin/env bash
# Each program that the scripts and the Makefile call is either in every Debian, however small, or
# among what run.sh installs before it builds and tests. What the parser is worth is tried, too.
set -u
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cd "$here/../.." || exit 70
folder=$(mktemp -d) || exit 73
trap 'rm -rf "$folder"' EXIT
# Who is given a command: how many words stand before it, and + if it must be a program.
wrappers='check=1 command=0 env=0+ exec=0+ nice=0+ nohup=0+ run_part=4+ setsid=0+ timeout=1+
wait_until=1 xargs=0+'

# From packages that are essential or required: bash bsdutils coreutils diffutils dpkg findutils grep
# libc-bin mawk mount sed tar util-linux.
essential='awk basename bash cat chgrp chmod chown cmp comm cp cut date dd df diff dirname dpkg
dpkg-deb du echo env expr false find flock getconf getent getopt grep head id install ln ls md5sum
mkdir mkfifo mktemp mount mv nice nl nohup nproc od paste printf prlimit pwd readlink realpath rm
rmdir script sed seq setpriv setsid sh sha256sum shuf sleep sort split stat stdbuf stty sync tac tail tar
taskset tee test timeout touch tr true truncate tty umount uname uniq unshare wc xargs yes'

# Only for targets that --test does not have, or asked for with `have` before they are called.
others='apt-cache apt-config apt-get beanstalkd clang-format clang-tidy clush debootstrap git gnuplot
llvm-cov llvm-profdata parallel pdsh perf redis-server sudo'

# What packages that run.sh installs bring beside the program of their own name.
declare -A brings=([gcc]='cc nm readelf gcov' [valgrind]='callgrind_annotate'
    [openssh-client]='ssh ssh-keygen' [iproute2]=ip [python3-zmq]=python3)

# The packages that run.sh would install if nothing were there, one a line.
# shellcheck disable=SC2317,SC2329 # the functions here are called by what is evaluated
installed() {
    local missing=()
    eval "$(sed -n '/^missing_for_[a-z]*() {/,/^}/p' run.sh tests/run_tests.sh)"
    have() { false; }
    pkg-config() { false; }
    has_postgresql() { false; }
    missing_for_build
    missing_for_test
    printf '%s\n' "${missing[@]%|*}"
}

# The recipes of a makefile, and what it runs by $(shell), as a script: what make fills in is VAR,
# $$ is the shell's own $.
recipes() {
    awk '
        /^define/ { skipped = 1 }
        /^endef/ { skipped = 0 }
        skipped { print ""; next }
        !/^\t/ && !goes_on {
            shell = ""
            while (match($0, /\$\([^()]*\)/)) {
                inner = substr($0, RSTART + 2, RLENGTH - 3)
                $0 = substr($0, 1, RSTART - 1) "VAR" substr($0, RSTART + RLENGTH)
                if (sub(/^shell /, "", inner)) shell = shell inner ";"
            }
            print shell
            next
        }
        {
            goes_on = /\\$/
            sub(/^\t+[@+-]*/, "")
            gsub(/\$\$/, "\1")
            while (sub(/\$(\([^()]*\)|[@<^*?])/, "VAR")) {}
            gsub(/\1/, "$")
            print
        }' "$1"
}

# What a test lets a restarter run: the first word of the quoted text after -x, --exec or --verify.
given_to_run() {
    grep -noE -- "(-x|--exec|--verify)[ =]['\"][a-z][a-z0-9_.-]*" "$1" |
        awk -F '[:\"'\'']' '$3 !~ /^no-such-/ { print "program", $3, $1 }'
}

# calls FILE: "KIND NAME LINE" for each command that a script or makefile calls, and each function.
calls() {
    case $1 in
    *Makefile | *.mk) recipes "$1" ;;
    *) cat "$1" ;;
    esac | awk -v wrappers="$wrappers" -f "$here/commands.awk"
    [[ $1 != */e2e_* ]] || given_to_run "$1"
}

# The parser on commands in all places, and on words that are none.
try_parser() {
    local found
    cat >"$folder/sample.sh" <<'END'
none() { c1 none | c2 "none $(c3 "none `c4`")" >none && ! c5; } # none
if X=1 c6 none || { c7; }; then (c8); else c9 & fi
case $(c10) in none | c*) c11 ;; (none) c12 none ;; esac
for none in none $(c13); do c14; done >none 2>&1
none=(none none "$(c15)") && [[ $(c16) =~ ^(none|c)$ || none ]] && ((none > $(c17)))
cat <<-'DOC' | c18 'none; none' "none; none" none\; none
	none $(none)
	DOC
timeout -k 5 10 c19 none; check "none; $none" wait_until 3 c20 none
while c21 <<<none; do exec c22; done < <(c23 none) # none
none ${none:-$(c24 "}")} \
    none $((none + $(c25))) $'it\'s; none' "${none//'"'/ }"; c26
END
    found=$(calls "$folder/sample.sh" | awk '
        $1 == "function" || $2 ~ /^(cat|check|done|exec|fi|none|timeout|wait_until)$/ { next }
        { print $2 }')
    [[ $found == "$(printf 'c%d\n' {1..26})" ]] && return
    printf 'FAIL commands: the parser finds, of c1 to c26: %s\n' "${found//$'\n'/ }"
    status=1
}

# The scripts that source FILE, which has no #! of its own.
sourced_by() {
    [[ $1 != *.sh || $(head -c 2 "$1") == '#!' ]] || grep -l "^ *source .*/${1##*/}\"*$" "${1%/*}"/*.sh
}

# report FILE: what FILE calls that is none of those, no builtin, and no function of its own, of a
# library, or of who sources it.
report() {
    local kind name line
    local -A functions=()
    while read -r kind name line _; do
        [[ $kind != function ]] || functions[$name]=1
    done < <(calls "$1" && cat "$folder/libraries" && sourced_by "$1" |
        while read -r name; do calls "$name"; done)
    while read -r kind name line; do
        [[ $kind != function ]] || continue
        count=$((count + 1))
        [[ $allowed != *" $name "* ]] || continue
        [[ $kind != call || (! -v functions[$name] && $builtins != *" $name "*) ]] || continue
        printf 'FAIL commands: %s:%d calls %s, which run.sh does not install\n' "$1" "$line" "$name"
        status=1
    done < <(calls "$1")
}

status=0 count=0
mapfile -t files < <(find . \( -name 'build*' -o -name .git \) -prune -o \
    \( -name '*.sh' -o -name '*.mk' -o -name Makefile -o -path ./.ci/run \) -print |
    cut -c 3- | sort)
try_parser
builtins=" $(compgen -bk | paste -sd ' ') "
read -rd '' -a packages < <(installed)
allowed=" $essential $others ${packages[*]} "
for package in "${packages[@]}"; do
    allowed+="${brings[$package]:-} "
done
allowed=${allowed//$'\n'/ }
for file in "${files[@]}"; do
    # What others source has no #! of its own.
    [[ $file != run.sh && $(head -c 2 "$file") == '#!' ]] || calls "$file"
done >"$folder/libraries"
for file in "${files[@]}"; do
    report "$file"
done
((count > 1000)) || { printf 'FAIL commands: only %d are found\n' "$count" && exit 1; }
((status)) || printf 'PASS commands: %d calls in %d files, all of programs that are there\n' \
    "$count" "${#files[@]}"
exit $status
