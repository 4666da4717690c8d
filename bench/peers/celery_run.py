"""The same work over Celery, with Redis as broker and result backend.

A job is a chord: its header is the tasks of saver and restarter, its body is the ack, whose result
is the durable outcome. Each has a queue and a worker of its own, which runs the tasks itself (a
pool of processes costs more than tasks as short as these), without gossip, mingle and heartbeats.
Redis keeps an append-only file.

celery_run.py [-n JOBS] [-w WINDOW] [-f always|everysec] DIR
"""

import collections
import gc
import json
import os
import sys
import time

import redis
from celery import chord

import measure
from celery_tasks import QUEUES, acks, app, restart, save


def connect(socket):
    server = redis.Redis(unix_socket_path=socket)
    while True:
        try:
            server.ping()
            return server
        except redis.ConnectionError:
            time.sleep(0.01)


def start_all(roles, folder, durability):
    socket = f"{folder}/redis.sock"
    os.environ["CELERY_BROKER_URL"] = os.environ["CELERY_RESULT_BACKEND"] = f"redis+socket://{socket}"
    os.environ["PYTHONPATH"] = os.path.dirname(os.path.realpath(__file__))
    os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
    server = ["redis-server", "--port", "0", "--unixsocket", socket, "--dir", folder, "--save", ""]
    roles.start("server", [*server, "--appendonly", "yes", "--appendfsync", durability])
    client = connect(socket)
    for role, queue in QUEUES.items():
        worker = [sys.executable, "-m", "celery", "-A", "celery_tasks", "worker", "-P", "solo"]
        worker += ["-Q", queue, "-n", f"{role}@peer", "-l", "error"]
        worker += ["--without-gossip", "--without-mingle", "--without-heartbeat"]
        roles.start(role, worker, cwd=folder)
    while len(app.control.ping(timeout=1, limit=len(QUEUES))) < len(QUEUES):
        pass
    return client


def publish(jobs, window):
    """The results of all jobs in their order, when the last has come."""
    pending, results, payload = collections.deque(), [], "0" * 112
    for job in range(jobs):
        if len(pending) == window:
            pending.popleft().get()
        results.append(chord([save.s(job, payload), restart.s(job, payload)])(acks.s()))
        pending.append(results[-1])
    for result in pending:
        result.get()
    return results


def check(server, results):
    """Each job's outcome is on record, and nothing is left in a queue or not acknowledged."""
    for job, result in enumerate(results):
        record = json.loads(server.get(f"celery-task-meta-{result.id}") or "{}")
        if (record.get("status"), record.get("result")) != ("SUCCESS", job):
            measure.fail(f"job {job} is not on record as done")
    deadline = time.monotonic() + 30
    while server.hlen("unacked") + sum(server.llen(queue) for queue in QUEUES.values()) > 0:
        if time.monotonic() > deadline:
            measure.fail("messages are left in a queue")
        time.sleep(0.05)


def run(roles, options):
    server = start_all(roles, os.path.realpath(options.dir), options.durability)
    roles.begin()
    results = publish(options.jobs, options.window)
    used = roles.end()
    check(server, results)
    return used


def main():
    options = measure.options(["always", "everysec"], 1000)
    roles = measure.Roles()
    try:
        used = run(roles, options)
        gc.collect()  # a result unsubscribes when it is deleted, from a server that is still there
    finally:
        roles.stop()
    measure.print_result(options.jobs, *used)


if __name__ == "__main__":
    main()
