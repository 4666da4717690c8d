#!/usr/bin/env bash
# docs/rules.md agrees with the tree. This fails when
#  - a file cites a rule (I, R, S, H, A or G with a number) that has no row, or a clause that is missing;
#  - a row lacks a field, or names a clause, function, test, scenario or plant that does not exist;
#  - a row and the tags in docs/protocol.md ("[R1, R4]" behind a clause) differ;
#  - a plant is missing from the row of its rule (r07-… from that of R7);
#  - docs/guarantees.md names a test that does not exist.
# rules.sh [ROOT]
set -u
cd "${1:-$(dirname "${BASH_SOURCE[0]}")/../..}" || exit 1
product=(common publisher consumer saver restarter supervisor ctl)
status=0 named=0
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

complain() {
    printf 'FAIL rules: %s\n' "$1"
    status=1
}

# exists NAME: one of the kinds of names that a row may hold.
exists() {
    local name=${1#*: }
    case $1 in
    sim:*) grep -qF "\"$name\"" tests/sim/sim_*.c tests/sim_supervisor/*.c ;;
    scenario:*) [[ -f tests/scenarios/$name.txt ]] ;;
    point:*) grep -rqF "MM_CRASH_POINT(\"$name\")" "${product[@]}" ;;
    test_*:*) grep -qE "[(]${name}[),]" tests/unit/*/"${1%%: *}.c" &&
        grep -q "^static void $name(" tests/unit/*/"${1%%: *}.c" ;;
    e2e_*:*) grep -qF -- "$name" "tests/e2e/${1%%: *}.sh" ;;
    *.sh) [[ -f $1 ]] ;;
    *.c:*) grep -qE "^[a-z].*[ *]${1##*:}[(][^;]*\$" "${1%:*}" 2>/dev/null ;;
    *) [[ -f tests/plants/$1.patch ]] ;;
    esac
}

# is_listed RULE FIELD NAME
is_listed() {
    grep -qxF "$1 $2 $3" "$work/rows"
}

# ---- the rows: "RULE FIELD NAME" a line, FIELD being one of the four

awk -v fields='Clauses Kept Tests Plants' '
    function flush(  n, parts, i) {
        if (field == "Clauses") n = split(text, parts, /[^P0-9.]+/)
        else n = split(text, parts, "`")
        for (i = 1; i <= n; i++)
            if (field == "Clauses" ? parts[i] ~ /^P[0-9]+[.][0-9]+$/ : i % 2 == 0)
                print rule, field, parts[i]
        field = text = ""
    }
    /^#/ { flush(); rule = /^### [A-Z][0-9]+ / ? $2 : ""; if (rule) print rule, "row", "-"; next }
    /^- / { flush() }
    /^$/ { flush() }
    rule && /^- [A-Z]/ && index(fields, $2 ~ /:$/ ? substr($2, 1, length($2) - 1) : $2) {
        field = $2; sub(/:$/, "", field)
    }
    field { text = text " " $0 }
    END { flush() }' docs/rules.md >"$work/rows"

rows=$(awk '$2 == "row" {print $1}' "$work/rows")
for rule in $rows; do
    for field in Clauses Kept Tests Plants; do
        [[ $rule$field != [SHG]*Clauses ]] || continue # no peer sees them
        grep -q "^$rule $field " "$work/rows" || complain "$rule names none of its: $field"
    done
done
while read -r rule field name; do
    [[ $field != row ]] || continue
    named=$((named + 1))
    if [[ $field == Clauses ]]; then
        grep -q "^- $name " docs/protocol.md || complain "$rule names $name: no such clause"
    elif ! exists "$name"; then
        complain "$rule names $name, which does not exist"
    fi
done <"$work/rows"
((named > 150)) || complain "only $named names were found in docs/rules.md"

# ---- clauses and their tags, which may stand on a later line of the clause

awk '/^- P[0-9]/ { clause = $2 }
     /^$|^#/ { clause = "" }
     clause { line = $0
         while (match(line, /\[[IRHAG][0-9][^]]*\]/)) {
             n = split(substr(line, RSTART + 1, RLENGTH - 2), tags, /, */)
             for (i = 1; i <= n; i++) print tags[i], "Clauses", clause
             line = substr(line, RSTART + RLENGTH) } }' docs/protocol.md | sort -u >"$work/tags"
while read -r rule _ clause; do
    is_listed "$rule" Clauses "$clause" || complain "$clause is tagged $rule, whose row omits it"
done <"$work/tags"
while read -r rule _ clause; do
    complain "$rule names $clause, which is not tagged $rule in docs/protocol.md"
done < <(grep ' Clauses ' "$work/rows" | sort -u | comm -23 - "$work/tags")

# ---- plants

for plant in tests/plants/*.patch; do
    plant=$(basename "$plant" .patch) number=${plant%%-*}
    rule=${number:0:1} rule=${rule^^}$((10#${number:1}))
    is_listed "$rule" Plants "$plant" || complain "the plant $plant is not in the row of $rule"
done

# ---- citations: a rule is a word of its own, so neither I2C nor 0xA4 nor R1_MAX is one; prove.sh
# cites rules that are missing on purpose

grep -rnoIP --include='*.'{c,h,sh,md,txt,patch,def,mk} --include=Makefile \
    --exclude-dir=corpus --exclude=prove.sh \
    '(?<![\w.$%&\\-])([IRSHAG][1-9][0-9]?|P[1-9][0-9]?\.[0-9]+)(?![\w(])' \
    "${product[@]}" tests bench docs ./*.md run.sh Makefile >"$work/cited"
while IFS=: read -r file line name; do
    if [[ $name == P* ]]; then
        grep -q "^- $name " docs/protocol.md && continue
        complain "$file:$line cites $name: no such clause in docs/protocol.md"
    elif ! grep -qxF "$name" <<<"$rows"; then
        complain "$file:$line cites $name: no such rule in docs/rules.md"
    fi
done < <(sort -t: -k3,3 -u "$work/cited")
while IFS=: read -r file line name; do
    grep -q "^## ${name##* }[.] " docs/protocol.md && continue
    complain "$file:$line cites $name, which does not exist"
done < <(grep -rnoE --include='*.'{c,h,sh,md} 'protocol[.]md, section [0-9]+' \
    "${product[@]}" tests docs)

# ---- what docs/guarantees.md names

while IFS= read -r name; do
    case $name in
    sim:* | scenario:* | point:* | test_*:* | e2e_*:* | tests/*/*.sh) ;;
    *) continue ;;
    esac
    named=$((named + 1))
    exists "$name" || complain "docs/guarantees.md names $name, which does not exist"
done < <(grep -o "\`[^\`]*\`" docs/guarantees.md | tr -d "\`")

((status)) || printf 'PASS rules: %d rules, %d names, %d citations\n' \
    "$(wc -w <<<"$rows")" "$named" "$(wc -l <"$work/cited")"
exit $status
