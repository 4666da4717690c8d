#!/usr/bin/env bash
# Proves that the checks can fail: plants one fault at a time in a copy of the tree, and demands
# that the check which is there for it names it. It takes minutes, so `make check` leaves it out.
# prove.sh BUILD [PATTERN]: only faults whose name matches
# shellcheck disable=SC2016 # what stands in single quotes is for sed
set -u
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
build=${1:?usage: prove.sh BUILD [PATTERN]}
pattern=${2:-}
unset MAKEFLAGS MAKEOVERRIDES BUILD # the copy is built in its own folder, and nowhere else
work=$(mktemp -d "${TMPDIR:-/tmp}/mayhem-prove.XXXXXX") || exit 1
export MAYHEM_LOCKS=$work/locks # of its own: not the user's
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
tree=$work/tree
status=0

# fault NAME FILE SED-SCRIPT EXPECTED TARGET...: after the edit, `make TARGET...` fails, and one of
# its lines holds EXPECTED.
fault() {
    local name=$1 file=$2 script=$3 expected=$4 output
    shift 4
    [[ $name =~ $pattern ]] || return 0
    cp "$tree/$file" "$work/kept"
    sed -i "$script" "$tree/$file"
    if cmp -s "$work/kept" "$tree/$file"; then
        printf 'FAIL prove: %s: the edit changes nothing in %s\n' "$name" "$file"
        status=1
        return
    fi
    if output=$(make -s -C "$tree" "$@" 2>&1); then
        printf 'FAIL prove: %s: make %s passes\n' "$name" "$*"
        status=1
    elif ! grep -qF -- "$expected" <<<"$output"; then
        tail -n 5 <<<"$output"
        printf 'FAIL prove: %s: make %s fails, but says nothing of "%s"\n' "$name" "$*" "$expected"
        status=1
    else
        printf 'PASS prove: %s: %s\n' "$name" \
            "$(grep -F -m 1 -- "$expected" <<<"$output" | cut -c1-110)"
    fi
    cp "$work/kept" "$tree/$file"
}

mkdir "$tree"
cp -r "$root"/{run.sh,Makefile,README.md,CONTRIBUTING.md,tests,bench,docs} \
    "$root"/{common,publisher,consumer,saver,restarter,supervisor,ctl} "$tree/"
cp -r "$build" "$tree/build"

# ---- layers and purity

fault 'a lower layer includes a higher one' common/wire/scan.c '1i #include "loop.h"' \
    'loop.h: No such file' all
fault 'a program includes another one' saver/main.c '1i #include "outbox.h"' \
    'outbox.h: No such file' all
fault 'the include paths of a layer are too wide' Makefile 's/^WIRE .*/& common\/runtime/' \
    'FAIL layers: common/wire can include common/runtime/loop.h' layers
fault 'the include paths of a core are too wide' Makefile \
    's/^sees_common\/worker\/core .*/& common\/worker/' \
    'FAIL layers: common/worker/core can include common/worker/worker_client.h' layers
fault 'an include names a path' consumer/main.c '1i #include "../saver/store.h"' \
    'FAIL layers: an include that names a path' layers
fault 'a core reads a clock' consumer/core/gather.c \
    's/^    self->now_ms = self->flights.now_ms = event->now_ms;/&\n    clock_gettime(0, NULL);/
     1i #include <time.h>' \
    'FAIL purity: core/gather uses clock_gettime' purity

# ---- rules

fault 'code cites a rule without a row' consumer/core/hosts.h '1s/$/ (R14)/' \
    'cites R14: no such rule' rules
fault 'a scenario cites a rule without a row' \
    tests/scenarios/consumer/01-a-job-from-delivery-to-ack.txt '1s/$/ H3./' \
    'cites H3: no such rule' rules
fault 'code cites a clause that is not there' consumer/core/hosts.h '1s/$/ (P9.99)/' \
    'cites P9.99: no such clause' rules
fault 'a row names a function that is gone' docs/rules.md \
    's/gather_legs.c:try_settle/gather_legs.c:settle_it/' \
    'gather_legs.c:settle_it, which does not exist' rules
fault 'a row names a test that is gone' docs/rules.md \
    's/tasks_of_one_job_keep_their_order/they_keep_order/' \
    'test_inject: they_keep_order, which does not exist' rules
fault 'a row names a scenario that is gone' docs/rules.md \
    's/27-results-are-read-in-order/27-gone/' \
    'scenario: consumer/27-gone, which does not exist' rules
fault 'a row names a plant that is gone' docs/rules.md 's/r12-over-sent-started/r12-gone/' \
    'names r12-gone, which does not exist' rules
fault 'a row names a check of the simulator that is gone' docs/rules.md \
    's/sim: S11 substitute/sim: S11 another saver/' \
    'sim: S11 another saver, which does not exist' rules
fault 'a plant is in no row' docs/rules.md 's/`s11-no-substitute`, //' \
    'the plant s11-no-substitute is not in the row of S11' rules
fault 'a row names a clause that is gone' docs/protocol.md 's/^- P5\.6 /- P5.96 /' \
    'R5 names P5.6: no such clause' rules
fault 'a clause has lost its tag' docs/protocol.md 's/ \[R12, I6\]//' 'not tagged R12' rules
fault 'a row is missing' docs/rules.md 's/^### R13 .*/### The thirteenth/' \
    'cites R13: no such rule' rules
fault 'guarantees.md names a test that is gone' docs/guarantees.md \
    's/the folder is private/the folder is mine/' \
    'the folder is mine, which does not exist' rules

# ---- documents

fault 'a link leads nowhere' README.md 's/(docs\/protocol.md)/(docs\/protocols.md)/' \
    'there is no docs/protocols.md' docs
fault 'an anchor leads nowhere' docs/operations.md 's/(#one-host)/(#another-host)/' \
    'has no heading #another-host' docs
fault 'a path leads nowhere' docs/architecture.md 's/`ctl\/watch\/page.h`/`ctl\/page.h`/' \
    'there is no ctl/page.h' docs
fault 'a message of the logs is in no table' docs/operations.md '/^| `A slow callback/d' \
    'docs/operations.md lacks: A slow callback' docs
fault 'a line is too long' docs/guarantees.md "\$a $(printf 'word %.0s' {1..30})" \
    'is longer than 100 columns' docs

fault 'an option has no row' docs/operations.md '/^| `--crash-limit N`/d' \
    "crash-limit has no row under 'mayhem run'" options
fault 'a row is of an option that is gone' docs/operations.md 's/^| `--batch N` /| `--bunch N` /' \
    'no program has an option --bunch' options

# ---- the frames

fault 'a table of the protocol names another type' docs/protocol.md \
    's/^| nack: delay_ms | ms /| nack: delay_ms | u64 /' '> verdict 4 | nack: delay_ms | u64' protocol
fault 'a table of the protocol lacks a field' docs/protocol.md '/^| seconds |/d' \
    '| seconds | u32' protocol
fault 'the protocol names another version' docs/protocol.md 's/the version, 3/the version, 2/' \
    '> P2.2 version, 2' protocol
fault 'a frame goes another way' docs/protocol.md 's/^\(\*\*7 BYE.*\) inbox/\1 jobs/' \
    '> **7 BYE**, worker to consumer on jobs' protocol
fault 'a receiver lacks a frame' consumer/main.c 's/^    case MM_FRAME_QUERY:.*//' \
    'FAIL frames: consumer/main.c does not receive QUERY' protocol
fault 'two fields change places' common/wire/frames.def \
    '/^BODY(report)/,/^END_BODY/{/FIELD(u64,  session/{h;d};/FIELD(u64,  sequence/G}' \
    '< **3 HELLO**, **4 HEARTBEAT**, worker to consumer on inbox 4 | sequence | u64' protocol
fault 'a limit is another one' common/wire/frame.h 's/BATCH_ITEMS  256/BATCH_ITEMS  255/' \
    '< P2.10 at most 255' protocol

# ---- commands

fault 'a script calls what a minimal Debian has not' tests/e2e/e2e_kill.sh \
    '$a pid=$(timeout 5 pgrep mayhem)' 'calls pgrep, which run.sh does not install' commands
fault 'a recipe does' Makefile '/^clean:/a \\t@ps ax' 'calls ps, which' commands
fault 'a restarter is let do' tests/e2e/e2e_wrong.sh "s/-x 'echo {hsot}'/-x 'reboot {hsot}'/" \
    'calls reboot, which' commands
fault 'run.sh no longer installs what is called' tests/run_tests.sh 's/ patch tmux/ patch/' \
    'calls tmux, which' commands

# ---- the README's blocks

fault 'a block has a wrong option' README.md 's/--max-dead 10$/--max-deaths 10/' \
    'a command fails (exit 64)' readme
fault 'a block does not print what it promises' README.md \
    's/# prints 0: no host/# prints 1: no host/' 'does not print 1' readme
exit $status
