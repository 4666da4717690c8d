# Finds the commands that a bash script calls, without running it: prints "call NAME LINE" for
# each, "program NAME LINE" if it can be no builtin, and "function NAME 0" for what it defines. It
# knows quotes, expansions, substitutions, [[ ]], (( )), case, arrays and here-documents, of which
# those that begin with #! are scripts, too. A command that another is given (timeout 5 NAME) counts
# when `wrappers` has that other. It does not know what is put together at run time, what a
# here-document substitutes, nor text that is run later (trap, sh -c). See commands.sh.

function at(length_) {
    return substr(text, i, length_ ? length_ : 1)
}

function call(kind, name) {
    while (counted < i)
        lines += substr(text, counted++, 1) == "\n"
    if (name ~ /^[a-z][a-z0-9_.+-]*$/) print kind, name, lines
}

function skip_past(mark) {
    while (i <= size && at() != mark)
        i += at() == "\\" && mark != "\1" ? 2 : 1
    i++
}

# Single quotes know no backslash.
function single(    found) {
    found = index(substr(text, i + 1), "'")
    i = found ? i + found + 1 : size + 1
}

# What stands behind a $, or that $ alone.
function dollar() {
    if (at(3) == "$((") {
        i += 3
        arithmetic()
    } else if (at(2) == "$(") {
        i += 2
        code(")")
    } else if (at(2) == "${") {
        i += 2
        quoted("}")
    } else if (at(2) == "$'") {
        i += 2
        skip_past("'")
    } else
        i++
}

# One quoted part, expansion or character of a word.
function part() {
    if (at() == "\\") i += 2
    else if (at() == "'") single()
    else if (at() == "\"") { i++; quoted("\"") }
    else if (at() == "$") dollar()
    else if (at() == "`") { i++; code("`") }
    else i++
}

# To the mark that ends it; within "..." a single quote is a character.
function quoted(mark) {
    while (i <= size && at() != mark)
        if (at() == "'" && mark == "\"") i++
        else part()
    i++
}

function arithmetic(    depth) {
    for (depth = 2; i <= size && depth; )
        if (at() == "(") { depth++; i++ }
        else if (at() == ")") { depth--; i++ }
        else part()
}

# To the end of a pattern of a case, or past its esac.
function pattern() {
    while (at() ~ /[ \t\n#]/)
        if (at() == "#") skip_line()
        else i++
    if (at(4) == "esac") { i += 4; return 0 }
    while (i <= size && at() != ")") part()
    i++
    return 1
}

function skip_line() {
    while (i <= size && at() != "\n") i++
}

function array() {
    for (i++; i <= size && at() != ")"; )
        if (at() == "#" && substr(text, i - 1, 1) ~ /[ \t\n]/) skip_line()
        else part()
    i++
}

# A word; what is not plain text in it is \1.
function word(    w, was) {
    while (i <= size && at() !~ /[ \t\n;&|<>)]/ && at() != closing) {
        if (at() == "(") {
            if (w ~ /=$/) array()
            else if (at(2) == "()") return w "()"
            else { i++; skip_past(")") }
            w = w "\1"
            continue
        }
        was = i
        part()
        w = w (i == was + 1 && substr(text, was, 1) !~ /[$"'`\\]/ ? substr(text, was, 1) : "\1")
    }
    return w
}

function redirection(    mark) {
    if (at(2) ~ /^[<>]\($/) {
        i += 2
        code(")")
        return
    }
    if (at(3) == "<<<") i += 3
    else if (at(2) == "<<") {
        match(substr(text, i), /^<<-?[ ]*['"]?[A-Za-z_]+/)
        mark = substr(text, i, RLENGTH)
        sub(/^[^A-Za-z_]*/, "", mark)
        documents[++waiting] = mark
        i += 2
    } else
        while (at() ~ /[<>&|]/) i++
    while (at() == " ") i++
    if (at() !~ /[<>]/) word()
    else redirection()
}

function skip_documents(    n, rest, end) {
    for (n = 1; n <= waiting; n++) {
        if (at(2) == "#!") continue
        rest = substr(text, i)
        end = match("\n" rest, "\n[\t]*" documents[n] "\n")
        i = end ? i + end + RLENGTH - 2 : size + 1
    }
    waiting = 0
}

# The words of a simple command; `first` says that the next one is its name.
function take(w) {
    if (first) skip = -1
    if (w ~ /\(\)$/) {
        print "function", substr(w, 1, length(w) - 2), 0
        i += 2
        return 1
    }
    if (first && w == "[[") {
        while (i <= size && at(3) !~ /^[ \t\n]\]\]$/) part()
        i += 3
        return 0
    }
    if (first && w == "case") {
        while (i <= size && at(4) !~ /^[ \t]in[ \t\n]$/) part()
        i += 4
        return pattern()
    }
    if (first && w ~ /^(if|then|else|elif|while|until|do|time|!|[{])$/) return 1
    if (first && w ~ /^(for|select)$/) return at(3) == " ((" # else its variable comes
    if (first && w ~ /^[A-Za-z_][A-Za-z0-9_]*(\[.*\])?[+]?=/) return 1
    return first ? begin("call", w) : given(w)
}

function begin(kind, name) {
    call(kind, name)
    skip = -1
    if (name in takes) {
        skip = takes[name] + 0
        next_kind = takes[name] ~ /[+]/ ? "program" : "call"
    }
    return 0
}

# An argument: of a wrapper, it may be the next command.
function given(w) {
    if (skip < 0) return 0
    if (w ~ /^-[ksnIPdu]$/) skip++
    else if (w !~ /^-/ && w !~ /^[A-Za-z_]+=/ && skip-- == 0) begin(next_kind, w)
    return 0
}

# Commands up to the mark that closes them, or to the end.
function code(mark,    outer, was_first, was_skip) {
    outer = closing; was_first = first; was_skip = skip
    closing = mark == "`" ? mark : ""
    for (first = 1; i <= size && at() != mark; ) {
        if (at() ~ /[ \t]/) i++
        else if (at(2) == "\\\n") i += 2
        else if (at() == "#") skip_line()
        else if (at() == "\n") { i++; skip_documents(); first = 1 }
        else if (at(2) == ";;") { i += 2; first = pattern() }
        else if (at(2) ~ /^(&>|[<>])/) redirection()
        else if (at() ~ /[;&|)]/) { i++; first = 1 }
        else if (first && at(2) == "((") { i += 2; arithmetic(); first = 0 }
        else if (at() == "(") { i++; code(")"); first = 0 }
        else if (match(at(4), /^[0-9]+[<>]/)) i += RLENGTH - 1
        else first = take(word())
    }
    i++
    closing = outer; first = was_first; skip = was_skip
}

BEGIN {
    count = split(wrappers, pair, " ")
    for (n = 1; n <= count; n++) {
        split(pair[n], entry, "=")
        takes[entry[1]] = entry[2] # how many words stand before the command
    }
}

{ text = text $0 "\n" }

END {
    i = counted = lines = 1
    size = length(text)
    code("")
}
