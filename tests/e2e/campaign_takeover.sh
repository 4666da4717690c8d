#!/usr/bin/env bash
# campaign_takeover.sh [KILLS] [SEED]: kill -9 of a restarter, again and again, while all slots are
# busy and more hosts wait; how long until the last of the hosts that it was restarting has begun
# elsewhere. Prints each, and p50 and max. Too long for --test: `make campaign` runs it.
# shellcheck source=tests/e2e/e2e_lib.sh
. "$(dirname "$0")/e2e_lib.sh"

kills=${1:-20}
RANDOM=${2:-1}
limit=2500 # ms

wall() {
    printf '%d' $((${EPOCHREALTIME/[.,]/} / 1000))
}

# Of the hosts that were being restarted at MOMENT: how many began again since, and how many ms after
# MOMENT the last of them did.
taken_over() {
    awk -v moment="$1" '
        $1 == "begin" && $4 < moment { open[$2] = 1 }
        $1 == "end" && $4 < moment { delete open[$2] }
        $1 == "begin" && $4 >= moment && ($2 in open) && !($2 in again) {
            again[$2] = 1; count++
            if ($4 - moment > last) last = $4 - moment
        }
        END { print count + 0, last + 0 }' "$dir/record"
}

# All that were being restarted at MOMENT have ended or begun again.
is_taken_over() {
    awk -v moment="$1" '
        $1 == "begin" && $4 < moment { open[$2] = 1 }
        $1 == "end" { delete open[$2] }
        $1 == "begin" && $4 >= moment { delete open[$2] }
        END { for (host in open) exit 1 }' "$dir/record"
}

dir=takeover
mkdir "$dir"
hosts 60000 >"$dir/hosts"
touch "$dir/record"
launch -i "$dir/hosts" -n 4 --slots 16 --attempts 1000 \
    -x "'$build/tests/append' '$dir/record' {host} 200 400"
settle_at_least 200 20
all=()
for ((number = 0, tries = 0; number < kills && tries < 2 * kills; tries++)); do
    victim=restarter-$((RANDOM % 4 + 1))
    moment=$(wall)
    printf '%d KILL %s %d 0\n' "$moment" "$victim" "$(pid_of "$victim")" >>"$dir/kills"
    murder "$victim"
    wait_until 20 is_taken_over "$moment" || not_ok "kill $number: all hosts are taken over"
    read -r count last < <(taken_over "$moment")
    ((count > 0)) || continue # it had only just come back
    printf '#   kill %d: %s, %d hosts, the last began elsewhere after %d ms\n' "$number" "$victim" \
        "$count" "$last"
    all+=("$last")
    number=$((number + 1))
    # The next kill finds four restarters at work again.
    settle_at_least $(($(settled) + 300)) 20
done
mapfile -t sorted < <(printf '%s\n' "${all[@]}" | sort -n)
at_most "of $kills kills of a restarter with all slots busy p50 ${sorted[kills / 2]} ms, max \
${sorted[-1]} ms" "$limit" "${sorted[-1]}"
kill -TERM "$run_pid"
finish 20
"$build/tests/audit" -k "$dir/kills" "$dir/hosts" "$dir/mayhem.db" "$dir/outbox.db" "$dir/record" >judged
equal "the auditor finds nothing lost" 75 $?
