#!/usr/bin/env bash
# The include paths of the Makefile keep a layer from the headers of a higher one. This looks at what
# they cannot: an include that names a path goes around them. And it proves that they hold: a file
# of common/wire that includes a header of common/runtime must not compile.
# layers.sh 'COMPILE COMMAND OF common/wire'
set -u
compile=$1
around=$(grep -rnE '^ *# *include "[^"]*/' common publisher consumer saver restarter ctl --include='*.[ch]')
if [[ $around ]]; then
    printf '%s\nFAIL layers: an include that names a path goes around the include paths\n' "$around"
    exit 1
fi
echo 'PASS layers: no include names a path'
if ! echo '#include "frame.h"' | $compile -x c -fsyntax-only - 2>/dev/null; then
    echo 'FAIL layers: a header of common/wire does not compile there'
    exit 1
fi
if echo '#include "loop.h"' | $compile -x c -fsyntax-only - 2>/dev/null; then
    echo 'FAIL layers: common/wire can include a header of common/runtime'
    exit 1
fi
echo 'PASS layers: common/wire sees nothing of common/runtime'
