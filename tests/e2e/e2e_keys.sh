#!/usr/bin/env bash
# `mayhem keys`, for real: what each command leaves behind, that a step cannot be taken out of order,
# and what is said of each wrong input. Whom a consumer lets in is the matter of other tests.
# shellcheck source=tests/e2e/e2e_lib.sh
. "$(dirname "$0")/e2e_lib.sh"

# keys WORD [OPTION]...: sets `code` and `said`.
keys() {
    said=$("$build/mayhem" keys "$@" 2>&1 </dev/null)
    code=$?
}

# does NAME REGEX WORD [OPTION]...: it succeeds, and says that.
does() {
    local name=$1 regex=$2
    shift 2
    keys "$@"
    equal "$name: exit 0" 0 "$code"
    matches "$name: it is said" "$regex" "$said"
}

# refuses NAME CODE REGEX WORD [OPTION]...: with one sentence, and nothing in the folder has changed.
refuses() {
    local name=$1 expected=$2 regex=$3 before
    shift 3
    before=$(content)
    keys "$@"
    equal "$name: exit $expected" "$expected" "$code"
    matches "$name: it is said" "^mayhem: [^"$'\n'"]*${regex}[^"$'\n'"]*$" "$said"
    equal "$name: nothing has changed" "$before" "$(content)"
}

# All files of the folder with their modes.
content() {
    find keys -printf '%p %m\n' 2>/dev/null | sort
    find keys -type f -perm -400 -exec sha256sum {} + 2>/dev/null | sort
}

# value FILE FIELD: all values of a field, one a line.
value() {
    sed -n "s/^$2 = //p" "$1"
}

export MAYHEM_KEYS=keys

# ---- a key for each role

refuses "list without a folder" 66 'cannot look into keys: .*mayhem keys new' list
refuses "revoke without a folder" 66 'cannot look into keys' revoke eu-1
umask 000 # nothing depends on it
does "the first key" '^restarter eu-1 may come in, with the key in keys/eu-1.key' \
    new eu-1 --role restarter
umask 022
matches "it says what to do next" 'scp -p keys/eu-1.key .*mayhem run --listen tcp://ADDRESS:PORT --keys keys .*mayhem-restarter --consumer tcp://ADDRESS:PORT --key eu-1.key' \
    "${said//$'\n'/ }"
equal "folder and files are for their owner alone" \
    '. 700,./.lock 600,./allowed 600,./consumer.key 600,./eu-1.key 600' \
    "$(cd keys && find . -printf '%p %m\n' | sort | paste -sd ,)"
equal "the file has the consumer's public key" "$(value keys/consumer.key public)" \
    "$(value keys/eu-1.key server)"
equal "the list has the key of the file" "restarter eu-1 $(value keys/eu-1.key public)" \
    "$(grep -v '^#' keys/allowed)"
consumer=$(sha256sum keys/consumer.key)
until_day=$(date -u -d '+10 days' +%F)
for role in publisher saver viewer operator; do
    does "a key for a $role" "^$role $role-1 may come in until the end of $until_day" \
        new --not-after "$until_day" "$role-1" --role "$role"
done
does "a name may have one key in each role" '^viewer eu-1 may' new eu-1 --role viewer --keys other
equal "the consumer's key stays" "$consumer" "$(sha256sum keys/consumer.key)"
MAYHEM_KEYS='' does "else they are in the pipeline's folder" ' with the key in run/keys/x.key' \
    new x --role saver --dir run
equal "which is made for its owner alone" '700 700' "$(stat -c %a run run/keys | paste -sd ' ')"

does "list" "saver +saver-1 +[^ ]{40} +$until_day +1[01] days left" list
equal "it has a line for each, and for the consumer" 6 "$(wc -l <<<"$said")"
matches "and the consumer's key" "^consumer +" "$said"
check "and its public key" grep -qF -- "$(value keys/consumer.key public)" <<<"$said"
equal "and no secret" 0 "$(grep -cF -- "$(value keys/eu-1.key secret)" <<<"$said")"
does "list as JSON" '"next":null,"former":null,"allowed":\[\{"role":"restarter","name":"eu-1"' \
    list --json
matches "a key without an end has none" '"not_after":null,"days_left":null' "$said"
matches "one with an end has both" "\"not_after\":\"$until_day\",\"days_left\":1[01]" "$said"
cp keys/allowed kept
sed -i "s/=$until_day/=2020-01-01/" keys/allowed
does "list tells who has ended" 'saver-1 +[^ ]{40} +2020-01-01 +has ended' list
cp kept keys/allowed

# ---- what is typed wrong

refuses "no command" 64 'say one of new, list, revoke, rotate and trust'
refuses "another command" 64 'there is no mayhem keys remove' remove eu-1
refuses "new without a role" 64 'it is: mayhem keys new NAME --role ROLE' new us-1
refuses "new without a name" 64 'it is: mayhem keys new NAME --role ROLE' new --role saver
refuses "new with two names" 64 'it is: mayhem keys new' new us-1 us-2 --role saver
refuses "a role that is none" 64 "--role is 'king'" new us-1 --role king
refuses "the consumer's role" 64 "--role is 'consumer'.*made with the first" new us-1 --role consumer
refuses "a name that leads elsewhere" 64 "'../us-1' is no name" new ../us-1 --role saver
refuses "a name with a blank" 64 "'us 1' is no name" new 'us 1' --role saver
refuses "a name that is too long" 64 'is no name' new "$(printf 'a%.0s' {1..64})" --role saver
refuses "the name of the consumer's file" 64 "consumer's own key is in consumer.next.key" \
    new consumer.next --role saver
refuses "a day that is none" 64 "--not-after is '2027-02-29'" \
    new us-1 --role saver --not-after 2027-02-29
refuses "a day that is over" 64 'not-after 2020-01-01 is over' \
    new us-1 --role saver --not-after 2020-01-01
refuses "an option of another command" 64 'it is: mayhem keys list' list --role saver
refuses "a name that has a key" 65 'restarter eu-1 has a key already.*revoke eu-1 --role restarter' \
    new eu-1 --role restarter
refuses "a file that has another's key" 65 'keys/eu-1.key is the key of restarter eu-1' \
    new eu-1 --role saver
refuses "revoke of nobody" 66 "nobody on the list keys/allowed is called 'us-1'" revoke us-1
refuses "revoke in another role" 66 'saver eu-1 is not on the list' revoke eu-1 --role saver
touch file
refuses "a folder that cannot be made" 73 'cannot make file/keys: Not a directory' \
    new us-1 --role saver --keys file/keys
does "folders above it are made" 'with the key in a/b/keys/x.key' new x --role saver --keys a/b/keys
equal "for their owner alone" '700 700 700' "$(stat -c %a a a/b a/b/keys | paste -sd ' ')"
for name in restarter-1 saver; do
    does "a name that a run gives: $name" "mayhem: a process that .* may be called $name, too" \
        new "$name" --role restarter --keys a
done
does "the same for a publisher" 'may be called publisher, too' new publisher --role publisher --keys a
does "but not for one that looks" '^viewer saver may come in' new saver --role viewer --keys other
check "which no run starts" test "$said" = "${said/called/}"
keys new restarter-x --role restarter --keys a
check "nor a restarter without a number" test "$said" = "${said/may be called/}"
refuses "a name with a newline, in one line" 64 "'a b' is no name" new $'a\nb' --role saver
refuses "an empty folder" 64 '--keys is empty: give its DIR, or leave it out' list --keys ''
refuses "an empty file" 64 '--key is empty: give its FILE' trust x --key ''
MAYHEM_KEYS='' refuses "hints name the folder that was given" 65 'mayhem keys rotate --keys keys, without' \
    rotate --switch --keys keys
MAYHEM_KEYS='' refuses "also of the end" 65 'mayhem keys rotate --keys keys begins one' \
    rotate --finish --keys keys
MAYHEM_KEYS='' refuses "and of a list" 66 'keys list --keys keys. shows who is' revoke us-1 --keys keys
said=$("$build/mayhem" doctor --consumer ipc://x/y --key keys/eu-1.key 2>&1)
equal "doctor takes no key for ipc" 64 $?
matches "and says why" '^mayhem: ipc://x/y takes no key' "$said"
matches "an operator is one of an" 'key operator-1 of an operator is on the list' \
    "$("$build/mayhem" doctor --keys keys --key keys/operator-1.key)"

# ---- what lies there is wrong

cp other/eu-1.key keys/stranger.key
refuses "a file that this consumer has not made" 65 'keys/stranger.key is a key of viewer eu-1' \
    new stranger --role viewer
rm keys/stranger.key
chmod 770 keys
refuses "a folder that others can write to" 77 'has mode 0770.*chmod 700' new us-1 --role saver
chmod 700 keys
chmod 640 keys/consumer.key
refuses "a secret that others can read" 77 'consumer.key has mode 0640.*chmod 600' \
    new us-1 --role saver
chmod 600 keys/consumer.key
chmod 666 keys/allowed
refuses "a list that others can write to" 77 'allowed has mode 0666.*chmod go-w' \
    new us-1 --role saver
chmod 600 keys/allowed
printf 'saver us-9\n' >>keys/allowed
refuses "a list with an error, to new" 78 "keys/allowed:7: '' is no public key" new us-1 --role saver
refuses "a list with an error, to revoke" 78 'keys/allowed:7:' revoke eu-1
refuses "a list with an error, to list" 78 'keys/allowed:7:' list
truncate -s -15 keys/allowed
refuses "a list that was cut off" 78 'keys/allowed:6: the last line has no newline' list
cp kept keys/allowed
mv keys/allowed allowed.kept
gone='the list keys/allowed is gone.*ROLE NAME PUBLIC.*here are eu-1.key, operator-1.key, .*viewer-1.key'
refuses "new beside a list that is gone" 66 "$gone" new us-1 --role saver
refuses "list of a list that is gone" 66 "$gone" list
refuses "revoke from a list that is gone" 66 "$gone" revoke eu-1
refuses "so does another key in the file that is there" 66 "$gone" new eu-1 --role restarter
awk '/^for name in eu-1 us-1/ { on = 1 } /^```/ { on = 0 } on' "$root/docs/operations.md" |
    sed 's/eu-1 us-1/eu-1 saver-1/' >again.sh
bash again.sh
does "the list can be written again from the files" "restarter  eu-1 .* no end.saver +saver-1 .*$until_day" list
mv allowed.kept keys/allowed
"$build/mayhem" keys new one --role saver --keys begun >out && rm begun/consumer.key begun/one.key
"$build/mayhem" keys revoke one --keys begun >out
does "a list without a line and no consumer.key are from a crash" '^saver one may' \
    new one --role saver --keys begun
mkdir -m 777 open
mv keys/allowed open/list && ln -s ../open/list keys/allowed
refuses "a list that is a link into a folder of others" 77 'open has mode 0777' new us-1 --role saver
refuses "also to list" 77 'open has mode 0777' list
matches "doctor says so, too" 'FAIL  list: .*open has mode 0777' \
    "$("$build/mayhem" doctor --keys keys)"
rm keys/allowed && mv open/list keys/allowed
mv keys/consumer.key open/key && ln -s ../open/key keys/consumer.key
refuses "and a consumer.key that is one" 77 'open has mode 0777' list
rm keys/consumer.key && mv open/key keys/consumer.key
mv keys/consumer.key consumer.kept
refuses "no consumer.key beside a list" 65 'put it back from a copy' new us-1 --role saver
refuses "list without consumer.key" 66 'there are no keys in keys' list
mkfifo keys/consumer.key
refuses "a pipe as consumer.key" 78 'consumer.key is a pipe' list
rm keys/consumer.key
cp keys/eu-1.key keys/consumer.key
refuses "a client's key as consumer.key" 78 "is the key of a restarter, and not the consumer's" list
does "revoke does not need consumer.key" '^publisher publisher-1 may no longer' revoke publisher-1
mv consumer.kept keys/consumer.key
chmod 600 keys/consumer.key
exec 9>keys/.lock
flock 9
refuses "another command that works there" 75 'another .mayhem keys. works in keys' \
    new us-1 --role saver
exec 9>&-

# ---- revoke

equal "revoke leaves the other lines" 4 "$(grep -vc '^#' keys/allowed)"
old=$(value keys/eu-1.key public)
does "revoke" 'its tasks go to others.*rm keys/eu-1.key' revoke eu-1
equal "the line is gone" 0 "$(grep -c 'eu-1 ' keys/allowed)"
does "the same name anew, though the old file is there" '^restarter eu-1 may' \
    new eu-1 --role restarter
new=$(value keys/eu-1.key public)
check "what was revoked does not come back" test "$old" != "$new"
equal "the list has the new key alone" "restarter eu-1 $new" "$(grep eu-1 keys/allowed)"
printf 'viewer eu-1 %s\n' "$(value other/eu-1.key public)" >>keys/allowed
refuses "revoke of a name with two roles" 64 'has a key as restarter, viewer: say with --role' \
    revoke eu-1
does "revoke of one of them" '^viewer eu-1 may no longer' revoke eu-1 --role viewer
equal "leaves the other" "restarter eu-1 $new" "$(grep eu-1 keys/allowed)"

# ---- rotation

first=$(value keys/consumer.key public)
cp keys/eu-1.key there.key # on another machine
refuses "switch before there is a next key" 65 'there is no next key yet' rotate --switch
refuses "finish before there was a rotation" 65 'no rotation to finish' rotate --finish
refuses "two steps at once" 64 'two steps: one after the other' rotate --switch --finish
does "rotate" 'trust - --key NAME.key.*mayhem keys rotate --switch' rotate
next=$(value keys/consumer.next.key public)
check "it prints the public key" grep -qxF -- "$next" <<<"$said"
equal "each file has both" 5 "$(grep -lF -- "$next" keys/*.key | grep -vc consumer)"
equal "the first one stays first" "$first $next" "$(value keys/eu-1.key server | paste -sd ' ')"
equal "the consumer's stays" "$first" "$(value keys/consumer.key public)"
before=$(content)
does "rotate once more" '0 more files of keys' rotate
equal "changes nothing" "$before" "$(content)"
refuses "finish before the switch" 65 'rotate --switch comes first' rotate --finish
does "a new client meanwhile" '^saver us-1 may' new us-1 --role saver
equal "has both" "$first $next" "$(value keys/us-1.key server | paste -sd ' ')"
does "list tells of it" 'its next key .*next: mayhem keys rotate --switch' list
cp there.key keys/eu-1.key
refuses "switch while a file lacks it" 65 'keys/eu-1.key does not know the next key' rotate --switch
does "rotate mends that" 'in 1 more file of keys' rotate

"$build/mayhem" keys trust - --key there.key <<<"$next" >out 2>&1 ||
    not_ok "trust on standard input" "$(cat out)"
equal "a file elsewhere learns the next key" "$first $next" \
    "$(value there.key server | paste -sd ' ')"
does "trust once more" 'already$' trust --key there.key -- "$next"
equal "it is there once" 2 "$(value there.key server | wc -l)"
refuses "trust of what is no key" 64 'is no public key.*has 3' trust abc --key there.key
refuses "trust without a file" 64 'it is: mayhem keys trust' trust -- "$next"
refuses "trust of an own key" 65 'of there.key itself' trust --key there.key -- \
    "$(value there.key public)"
refuses "trust in the consumer's file" 65 'trusts nobody' trust --key keys/consumer.key -- "$next"
refuses "trust in no file" 66 'cannot read none.key' trust --key none.key -- "$next"
refuses "trust of nothing on standard input" 64 'one line' trust - --key there.key

does "switch" '^consumer.key is the next key now' rotate --switch
equal "the next key is the consumer's" "$next" "$(value keys/consumer.key public)"
equal "the former one is kept" "$first" "$(value keys/consumer.old.key public)"
refuses "switch once more" 65 'has its next key already: mayhem keys rotate --finish' rotate --switch
refuses "rotate before the end" 65 'has not ended: mayhem keys rotate --finish' rotate
does "finish" 'also by 6 files of keys' rotate --finish
equal "no file has the former key any more" '' "$(grep -lF -- "$first" keys/*.key)"
equal "each has the new one" 6 "$(grep -lF -- "server = $next" keys/*.key | wc -l)"
refuses "finish once more" 65 'no rotation to finish' rotate --finish
does "trust --only" 'trusts no key but' trust --only --key there.key -- "$next"
equal "a file elsewhere forgets the former key" "$next" "$(value there.key server)"
for ((i = 0; i < 3; i++)); do
    "$build/mayhem" keys new n --role saver --keys "more$i" >out
    keys trust --key there.key -- "$(value "more$i/consumer.key" public)"
done
refuses "a fifth key" 65 'has 4 server keys already' trust --key there.key -- \
    "$(value other/consumer.key public)"

# ---- many at once

for ((i = 1; i <= 20; i++)); do
    "$build/mayhem" keys new "many-$i" --role restarter --keys many >"many.$i" 2>&1 &
    started+=("$!")
done
wait
equal "twenty at once are all on the list" 20 "$(grep -c '^restarter many-' many/allowed)"
for ((i = 1; i <= 20; i++)); do
    grep -qxF "restarter many-$i $(value "many/many-$i.key" public)" many/allowed ||
        not_ok "many-$i is on the list with its key" "$(cat "many.$i")"
done
equal "nothing is left beside the files" '' \
    "$(find keys many other -name '.*.??????' -o -name '*.tmp')"
matches "the command is in the help" '  keys  ' "$("$build/mayhem" --help)"
