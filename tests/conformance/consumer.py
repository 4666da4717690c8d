"""The consumer that is played for one worker: it answers, counts, and checks each frame that comes (P4.3, P5.2 to
P5.9, P6.5 to P6.8, P6.26 and others, whatever the scene)."""
import os, random, re, subprocess, tempfile, time
from types import SimpleNamespace
import msgpack, zmq
from frames import *

LIFE = 1700000000  # of the first consumer of a scene
GRACE_MS = 150  # for what is not to come
START_MS = 30000  # for a process to begin: no clause says how fast it must


def address_of(name, number, options):
    """The base address of a scene."""
    if not options.side_by_side:
        return options.address
    if options.address.startswith("ipc:"):
        return f"{options.address}-{name}"
    host, _, port = options.address.rpartition(":")
    return f"{host}:{int(port) + 4 * number}"


class Stop(Exception):
    """A scene cannot go on."""


class Scene:
    """A worker, and the consumer that is played for it."""

    def __init__(self, name, number, options, has_inbox=True):
        self.name, self.options, self.lines, self.broken = name, options, [], set()
        self.hb, self.lost = options.heartbeat_ms, options.lost_after_ms
        self.address, self.context, self.paths = address_of(name, number, options), zmq.Context(), []
        self.life, self.last_session, self.last_number = LIFE, LIFE << 32, (LIFE << 32) + 1000
        self.topics, self.frames, self.pushes = [], [], {}
        self.id = self.nonce = self.role = self.push = None
        self.session = self.read = self.sequence = self.stamp = self.part = 0
        self.sessions = {0}                   # that a HELLO may name
        self.tasks, self.results, self.ended = {}, {}, {}  # by number; by serial; serial by number
        self.seen = set()                     # numbers that were listed, or told in STARTED
        self.beats, self.acknowledges, self.halted, self.beat_ms = True, True, False, 0
        self.welcomed = self.is_over = self.is_driver = False
        self.held_ms = self.polled_ms = 0     # how long this machine has held up the tester itself
        self.gaps, self.said_ms = [], None
        self.said = tempfile.TemporaryFile()
        self.events = self.bind(zmq.XPUB, "events")
        self.inbox = self.bind(zmq.PULL, "inbox") if has_inbox else None
        command = [w.replace("{address}", self.address).replace("{scene}", name) for w in options.command]
        self.worker = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=self.said,
                                       stderr=self.said)

    # ---- checks

    def check(self, clause, is_good, what, seen=""):
        if not is_good and (clause, what) not in self.broken:
            self.broken.add((clause, what))
            self.lines.append(f"BROKEN {clause}: {seen[:500] or 'not so'}; expected: {what} [{self.name}]")
        elif is_good:
            line = f"ok {clause} {what}"
            if line not in self.lines:
                self.lines.append(line)
        return is_good

    def need(self, clause, is_good, what, seen=""):
        if not self.check(clause, is_good, what, seen):
            raise Stop

    # ---- sockets

    def bind(self, kind, name):
        socket = self.context.socket(kind)
        socket.set(zmq.LINGER, 0)
        if kind == zmq.XPUB:
            socket.set(zmq.XPUB_VERBOSER, 1)
        if kind == zmq.PUSH:
            socket.set(zmq.IMMEDIATE, 1)
        if self.options.secret:
            socket.curve_server, socket.curve_secretkey = True, self.options.secret
        host, _, port = self.address.rpartition(":")
        if self.address.startswith("ipc:"):
            socket.bind(f"{self.address}.{name}")
            self.paths.append(f"{self.address[6:]}.{name}")  # libzmq leaves it there
        elif kind == zmq.PUSH:
            socket.bind(f"{host}:*")
        else:
            socket.bind(f"{host}:{int(port) + {'inbox': 1, 'events': 2}[name]}")
        return socket

    def suffix(self, push, session):
        if self.address.startswith("ipc:"):
            return f"task.{session:016x}"
        return push.get(zmq.LAST_ENDPOINT).decode().rstrip("\0").rpartition(":")[2]

    def publish(self, topic, data, *more):
        self.events.send_multipart([topic.encode() + b"\0", data, *more])

    def to_worker(self, data):
        self.publish(f"worker.{self.id}", data)

    def answer(self, kind, *rest, life=None, name=None, nonce=None, more=()):
        self.to_worker(pack(VERSION, kind, "consumer", self.life if life is None else life, name or self.id,
                            self.nonce if nonce is None else nonce, *rest, more=more))

    def beat(self, life=None, more=(), **change):
        """change: other values of an acknowledgement."""
        own = {"worker": self.id, "session": self.session, "stamp": self.stamp,
               "confirmed": self.read if self.acknowledges else 0, **change}
        confirms = [[own["worker"], own["session"], own["confirmed"], own["stamp"]]] if self.session else []
        self.publish("consumer", pack(VERSION, BEAT, "consumer", self.life if life is None else life, False,
                                      self.halted, confirms, more=more))

    def is_connected(self, push, wanted, wait_ms=1000):
        """Whether a peer is at this PUSH, or none, within that time."""
        end = boot_ms() + wait_ms
        while bool(push.get(zmq.EVENTS) & zmq.POLLOUT) != wanted and boot_ms() < end:
            self.hear(10)
        return bool(push.get(zmq.EVENTS) & zmq.POLLOUT) == wanted

    # ---- hearing

    def hear(self, wait_ms, *kinds, when=lambda frame: True):
        """Listens for so long, or until such a frame comes: that one, or None. BEATs go out meanwhile."""
        end, first = boot_ms() + wait_ms, len(self.frames)
        while True:
            now = boot_ms()
            if self.beats and now >= self.beat_ms and self.id:
                self.beat_ms = now + self.hb
                self.beat()
            for frame in self.frames[first:]:
                first += 1
                if frame.kind in kinds and when(frame):
                    return frame
            if now >= end:
                return None
            self.poll(max(1, min(end - now, 20)))

    def poll(self, wait_ms):
        began = boot_ms()
        if self.polled_ms:
            self.held_ms = max(self.held_ms, began - self.polled_ms)
        if not (self.inbox or self.events).poll(wait_ms):
            self.held_ms = max(self.held_ms, boot_ms() - began - wait_ms)
        self.polled_ms = boot_ms()
        while self.events.poll(0):
            change = self.events.recv()
            self.topics.append((change[:1] == b"\1", change[1:]))
        while self.inbox and self.inbox.poll(0):
            message = self.inbox.recv_multipart()
            if self.check("P1.11", len(message) == 1, "a message on the inbox has one frame",
                          f"{len(message)} frames"):
                self.read_frame(message[0])

    def settle(self):
        """What it says to what it was sent so far: it answers a question behind that."""
        first, viewer = len(self.frames), random.getrandbits(60)
        self.publish("consumer", pack(VERSION, QUERY, viewer, 1, self.id, 0, ""))
        self.hear(1000, TELL)
        self.hear(GRACE_MS)
        return self.frames[first:]

    def read_frame(self, data):
        try:
            fields = msgpack.unpackb(data, raw=False, ext_hook=lambda code, _: 1 / 0, timestamp=0)
            is_array = type(fields) is list and len(fields) >= 2
        except Exception as error:
            self.check("P2.1", False, "a frame is one MessagePack array of known types",
                       f"{error!r} of {data[:40].hex()}")
            return
        self.need("P2.1", is_array, "a frame is one MessagePack array of known types", repr(fields)[:80])
        self.need("P2.2", fields[0] == VERSION and fields[1] in SHAPES,
                  f"version {VERSION}, and a kind that a worker sends", repr(fields[:2]))
        kind, fields = fields[1], fields[2:]
        if not self.check("P2.15", fits(fields, SHAPES[kind]), "each field has its type and range",
                          f"kind {kind}: {fields!r:.300}"):
            return
        frame = SimpleNamespace(kind=kind, fields=fields, at_ms=boot_ms(), stamp=None, slots=None,
                                results=[], held=[])
        self.check("P8.5", not self.is_over, "BYE is its last frame", f"kind {kind} behind it")
        if kind == TELL:
            frame.process, frame.viewer, frame.about, frame.text = fields[:4]
        else:
            if self.id is None:
                self.id, self.nonce = fields[:2]
            self.check("P4.9", fields[:2] == [self.id, self.nonce], "one name and instance",
                       repr(fields[:2]))
            frame.session = fields[3] if kind in (HELLO, HEARTBEAT) else fields[2]
            self.check("P4.10", self.welcomed or kind == HELLO, "without a session only HELLO, and TELL",
                       f"kind {kind}")
        if kind in (HELLO, HEARTBEAT):
            self.read_report(frame)
        elif kind in (STARTED, RESULTS):
            frame.results = fields[3] if kind == RESULTS else []
            for started in fields[3] if kind == STARTED else []:
                if self.check("P6.7", started in self.tasks, "STARTED names tasks that it was given",
                              str(started)):
                    self.seen.add(started)
        elif kind == BYE:
            frame.last, self.is_over = fields[3], True
        self.read_results(frame)
        self.frames.append(frame)

    def read_report(self, frame):
        _, _, self.role, frame.session, sequence, frame.stamp, frame.slots, frame.last = frame.fields[:8]
        part, parts, *rest = frame.fields[8:]
        frame.part, frame.parts = part, parts
        if frame.kind == HELLO:
            frame.driver, frame.verbs, *rest = rest
            self.is_driver = frame.driver != ""
            self.check("P4.3", frame.session in self.sessions,
                       "HELLO names the highest session that it was given",
                       f"{frame.session}, given {sorted(self.sessions)}")
        else:
            self.check("P6.1", frame.session in self.sessions and frame.session != 0,
                       "HEARTBEAT names a session that it was given", str(frame.session))
            if frame.session == self.session and part == 0:
                self.gaps += [frame.stamp - self.said_ms] if self.said_ms else []
                self.said_ms = frame.stamp
        frame.held, frame.results = rest[:2]
        if part == 0:
            self.check("P5.2", sequence > self.sequence, "each report has a higher sequence",
                       f"{sequence} after {self.sequence}")
            self.listed = []
        else:
            self.check("P5.5", sequence == self.sequence and part == self.part + 1,
                       "the parts of a report come in order, with one sequence",
                       f"part {part} after {self.part}")
        self.sequence, self.part = max(sequence, self.sequence), part
        age = frame.at_ms - frame.stamp
        frame.after_ms = frame.stamp - self.stamp  # the report before it
        self.check("P5.3", -1 <= age <= 5000 and frame.stamp >= self.stamp - 1,
                   "the stamp is CLOCK_BOOTTIME when the report is made", f"{age} ms old")
        self.stamp = max(frame.stamp, self.stamp) if age >= 0 else self.stamp
        serials = [r[0] for r in frame.results]
        self.check("P5.7",
                   serials == list(range(serials[0], serials[0] + len(serials))) if serials else True,
                   "results in a report are in order, without a gap", str(serials))
        self.check("P5.5", not serials or serials[-1] <= frame.last,
                   "last_serial is that of its newest result", f"{serials[-1:]} beyond {frame.last}")
        self.listed += [h[0] for h in frame.held]

    def read_results(self, frame):
        for r in frame.results:
            serial, num, leg, job = r[:4]
            if serial in self.results:
                self.check("P6.8", self.results[serial] == r,
                           "a result is repeated as it was, under its serial",
                           f"{r} was {self.results[serial]}")
                continue
            high = max(self.results, default=0)
            self.check("P6.8", serial == high + 1, "results are numbered 1, 2, 3 …, and sent in that order",
                       f"{serial} after {high}")
            self.results[serial] = r
            task = self.tasks.get(num)
            if self.check("P6.5", task is not None and task[1:3] == [leg, job],
                          "a result names a task that it was given, its leg and its job", repr(r[:4])):
                self.check("P6.5", num not in self.ended, "each task gets exactly one result",
                           f"a second one of {num}")
                self.ended[num] = serial
            self.check("P6.26", is_end(r), "status, outcome and error fit together",
                       repr(r[2:3] + r[4:6] + r[7:8]))
        while self.read + 1 in self.results:
            self.read += 1
        if frame.kind in (HELLO, HEARTBEAT):
            self.read_held(frame)

    def read_held(self, frame):
        for num, job, leg, _, host in frame.held:
            task = self.tasks.get(num)
            self.check("P5.4", task is not None and task[1:3] == [leg, job] and host in ("", task[3]),
                       "a report lists tasks that it holds, as they were given", str(num))
            self.seen.add(num)
        if frame.part + 1 < frame.parts:
            return
        told = {num for num, serial in self.ended.items() if serial <= frame.last}
        self.check("P5.9", not told & set(self.listed),
                   "a report lists no task whose result its last_serial covers",
                   str(told & set(self.listed)))
        missing = self.seen - set(self.listed) - told
        if frame.last <= max(self.results, default=0):  # else the result may be on its way
            self.check("P5.4", not missing, "a report lists every task that has no result",
                       f"without {missing}")

    # ---- steps

    def open_session(self, session):
        self.push = self.pushes[session] = self.bind(zmq.PUSH, f"task.{session:016x}")
        return self.push

    def welcome(self, session=None, life=None, more=()):
        """Gives it a session; its first HEARTBEAT there, or None."""
        if session is None:
            self.last_session += 1
            session = self.last_session
        push = self.open_session(session)
        self.welcomed = True
        self.sessions.add(session)
        former, self.session, self.said_ms = self.session, session, None
        self.answer(WELCOME, session, self.suffix(push, session), life=life, more=more)
        frame = self.hear(2 * self.hb, HEARTBEAT, when=lambda f: f.session == session)
        if frame:
            self.sessions = {s for s in self.sessions if s >= session}
            self.beat()  # a permit, for a real driver
        else:
            self.session = former
        return frame

    def first(self, is_there):
        """What this function gives of a worker that begins, or None."""
        end, found = boot_ms() + START_MS, None
        while not found and self.worker.poll() is None and boot_ms() < end:
            self.hear(20)
            found = is_there()
        return found

    def first_hello(self):
        hello = self.first(lambda: next((f for f in self.frames if f.kind == HELLO), None))
        self.need("P4.2", hello is not None, "it says HELLO", f"exit {self.worker.poll()}; {self.last_words()}")
        return hello

    def join(self, more=()):
        self.first_hello()
        for _ in range(3):
            heartbeat = self.welcome(more=more)
            if heartbeat:
                break
        self.need("P2.3" if more else "P4.7", heartbeat is not None,
                  "it joins: a HEARTBEAT follows WELCOME" + (" with elements of a later version" if more else ""))
        self.need("P4.6", self.is_connected(self.push, True), "it connects to its task endpoint")

    def said_size(self):
        return os.fstat(self.said.fileno()).st_size

    def last_words(self):
        self.said.seek(0)
        return "it has said: " + " / ".join(self.said.read().decode(errors="replace").strip().splitlines()[-3:])

    def after_heartbeat(self):
        """Waits for one: the next is due a whole heartbeat later."""
        self.need("P5.1", self.hear(4 * self.hb, HEARTBEAT) is not None, "it sends HEARTBEATs")

    def is_saver(self):
        return self.role == SAVER

    def task(self, leg=None, number=None, job=None):
        """A new one, known as given."""
        if number is None:
            self.last_number += 1
            number = self.last_number
        leg = leg or (SAVE if self.is_saver() else RESTART)
        task = [number, leg, job or random.randbytes(16), f"{self.name}-{number % 10000}"]
        if leg in SAVES:
            task += [1, "p1", int(time.time() * 1000)] + ([1, 0, 1, "r1", ""] if leg == SETTLE else [])
        else:
            task += [1] + ([{}, 900000, 0, 0, 1, NO_ID, NO_ID, "", False, False] if self.is_driver else [])
        self.tasks[number] = task
        return task

    def give(self, *tasks, stamp=None, session=None, confirmed=0, last=False, start_ms=None, more=()):
        for task in tasks:
            if self.is_driver and task[1] == RESTART and len(task) > 8:
                task[8] = self.stamp + self.lost if start_ms is None else start_ms
        self.give_raw(pack(VERSION, TASKS, self.session if session is None else session,
                           self.stamp if stamp is None else stamp, confirmed, last, list(tasks), more=more))

    def give_raw(self, *message):
        self.need("P4.6", self.is_connected(self.push, True, 2000), "it is connected to its task endpoint")
        self.push.send_multipart(message)

    def result(self, task, wait_ms=None):
        """The result of this task, when it comes in that time."""
        if task[0] not in self.ended:
            self.hear(wait_ms or self.options.task_ms + 2000, HELLO, HEARTBEAT, RESULTS,
                      when=lambda _: task[0] in self.ended)
        return self.results.get(self.ended.get(task[0]))

    def status(self, task, wait_ms=None):
        found = self.result(task, wait_ms)
        return found[4] if found else None

    def is_done(self, task):
        return self.status(task) in (OK, FAILED)

    def next_hello(self, wait_ms):
        return self.hear(wait_ms, HELLO)

    def exit_code(self, wait_ms):
        """Of the worker; None when it still runs after that time."""
        end = boot_ms() + wait_ms
        while self.worker.poll() is None and boot_ms() < end:
            self.hear(20)
        return self.worker.poll()

    def close(self):
        if len(self.gaps) >= 3:
            median = sorted(self.gaps)[len(self.gaps) // 2]
            self.check("P5.1", median <= 1.4 * self.hb, "it sends a HEARTBEAT every heartbeat",
                       f"every {median} ms")
        if self.worker.poll() is None:
            self.worker.kill()
        self.worker.wait()
        for socket in filter(None, (self.inbox, self.events, *self.pushes.values())):
            socket.close()
        self.context.term()
        for path in filter(os.path.exists, self.paths):
            os.unlink(path)
