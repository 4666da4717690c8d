# One connection of tests/postgresql/link_shell.c, and what it says. For scripts that have sourced
# e2e_lib.sh and postgresql.sh.
# shellcheck shell=bash
# shellcheck disable=SC2154,SC2034 # build, started are those of e2e_lib.sh; line is for the caller

link_in="" link_pid=0 link_heard=0 # lines of link.out that have been heard
line=""                            # the last one of them

# link_begin URI DEADLINE_MS [NAME SQL]...
link_begin() {
    rm -f link.in
    mkfifo link.in
    "$build/tests/link_shell" "$@" <link.in >link.out 2>link.err &
    link_pid=$!
    started+=("$link_pid")
    exec {link_in}>link.in
    link_heard=0
}

link_end() {
    exec {link_in}>&-
    wait_until 15 is_gone "$link_pid" || not_ok "the link ends"
}

link_tell() {
    printf '%s\n' "$1" >&"$link_in"
}

link_says() {
    local found
    found=$(tail -n "+$((link_heard + 1))" link.out 2>/dev/null | grep -nE -m 1 -- "$1") || return
    link_heard=$((link_heard + ${found%%:*}))
    line=${found#*:}
}

# link_hears REGEX SECONDS: the next line like this, in `line`; those before it are passed over.
link_hears() {
    line=""
    wait_until "$2" link_says "$1"
}
