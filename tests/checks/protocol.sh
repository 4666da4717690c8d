#!/usr/bin/env bash
# Whether docs/protocol.md says what common/wire/frames.def says: limits, types, and the tables of
# section 3 row by row. protocol.sh PROGRAM DOCUMENT, where PROGRAM prints the table in those words.
set -u
program=$1 document=$2

# The same lines out of the document: the rows of a table by its name, its number and two cells.
read_document() {
    sed -e 's/\([0-9]\),\([0-9]\)/\1\2/g' -e 's/ *| */|/g' "$document" | awk -F '|' '
    function found(words) { return match($0, words) ? substr($0, RSTART, RLENGTH) : "" }
    /^- P2\.2 |^\|unknown kind/ { print "P2.2", found("1 to [0-9]+") }
    /^- P2\.2 / { print "P2.2", found("version, [0-9]+") }
    /^\|another version/ { print "version", found("other than [0-9]+") }
    /^- P2\.(6|7|8|10) / { print found("P2\\.[0-9]+"), found("at most [0-9]+") }
    /^## / { section = $0 }
    /^\|type\|on the wire/ { types = 1; next }
    /^$/ { types = 0 }
    /^\|-/ { next }
    types && /^\|/ { print "type " $2 }
    section !~ /^## 3/ { next }
    /^\*\*[0-9]/ { kinds = $0 }
    /^\|/ && $3 == "type" { table = $2 == "field" ? kinds : $2; row = 0; next }
    /^\|/ { printf "%s %d | %s | %s\n", table, ++row, $2, $3 }'
}

if ! "$program" >/dev/null; then
    echo "FAIL protocol: $program"
    exit 1
fi
differences=$(diff <("$program" | sort -u) <(read_document | sort -u))
if [[ $differences ]]; then
    printf '%s\n' "$differences"
    echo "FAIL protocol: frames.def says < and $document says >"
    exit 1
fi
echo "PASS protocol: $document has the $("$program" | grep -c '|') rows of frames.def"
