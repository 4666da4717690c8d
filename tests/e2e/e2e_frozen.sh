#!/usr/bin/env bash
# A machine that stands still: the whole pipeline is stopped, as by a suspended or starved host, and
# goes on in an order that suits nobody. Nobody is restarted twice, and nobody is given up.
# shellcheck source=tests/e2e/e2e_lib.sh
. "$(dirname "$0")/e2e_lib.sh"

# Tells when it begins and ends: "begin|end HOST". Lasts longer than the whole pipeline is stopped.
cat >restart.sh <<'END'
#!/bin/sh
echo "begin $1" >>ran.txt
sleep "$(echo "$1" | awk -F - '{ printf "%.2f", 1 + $2 % 4 }')"
echo "end $1" >>ran.txt
END
chmod +x restart.sh

begun() {
    [[ -f ran.txt ]] && (($(grep -c '^begin' ran.txt) >= $1))
}


is_stopped() {
    [[ $(awk '{ print $3 }' "/proc/$1/stat" 2>/dev/null) == T ]]
}

# frozen NAME PAUSE PROCESS...: these and all others are stopped for 10 s; these go on first, in this
# order, each PAUSE seconds behind the last one, then the others.
frozen() {
    local name=$1 pause=$2 process pid others=()
    shift 2
    dir=$name
    rm -f ran.txt
    hosts 64 f >hosts.txt
    launch -i hosts.txt -n 3 --slots 8 -x './restart.sh {host}'
    wait_until 15 begun 20
    local all=(consumer saver publisher restarter-1 restarter-2 restarter-3)
    for process in "${all[@]}"; do
        kill -STOP "$(pid_of "$process")"
    done
    for process in "${all[@]}"; do
        wait_until 5 is_stopped "$(pid_of "$process")"
        [[ " $* " == *" $process "* ]] || others+=("$process")
    done
    sleep 10 # what is tested
    for process in "$@" "${others[@]}"; do
        pid=$(pid_of "$process")
        kill -CONT "$pid"
        sleep "$pause"
    done
    finish 60
    ends_with_code "$name: exit 0" 0
    equal "$name: each host is restarted once" 64 "$(grep -c '^begin' ran.txt)"
    equal "$name: all hosts" 64 "$(sort -u ran.txt | grep -c '^end')"
    equal "$name: nobody is presumed lost" 0 "$(cat "$dir"/log/*.log | grep -c 'Lost a worker')"
    audit "$name" 64
}

frozen consumer-first 0.2 consumer
frozen consumer-last 0.2 restarter-3 restarter-1 publisher saver restarter-2 consumer
frozen saver-first 0 saver publisher
