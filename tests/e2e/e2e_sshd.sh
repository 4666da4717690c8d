#!/usr/bin/env bash
# The simulated hosts of tests/fleet, by the real ssh client: each kind does what it says, and
# nothing is left of them, however the shell that began them ends.
# shellcheck source=tests/e2e/e2e_lib.sh
. "$(dirname "$0")/e2e_lib.sh"
# shellcheck source=tests/fleet/fleet.sh
. "$root/tests/fleet/fleet.sh"
fleet_or_skip

id='[0-9a-f]{32}' uuid='[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-a[0-9a-f]{3}-[0-9a-f]{12}'
identify='cat /etc/machine-id /proc/sys/kernel/random/boot_id /proc/uptime'

# The boot id that a host has; nothing while it does not answer.
boot_of() {
    fleet_ssh "$1" cat /proc/sys/kernel/random/boot_id 2>/dev/null
}

# Leaves HOST.old and HOST.machine. A second read, as the first one of flap is rubbish.
look_first() {
    boot_of "$1" >"$1.old"
    fleet_ssh "$1" 'cat /etc/machine-id >&2; cat /etc/machine-id' >"$1.machine" 2>/dev/null
}

# restart HOST: as the shipped driver does it: only on the boot that is known. Leaves HOST.code.
restart() {
    local same
    same="[ \"\$(cat /proc/sys/kernel/random/boot_id)\" = $(cat "$1.old") ]"
    timeout 4 "$fleet/bin/ssh" -o BatchMode=yes "$1" "$same && sudo systemctl reboot" >"$1.out" 2>&1
    echo $? >"$1.code"
}

# of WORD: the host of that kind.
of() {
    printf '%s\n' "${fleet_hosts[@]}" | grep "^$1-"
}

has_rebooted() {
    (($(fleet_reboots "$1") >= $2)) && [[ $(boot_of "$1") ]]
}

is_down() {
    [[ $(fleet_reboots "$1") == 1 && $(boot_of "$1") == "" ]]
}

# state HOST [WORD]: what systemctl says; with WORD, whether it is that.
state() {
    local said
    said=$(fleet_ssh "$1" systemctl is-system-running)
    [[ ${2:-} ]] && { [[ $said == "$2" ]]; return; }
    printf '%s\n' "$said"
}

# ---- before --------------------------------------------------------------------------------------

export FLEET_SCALE=40
check "16 hosts start" fleet_start 16 well slow:delay_ms=6000 hang twice flap sick stranger nosudo noop gone \
    badkey other unwell restless long:down_ms=3000 well:session=end
pids=()
for host in "${fleet_hosts[@]}"; do
    look_first "$host" &
    pids+=("$!")
done
wait "${pids[@]}"
equal "14 of them answer, each with a boot id of its own" 14 \
    "$(sort -u ./*.old | grep -cE "^$uuid$")"
equal "and a machine id of its own" 14 "$(sort -u ./*.machine | grep -cE "^$id$")"
host=$(of other)
check "other: somebody else reboots it after a read of its ids" wait_until 5 has_rebooted "$host" 1
check "other: its boot id is another one" test "$(boot_of "$host")" != "$(cat "$host.old")"
equal "other: nobody has asked it to" 0 "$(fleet_asked "$host")"
read -d '' -r machine boot uptime _ < <(fleet_ssh well-01 "$identify")
matches "three lines tell who a host is" "^$id $uuid [0-9]+\.[0-9]{2}$" "$machine $boot $uptime"
equal "it is healthy" running "$(state well-01)"

# ---- a restart of all ----------------------------------------------------------------------------

pids=()
for host in "${fleet_hosts[@]}"; do
    [[ $host != other-* ]] || continue
    restart "$host" &
    pids+=("$!")
done
host=$(of slow)
wait_until 5 test -s "$host.code"
equal "slow: it is still on its old boot when the session has ended well" "0 $(cat "$host.old")" \
    "$(cat "$host.code") $(boot_of "$host")"
host=$(of long)
check "long: nobody answers" wait_until 5 is_down "$host"
wait "${pids[@]}"
for kind in well slow hang flap sick stranger unwell long; do
    while read -r host; do
        check "$host: it comes back" wait_until 6 has_rebooted "$host" 1
        equal "$host: asked once, rebooted once" "1 1" \
            "$(fleet_commands "$host") $(fleet_reboots "$host")"
        check "$host: its boot id is another one" test "$(boot_of "$host")" != "$(cat "$host.old")"
        [[ $kind == stranger ]] || equal "$host: it is the same machine" "$(cat "$host.machine")" \
            "$(fleet_ssh "$host" 'cat /etc/machine-id >&2; cat /etc/machine-id' 2>/dev/null)"
    done < <(of "$kind")
done
equal "well: its session is cut" 255 "$(cat well-01.code)"
equal "well: its session ends well" 0 "$(cat well-16.code)"
read -r up _ < <(fleet_ssh well-01 cat /proc/uptime)
at_most "well: its uptime begins anew" 20 "${up%.*}"
equal "hang: its session does not end" 124 "$(cat "$(of hang).code")"
host=$(of twice)
check "twice: it reboots again" wait_until 5 has_rebooted "$host" 2
equal "twice: it is asked once" 1 "$(fleet_commands "$host")"
equal "sick: it is not well afterwards" degraded "$(state "$(of sick)")"
host=$(of unwell)
for word in running degraded running; do
    check "unwell: it is well and ill in turn: $word" wait_until 6 state "$host" "$word"
done
host=$(of stranger)
check "stranger: it is another machine" \
    test "$(fleet_ssh "$host" cat /etc/machine-id)" != "$(cat "$host.machine")"
host=$(of nosudo)
equal "nosudo: it says so, and stays up" "1 sudo: a password is required 0" \
    "$(cat "$host.code" "$host.out" | paste -sd ' ') $(fleet_reboots "$host")"
host=$(of noop)
equal "noop: asked, exit 0, still on its old boot" "0 1 0 $(cat "$host.old")" \
    "$(cat "$host.code") $(fleet_asked "$host") $(fleet_reboots "$host") $(boot_of "$host")"
host=$(of badkey)
matches "badkey: ssh does not go there" '^255 .*Host key verification failed' \
    "$(cat "$host.code" "$host.out" | paste -sd ' ')"
equal "badkey: nothing has arrived" 0 "$(fleet_events '^command' "$host")"
matches "gone: nobody is there" '^255 .*Connection refused' \
    "$(cat "$(of gone)".{code,out} | paste -sd ' ')"
check "restless: it reboots for ever" wait_until 8 has_rebooted "$(of restless)" 4
host=$(of flap)
for _ in {1..10}; do
    fleet_ssh "$host" "$identify" 2>/dev/null | grep -cE "^$id$|^$uuid$"
done >reads
equal "flap: half of ten reads are good, no other has both ids" 5 "$(grep -c 2 reads)"

# ---- the counts ----------------------------------------------------------------------------------

equal "no command was a second one" "" "$(fleet_second_commands 60000)"
restart well-01
equal "a command for the boot that is over does nothing" "1 1 1" \
    "$(cat well-01.code) $(fleet_asked well-01) $(fleet_reboots well-01)"
restart noop-09
matches "both are counted as second ones" 'well-01: another boot id.*noop-09: [0-9]+ ms after' \
    "$(fleet_second_commands 60000 | paste -sd ' ')"
equal "a program that could be the real machine's is refused" 126 \
    "$(fleet_ssh well-01 sudo /sbin/reboot >/dev/null 2>&1; echo $?)"
equal "and has done nothing" 1 "$(fleet_reboots well-01)"

# One connection for several sessions ends like the others.
mux=(-o ControlMaster=auto -o ControlPath="$work/mux" -o ControlPersist=60)
equal "ControlMaster: a session" running \
    "$(fleet_ssh "${mux[@]}" well-16 systemctl is-system-running)"
fleet_ssh "${mux[@]}" well-16 'sudo reboot; sleep 100' >out 2>&1
equal "ControlMaster: the session ends with the host" 255 $?
check "ControlMaster: it comes back" wait_until 5 has_rebooted well-16 2

# ---- nothing is left -----------------------------------------------------------------------------

# All processes below PID, one a line.
below() {
    cat /proc/[0-9]*/stat 2>/dev/null | sed 's/ (.*) [A-Z]//' | awk -v top="$1" '
        { parent[$1] = $2 }
        END {
            for (pid in parent) {
                for (p = pid; p in parent && p != top; p = parent[p]) {}
                if (p == top && pid != top) print pid
            }
        }'
}

all_gone() {
    local pid
    while read -r pid; do
        is_gone "$pid" || return
    done <pids
}

{ below "$fleet_pid" && echo "$fleet_pid"; } >pids
check "$(wc -l <pids) processes are a fleet" test "$(wc -l <pids)" -ge 32
folder=$fleet
fleet_stop
check "fleet_stop ends them all" all_gone
check "fleet_stop removes the folder" test ! -e "$folder"

# An owner with a session that hangs, which dies.
cat >owner.sh <<END
. "$root/tests/fleet/fleet.sh"
trap 'exit 130' INT TERM
fleet_start 3 well hang slow || exit
fleet_ssh well-01 sleep 1000 &
fleet_ssh hang-02 sudo reboot &
until [[ \$(fleet_reboots hang-02) == 1 ]]; do sleep 0.1; done
echo "\$fleet_pid \$fleet" >fleet
wait "\$fleet_pid"
END
for victim in TERM INT KILL fleet; do
    rm -f fleet
    env --default-signal=INT bash owner.sh >out 2>&1 &
    owner=$!
    started+=("$owner") && disown "$owner" # its end is not told
    wait_until 15 test -s fleet || not_ok "a shell begins a fleet" "$(cat out)"
    read -r pid folder <fleet
    { below "$pid" && echo "$pid"; } >pids
    if [[ $victim == fleet ]]; then
        kill -KILL "$pid"
    else
        kill -"$victim" "$owner"
    fi
    check "$victim: all $(wc -l <pids) have gone" wait_until 10 all_gone
    if [[ $victim == fleet ]]; then
        kill -TERM "$owner" 2>/dev/null # it may have ended with its fleet
        rm -rf "$folder"
    else
        check "$victim: the folder has gone" wait_until 5 test ! -e "$folder"
    fi
done

# ---- hosts that are files ------------------------------------------------------------------------

mkdir files
export FILE_HOST_DOWN=300 FILE_HOST_RECORD=$work/record
file_host() {
    "$build/tests/file_host" files "$@"
}
matches "a file: three lines tell who it is" "^$id $uuid [0-9]+\.[0-9]{2} 0" \
    "$(file_host identify web-1 | paste -sd ' ')"
before=$(file_host identify web-1 | sed -n 2p)
file_host reboot web-1 "$before"
equal "a file: a reboot cuts the session" 255 $?
file_host identify web-1 >/dev/null 2>&1
equal "a file: it does not answer then" 255 $?
check "a file: it comes back" wait_until 5 file_host health web-1 2>/dev/null
read -d '' -r machine boot uptime _ < <(file_host identify web-1)
check "a file: on another boot" test "$boot" != "$before"
at_most "a file: its uptime begins anew" 2 "${uptime%.*}"
file_host reboot web-1 "$before"
equal "a file: nothing is done on another boot than the one that is named" 1 $?
equal "a file: its lines are its reboots" 1 "$(wc -l <files/web-1)"
equal "a file: the auditor's record has its restart" "begin web-1 end web-1" \
    "$(cut -d ' ' -f 1,2 record | paste -sd ' ')"
