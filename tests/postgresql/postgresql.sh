# Real servers of PostgreSQL for tests, on addresses of the loopback interface: each with a folder, a
# socket and an address of its own, with fsync and checksums. They run as `postgres` when root starts
# them. They end with the shell that has started them, however it ends; nobody else's are touched.
#
#   . tests/postgresql/postgresql.sh         as functions
#   pg_or_skip                               ends a test when there is no PostgreSQL here (77)
#   pg_begin [memory]                        makes the folder $pg, and what all servers are copied from
#   pg_start a [SETTING=VALUE]...            a new server, or one that has ended: it keeps its data
#   pg_standby b a [SETTING=VALUE]...        a copy of a that follows it; a waits for it at each commit
#   pg_synchronous a [b]                     for whom a waits; without a name for nobody
#   pg_uri a [b]...                          a URI of the role `mayhem`, its database and its password
#   pg_psql a SQL                            as superuser, through the socket: rows, fields with | between
#   pg_promote b                             b is a primary now
#   pg_stop a [fast|immediate|smart]         ends it by a signal, and waits
#   pg_kill a                                kill -9 of all its processes at once, and waits
#   pg_freeze a, pg_thaw a                   SIGSTOP, SIGCONT of all its processes
#   pg_withhold a, pg_deliver a              of those that send to standbys: b hears nothing new
#   pg_log a                                 what it has written to its log
#   pg_end                                   ends all of them and removes the folder
#
#   bash tests/postgresql/postgresql.sh a b  by hand: a, and b as its synchronous standby, until Ctrl-C
#
# ${pg_address[a]} may be set before pg_start a, and pg_inside to a command that runs another (such as
# `ip netns exec NAME`): for servers in namespaces. Call these functions in no subshell but $(pg_uri),
# $(pg_psql) and $(pg_log): a server ends with the shell that has started it.
# shellcheck shell=bash
# shellcheck disable=SC2119,SC2120 # pg_begin has an argument that may be left out

pg="" pg_bin="" pg_net="" pg_password="" # its folder; of the programs; of addresses; of all roles
pg_port=5432 pg_limit=60                 # seconds to wait for whatever has been started or ended
pg_as=() pg_inside=()                    # what a server's programs are run by
declare -A pg_pid=() pg_address=()

pg_fail() {
    printf 'postgresql: %s\n' "$1" >&2
    return "${2:-69}"
}

# Sets pg_bin: of the programs on the PATH, or of the newest version where Debian has them.
pg_find() {
    local initdb
    initdb=$(type -P initdb) ||
        initdb=$(printf '%s\n' /usr/lib/postgresql/*/bin/initdb | sort -V | tail -n 1)
    [[ -x $initdb ]] || return
    initdb=$(readlink -f "$initdb") # the others are beside it
    pg_bin=${initdb%/*}
}

pg_or_skip() {
    if ! pg_find; then
        echo 'skip - there is no PostgreSQL: install postgresql'
        exit 77
    fi
    if ((EUID == 0)) && ! getent passwd postgres >/dev/null; then
        echo 'skip - PostgreSQL does not run as root, and there is no user postgres'
        exit 77
    fi
}

# Runs a program of the servers: not as root, and without the caller's own settings.
pg_run() {
    (cd "$pg" && exec "${pg_as[@]}" "$@")
}

# pg_begin [memory]: in RAM where there is room. Only processes are killed here, so what was written
# is there all the same, sooner.
pg_begin() {
    local name folder=${TMPDIR:-/tmp} free=0
    [[ ${1:-} != memory || ! -w /dev/shm ]] ||
        free=$(df --output=avail /dev/shm | tail -n 1)
    ((free < 2000000)) || folder=/dev/shm
    pg_find || { pg_fail 'no initdb: install postgresql' || return; }
    for name in "${!PG@}"; do # they are for the user's own servers
        unset "$name"
    done
    pg=$(mktemp -d "$folder/mayhem-pg.XXXXXX") || return 73
    pg_as=(env LC_ALL=C)
    if ((EUID == 0)); then
        chown postgres: "$pg" || return
        pg_as+=(setpriv --reuid=postgres --regid=postgres --clear-groups)
    fi
    pg_run test -w . || { pg_fail "postgres may not write to $pg: set TMPDIR" 73 || return; }
    pg_net=127.$((1 + SRANDOM % 254)).$((SRANDOM % 256))
    printf -v pg_password '%08x%08x' "$SRANDOM" "$SRANDOM"
    pg_make_template
}

# What each server is a copy of: to copy it takes a tenth of the time that initdb takes.
pg_make_template() {
    local log=$pg/template.log
    pg_run "$pg_bin/initdb" -D template -U postgres -A reject -E UTF8 --locale=C -k --no-sync \
        >"$log" 2>&1 &&
        pg_run "$pg_bin/postgres" --single -D template postgres >>"$log" 2>&1 <<SQL && return
CREATE ROLE mayhem LOGIN PASSWORD '$pg_password'
CREATE ROLE follower LOGIN REPLICATION PASSWORD '$pg_password'
CREATE DATABASE mayhem OWNER mayhem
SQL
    tail -n 20 "$log" >&2
    pg_fail "initdb fails in $pg"
}

# pg_write FILE: as whom the servers run.
pg_write() {
    pg_run tee "$1" >/dev/null
}

# pg_configure NAME SETTING=VALUE...
pg_configure() {
    local name=$1 setting
    shift
    pg_write "$name/pg_hba.conf" <<CONF
local all         all      trust
local replication all      trust
host  replication follower all scram-sha-256
host  all         all      all scram-sha-256
CONF
    {
        cat <<CONF
data_directory = '$pg/$name/data'
hba_file = '$pg/$name/pg_hba.conf'
ident_file = '$pg/$name/data/pg_ident.conf'
unix_socket_directories = '$pg/$name'
listen_addresses = '${pg_address[$name]}'
port = $pg_port
cluster_name = '$name'
shared_buffers = 32MB
max_connections = 60
fsync = on
wal_keep_size = 1GB
wal_retrieve_retry_interval = 100ms
log_line_prefix = '%m [%p] %q%a '
include = 'follow.conf'
CONF
        for setting; do
            printf "%s = '%s'\n" "${setting%%=*}" "${setting#*=}"
        done
    } | pg_write "$name/postgresql.conf"
}

# Its state in the file that the server keeps for pg_ctl.
pg_is() {
    local lines
    mapfile -t lines 2>/dev/null <"$pg/$1/data/postmaster.pid" || return
    [[ ${lines[0]:-} == "${pg_pid[$1]}" && ${lines[7]:-} =~ ^($2)\ *$ ]]
}

# pg_wait WHAT COMMAND...: until it succeeds, and no longer than pg_limit.
pg_wait() {
    local what=$1 ends=$((SECONDS + pg_limit))
    shift
    until "$@"; do
        ((SECONDS <= ends)) || { pg_fail "$what takes more than $pg_limit s" || return; }
        sleep 0.02
    done
}

pg_has_ended_or_is() {
    pg_is_gone "${pg_pid[$1]}" || pg_is "$1" "$2"
}

# A server that kept the caller's pipes open would keep their readers waiting. Bash needs its 255.
pg_close_all() {
    local descriptor
    for descriptor in "/proc/$BASHPID/fd"/*; do
        descriptor=${descriptor##*/}
        ((descriptor <= 2 || descriptor == 255)) || exec {descriptor}>&-
    done
}

# pg_launch NAME: starts what is configured; its first process is a child of this shell.
pg_launch() {
    (cd "$pg" && pg_close_all && exec "${pg_inside[@]}" "${pg_as[@]}" setpriv --pdeathsig QUIT \
        "$pg_bin/postgres" -c "config_file=$pg/$1/postgresql.conf") \
        >>"$pg/$1.log" 2>&1 </dev/null &
    pg_pid[$1]=$!
    pg_wait "the start of $1" pg_has_ended_or_is "$1" 'ready|standby' && pg_is "$1" 'ready|standby' &&
        return
    tail -n 20 "$pg/$1.log" >&2
    pg_kill "$1" 2>/dev/null || pg_forget "$1"
    pg_fail "$1 does not start"
}

# pg_start NAME [SETTING=VALUE]...: settings hold until the next pg_start of that name.
pg_start() {
    local name=$1
    shift
    [[ $name =~ ^[a-z][a-z0-9_]*$ && $name != template ]] ||
        { pg_fail "no name of a server: '$name'" 64 || return; }
    [[ ! ${pg_pid[$name]:-} ]] || { pg_fail "$name is running" 64 || return; }
    [[ ${pg_address[$name]:-} ]] || pg_address[$name]=$pg_net.$((${#pg_address[@]} + 1))
    if [[ ! -d $pg/$name ]]; then
        pg_run mkdir -m 700 "$name" && pg_run cp -R --reflink=auto template "$name/data" &&
            pg_run touch "$name/follow.conf" || return
    fi
    pg_configure "$name" "$@" && pg_launch "$name"
}

# pg_standby NAME PRIMARY [SETTING=VALUE]...: what NAME had before is gone.
pg_standby() {
    local name=$1 primary=$2
    shift 2
    [[ ! ${pg_pid[$name]:-} ]] || { pg_fail "$name is running" 64 || return; }
    pg_run rm -rf "$name" && pg_run mkdir -m 700 "$name" || return
    pg_run "$pg_bin/pg_basebackup" -D "$name/data" -X stream -c fast --no-sync \
        -d "host=$pg/$primary port=$pg_port user=postgres" >>"$pg/$name.log" 2>&1 ||
        { pg_fail "pg_basebackup of $primary fails: $(tail -n 3 "$pg/$name.log")" || return; }
    pg_run rm -f "$name/data/postgresql.auto.conf"
    pg_run touch "$name/data/standby.signal" || return
    pg_write "$name/follow.conf" <<CONF
primary_conninfo = 'host=${pg_address[$primary]} port=$pg_port user=follower password=$pg_password application_name=$name'
CONF
    pg_start "$name" "$@" && pg_synchronous "$primary" "$name"
}

pg_waits_for() {
    [[ $(pg_psql "$1" 'SELECT application_name FROM pg_stat_replication
                       WHERE sync_state IN ('\''sync'\'', '\''quorum'\'')') == "${2:-}" ]]
}

# pg_synchronous PRIMARY [NAME]: it holds until it is changed, also over a restart.
pg_synchronous() {
    pg_psql "$1" "ALTER SYSTEM SET synchronous_standby_names = '${2:-}'" >/dev/null &&
        pg_psql "$1" 'SELECT pg_reload_conf()' >/dev/null &&
        pg_wait "that $1 waits for ${2:-nobody}" pg_waits_for "$@"
}

# pg_uri NAME...: one URI with the addresses of all of them.
pg_uri() {
    local name hosts=""
    for name; do
        hosts+=${hosts:+,}${pg_address[$name]}:$pg_port
    done
    printf 'postgresql://mayhem:%s@%s/mayhem' "$pg_password" "$hosts"
}

# pg_psql NAME SQL [OPTION]...
pg_psql() {
    local name=$1 sql=$2
    shift 2
    "$pg_bin/psql" -X -q -A -t -v ON_ERROR_STOP=1 -h "$pg/$name" -p "$pg_port" -U postgres \
        -d mayhem "$@" -c "$sql" </dev/null
}

pg_promote() {
    [[ $(pg_psql "$1" 'SELECT pg_promote()') == t ]] || pg_fail "$1 is not promoted"
}

pg_log() {
    cat "$pg/$1.log"
}

# ---- its processes -------------------------------------------------------------------------------

# One that nobody has asked for its exit code yet is gone, too.
pg_is_gone() {
    local line
    { read -r line <"/proc/$1/stat"; } 2>/dev/null || return 0
    [[ ${line##*) } == Z* ]]
}

pg_are_gone() {
    local pid
    for pid; do
        pg_is_gone "$pid" || return
    done
}

# Sets pg_processes: its first process, and those that it has started.
pg_look() {
    local file line fields
    pg_processes=("${pg_pid[$1]}")
    for file in /proc/[0-9]*/stat; do
        { read -r line <"$file"; } 2>/dev/null || continue
        read -ra fields <<<"${line##*) }"
        [[ ${fields[1]} != "${pg_pid[$1]}" ]] || pg_processes+=("${line%% *}")
    done
}

# pg_signal SIGNAL NAME: to all of its processes. The first one is stopped before, to start no more.
pg_signal() {
    local pg_processes
    [[ ${pg_pid[$2]:-} ]] || { pg_fail "$2 is not running" 64 || return; }
    kill -STOP "${pg_pid[$2]}" || return
    pg_look "$2"
    # A child may have ended since: kill then does the others, and complains.
    kill -"$1" "${pg_processes[@]}" 2>/dev/null
    [[ $1 != KILL ]] || pg_wait "the end of $2" pg_are_gone "${pg_processes[@]}"
}

pg_forget() {
    wait "${pg_pid[$1]}" 2>/dev/null
    unset "pg_pid[$1]"
}

pg_kill() {
    # bash tells of each that is killed.
    { pg_signal KILL "$1" && pg_forget "$1"; } 2>/dev/null || pg_fail "$1 is not killed"
}

pg_freeze() {
    pg_signal STOP "$1"
}

pg_thaw() {
    pg_signal CONT "$1"
}

# pg_stop NAME [MODE]
pg_stop() {
    local signal pg_processes
    case ${2:-fast} in
    smart) signal=TERM ;;
    fast) signal=INT ;;
    immediate) signal=QUIT ;;
    *) pg_fail "no way to stop: $2" 64 || return ;;
    esac
    [[ ${pg_pid[$1]:-} ]] || { pg_fail "$1 is not running" 64 || return; }
    pg_look "$1"
    kill -"$signal" "${pg_pid[$1]}"
    pg_wait "the end of $1" pg_are_gone "${pg_processes[@]}" && pg_forget "$1"
}

# pg_senders SIGNAL NAME
pg_senders() {
    local pids
    mapfile -t pids < <(pg_psql "$2" 'SELECT pid FROM pg_stat_replication')
    ((${#pids[@]})) || { pg_fail "$2 has no standby" 64 || return; }
    kill -"$1" "${pids[@]}"
}

pg_withhold() {
    pg_senders STOP "$1"
}

pg_deliver() {
    pg_senders CONT "$1"
}

pg_end() {
    local name
    for name in "${!pg_pid[@]}"; do
        pg_kill "$name"
    done
    [[ ! $pg ]] || rm -rf -- "$pg"
    pg="" pg_pid=() pg_address=()
}

# ---- by hand -------------------------------------------------------------------------------------

if [[ ${BASH_SOURCE[0]} == "$0" ]]; then
    set -u
    pg_or_skip
    trap 'exit 130' INT TERM HUP
    trap pg_end EXIT
    pg_begin && pg_start "${1:-a}" || exit
    [[ ! ${2:-} ]] || pg_standby "$2" "${1:-a}" || exit
    printf '%s\n' "$(pg_uri "${@:-a}")" "in $pg: NAME.log, NAME/data" \
        "try: psql '$(pg_uri "${1:-a}")'" "Ctrl-C ends it"
    wait "${pg_pid[${1:-a}]}"
fi
