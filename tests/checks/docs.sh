#!/usr/bin/env bash
# The documents lead somewhere: relative links and anchors resolve, paths and functions in backticks
# exist (`consumer/main.c`, `consumer/core/gather.c:gather_step`), docs/operations.md has each message
# of the logs, and prose lines are at most 100 columns long. Tables and code may be longer.
# docs.sh [ROOT]
set -u
cd "${1:-$(dirname "${BASH_SOURCE[0]}")/../..}" || exit 1
export LC_ALL=C.UTF-8
status=0 links=0 paths=0
# \x60 is a backtick
too_long='^(?! *\||!\[|\x60[^\x60]*\x60$).{101,}'
programs=(publisher consumer saver restarter supervisor ctl)
folder="(common|$(IFS='|' && echo "${programs[*]}")|tests|docs|bench)"
path_in_text='\x60\K'$folder'/[\w./*-]+(:[a-z_]+)?(?=\x60)'

complain() {
    printf 'FAIL docs: %s\n' "$1"
    status=1
}

# The text without code blocks; line numbers stay.
prose() {
    awk '/^ *```/ { code = !code; print ""; next } { print code ? "" : $0 }' "$1"
}

# The anchors that GitHub makes of the headings.
anchors() {
    prose "$1" | sed -n 's/^#\+ //p' | tr '[:upper:]' '[:lower:]' |
        sed 's/[^[:alnum:] _-]//g; s/ /-/g' |
        awk '{ n = seen[$0]++; print n ? $0 "-" n : $0 }'
}

# A path may stand for several files: common/base/heap (.c and .h), tests/plants/*.patch.
leads_somewhere() {
    compgen -G "$1" >/dev/null || compgen -G "$1.[ch]" >/dev/null
}

# defines FILE FUNCTION
defines() {
    grep -qE "^[a-z].*[ *]$2[(][^;]*\$" "$1"
}

for file in README.md CONTRIBUTING.md docs/*.md; do
    while IFS=: read -r line link; do
        target=${link%%#*} anchor=""
        [[ $link != *'#'* ]] || anchor=${link#*#}
        links=$((links + 1))
        target=${target:+$(dirname "$file")/$target}
        target=${target:-$file}
        if [[ ! -e $target ]]; then
            complain "$file:$line: there is no $link"
        elif [[ $anchor ]] && ! anchors "$target" | grep -qxF "$anchor"; then
            complain "$file:$line: $target has no heading #$anchor"
        fi
    done < <(prose "$file" | grep -noP '\]\(\K(?!https?:)[^)]+' || true)

    while IFS=: read -r line path; do
        paths=$((paths + 1))
        if ! leads_somewhere "${path%%:*}"; then
            complain "$file:$line: there is no $path"
        elif [[ $path == *:* ]] && ! defines "${path%%:*}" "${path##*:}"; then
            complain "$file:$line: there is no function $path"
        fi
    done < <(prose "$file" | grep -noP "$path_in_text")

    while IFS=: read -r line _; do
        complain "$file:$line is longer than 100 columns"
    done < <(prose "$file" | grep -nP "$too_long")
done
# What mm_log is given as a text, and each text of log_messages.h.
messages() {
    grep -rohPz --include='*.c' 'mm_log\(\s*MM_LOG_\w+,\s*"\K[^"]+' common "${programs[@]}" |
        tr '\0' '\n'
    grep '^#define' common/schema/log_messages.h | grep -oP '"\K[^"]+(?=")'
}

while IFS= read -r message; do
    grep -qF -- "$message" docs/operations.md || complain "docs/operations.md lacks: $message"
done < <(messages)
((status)) || printf 'PASS docs: %d links and %d paths lead somewhere\n' "$links" "$paths"
exit $status
