#!/bin/sh
# The programs of a simulated host, one file under several names in its bin/ folder: they say and do
# what those of a real host do, of the host's own ids, state and reboots. What they are asked to do
# is told to the host by a line in its FIFO (host.c).
name=${0##*/}
flap="" noop="" session="" sudo=""
# shellcheck source=/dev/null
. "$FLEET_HOST/conf"

tell() {
    printf '%s\n' "$*" >"$FLEET_HOST/control"
}

# As /proc/uptime, since the host's own boot.
uptime() {
    read -r now rest </proc/uptime
    read -r since <"$FLEET_HOST/up-since"
    fraction=${now#*.}
    up=$((${now%.*} * 100 + 1$fraction - 100 - since / 10))
    [ "$up" -ge 0 ] || up=0
    printf '%d.%02d %d.%02d\n' $((up / 100)) $((up % 100)) $((up / 100)) $((up % 100))
}

# Every second time no ids at all, but what a host that is half up may say. Exits then.
rubbish() {
    count=0
    read -r count <"$FLEET_HOST/count"
    count=$((count + 1))
    echo "$count" >"$FLEET_HOST/count"
    [ $((count % 2)) = 1 ] || return 0
    tell "read rubbish"
    case $((count / 2 % 5)) in
    0) exit 0 ;;
    1) echo "cat: /proc/sys/kernel/random/boot_id: Input/output error" && exit 1 ;;
    2) echo "<html><head><title>502 Bad Gateway</title></head></html>" && exit 0 ;;
    3) head -c 50 "$FLEET_HOST/machine-id" && head -c 20 "$FLEET_HOST/boot-id" && exit 0 ;;
    4) echo uninitialized && cat "$FLEET_HOST/boot-id" && exit 0 ;;
    esac
}

show() {
    case " $* " in
    *' /etc/machine-id '*)
        [ "$flap" != 1 ] || rubbish
        reads=1
        ;;
    *) reads=0 ;;
    esac
    status=0
    for file; do
        case $file in
        /etc/machine-id) cat "$FLEET_HOST/machine-id" ;;
        /proc/sys/kernel/random/boot_id) cat "$FLEET_HOST/boot-id" ;;
        /proc/uptime) uptime ;;
        *) cat "$file" ;;
        esac || status=1
    done
    [ $reads = 0 ] || tell read
    exit $status
}

# One that is `flapping` is well and ill in turn: for one second of four, so that two looks within
# three seconds, and a second apart, never both find it well.
state() {
    read -r state <"$FLEET_HOST/state"
    if [ "$state" = flapping ]; then
        up=$(uptime)
        [ $((${up%%.*} % 4)) = 0 ] && state=running || state=degraded
    fi
    echo "$state"
    [ "$state" = running ]
    exit
}

# With session=cut it lasts until the host takes the session with it, else it ends at once.
restart() {
    tell "asked $name $*"
    [ "$noop" != 1 ] && [ "$session" = cut ] || exit 0
    exec sleep 3600
}

# The command of sudo, without its options and its path.
run_as_root() {
    while [ $# -gt 0 ]; do
        case $1 in
        --) shift && break ;;
        -u | -g) shift 2 ;;
        -* | *=*) shift ;;
        *) break ;;
        esac
    done
    if [ "$sudo" = refuse ]; then
        tell "refused $*"
        echo 'sudo: a password is required' >&2
        exit 1
    fi
    program=${1##*/}
    shift
    exec "$program" "$@"
}

case $name in
cat) PATH=${PATH#*:} && show "$@" ;;
sudo) run_as_root "$@" ;;
reboot | shutdown | poweroff | halt | init | telinit) restart "$@" ;;
systemctl)
    case " $* " in
    *' is-system-running '*) state ;;
    *' reboot '*) restart "$@" ;;
    esac
    ;;
esac
echo "fleet: this host has no $name $*" >&2
exit 1
