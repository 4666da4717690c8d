#!/usr/bin/env python3
"""A small restarter for Mayhem Mandrill, written from docs/worker.md; P4.2 and the like are clauses of
docs/protocol.md. Beside it, mayhem_wire.py has frames and sockets, restart_command.py what restarts a host.

  restarter.py --consumer ipc://run/consumer --id py-1 --mock 0.2
  restarter.py --consumer ipc://run/consumer --id py-1 --driver NAME -- ./restart.sh {host}

NAME is the run's driver: the line "digest" of `mayhem-restarter --check --exec './restart.sh {host}'`."""
import argparse, json, os, re, secrets, signal, sys, time
from types import SimpleNamespace
import zmq
from mayhem_wire import (BEAT, BYE, HEARTBEAT, HELLO, LEAVING, OTHER_VERSION, QUERY, REFUSED, REJOIN,
                         RESTART, RESULTS, TASKS, TELL, WELCOME, connect, decode, encode, read_key)
from restart_command import STOPPED, TIMEOUT, Command

HEARTBEAT_MS, LOST_AFTER_MS, DRAIN_MS, REFUSED_MS = 500, 1500, 23000, 10000
RESTARTER, OK, FAILED, RETURNED = 2, 0, 1, 2
REPORTED, KEPT = 128, 64  # results in a frame (P5.8); acknowledged ones that are kept (P6.9)
HERE = (60000, False)  # behind what is returned because of this machine: it gets nothing for so long (P9.48)


def boot_ms():
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1000000  # P5.3


class Restarter:
    def __init__(self, options):
        self.options, self.key, self.context = options, options.key and read_key(options.key), zmq.Context()
        self.id, self.nonce = options.id or (self.key or {}).get("name", "py-1"), secrets.randbits(64)
        self.epoch = self.session = self.highest = self.sequence = self.number = 0
        self.tasks, self.results = {}, []  # by number; (when, result) in order, some of them acknowledged
        self.serial = self.acknowledged = self.sent = 0
        self.inbox = self.events = self.pull = self.drain_ms = self.idle_ms = None
        self.is_alone = self.has_left = self.last_seen = self.is_done = False
        self.refused_ms = self.permit_ms = self.server = self.foreign_ms = 0
        self.report_ms, self.pause_ms = boot_ms(), 20
        self.open_sockets()

    def log(self, level, words):
        wall = time.time()
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S.%%03dZ", time.gmtime(wall)) % (wall * 1000 % 1000)
        print(f"{stamp} {level} {self.id}[{os.getpid()}] {words}", flush=True)

    def connect(self, kind, name, *topics):
        return connect(self.context, kind, self.options.consumer, name, topics, self.key, self.server)

    def open_sockets(self):
        for socket in filter(None, (self.inbox, self.events)):
            socket.close()
        self.inbox = self.connect(zmq.PUSH, "inbox")
        self.events = self.connect(zmq.SUB, "events", "consumer", f"worker.{self.id}")
        self.heard_ms = boot_ms()

    # ---- what it says

    def send(self, kind, *fields):
        try:
            self.inbox.send(encode(kind, *fields), zmq.DONTWAIT)
        except zmq.Again:
            pass  # P1.6: hellos are repeated, and results until they are acknowledged

    def report(self, kind, results, *driver):
        self.send_results()
        self.sequence += 1
        held = [[task.number, task.id, RESTART, task.start_ms > 0, task.host] for task in self.tasks.values()]
        self.send(kind, self.id, self.nonce, RESTARTER, self.highest if kind == HELLO else self.session,
                  self.sequence, boot_ms(), self.options.slots if self.drain_ms is None else 0, self.serial,
                  0, 1, *driver, held, [result for _, result in results[:REPORTED]])

    def hello(self):
        self.report(HELLO, self.results, self.options.driver, int(self.options.driver != ""))
        self.report_ms, self.pause_ms = boot_ms() + self.pause_ms, min(2 * self.pause_ms, HEARTBEAT_MS)

    def heartbeat(self, has_joined=False):
        late = [kept for kept in self.results if kept[1][0] > self.acknowledged]
        is_due = has_joined or (late and late[0][0] <= boot_ms() - HEARTBEAT_MS)  # P4.7, P5.7
        self.report(HEARTBEAT, late if is_due else [])
        self.report_ms = boot_ms() + HEARTBEAT_MS

    def send_results(self):
        fresh, self.sent = [result for _, result in self.results if result[0] > self.sent], self.serial
        for first in range(0, len(fresh) if self.session else 0, REPORTED):  # P4.10
            self.send(RESULTS, self.id, self.nonce, self.session, fresh[first:first + REPORTED])

    # ---- results

    def finish(self, task, status, error="", *more):
        self.serial += 1
        took_ms = boot_ms() - task.start_ms if task.start_ms else 0
        result = [self.serial, task.number, task.leg, task.id, status, 0, took_ms, error[:128], {}, *more]
        self.results.append((boot_ms(), result))
        self.tasks.pop(task.number, None)
        words = f"job={task.id.hex()} host={task.host} attempt={task.attempt} took={took_ms / 1000:.3f}s"
        if status == OK:
            self.log("INFO", f"restarted {words}")
        elif status == FAILED:
            self.log("WARN", f"Could not restart {words} error={json.dumps(error)}")

    def return_waiting(self):
        for task in [task for task in self.tasks.values() if not task.start_ms]:
            self.finish(task, RETURNED)

    def acknowledge(self, serial):
        if self.acknowledged < serial <= self.serial:  # P6.9
            self.acknowledged = serial
            self.results = [kept for kept in self.results if kept[1][0] > serial - KEPT]

    # ---- what it hears

    def is_mine(self, epoch, name, nonce):
        return (name, nonce) == (self.id, self.nonce) and self.epoch <= epoch < 1 << 32  # P1.9, P7.3, P4.12

    def leave_session(self, pause_ms=0):
        if self.pull:
            self.pull.close()  # first: P7.1
        self.pull, self.session, self.permit_ms, self.last_seen = None, 0, 0, False
        self.return_waiting()
        self.report_ms, self.pause_ms = boot_ms() + pause_ms, 20

    def on_welcome(self, epoch, name, nonce, session, suffix):
        if (self.is_mine(epoch, name, nonce) and self.highest < session <= (epoch << 32) + (1 << 40)
                and re.fullmatch("task[.][0-9a-f]{16}|[1-9][0-9]{0,4}", suffix)  # P4.5, P4.12, P1.2
                and (suffix[0] == "t" or int(suffix) < 1 << 16)):
            self.leave_session()
            self.epoch, self.session, self.highest, self.heard_ms = epoch, session, session, boot_ms()
            self.is_alone, self.has_left, self.refused_ms = False, False, 0
            self.pull = self.connect(zmq.PULL, suffix)
            self.log("INFO", f"Joined the consumer session={session}")
            self.heartbeat(has_joined=True)

    def on_beat(self, epoch, _, halted, confirms):
        if epoch >= 1 << 32 or (epoch < self.epoch and not self.is_alone):  # P4.12, P7.3
            return
        if epoch < self.epoch:
            self.highest = self.number = 0  # P4.13
        self.heard_ms, self.is_alone = boot_ms(), False
        if epoch != self.epoch:
            self.epoch, self.has_left = epoch, False
            self.leave_session()  # P7.1
            return
        self.permit_ms = 0 if halted else self.permit_ms
        for name, session, confirmed, stamp_ms, *_ in confirms:
            if name == self.id and session == self.session:
                self.acknowledge(confirmed)
                if not halted and 0 < stamp_ms <= boot_ms():
                    self.permit_ms = stamp_ms + LOST_AFTER_MS  # P6.18

    def on_tasks(self, session, stamp_ms, confirmed, last, tasks):
        if session != self.session:  # P6.1
            return
        self.acknowledge(confirmed)
        self.last_seen = self.last_seen or (last and self.drain_ms is not None)
        for number, leg, job, host, attempt, *more in tasks:
            if number <= self.number or number > session + (1 << 40) or number in self.tasks:
                continue  # P6.3, P4.12
            self.number = number
            is_real = leg == RESTART and len(more) > 1
            left_ms, _, start_by_ms, command = more[1:5] if is_real else (1 << 60, 0, 1 << 63, None)
            task = SimpleNamespace(number=number, leg=leg, id=job, host=host, attempt=attempt, start_ms=0,
                                   start_by_ms=min(stamp_ms + LOST_AFTER_MS, start_by_ms),  # P6.2, P6.17
                                   end_ms=boot_ms() + left_ms)  # P6.15
            if (stamp_ms > boot_ms() or len(self.tasks) >= self.options.slots or leg != RESTART
                    or self.drain_ms is not None):
                self.finish(task, RETURNED)  # P4.12, P6.4, P6.13, P8.1
            elif command != (1 if self.options.driver else None):
                self.finish(task, RETURNED, "it has one command, and does not look", *HERE)
            else:
                self.tasks[number] = task

    def on_frame(self, kind, fields):
        if kind == WELCOME:
            self.on_welcome(*fields[1:6])
        elif kind == BEAT:
            self.on_beat(*fields[1:5])
        elif kind == TASKS:
            self.on_tasks(*fields[:5])
        elif kind == LEAVING and self.epoch <= fields[1] < 1 << 32:  # P7.5
            self.leave_session(HEARTBEAT_MS)
            self.has_left = True
        elif kind == REJOIN and self.session and self.is_mine(*fields[1:4]):
            self.leave_session()
        elif kind == REFUSED and not self.session and self.is_mine(*fields[1:4]):
            self.refused_ms = self.refused_ms or boot_ms()
            if boot_ms() > self.refused_ms + REFUSED_MS:  # P4.8
                self.log("ERROR", f"The consumer refuses this worker why={json.dumps(fields[5])}")
                self.stop()
                sys.exit(69)
        elif kind == OTHER_VERSION and boot_ms() >= self.foreign_ms:  # P2.13
            self.foreign_ms = boot_ms() + 10000
            self.log("WARN", "Ignored frames of another version of the protocol")
        elif kind == QUERY and fields[1] in (1, 6) and fields[2] in ("", self.id):  # P9.35, P9.96
            wall_ms = int(time.time() * 1000)
            text = {"process": self.id, "hosts": [
                {"host": task.host, "since_ms": wall_ms - boot_ms() + task.start_ms}
                for task in self.tasks.values() if task.start_ms]}
            if fields[1] == 1:
                text = {"mayhem": "stats", "version": 1, "process": self.id, "role": "restarter",
                        "pid": os.getpid(), "slots": self.options.slots, "running": len(self.tasks),
                        "ended": self.serial, "wall_ms": wall_ms}
            self.send(TELL, self.id, 0, fields[1], json.dumps(text))

    # ---- restarts

    def start(self, task):
        try:
            task.command, task.start_ms = Command(self.options.command, task.host), boot_ms()
        except OSError as error:
            self.finish(task, RETURNED, f"cannot be started here: {error}", *HERE)

    def look(self, task, killed_as=None):
        end = task.command.end(killed_as)
        if end is not None:
            self.finish(task, FAILED if end[0] else OK, end[0], *(end[1] if self.options.driver else ()))

    def stop(self):
        self.return_waiting()
        for task in list(self.tasks.values()):
            self.look(task, STOPPED)

    # ---- the end

    def drain(self, *_):
        if self.drain_ms is None:
            self.drain_ms = boot_ms() + int(1000 * self.options.drain)
            self.report_ms = 0  # at once: P8.1

    def leave_deadline(self):
        """P8.8: how long it waits for acknowledgements and the consumer's last word; P8.9: no longer."""
        if self.serial > self.acknowledged and not self.has_left:
            return max(self.idle_ms + LOST_AFTER_MS, self.drain_ms)
        is_last_due = self.session and not self.last_seen and not self.has_left
        return self.idle_ms + LOST_AFTER_MS if is_last_due else 0

    # ---- the loop

    def turn(self):
        for task in list(self.tasks.values()):
            if task.start_ms:
                self.look(task, TIMEOUT if boot_ms() >= task.end_ms else None)
            elif boot_ms() >= task.start_by_ms or self.drain_ms is not None:
                self.finish(task, RETURNED)  # P6.2, P6.17, P8.1
            elif not self.options.driver or boot_ms() < self.permit_ms:
                self.start(task)
        if self.drain_ms is not None and boot_ms() >= self.drain_ms:
            self.stop()
        if boot_ms() - self.heard_ms >= 3 * HEARTBEAT_MS:  # P7.4
            self.leave_session()
            self.server, self.is_alone = self.server + 1, True
            self.open_sockets()
        is_leaving = self.drain_ms is not None and not self.tasks
        if is_leaving and self.idle_ms is None:
            self.idle_ms, self.report_ms = boot_ms(), 0
        self.send_results()
        if boot_ms() >= self.report_ms:
            (self.heartbeat if self.session else self.hello)()
        if is_leaving and boot_ms() >= self.leave_deadline():
            if self.session:
                self.send(BYE, self.id, self.nonce, self.session, self.serial)  # P8.5
            self.is_done = True

    def receive(self, name):
        try:
            message = getattr(self, name).recv_multipart(zmq.DONTWAIT)
        except (zmq.Again, AttributeError):  # there is nothing, or no session
            return False
        if len(message) == (2 if name == "events" else 1):  # P1.11
            self.on_frame(*decode(message[-1]))
        return True

    def run(self):
        signal.signal(signal.SIGTERM, self.drain)
        signal.signal(signal.SIGINT, self.drain)
        while not self.is_done:
            self.turn()
            poller = zmq.Poller()
            for socket in filter(None, (self.events, self.pull)):
                poller.register(socket, zmq.POLLIN)
            poller.poll(max(0, min(20, self.report_ms - boot_ms())))
            while self.receive("events") or self.receive("pull"):
                pass
        self.context.destroy(linger=1000)


parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--consumer", required=True, help="ipc://PATH or tcp://HOST:PORT")
parser.add_argument("--id", help="its name (default: that of its key, or py-1)")
parser.add_argument("--slots", type=int, default=4, choices=range(1, 129), metavar="N", help="1 to 128")
parser.add_argument("--mock", default="0.1", metavar="SECONDS", help="how long a mock restart takes")
parser.add_argument("--drain", type=float, default=DRAIN_MS / 1000, metavar="SECONDS",
                    help="how long what runs may go on after TERM (default: %(default)g)")
parser.add_argument("--driver", default="", metavar="NAME", help="of the run, for a command")
parser.add_argument("--key", metavar="FILE", help="of `mayhem keys new`, for a consumer with CURVE")
parser.add_argument("command", nargs="*", help="restarts {host}")
given = parser.parse_args()
if bool(given.command) != bool(given.driver):
    parser.error("a command needs --driver, and --driver a command: else nothing is on record of it")
if not given.key and not re.match(r"ipc:|tcp://(127\.|localhost:|\[::1\]:)", given.consumer):
    parser.error("beyond this machine it needs --key")
given.command = given.command or ["sleep", given.mock]
Restarter(given).run()
