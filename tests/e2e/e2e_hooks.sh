#!/usr/bin/env bash
# What is asked and done beside a restart: skipped hosts, --before and --after with their debts, kills
# and Ctrl-C in between, what the next run pays, and the output that is kept. Hosts are folders.
# shellcheck source=tests/e2e/e2e_lib.sh
. "$(dirname "$0")/e2e_lib.sh"

cat >host.sh <<'END'
#!/usr/bin/env bash
# host.sh WHAT HOST [BOOT [PORT]]: `log` has what was done to it; files in its folder say how it behaves.
cd "hosts/$2" || exit 255
now=$(date +%s%3N)
boot() { echo "$now" >since && echo "$(cat /proc/sys/kernel/random/uuid)" >boot.new && mv boot.new boot; }
has() { [[ -e $1 ]]; }
case $1 in
identify)
    printf '%s' "$2" | md5sum | cut -d ' ' -f 1
    up=$((now - $(<since)))
    cat boot && printf '%d.%02d 1.00\n' $((up / 1000)) $((up % 1000 / 10))
    ;;
reboot)
    echo reboot >>log && echo "rebooting $2"
    sleep 0.5 && now=$(date +%s%3N) # as any host takes its time: a read is as old as it took
    has stuck || boot
    ;;
skip) has needless ;;
before)
    echo before >>log
    has slow && { touch busy && sleep 2; }
    has full && { echo "no room elsewhere" && exit 3; }
    exit 0
    ;;
after)
    echo "after${4:+ $4}" >>log && echo "$3" >>told
    has lost && { echo "no route to the balancer" && exit 4; }
    exit 0
    ;;
esac
END
chmod +x host.sh
cat >hooks.ini <<'END'
[driver]
identify = ./host.sh identify {host}
restart = ./host.sh reboot {host}
skip-if = ./host.sh skip {host}
before = ./host.sh before {host}
after = ./host.sh after {host} {boot_id} {port?}
timeout = 6s
verify-timeout = 4s
settle = 1s
END

# make_hosts NAME...: each is well.
make_hosts() {
    local name
    for name; do
        mkdir -p "hosts/$name"
        cat /proc/sys/kernel/random/uuid >"hosts/$name/boot"
        echo $(($(date +%s%3N) - 1000000)) >"hosts/$name/since"
    done
}

# What was done to a host, in a line.
log_of() {
    [[ ! -f hosts/$1/log ]] || tr '\n' ' ' <"hosts/$1/log"
}

owed() {
    store "SELECT group_concat(host, ' ') FROM (SELECT host FROM attempts AS a JOIN jobs ON id = job
        WHERE owes = 1 AND attempt = (SELECT max(attempt) FROM attempts WHERE job = a.job) ORDER BY host)"
}

# ---- one of each ---------------------------------------------------------------------------------

dir=each
make_hosts well needless full lost stuck
touch hosts/needless/needless hosts/full/full hosts/lost/lost hosts/stuck/stuck
odd_boot=00000000-0000-0000-0123-456789abcdef # an id that begins as no job's does
echo "$odd_boot" >hosts/lost/boot
cat >each.txt <<'END'
well
needless
full
{"host": "lost", "port": 2222}
stuck
END
run -i each.txt --driver ./hooks.ini --attempts 2 --keep-output
ends_with_code "some are dead: exit 1" 1
equal "well: in turn" "before reboot after " "$(log_of well)"
equal "needless: nothing was done" "" "$(log_of needless)"
equal "full: nothing was sent, and it was undone" "before after before after " "$(log_of full)"
equal "lost: --after was tried as often as an attempt" "before reboot after 2222 after 2222 " "$(log_of lost)"
equal "stuck: it is not put back into service" "before reboot before reboot " "$(log_of stuck)"
matches "the summary counts who was skipped" '2 restarted, 2 dead, 0 pending, 1 skipped' "$(cat out)"
matches "and lists who is owed" 'owed +--after of lost
 +stuck' "$(cat out)"
matches "a failed --before is the error" 'full: before: exit 3: no room elsewhere' "$(cat out)"
equal "outcomes" "full dead
lost restarted
needless skipped
stuck dead
well restarted" "$(store 'SELECT host, outcome FROM jobs ORDER BY host' | tr '|' ' ')"
equal "a skipped host has no attempt" 0 "$(store "SELECT count(*) FROM attempts
    JOIN jobs ON id = job WHERE host = 'needless'")"
equal "debts on record" "lost stuck" "$(owed)"
equal "with what paying needs" "port=2222" "$(store "SELECT debt FROM attempts JOIN jobs ON id = job
    WHERE host = 'lost'")"
matches "explain shows it" 'what --after does is owed' "$("$build/mayhem" explain lost --dir each 2>&1)"
matches "and status" 'owed +--after of lost' "$("$build/mayhem" status --dir each 2>&1)"
cp -r each moved
mv moved/mayhem.db elsewhere.db
matches "status reads the record that MAYHEM_DB names" 'owed +--after of lost' \
    "$(MAYHEM_DB=elsewhere.db "$build/mayhem" status --dir moved 2>&1)"
matches "as JSON" '"owed":\["lost","stuck"\]' \
    "$(MAYHEM_DB=elsewhere.db "$build/mayhem" status --dir moved --json 2>&1)"
equal "the output is kept" "rebooting well" "$(cat each/output/well.1)"
equal "for its owner alone" "600 700" "$(stat -c %a each/output/well.1) $(stat -c %a each/output)"

# ---- the next run pays first ---------------------------------------------------------------------

rm hosts/lost/lost
echo well >next.txt
run -i next.txt --driver ./hooks.ini
ends_with_code "who got a command in vain still owes: exit 1" 1
equal "the other is back in service" "before reboot after 2222 after 2222 after 2222 " "$(log_of lost)"
matches "it is said" 'lost: --after is made up for' "$(cat out)"
equal "it is told the boot on record" "$odd_boot" "$(sort -u hosts/lost/told)"
matches "the last line says what is left" 'finished, --after is still owed' "$(cat out)"
rm hosts/stuck/stuck
echo stuck >next.txt
run -i next.txt --driver ./hooks.ini
ends_with_code "a later restart pays: exit 0" 0
touch hosts/well/needless
echo well >next.txt
run -i next.txt --driver ./hooks.ini --json
ends_with_code "all were skipped: exit 0" 0
matches "as JSON" '"hosts_skipped":1.*"owed":\[\]' "$(cat out)"

# ---- told to leave, and killed, in between -------------------------------------------------------

dir=leave
make_hosts one two three
touch hosts/{one,two,three}/slow
printf 'one\ntwo\nthree\n' >three.txt
launch -i three.txt --driver ./hooks.ini
wait_until 20 test -e hosts/one/busy -a -e hosts/two/busy -a -e hosts/three/busy
kill -INT "$run_pid"
finish 30
ends_with_code "Ctrl-C while --before runs: exit 75" 75
equal "it ended, and was undone" "before after |before after |before after " \
    "$(log_of one)|$(log_of two)|$(log_of three)"
equal "nothing is owed" "" "$(owed)"
run -i three.txt --driver ./hooks.ini
ends_with_code "the same command goes on" 0
equal "with everything anew" "before after before reboot after " "$(log_of one)"

dir=killed
make_hosts four
touch hosts/four/slow
echo four >four.txt
launch -i four.txt --driver ./hooks.ini -n 1
wait_until 20 test -e hosts/four/busy
equal "the debt is on record before --before has ended" four "$(owed)"
kill -KILL "$(pid_of restarter-1)"
finish 40
equal "a killed restarter's host is not forgotten" "before before reboot after " "$(log_of four)"
equal "nothing is owed any more" "" "$(owed)"
