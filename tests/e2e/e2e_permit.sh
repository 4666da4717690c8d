#!/usr/bin/env bash
# The permit for commands: none begins while no consumer is heard, also behind a read that was good,
# and the restart is done when one is heard again. The host is a folder.
# shellcheck source=tests/e2e/e2e_lib.sh
. "$(dirname "$0")/e2e_lib.sh"

cat >host.sh <<'END'
#!/usr/bin/env bash
# host.sh WHAT HOST: the second read of a host takes as long as `reading` is there.
cd "hosts/$2" || exit 255
case $1 in
identify)
    echo read >>reads
    if [[ $(wc -l <reads) == 2 ]]; then
        touch reading
        while [[ -e reading ]]; do sleep 0.1; done
    fi
    now=$(date +%s%3N) up=$(($(date +%s%3N) - $(<since)))
    printf '%s' "$2" | md5sum | cut -d ' ' -f 1
    cat boot && printf '%d.%02d 1.00\n' $((up / 1000)) $((up % 1000 / 10))
    ;;
reboot)
    echo reboot >>log
    sleep 0.5
    date +%s%3N >since
    cat /proc/sys/kernel/random/uuid >boot.new && mv boot.new boot
    ;;
esac
END
chmod +x host.sh
cat >gate.ini <<'END'
[driver]
identify = ./host.sh identify {host}
restart = ./host.sh reboot {host}
timeout = 30s
verify-timeout = 20s
settle = 1s
END
# make_host NAME: it is well.
make_host() {
    mkdir -p "hosts/$1"
    cat /proc/sys/kernel/random/uuid >"hosts/$1/boot"
    echo $(($(date +%s%3N) - 1000000)) >"hosts/$1/since"
    echo "$1" >hosts.txt
}

# gave_back: of the run, a restart that nothing has permitted.
gave_back() {
    grep -q 'Nothing permits a command; giving the restart back' "$dir"/log/restarter-*.log
}

# ---- a consumer that is not heard ------------------------------------------------------------------

make_host one
launch -q -i hosts.txt --driver ./gate.ini
check "the host is read before its command" wait_until 15 test -e hosts/one/reading
consumer=$(pid_of consumer)
kill -STOP "$consumer"
sleep 2 # longer than what was permitted before holds
rm hosts/one/reading
check "the restart is given back" wait_until 10 gave_back
check "no command begins while no consumer is heard" test ! -e hosts/one/log
kill -CONT "$consumer"
finish 40
ends_with_code "a consumer that is heard again has it restarted: exit 0" 0
equal "once" "reboot" "$(cat hosts/one/log)"
equal "as proven" "one restarted proven" \
    "$(store "SELECT host || ' ' || outcome || ' ' || proof FROM jobs")"

# ---- a halt between the read and the command -------------------------------------------------------

dir=halted
make_host two
launch -q -i hosts.txt --driver ./gate.ini
check "a host is read before its command" wait_until 15 test -e hosts/two/reading
"$build/mayhem" halt --why 'a storm' --dir halted >said 2>&1
equal "halt: exit 0" 0 $?
rm hosts/two/reading
check "its restart is given back" wait_until 10 gave_back
sleep 2 # longer than lost-after
check "no command begins after a halt that was answered" test ! -e hosts/two/log
"$build/mayhem" resume --why 'it is over' --dir halted >>said 2>&1
equal "resume: exit 0" 0 $?
finish 40
ends_with_code "resumed it is restarted: exit 0" 0
equal "and once" "reboot" "$(cat hosts/two/log)"
