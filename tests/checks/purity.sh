#!/usr/bin/env bash
# The cores may not reach the world: whatever they use that none of them defines must be on this list.
# purity.sh OBJECT...
set -u
allowed='malloc calloc realloc free strdup strndup aligned_alloc memcpy memmove memset memcmp memchr strlen strcmp
strncmp strchr snprintf exit abort __assert_fail __stack_chk_fail __snprintf_chk __memcpy_chk
__strncpy_chk _GLOBAL_OFFSET_TABLE_'
defined=$(nm --defined-only -g "$@" 2>/dev/null | awk 'NF == 3 {print $3}')
status=0
for object in "$@"; do
    alien=$(nm -u "$object" | awk '{print $NF}' | sed 's/@.*//' |
        grep -vxF -e "$defined" | grep -vxF -f <(tr ' ' '\n' <<<"$allowed") |
        grep -v -e '^__asan' -e '^__ubsan' -e '^__tsan' -e '^__gcov' -e '^__sanitizer')
    name=$(basename "$(dirname "$object")")/$(basename "$object" .o)
    if [[ $alien ]]; then
        echo "FAIL purity: $name uses ${alien//$'\n'/ }"
        status=1
    else
        echo "PASS purity: $name"
    fi
done
exit $status
