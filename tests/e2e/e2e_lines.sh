#!/usr/bin/env bash
# Line by line: --profile lines, and the tables that mayhem lines makes of it.
# shellcheck source=tests/e2e/e2e_lib.sh
. "$(dirname "$0")/e2e_lib.sh"

lines() {
    "$build/mayhem" lines "$@"
}

# What a row of a table has in a column: rows of lines that ran have five numbers, then the line.
# column FILE LINE COLUMN
column() {
    awk -v line="$2" -v column="$3" '$1 == line { print $column; exit }' "$1"
}

# Callgrind writes the sum last: what it was killed in the middle of has none.
are_complete() {
    local file count=0
    for file in "$dir"/profile/lines/*.out; do
        [[ $(tail -n 1 "$file") == totals:* ]] || return 1
        count=$((count + 1))
    done
    ((count == $1))
}

# line_of FILE TEXT: where a text stands in a source.
line_of() {
    grep -nF -- "$2" "$root/$1" | cut -d : -f 1
}

# ---- from the start to the table -----------------------------------------------------------------

ulimit -Sn 1024 # as after most logins

hosts 2000 >hosts.txt
dir=whole
run -i hosts.txt --mock-time 0s..0s --mock-fail 5% --attempts 20 --profile=lines -q # some are saved
ends_with_code "a run under callgrind ends as it would without" 0
audit "it" 2000
equal "each process has left its file" "consumer publisher restarter-1 restarter-2 saver" \
    "$(basename -a whole/profile/lines/*.out | cut -d . -f 1 | paste -sd ' ')"
check "the files are complete" are_complete 5
equal "nobody was taken for lost, however slow" "" "$(grep -h 'Lost a worker' whole/log/consumer.log)"
matches "the dearest functions are listed" \
    'own +% +time +%  file:line\(function\)'$'\n''( +[0-9.]+){4}  [a-z]+/[a-z_/]+\.[ch]:[0-9]+\(' \
    "$(cat out)"
matches "and the next command" 'line by line: .*/run.sh lines --dir whole FUNCTION' "$(cat out)"

# ---- a table -------------------------------------------------------------------------------------

lines --dir whole log_finished >table
equal "a function that was inlined has its table" 0 $?
first=$(line_of saver/saver.c 'static void log_finished(')
matches "with line_profiler's head" \
    $'Unit: instructions\n\nTotal time: [0-9]+ instructions\nProcess: saver\nFile: saver/saver.c\nFunction: log_finished at line '"$first"$'\n\nLine # +Hits +Time +Per Hit +% Time  Line Contents\n=+\n' \
    "$(cat table)"
settled=$(line_of saver/saver.c 'mm_log(MM_LOG_DEBUG, MM_MESSAGE_SETTLED')
equal "the line of each settle was hit once for each job" 2000 "$(column table "$settled" 2)"
equal "it stands there as in the source" "$(sed -n "${settled}p" "$root/saver/saver.c")" \
    "$(sed -n "s/^ *$settled .\{44\}  //p" table)"
equal "time a hit is time by hits" "$(column table "$settled" 4)" \
    "$(awk -v time="$(column table "$settled" 3)" 'BEGIN { printf "%.1f", time / 2000 }')"
saved=$(line_of saver/saver.c 'mm_log(MM_LOG_INFO, MM_MESSAGE_SAVED')
hits=$(column table "$saved" 2) # the code itself when a save is always settled in its own commit
[[ $hits =~ ^[0-9]+$ ]] || hits=0
equal "the line that logs a save was hit for each that is logged" \
    "$(grep -c 'Saved into database' whole/log/saver.log)" "$hits"
equal "% Time adds up to 100" 100 "$(awk '/^ *[0-9]+ +[0-9]+ +[0-9]+ / { sum += $5 }
    END { printf "%.0f", sum }' table)"
equal "the times add up to the total" "$(awk '/^Total time/ { print $3 }' table)" \
    "$(awk '/^ *[0-9]+ +[0-9]+ +[0-9]+ / { sum += $3 } END { print sum }' table)"

logged=$(cat whole/log/{publisher,consumer,saver,restarter-*}.log | wc -l)
line=$(line_of common/runtime/log.c 'put_record(level, message, fields, count))')
lines --dir whole mm_log_line >table
equal "a function of all processes is summed up: each line that was logged is in it" "$logged" \
    "$(column table "$line" 2)"
lines --dir whole --process restarter mm_log_line >table
equal "or is that of one role" "$(cat whole/log/restarter-*.log | wc -l)" \
    "$(column table "$line" 2)"
equal "of functions of one name each has a table" 4 \
    "$(lines --dir whole main | grep -c '^Function: main at')"
equal "unless the file is said" "File: consumer/main.c" \
    "$(lines --dir whole consumer/main.c:main | grep '^File')"
equal "the list can be cut off" 3 "$(lines --dir whole --top 3 | grep -c '\.[ch]:[0-9]*(')"
matches "and sorted by time with calls" 'loop\.c:[0-9]+\(run_turn' \
    "$(lines --dir whole --sort time --top 5)"

# ---- Ctrl-C --------------------------------------------------------------------------------------

dir=stopped
launch --profile lines --rate 200 --mock-time 0s..0s -n 1 -q
settle_at_least 20 30
kill -INT "$run_pid"
finish 30
matches "Ctrl-C ends it" '^(0|1|75)$' "$code"
check "and leaves complete files" are_complete 4
matches "of which there is a table" 'mm_log\(MM_LOG_INFO, MM_MESSAGE_SAVED' \
    "$(lines --dir stopped log_finished)"
matches "the list is printed" 'line by line: ' "$(cat out)"

# ---- wrong inputs --------------------------------------------------------------------------------

# wrong CODE REGEX COMMAND...
wrong() {
    local expected=$1 regex=$2 output
    shift 2
    output=$("$@" 2>&1)
    equal "${*##*/} ends with $expected" "$expected" $?
    matches "and says why" "$regex" "$output"
}

mkdir empty programs
printf 'positions: line\nevents: Cpu Wait\nfl=a.c\nfn=f\n5 1 1\n' >spans.callgrind
wrong 65 "no function 'log_finish_' has run; near it are: .*log_finished" \
    lines --dir whole log_finish_
wrong 65 'cannot read nowhere: No such file.*--profile=lines' lines --read nowhere
wrong 65 'cannot read run/profile/lines' lines
wrong 65 'no \*.out is in it' lines --read empty
wrong 65 'hosts.txt: line 1 is not in callgrind' lines --read hosts.txt
wrong 65 'counts no instructions' lines --read spans.callgrind
wrong 65 "no process 'nobody'" lines --dir whole --process nobody
wrong 64 'must be a number' lines --dir whole --top many
wrong 64 'must be one of: own time' lines --dir whole --sort size
wrong 64 'say a time.*lines:5s' "$root/run.sh" --dir wrong --profile=lines:soon -q
ln -s /usr/bin/* /usr/sbin/* programs/ 2>/dev/null
rm -f programs/valgrind
wrong 69 'apt-get install -y valgrind' \
    env PATH="$work/programs" "$root/run.sh" --dir wrong --profile lines -q
