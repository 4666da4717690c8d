# shellcheck shell=bash
# The case "peers" of bench.sh, which sources this: who is there, and each variant with so many jobs
# that it takes 2 to 10 s. x16: sixteen jobs in a message. bench/peers/README.md explains the rest.
# shellcheck disable=SC2154,SC2317 # the variables are bench.sh's; the functions are called by name

# peer VARIANT ROUND JOBS COMMAND...: in turn with the pipeline, in a folder of its own.
peer() {
    local folder=$work/$((++count)) name=$1 round=$2 number=$(($3 * ${PEER_PERCENT:-100} / 100))
    shift 3
    [[ $name =~ ${PEERS:-.} ]] || return 0
    mkdir "$folder"
    pipeline peers "$name" "$round" -n "$jobs" -r "$restarters"
    put peers "$name" "$round" peer "$@" -n "$number" "$folder"
    rm -rf "$folder"
}

has_redis() { [[ -x $build/bench/redis ]] && type -P redis-server >/dev/null; }
has_nats() { [[ -x $build/bench/nats ]] && type -P "$nats" >/dev/null; }
has_rabbitmq() { [[ -x $build/bench/rabbitmq && -x /usr/lib/rabbitmq/bin/rabbitmq-server ]]; }
has_beanstalkd() { type -P beanstalkd >/dev/null; }
has_celery() { type -P redis-server >/dev/null && "$python" -c 'import celery, redis' 2>/dev/null; }
has_article() { type -P "$python" >/dev/null; }

peers_redis() {
    peer redis-always "$1" 300000 "$build/bench/redis" -f always
    peer redis-always-x16 "$1" 600000 "$build/bench/redis" -f always -b 16
    peer redis-everysec-x16 "$1" 1000000 "$build/bench/redis" -f everysec -b 16
}

peers_nats() {
    peer nats-2min "$1" 300000 "$build/bench/nats" -f default
    peer nats-2min-x16 "$1" 1000000 "$build/bench/nats" -f default -b 16
    "$nats_syncs" || return 0
    peer nats-always "$1" 5000 "$build/bench/nats" -f always
    peer nats-always-x16 "$1" 60000 "$build/bench/nats" -f always -b 16
}

peers_rabbitmq() {
    peer rabbitmq-quorum "$1" 40000 "$build/bench/rabbitmq"
    peer rabbitmq-quorum-x16 "$1" 400000 "$build/bench/rabbitmq" -b 16
}

peers_beanstalkd() {
    peer beanstalkd-f0 "$1" 3000 "$build/bench/beanstalkd" -f 0
    peer beanstalkd-f0-x16 "$1" 20000 "$build/bench/beanstalkd" -f 0 -b 16
    peer beanstalkd-f1000 "$1" 30000 "$build/bench/beanstalkd" -f 1000
    peer beanstalkd-f1000-x16 "$1" 300000 "$build/bench/beanstalkd" -f 1000 -b 16
}

peers_celery() {
    peer celery-always "$1" 500 "$python" "$root/bench/peers/celery_run.py" -f always
    peer celery-everysec "$1" 1000 "$python" "$root/bench/peers/celery_run.py" -f everysec
}

peers_article() {
    peer article "$1" 20000 "$python" "$root/bench/peers/article.py"
}

# Whether this nats-server can sync each write.
nats_can_sync() {
    printf 'jetstream { sync_interval: always }\n' >"$work/nats.conf"
    "$nats" -t -c "$work/nats.conf" >/dev/null 2>&1
}

run_peers() {
    local round name chosen=() PATH=$PATH:/usr/sbin
    local nats=${NATS_SERVER:-nats-server} nats_syncs=true python=${PYTHON:-/usr/bin/python3}
    export PYTHONDONTWRITEBYTECODE=1
    for name in redis nats rabbitmq beanstalkd celery article; do
        if "has_$name"; then
            chosen+=("$name")
        else
            printf 'peers: no %s: left out (make bench-peers-install)\n' "$name"
        fi
    done
    if has_nats && ! nats_can_sync; then
        nats_syncs=false
        printf 'peers: this nats-server cannot sync each write, as 2.10 can: nats-always left out\n'
    fi
    for ((round = 1; round <= few; round++)); do
        for name in "${chosen[@]}"; do
            "peers_$name" "$round"
        done
    done
}
