# Sites for tests, on this machine: a hub and some sites are network namespaces, joined by lines
# (tests/sites/line.c) with delay, loss and cuts. The hub is 10.77.N.1 for site N, which is 10.77.N.2.
# For scripts that source tests/e2e/e2e_lib.sh. Needs root; a script that cannot have namespaces ends
# with 77.
# shellcheck shell=bash
# shellcheck disable=SC2154 # build is e2e_lib.sh's

sites=()
hub=""

sites_skip() {
    printf 'skip - %s\n' "$1"
    exit 77
}

# After this, e2e_lib.sh's own cleaning goes on with the status that was.
sites_down() {
    local status=$? name
    [[ ! -v line_PID ]] || kill "$line_PID" 2>/dev/null
    for name in "$hub" "${sites[@]}"; do
        [[ $name == "" ]] || ip netns del "$name" 2>/dev/null
    done
    return "$status"
}

# sites_up N SEED
sites_up() {
    local number name said
    [[ $(id -u) == 0 && -c /dev/net/tun ]] || sites_skip "network namespaces need root and /dev/net/tun"
    trap 'sites_down; clean_up' EXIT
    hub=mm$$h
    ip netns add "$hub" 2>/dev/null || { hub="" && sites_skip "there are no network namespaces here"; }
    for ((number = 1; number <= $1; number++)); do
        name=mm$$s$number
        ip netns add "$name" && sites[number]=$name
    done
    coproc line { exec "$build/tests/line" "$hub" "$2" "${sites[@]}"; }
    read -r -t 10 said <&"${line[0]}"
    [[ $said == "ready" ]] ||
        sites_skip "TUN interfaces cannot be made here"
    ip -n "$hub" link set lo up
    for number in "${!sites[@]}"; do
        name=${sites[number]}
        ip -n "$name" link set lo up
        ip -n "$hub" addr add "10.77.$number.1" peer "10.77.$number.2" dev "$name"
        ip -n "$hub" link set "$name" up
        ip -n "$name" addr add "10.77.$number.2" peer "10.77.$number.1" dev hub
        ip -n "$name" link set hub up
    done
}

# line_order NUMBER COMMAND...: as line.c has them.
line_order() {
    local number=$1 said
    shift
    printf '%s %s\n' "${sites[number]}" "$*" >&"${line[1]}"
    read -r -t 10 said <&"${line[0]}"
    [[ $said == "done" ]] || not_ok "the line of site $number takes '$*'" "$said"
}

at_hub() {
    ip netns exec "$hub" "$@"
}

# at_site NUMBER COMMAND...
at_site() {
    local number=$1
    shift
    ip netns exec "${sites[number]}" "$@"
}
