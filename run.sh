#!/usr/bin/env bash
# Starts Mayhem Mandrill: installs missing packages, builds, runs the processes until they end, and
# prints a summary. `./run.sh --help` lists the options. This file has the options, the arguments of
# each process, and the folder; the rest is in common/run_*.sh, tests/run_tests.sh and
# tests/e2e/run_chaos.sh.
#
# It decides nothing about jobs: their state is in the databases in DIR, and kill -9 loses nothing.
set -u

home=$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")
build=${MAYHEM_BUILD:-$home/build} # with MAYHEM_BUILD, nothing is installed or built
unset MAYHEM_PARENT                # of a run.sh whose command has started this one
# shellcheck source=common/run_lib.sh
. "$home/common/run_lib.sh"
# shellcheck source=common/run_supervise.sh
. "$home/common/run_supervise.sh"
# shellcheck source=tests/run_tests.sh
. "$home/tests/run_tests.sh"
# shellcheck source=tests/e2e/run_chaos.sh
. "$home/tests/e2e/run_chaos.sh"

usage() {
    cat <<'END'
Usage: ./run.sh [OPTION]...             start the pipeline; Ctrl-C stops it
       ./run.sh scale N [--dir DIR]     run N restarters from now on
       ./run.sh status [--dir DIR] [--json]
       ./run.sh --test                  run all tests
       ./run.sh --chaos [SECONDS]       kill its own processes at random while they work (60 s),
                                        then audit what is left (in run.chaos; --seed repeats it)

Without -i and -x it is the demo: cattle-xxxx hosts at random, a mock restart, one in four fails.

  -i, --input FILE         restart each host of FILE once: one a line, or JSON Lines
                           {"host": "...", "NAME": "..."}; "-" is standard input
  -n, --restarters N       restarters to start (2)
  -x, --exec 'CMD {host}'  restart a host by this command, run without a shell; {job}, {attempt} and
                           any {NAME} of its line in FILE are filled in, too
  --verify 'CMD {host}'    then run this until it succeeds
  --verify-timeout TIME    at most so long
  --timeout TIME           end a command that runs longer
  --dry-run                only print the commands; the folder is run.dry, unless --dir is given
  --mock-time A..B         a mock restart takes from A to B (0s..20ms)
  --mock-fail P%           so many mock restarts fail
  --slots N                restarts at a time in each restarter
  --attempts N             restarts to try before a host is given up as dead
  --at-once N              restarts in progress at a time, over all restarters
  --max-dead N             hand out nothing more when N hosts are dead
  --jobs N                 end after N jobs
  --rate N                 jobs a second
  --for TIME               end after TIME (10s)
  --seed N                 the same random choices every time
  --window N               jobs under way at once
  --on-bad-line stop|skip  what to do with a bad line of FILE
  --dir DIR                databases, logs and pid files (run)
  --config FILE            INI file with any option of any process
  --drain-timeout TIME     for what still runs when it is stopped (25s)
  --log-level LEVEL        debug, info, warn or error
  --profile[=TIME]         show where the time goes, after TIME or at the end; DIR/profile.* keep it
  --profile lines[:TIME]   show which lines it goes to: all run under valgrind, and slowly
  --json                   the summary as JSON, alone on standard output
  -q, --quiet              no process list, no progress, no log lines
  --no-install             install nothing: say what is missing

Exit: 0 all restarted, 1 some dead, 75 stopped with work left (the same command goes on), 64 usage,
65 bad input, 69 unavailable, 70 bug, 73 cannot create, 74 I/O, 78 configuration, 130 second Ctrl-C.
END
}

# ---- options -------------------------------------------------------------------------------------

# Which program has which option; the programs check the values. Each name is between two blanks.
roles=(publisher consumer saver restarter)
flags=' dry-run json quiet test chaos help no-install '
declare -A short=([-i]=input [-n]=restarters [-x]=exec [-q]=quiet [-h]=help)
declare -A takes=(
    [all]=' dir config seed log-level drain-timeout '
    [publisher]=' input jobs rate for window on-bad-line '
    [consumer]=' attempts at-once max-dead timeout verify-timeout '
    [saver]=' '
    [restarter]=' exec verify verify-timeout timeout slots mock-time mock-fail dry-run '
    [run]=' restarters '
)
declare -A given=() # option → value
words=()            # the other arguments

parse() {
    local word name
    while (($#)); do
        word=$1
        shift
        case $word in
        -[inx]?*) # -n4
            set -- "${word:0:2}" "${word:2}" "$@"
            continue
            ;;
        --?*) name=${word%%=*} name=${name#--} ;;
        -*) name=${short[$word]:-} ;;
        *)
            words+=("$word")
            continue
            ;;
        esac
        if [[ $name == profile ]]; then # its value is optional
            [[ $word == *=* || ! ${1:-} =~ ^lines(:|$) ]] || { word+="=$1" && shift; }
            given[profile]=""
            [[ $word != *=* ]] || given[profile]=${word#*=}
        elif [[ $name != "" && $flags == *" $name "* && $word != *=* ]]; then
            given[$name]=1
        elif [[ $name != "" && $flags != *" $name "* && "${takes[*]}" == *" $name "* ]]; then
            if [[ $word == --*=* ]]; then
                given[$name]=${word#*=}
            else
                [[ $# -gt 0 && $1 != --* ]] || die 64 "$word needs a value: see ./run.sh --help"
                given[$name]=$1
                shift
            fi
        else
            die 64 "unknown option $word: ./run.sh --help lists them"
        fi
    done
}

# Sets args_ROLE for each role.
collect_arguments() {
    local role name
    for role in "${roles[@]}"; do
        local -n collected=args_$role
        collected=()
        for name in "${!given[@]}"; do
            [[ "${takes[all]}${takes[$role]}" != *" $name "* ]] ||
                collected+=("--$name=${given[$name]}")
        done
    done
}

# The value of an option for a process, from the command line, the environment, the file or its own
# defaults, in `value`; its source in `origin`. setting ROLE OPTION
setting() {
    local line comment=""
    while IFS= read -r line; do
        if [[ $line == "$2 = "* ]]; then
            value=${line#"$2 = "} origin=$comment
            return
        fi
        comment=$line
    done <<<"${config[$1]}"
    die 70 "mayhem-$1 --print-config does not tell $2"
}

# A default that any setting of the user overrides. own_default ROLE OPTION VALUE
own_default() {
    local -n defaults=args_$1
    local value origin
    setting "$1" "$2"
    [[ $origin != '# default' ]] || defaults+=("--$2=$3")
}

# How hosts are restarted, in words for the record of the run.
driver_line() {
    local value origin line
    setting restarter exec
    if [[ $value == "" ]]; then
        printf mock
        return
    fi
    line="exec: $value"
    setting restarter verify
    line+=${value:+ verify: $value}
    setting restarter dry-run
    [[ $value == no ]] || line+=" (dry run)"
    printf '%s' "$line"
}

# A printed duration, which is a whole number and its unit, in hundredths of a second.
centiseconds() {
    case $1 in
    *ms) printf '%d' $((${1%ms} / 10)) ;;
    *s) printf '%d' $((${1%s} * 100)) ;;
    *m) printf '%d' $((${1%m} * 6000)) ;;
    *h) printf '%d' $((${1%h} * 360000)) ;;
    *) die 70 "the drain timeout $1 has no unit" ;;
    esac
}

is_by_line() {
    [[ ${given[profile]:-} =~ ^lines(:|$) ]]
}

# Each process saves its profile when it ends. By line, it runs under valgrind's callgrind, which
# counts instructions and makes it some forty times slower: it gets more time before others presume
# it lost, unless the user has set that. Instructions are dumped one by one: only then have inlined
# functions hits of their own. Valgrind keeps to the soft limit of descriptors, which is 1024 after
# most logins. TIME, checked like --for, ends all processes.
prepare_profile() {
    local role soft
    [[ -v given[profile] ]] || return 0
    soft=$(ulimit -Sn)
    ! is_by_line || [[ $soft == unlimited ]] || ((soft >= 4096)) || ulimit -Sn 4096 2>/dev/null
    for role in "${roles[@]}"; do
        local -n profiled=args_$role
        if is_by_line; then
            own_default "$role" lost-after 1m
            own_default "$role" slow-callback 0s
            [[ $role != publisher && $role != consumer ]] || own_default "$role" ack-deadline 1m
            under=(valgrind -q --tool=callgrind --dump-instr=yes --collect-jumps=yes
                "--callgrind-out-file=$dir/profile/lines/NAME.PID.out")
        else
            profiled+=("--save-profile=$dir/profile")
        fi
    done
    profile_time=${given[profile]#lines} profile_time=${profile_time#:}
    [[ $profile_time != "" ]] || return 0
    [[ ! $profile_time =~ ^[0-9]+$ ]] || profile_time+=s
    "$build/mayhem-publisher" "--for=$profile_time" --check </dev/null >/dev/null 2>&1 ||
        die 64 "--profile=${given[profile]}: say a time, as in --profile=5s or --profile=lines:5s"
    profile_for=$(centiseconds "$profile_time") || exit
}

# Checks all settings before the first process starts.
prepare() {
    local role progress=auto value origin driver
    local -A config=()
    collect_arguments
    for role in "${roles[@]}"; do
        local -n arguments=args_$role
        config[$role]=$("$build/mayhem-$role" "${arguments[@]}" --print-config </dev/null) || exit
    done
    setting publisher input
    input=$value
    driver=$(driver_line) || exit
    if [[ $input == "" && $driver == mock ]]; then
        is_demo=1 progress=off
        own_default restarter mock-time 0s..1s
        own_default restarter mock-fail 25%
        own_default saver inject-time 0s..1s
        own_default saver inject-fail 25%
    fi
    [[ ! -v given[quiet] ]] || progress=off
    args_publisher+=("--driver=$driver" "--progress=$progress")
    # What the commands name of a host beside {host}: the publisher reads that and nothing else.
    local -n with_commands=args_restarter
    value=$("$build/mayhem-restarter" "${with_commands[@]}" --check </dev/null) || exit
    [[ ! $value =~ ^attributes:\ ([a-z0-9_,]+) ]] ||
        args_publisher+=("--attributes=${BASH_REMATCH[1]}")
    setting consumer drain-timeout
    drain=$(centiseconds "$value") || exit
    setting consumer dir
    dir=${value%/}
    prepare_profile
    for role in "${roles[@]}"; do
        local -n checked=args_$role
        "$build/mayhem-$role" "${checked[@]}" --check </dev/null >/dev/null || exit
    done
    ! is_taken || die_taken
}

# ---- the folder ----------------------------------------------------------------------------------

# Sets `others`: the processes of a killed run.sh that still drain.
find_others() {
    local file name number
    others=()
    for file in "$dir"/*.pid; do
        [[ -f $file ]] || continue
        name=${file##*/} name=${name%.pid} number=0
        read -r number <"$file"
        if [[ $name != run && $number =~ ^[0-9]+$ ]] &&
            grep -aqsF -- "--log-file=$dir/log/$name.log" "/proc/$number/cmdline"; then
            others+=("$number")
        else
            rm -f -- "$file"
        fi
    done
}

die_taken() {
    die 69 "another run.sh (pid $(cat "$dir/run.pid" 2>/dev/null)) is running in $dir: \
stop it first, or choose another folder with --dir"
}

take_folder() {
    local others=() limit
    [[ $dir != */* ]] || mkdir -p -- "${dir%/*}/" 2>/dev/null
    [[ -d $dir ]] || mkdir -m 700 -- "$dir" 2>/dev/null
    if ! { mkdir -p -- "$dir/log" && : >>"$dir/log/run.log" && : >>"$dir/run.lock"; } \
        2>/dev/null; then
        die 73 "cannot create files in the folder $dir: choose another with --dir"
    fi
    exec 6>>"$dir/run.lock"
    flock -n 6 || die_taken
    find_others
    if ((${#others[@]})); then
        warn "what a run.sh that was killed has left in $dir (${others[*]}) still stops: waiting"
        tick
        limit=$((now + drain + 200))
        while ((${#others[@]} && now < limit)); do
            sleep 0.1
            tick
            find_others
        done
        ((${#others[@]} == 0)) || die 69 "processes of a former run are still running in $dir \
(${others[*]}): end them first"
    fi
    printf '%d\n' $$ >"$dir/run.pid"
    rm -f -- "$dir/scale" "$dir/scaled" "$dir/publisher.run"
    if is_by_line; then
        rm -f -- "$dir"/profile/lines/*.out
        mkdir -p -- "$dir/profile/lines" || die 73 "cannot create the folder $dir/profile/lines"
    elif [[ -v given[profile] ]]; then
        rm -f -- "$dir"/profile/*.json "$dir"/profile.{txt,callgrind,folded}
    fi
}

# ---- the run -------------------------------------------------------------------------------------

run_pipeline() {
    restarters=${given[restarters]:-2}
    is_count "$restarters" 1 || die 64 "-n $restarters: the number of restarters is 1 to 256"
    [[ ${given[input]-x} != "" ]] || die 64 "-i needs the name of a file"
    [[ ${given[exec]-x} != "" ]] || die 64 "-x needs a command: without one the restart is a mock"
    [[ ${given[verify]-x} != "" ]] || die 64 "--verify needs a command"
    build_programs
    ! is_by_line || install_missing missing_for_lines
    exec 3>&1 4>&2 7<&0 8>&1 </dev/null
    [[ ! -v given[json] ]] || exec 3>&2
    prepare
    take_folder
    [[ ! -t 4 || $is_demo ]] || clear=$'\r\e[K' # over the progress bar
    supervise
    close_input
    summarize
}

# ---- main ----------------------------------------------------------------------------------------

# A shell without job control starts `run.sh &` with SIGINT ignored, which bash cannot trap.
while read -r name mask; do
    [[ $name != SigIgn: ]] || break
done <"/proc/$$/status"
((!(0x$mask & 2))) || exec env --default-signal=INT "${BASH_SOURCE[0]}" "$@"

parse "$@"
# A dry run does not belong in the record of real ones.
[[ ! -v given[dry-run] || -v given[dir] || -v MAYHEM_DIR ]] || given[dir]=run.dry
dir=${given[dir]:-${MAYHEM_DIR:-run}}
[[ ! -v given[help] ]] || { usage && exit 0; }
[[ ! -v given[test] ]] || run_tests
[[ ! -v given[chaos] ]] || run_chaos
case ${words[0]:-} in
"") run_pipeline ;;
scale) scale ;;
status) status ;;
*) die 64 "unknown argument ${words[0]}: hosts are given as a file with -i FILE" ;;
esac
