# A fleet of hosts whose sshd are real, on addresses of the loopback interface: each with keys, a
# machine id, a boot id and an uptime of its own. A reboot there ends its listener and sessions,
# waits, and comes back with a new boot id. Works as any user, without systemd, in a folder of its
# own; nothing of it is left when the shell that began it has ended, however it ended.
#
#   . tests/fleet/fleet.sh                        as functions
#   fleet_start 12 well slow noop:down_ms=500     12 hosts, of these kinds in turn
#   $fleet/hosts.txt, hosts.jsonl                 the same hosts as inventories
#   $fleet/ssh_config, $fleet/bin/ssh             for ssh -F; a ssh that takes it, for PATH
#   fleet_ssh HOST COMMAND...                     a session by the real client
#   fleet_reboots [HOST]                          how often it has gone down
#   fleet_commands [HOST]                         how many restart commands have arrived
#   fleet_asked [HOST]                            how many of them had a reboot program run
#   fleet_second_commands MS [FILE]               those that came too early: see there
#   fleet_reboot HOST                             somebody else reboots it
#   fleet_log [HOST]                              see tests/fleet/host.h
#   fleet_stop                                    ends all of them and removes the folder
#   fleet_or_skip                                 ends a test when there is no sshd here
#
#   bash tests/fleet/fleet.sh 12 well slow        by hand: the same, until Ctrl-C
#
# A KIND may be followed by settings, as in slow:delay_ms=8000,down_ms=500. FLEET_SCALE=50 halves
# the times of all kinds (percent).
# shellcheck shell=bash

fleet_root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
fleet="" fleet_pid="" # its folder, its process
fleet_hosts=()

# Sets `settings` to those of a kind; times are in ms.
fleet_kind() {
    settings="delay_ms=100 down_ms=1000 session=cut hang=0 noop=0 again=0 again_ms=0 other=0"
    settings+=" hung=0 stranger=0 flap=0 sudo=grant sick= key=known"
    case $1 in
    well) ;;
    slow) settings+=" delay_ms=3000 session=end" ;;  # it goes down long after it was asked
    hang) settings+=" hang=1" ;;                     # the session does not end, the host is back
    twice) settings+=" again=1 again_ms=1500" ;;     # reboots once more, by itself
    flap) settings+=" flap=1" ;;                     # every second read of its ids is rubbish
    long) settings+=" down_ms=25000" ;;
    noop) settings+=" noop=1" ;;                     # reboot exits with 0 and does nothing
    gone) settings+=" port=0" ;;                     # nothing listens
    hung) settings+=" hung=1" ;;                     # nothing listens until somebody reboots it
    badkey) settings+=" key=other" ;;                # not the key of known_hosts
    sick) settings+=" sick=degraded" ;;              # what systemctl says after a reboot
    stranger) settings+=" stranger=1" ;;             # comes back with another machine id
    nosudo) settings+=" sudo=refuse" ;;
    other) settings+=" other=1" ;;                   # somebody else reboots it after the first read
    unwell) settings+=" sick=flapping" ;;            # after a reboot well and ill in turn, for ever
    restless) settings+=" again=-1 again_ms=1500" ;; # reboots by itself for ever
    *) return 1 ;;
    esac
}

# fleet_conf SPEC: the conf of a host, without address and port.
fleet_conf() {
    local settings word
    fleet_kind "${1%%:*}" || {
        printf 'fleet: no kind %s: see fleet_kind in tests/fleet/fleet.sh\n' "${1%%:*}" >&2
        return 64
    }
    for word in $settings; do
        if [[ $word =~ ^([a-z]+_ms)=([0-9]+)$ ]]; then
            word=${BASH_REMATCH[1]}=$((BASH_REMATCH[2] * ${FLEET_SCALE:-100} / 100))
        fi
        printf '%s\n' "$word"
    done
    [[ $1 != *:* ]] || tr ',' '\n' <<<"${1#*:}"
}

# The last value of KEY in the conf of a host.
fleet_setting() {
    sed -n "s/^$2=//p" "$fleet/hosts/$1/conf" | tail -n 1
}

fleet_fail() {
    printf 'fleet: %s\n' "$1" >&2
    fleet_stop
    return 69
}

# fleet_make_host NUMBER SPEC. Run by sshd, bash reads the user's own .bashrc, but not with SHLVL.
fleet_make_host() {
    local name folder address=$fleet_net.$1 kind=${2%%:*}
    printf -v name '%s-%02d' "$kind" "$1"
    folder=$fleet/hosts/$name
    mkdir "$folder" && mkfifo -m 600 "$folder/control" &&
        cp -R "$fleet/programs" "$folder/bin" || return
    printf 'address=%s\nport=%d\n' "$address" "$fleet_port" >"$folder/conf"
    fleet_conf "$2" >>"$folder/conf" || return
    ssh-keygen -q -t ed25519 -N '' -C "$name" -f "$folder/host_key" || return
    tr -d - </proc/sys/kernel/random/uuid >"$folder/machine-id"
    echo 0 >"$folder/count"
    cat >"$folder/sshd_config" <<CONF
ListenAddress $address
Port $fleet_port
HostKey "$folder/host_key"
AuthorizedKeysFile "$fleet/key.pub"
ForceCommand FLEET_HOST='$folder' sh '$fleet_root/tests/fleet/host_session.sh'
PidFile none
StrictModes no
PasswordAuthentication no
KbdInteractiveAuthentication no
UsePAM no
UseDNS no
PermitRootLogin yes
PrintMotd no
MaxStartups 1000
MaxSessions 1000
SetEnv SHLVL=1
LogLevel INFO
${fleet_penalties}
CONF
    [[ $(fleet_setting "$name" key) != other ]] || cp "$fleet/key.pub" "$folder/known.pub"
    [[ -e $folder/known.pub ]] || cp "$folder/host_key.pub" "$folder/known.pub"
    printf '[%s]:%d %s\n' "$address" "$fleet_port" "$(cut -d ' ' -f 1,2 "$folder/known.pub")" \
        >>"$fleet/known_hosts"
    printf 'Host %s\n    HostName %s\n' "$name" "$address" >>"$fleet/ssh_config"
    printf '%s\n' "$name" >>"$fleet/hosts.txt"
    printf '{"host": "%s", "address": "%s", "port": %d, "user": "%s"}\n' "$name" "$address" \
        "$fleet_port" "$fleet_user" >>"$fleet/hosts.jsonl"
    fleet_hosts+=("$name")
}

# What all hosts share: the client's key and configuration, the programs of a host.
fleet_make_shared() {
    local name
    mkdir "$fleet/hosts" "$fleet/programs" "$fleet/bin" || return
    for name in cat sudo systemctl reboot shutdown poweroff halt init telinit; do
        ln -s "$fleet_root/tests/fleet/host_program.sh" "$fleet/programs/$name" || return
    done
    ssh-keygen -q -t ed25519 -N '' -C fleet -f "$fleet/key" || return
    cat >"$fleet/ssh_config" <<CONF
Host *
    Port $fleet_port
    User $fleet_user
    IdentityFile "$fleet/key"
    IdentitiesOnly yes
    UserKnownHostsFile "$fleet/known_hosts"
    GlobalKnownHostsFile /dev/null
    UpdateHostKeys no
CONF
    printf '#!/bin/sh\nexec "%s" -F "%s/ssh_config" "$@"\n' "$(command -v ssh)" "$fleet" \
        >"$fleet/bin/ssh"
    chmod 755 "$fleet/bin/ssh"
    # Since 9.8 it locks out a client after some failures.
    fleet_penalties=""
    ! LD_PRELOAD=$fleet_preload "$fleet_sshd" -T -f /dev/null -h "$fleet/key" 2>/dev/null |
        grep -qi '^persourcepenalties' ||
        fleet_penalties="PerSourcePenalties no"
}

# Sets fleet_program, fleet_sshd, fleet_preload, fleet_user; says what is missing.
fleet_look_around() {
    local program
    fleet_program=${MAYHEM_BUILD:-$fleet_root/build}/tests/fleet
    [[ -x $fleet_program ]] || { fleet_fail "no $fleet_program: run make fleet" || return; }
    for program in ssh ssh-keygen; do
        command -v "$program" >/dev/null ||
            { fleet_fail "no $program: install openssh-client" || return; }
    done
    fleet_find_sshd || { fleet_fail "no sshd: tests/fleet/get_sshd.sh may get one" || return; }
    fleet_user=$(id -un) || { fleet_fail "this user has no name: sshd lets nobody in" || return; }
    # Where sshd puts those that have not logged in yet; made when a service is started.
    ((EUID != 0)) || [[ -d /run/sshd ]] || mkdir -m 755 /run/sshd
    fleet_preload=""
    ((EUID != 0)) || getent passwd sshd >/dev/null || fleet_preload=${fleet_program%/*}/sshd_user.so
}

# Sets fleet_sshd, an absolute path: the system's, or the one that get_sshd.sh has got.
fleet_find_sshd() {
    fleet_sshd=$(PATH=$PATH:/usr/sbin:/sbin type -P sshd) && return
    fleet_sshd=${MAYHEM_BUILD:-$fleet_root/build}/tests/openssh/sshd
    [[ -x $fleet_sshd ]]
}

# For tests: ends one that can have no fleet here, in a way that is told from a success (77).
fleet_or_skip() {
    fleet_find_sshd && return
    echo 'skip - there is no sshd, and tests/fleet/get_sshd.sh has got none'
    exit 77
}

# fleet_start N KIND...
fleet_start() {
    local count=$1 number
    shift
    [[ $count =~ ^[1-9][0-9]{0,2}$ && $count -le 250 && $# -gt 0 ]] ||
        { fleet_fail "fleet_start takes a number up to 250 and kinds" || return; }
    fleet_look_around || return
    fleet=$(mktemp -d "${TMPDIR:-/tmp}/mayhem-fleet.XXXXXX") || return 73
    fleet_hosts=()
    fleet_net=127.$((1 + SRANDOM % 254)).$((SRANDOM % 256)) fleet_port=$((2200 + SRANDOM % 100))
    fleet_make_shared || { fleet_fail "cannot write to $fleet" || return; }
    for ((number = 1; number <= count; number++)); do
        fleet_make_host "$number" "${@:(number - 1) % $# + 1:1}" ||
            { fleet_fail "cannot make host $number" || return; }
    done
    LD_PRELOAD=$fleet_preload "$fleet_program" "$fleet" "$$" "$fleet_sshd" </dev/null \
        >>"$fleet/fleet.log" 2>&1 &
    fleet_pid=$!
    until [[ -e $fleet/ready ]]; do
        if [[ -e $fleet/failed ]] || ! kill -0 "$fleet_pid" 2>/dev/null; then
            tail -n 3 "$fleet/fleet.log" "$fleet"/hosts/*/sshd.log >&2
            fleet_fail "the hosts do not start" || return
        fi
        sleep 0.02
    done
}

fleet_stop() {
    if [[ $fleet_pid ]]; then
        kill -TERM "$fleet_pid" 2>/dev/null
        wait "$fleet_pid" 2>/dev/null
    fi
    [[ ! $fleet ]] || rm -rf -- "$fleet"
    fleet="" fleet_pid="" fleet_hosts=()
}

# ---- looking, on the hosts -----------------------------------------------------------------------

# fleet_log [HOST]: all hosts' logs in the order of time, the host's name before each line.
fleet_log() {
    local files=("$fleet"/hosts/*/log)
    [[ ! ${1:-} ]] || files=("$fleet/hosts/$1/log")
    awk '{ count = split(FILENAME, part, "/"); print part[count - 1], $0 }' "${files[@]}" |
        sort -s -n -k 2,2
}

# fleet_events REGEX [HOST]: how many lines have EVENT [TEXT] like this.
fleet_events() {
    fleet_log "${2:-}" | cut -d ' ' -f 5- | grep -cE -- "$1"
}

fleet_reboots() {
    fleet_events '^down ' "${1:-}"
}

fleet_commands() {
    fleet_events '^command .*(reboot|shutdown|poweroff|halt|init 6)' "${1:-}"
}

fleet_asked() {
    fleet_events '^asked ' "${1:-}"
}

# fleet_second_commands MS [FILE]: a line for each restart command that must not have been sent: to
# a host whose boot id had changed since the one before; less than MS after that; or before the
# deadline of its attempt. FILE has a line "HOST BEGAN_WALL_MS DEADLINE_BOOT_MS" for each attempt on
# record. A host whose sudo was refused may be asked again at once.
fleet_second_commands() {
    fleet_log | awk -v limit="$1" -v file="${2:-/dev/null}" '
        BEGIN {
            while ((getline line <file) > 0) {
                split(line, field, " ")
                n = ++attempts[field[1]]
                began[field[1], n] = field[2]; ends[field[1], n] = field[3]
            }
        }
        # The deadline of the attempt that was the last one begun at that time.
        function deadline(host, wall,    n, found) {
            for (n = 1; n <= attempts[host]; n++)
                if (began[host, n] <= wall) found = ends[host, n]
            return found
        }
        $5 == "command" && /reboot|shutdown|poweroff|halt|init 6/ {
            ms = $1 in at ? $2 - at[$1] : limit # to look at at[$1] would make it
            if ($1 in boot && boot[$1] != $4) print $1 ": another boot id since the last:", $0
            else if (ms < limit) print $1 ": " ms " ms after the last:", $0
            else if ($1 in at && $2 < due[$1]) print $1 ": " due[$1] - $2 " ms early:", $0
            at[$1] = $2; boot[$1] = $4; due[$1] = deadline($1, $3)
        }
        $5 == "refused" { delete at[$1] }'
}

# ---- using it ------------------------------------------------------------------------------------

fleet_ssh() {
    "$fleet/bin/ssh" -o BatchMode=yes -o ConnectTimeout=5 "$@"
}

# fleet_reboot HOST: somebody else does it.
fleet_reboot() {
    echo 'reboot other' >"$fleet/hosts/$1/control"
}

# ---- by hand -------------------------------------------------------------------------------------

if [[ ${BASH_SOURCE[0]} == "$0" ]]; then
    set -u
    trap 'exit 130' INT TERM HUP
    trap fleet_stop EXIT
    fleet_start "$@" || exit
    printf '%s\n' "${fleet_hosts[@]}" \
        "in $fleet: hosts.txt, hosts.jsonl, ssh_config, bin/ssh, hosts/*/log" \
        "try: PATH=$fleet/bin:\$PATH ssh ${fleet_hosts[0]} cat /etc/machine-id" "Ctrl-C ends it"
    wait "$fleet_pid"
fi
