# ./run.sh --profile=lines: runs the four programs under valgrind's callgrind, which counts what each
# instruction of them costs, and shows the dearest functions. Sourced by run.sh only.
#
# Commands of the exec driver are not counted. A process that counts is some forty times slower, so
# it is given more time before others take it for lost, unless the user has said how much.
# shellcheck shell=bash
# shellcheck disable=SC2154 # build, dir and roles are run.sh's
# shellcheck disable=SC2034 # under is for run_supervise.sh

under=() # what each process is started under; NAME and PID stand for its own

missing_for_lines() {
    have valgrind || missing+=(valgrind)
}

# The instructions are dumped one by one: what is compiled in line has hits of its own only so. The jumps
# show which of them repeat themselves.
prepare_lines() {
    local role soft
    # Valgrind lets nobody go beyond the soft limit, which is 1024 after most logins.
    soft=$(ulimit -Sn)
    [[ $soft == unlimited ]] || ((soft >= 4096)) || ulimit -Sn 4096 2>/dev/null
    for role in "${roles[@]}"; do
        own_default "$role" lost-after 1m
        own_default "$role" slow-callback 0s
    done
    own_default publisher ack-deadline 1m
    own_default consumer ack-deadline 1m
    under=(valgrind -q --tool=callgrind --dump-instr=yes --collect-jumps=yes
        "--callgrind-out-file=$dir/profile/lines/NAME.PID.out")
}

show_lines() {
    "$build/mayhemctl" lines "--dir=$dir" --top=12 >&3 2>&4 || return 0
    printf '\nline by line: %s lines --dir %s FUNCTION\n\n' "${build#"$PWD/"}/mayhemctl" "$dir" >&3
}
