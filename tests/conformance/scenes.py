"""The scenes: each is a worker of its own, and what is done to it."""
import json, random, time
import msgpack, zmq
from consumer import GRACE_MS, LIFE, Stop
from frames import *

END_MS = 5000  # for a process to end
SCENES = {}
# What no scene looks at, since it cannot be seen from outside, or not within some seconds.
UNSEEN = (("P1.5", "the options but IMMEDIATE: marks, LINGER, sizes, times"),
          ("P1.7", "whether ZMTP heartbeats are off"),
          ("P5.8, P5.10", "more results, or parts, than one report has"),
          ("P6.10, P6.19", "whether an answer comes behind its commit"),
          ("P6.14, P6.15", "attributes that a command needs, and its deadline"),
          ("P6.16, P6.20, P6.21", "looks, debts and probes of a real driver"),
          ("P6.27", "whether it has more slots than it can start in time"))

def scene(function):
    SCENES[function.__name__] = function
    return function


@scene
def join(s):
    """Nobody answers, then the wrong ones."""
    hello = s.first_hello()
    topics = {topic for is_on, topic in s.topics if is_on}
    s.check("P4.1", {b"consumer\0", f"worker.{s.id}\0".encode()} <= topics,
            "it has subscribed before its first HELLO, each topic with its NUL", str(topics))
    s.check("P1.8", all(topic.endswith(b"\0") for topic in topics), "a topic ends with its NUL byte",
            str(topics))
    s.check("P4.3", hello.session == 0 and hello.last == 0,
            "the first HELLO names no session and no result", f"{hello.session}, {hello.last}")
    s.check("P2.15", hello.slots > 0, "it has slots", str(hello.slots))
    s.hear(4 * s.hb)
    times = [f.stamp for f in s.frames if f.kind == HELLO]
    gaps = sorted(b - a for a, b in zip(times, times[1:]))
    s.check("P4.2", len(gaps) >= 3 and gaps[-2] <= 1.4 * s.hb,
            "HELLO is repeated, at most a heartbeat apart", f"gaps of {gaps} ms")
    s.session = 0
    push = s.open_session(s.last_session + 1)
    suffix = s.suffix(push, s.last_session + 1)
    for what, change in (("another instance", {"nonce": s.nonce ^ 1}), ("another name", {"name": s.id + "0"})):
        s.answer(WELCOME, s.last_session + 1, suffix, **change)
        s.settle()
        s.check("P1.9", s.is_connected(push, False, 0), f"a WELCOME for {what} is ignored", "it connects")
    s.answer(WELCOME, (LIFE << 32) + (1 << 41), suffix)
    s.settle()
    s.check("P4.12", s.is_connected(push, False, 0), "a session far above its epoch is ignored",
            "it connects")
    s.answer(WELCOME, (1 << 64) - 9, suffix, life=1 << 32)
    s.settle()
    s.check("P4.12", s.is_connected(push, False, 0), "an epoch above 2^32 - 1 is ignored", "it connects")
    s.last_session += 1
    s.join()


@scene
def welcome(s):
    """One after the other, the same again, lower ones."""
    s.join()
    for i in range(4):
        former = s.push
        s.after_heartbeat()
        asked = boot_ms()
        frame = s.welcome()
        if i == 0:
            s.need("P4.5", frame is not None, "a WELCOME of a higher session is taken")
            s.check("P4.6", s.is_connected(former, False), "the PULL of the former session is closed",
                    "it is still connected")
        is_at_once = frame is not None and frame.stamp - asked < 0.6 * s.hb
        if is_at_once:
            break
    s.check("P4.7", is_at_once, "a HEARTBEAT is sent at once on WELCOME",
            f"{frame and frame.stamp - asked} ms later")
    s.after_heartbeat()
    push, session = s.push, s.session
    s.answer(WELCOME, session, s.suffix(push, session))
    said = [f for f in s.settle() if f.kind == HELLO or (f.kind == HEARTBEAT and f.after_ms < 0.6 * s.hb)]
    s.check("P4.5", not said, "the same WELCOME once more is ignored",
            f"it answers with kind {said and said[0].kind}")
    lower = session - 1
    s.sessions.add(lower)
    s.answer(WELCOME, lower, s.suffix(s.pushes[lower], lower))
    s.settle()
    said = s.hear(2 * s.hb, HEARTBEAT, when=lambda f: f.session == lower)
    s.check("P4.5", said is None, "a WELCOME of a lower session is ignored", "it takes the session")
    s.sessions.discard(lower)
    s.answer(REFUSED, 0, "just so")
    s.answer(REJOIN, 0, nonce=s.nonce ^ 1)
    s.check("P1.9", not any(f.kind == HELLO for f in s.settle()),
            "a REJOIN for another instance is ignored", "it says HELLO")
    s.check("P4.8", s.worker.poll() is None, "REFUSED is ignored in a session", "it has ended")


@scene
def fresh(s):
    """Its inbox is there only a while after its start (see LATE_INBOX)."""
    s.first(lambda: s.topics)
    s.hear(1.5 * s.hb)
    opened = boot_ms()
    s.inbox = s.bind(zmq.PULL, "inbox")
    s.first_hello()
    s.hear(s.hb)
    former = [f.stamp - opened for f in s.frames if f.kind == HELLO and f.stamp < opened]
    s.check("P1.5", not former, "what cannot be sent is dropped, not kept for later (IMMEDIATE, DONTWAIT)",
            f"HELLOs that are older than the inbox: {former} ms")


LATE_INBOX = {"fresh"}  # scenes that bind it themselves


@scene
def answers(s):
    """What is no WELCOME, and no word of this version."""
    s.first_hello()
    s.hear(s.hb)
    size = s.said_size()
    for _ in range(4):
        s.publish("consumer", pack(VERSION + 1, BEAT, "consumer", s.life, False, False, []))
        s.hear(GRACE_MS)
    s.check("P2.13", s.said_size() > size, "it logs, on its output, that it hears another version",
            "its output has nothing new")
    push = s.open_session(s.last_session + 1)
    s.welcomed = True
    for suffix in ("", "task.12", "task.000000000000000C", "task.000000000000000c/x", "task.000000000000000c\n",
                   "../task.000000000000000c", "0", "0080", "65536", "123456", "80 "):
        s.last_session += 1
        s.sessions.add(s.last_session)
        s.answer(WELCOME, s.last_session, suffix)
        s.need("P1.2", not any(f.kind == HEARTBEAT for f in s.settle()) and s.worker.poll() is None,
               "a WELCOME whose suffix is none is refused", f"it takes {suffix!r}, or ends")
    s.sessions = {0}
    s.join()


@scene
def gone(s):
    """The endpoint in a WELCOME is closed by now."""
    s.first_hello()
    s.last_session += 1
    s.session, s.welcomed = s.last_session, True
    s.sessions.add(s.session)
    s.answer(WELCOME, s.session, f"task.{s.session:016x}" if s.address.startswith("ipc:") else "1")
    s.need("P4.11", s.hear(3 * s.hb, HEARTBEAT) is not None,
           "it sends HEARTBEATs though its endpoint is gone")
    s.answer(REJOIN, 0)
    s.need("P4.11", s.next_hello(3 * s.hb) is not None, "REJOIN is followed by HELLO")
    s.check("P4.11", s.welcome() is not None and s.is_connected(s.push, True),
            "and it joins the next session")


@scene
def tasks(s):
    """Those that it does, and those that it returns or ignores."""
    s.join()
    first = s.task()
    s.give(first)
    s.need("P6.5", s.is_done(first), "a task that is in time is done, and gets a result",
           f"status {s.status(first)}")
    former = s.session
    stale, future, again, strange = s.task(), s.task(), s.task(), s.task()
    s.after_heartbeat()
    s.give(stale, stamp=boot_ms() - s.lost - 50)
    s.check("P6.2", s.status(stale) == RETURNED, "a task is returned when its stamp is lost-after old",
            f"status {s.status(stale)}")
    s.give(future, stamp=boot_ms() + 3600000)
    s.check("P4.12", s.status(future) == RETURNED,
            "a task is returned when its stamp is later than the worker's clock",
            f"status {s.status(future)}")
    s.give(strange, session=former + 7)
    s.hear(s.options.task_ms + GRACE_MS)
    s.check("P6.1", strange[0] not in s.ended, "TASKS of another session are ignored", "it gets a result")
    s.give(again)
    s.check("P6.5", s.is_done(again), "a task that is in time is done", f"status {s.status(again)}")
    for number, what in ((again[0], "again"), (stale[0], "again that was returned"),
                         (first[0] - 1, "lower than one seen")):
        s.tasks.setdefault(number, s.tasks[again[0]])
        before = dict(s.results)
        s.give([number, *s.tasks[again[0]][1:3], *again[3:]])
        s.settle()
        s.hear(s.options.task_ms + GRACE_MS)
        s.check("P6.3", s.results == before, f"a number that comes {what} is ignored",
                f"a result: {list(s.results.values())[-1][:5]}")
    other = s.task(leg=RESTART if s.is_saver() else SAVE)
    s.give(other)
    s.check("P6.13", s.status(other) == RETURNED, "a task of a leg that is not the worker's is returned",
            f"status {s.status(other)}")
    far = s.task(number=s.session + (1 << 41))
    s.give(far)
    s.settle()
    s.hear(s.options.task_ms)
    s.check("P4.12", far[0] not in s.ended, "a number that is far above its session is ignored",
            "it gets a result")
    last = s.task()
    s.give(last)
    s.check("P6.3", s.is_done(last), "what was ignored does not count as seen", f"status {s.status(last)}")
    if s.is_saver():
        saved(s)


def saved(s):
    """The outcome on record never changes."""
    job = random.randbytes(16)
    settle, save, other = s.task(SETTLE, job=job), s.task(SAVE, job=job), s.task(SETTLE, job=job)
    for task in (save, other):
        task[3] = settle[3]
    other[9], other[11] = 2, "too late"
    for task, what in ((settle, "a settle is answered with its outcome"),
                       (save, "a save with the outcome that is on record"),
                       (other, "and a settle with another one, too")):
        s.give(task)
        found = s.result(task)
        s.check("P6.11", found is not None and found[4:6] == [OK, 1], what, repr(found and found[4:6]))


@scene
def results(s):
    """They are repeated until they are acknowledged."""
    s.join()
    s.acknowledges = False
    done = [s.task() for _ in range(2)]
    s.give(done[0])
    s.need("P6.5", s.is_done(done[0]), "a task is done")
    repeats = lambda serial: lambda f: serial in [r[0] for r in f.results]
    s.hear(1)
    for _ in range(2):
        s.check("P5.7", s.hear(4 * s.hb, HEARTBEAT, when=repeats(1)) is not None,
                "a HEARTBEAT repeats what is not acknowledged for a heartbeat", "no HEARTBEAT has it")
    s.beat(session=s.session + 1, confirmed=1)
    s.beat(worker=s.id + "0", confirmed=1)
    s.beat(confirmed=999)
    s.settle()
    s.check("P6.9", s.hear(3 * s.hb, HEARTBEAT, when=repeats(1)) is not None,
            "an acknowledgement of another session or worker, or beyond its last serial, is none",
            "it is not repeated any more")
    s.beat(confirmed=1, more=LATER_IN_BEAT)
    s.settle()
    s.check("P6.9", s.hear(3 * s.hb, HEARTBEAT, when=repeats(1)) is None,
            "what BEAT acknowledges is not repeated", "it is")
    s.give(done[1])
    s.need("P6.5", s.is_done(done[1]), "a task is done")
    s.give(confirmed=2)
    s.settle()
    s.check("P6.9", s.hear(3 * s.hb, HEARTBEAT, when=repeats(2)) is None,
            "what TASKS acknowledges is not repeated", "it is")
    s.beat(confirmed=1)
    s.settle()
    s.check("P6.9", s.hear(2 * s.hb, HEARTBEAT, when=repeats(2)) is None,
            "an acknowledgement never goes back", "it repeats more")
    s.sessions.add(s.session)
    s.answer(REJOIN, 0)
    hello = s.next_hello(2 * s.hb)
    s.need("P7.1", hello is not None, "REJOIN is followed by HELLO")
    s.check("P4.4", [r[0] for r in hello.results] == [1, 2],
            "HELLO has the last results, also those that are acknowledged",
            str([r[0] for r in hello.results]))


@scene
def slots(s):
    """More than it has slots."""
    s.join()
    if s.options.task_ms < s.hb:
        return
    count = next(f.slots for f in reversed(s.frames) if f.kind == HEARTBEAT)
    given = [s.task() for _ in range(count + 1)]
    s.give(*given[:256])
    s.check("P6.4", s.status(given[-1]) == RETURNED, "a task without a free slot is returned",
            f"status {s.status(given[-1], 1)}")
    frame = s.hear(2 * s.hb, HEARTBEAT)
    s.check("P5.4",
            frame is not None and set(given[i][0] for i in range(count)) - set(s.ended) <= set(s.listed),
            "a HEARTBEAT lists what runs", str(s.listed))
    s.check("P6.4", all(s.is_done(task) for task in given[:-1]), "those with a slot are done",
            str([s.status(t, 1) for t in given]))
    more = s.task()
    s.give(more)
    s.check("P6.4", s.is_done(more), "a slot is free again when its task has ended",
            f"status {s.status(more)}")


@scene
def rejoin(s):
    """In the middle of a task."""
    s.join()
    s.acknowledges = False
    former, session = s.push, s.session
    running = s.task()
    s.give(running)
    s.hear(2 * s.hb, STARTED, RESULTS, HEARTBEAT,
           when=lambda f: running[0] in s.seen or running[0] in s.ended)
    s.answer(REJOIN, 0, more=LATER)
    asked = boot_ms()
    hello = s.next_hello(3 * s.hb)
    s.need("P7.1", hello is not None, "REJOIN is followed by HELLO")
    s.check("P7.1", hello.stamp - asked < 0.8 * s.hb, "HELLO is sent at once",
            f"{hello.stamp - asked} ms later")
    s.check("P7.1", s.is_connected(former, False), "the PULL is closed", "it is still connected")
    s.check("P4.3", hello.session == session, "HELLO names the session that it had", str(hello.session))
    if s.options.task_ms >= s.hb:
        s.check("P4.4", running[0] in s.listed or running[0] in s.ended, "HELLO lists the running task",
                str(s.listed))
    first = len(s.frames)
    s.hear(s.options.task_ms + s.hb, HELLO, when=lambda f: running[0] in s.ended)
    kinds = {f.kind for f in s.frames[first:]}
    s.check("P4.10", kinds <= {HELLO, TELL}, "without a session only HELLO, and TELL", f"kinds {kinds}")
    s.check("P7.2", s.is_done(running), "a running task goes on, and its result goes with HELLO",
            f"status {s.status(running)}")
    heartbeat = s.welcome()
    s.need("P4.5", heartbeat is not None, "it joins again")
    s.check("P4.7", s.ended.get(running[0]) in [r[0] for r in heartbeat.results],
            "the first HEARTBEAT has every result that is not acknowledged",
            str([r[0] for r in heartbeat.results]))
    s.acknowledges = True
    after = s.task()
    s.give(after)
    s.check("P6.8", s.is_done(after), "results are counted over all sessions", f"status {s.status(after)}")


@scene
def epoch(s):
    """A new consumer, and the words of an old one."""
    s.join()
    former, old = s.push, s.life
    s.beat(life=1 << 32)
    s.check("P4.12", not any(f.kind == HELLO for f in s.settle()),
            "a BEAT of an epoch above 2^32 - 1 is ignored", "it says HELLO")
    s.life += 1
    s.last_session, s.last_number = s.life << 32, (s.life << 32) + 1000
    s.beats = False
    s.publish("consumer", pack(VERSION, BEAT, "consumer", s.life, False, False, [], more=LATER_IN_BEAT))
    asked = boot_ms()
    hello = s.next_hello(3 * s.hb)
    s.need("P7.1", hello is not None, "a BEAT of a higher epoch is followed by HELLO")
    s.check("P7.1", hello.stamp - asked < 0.8 * s.hb, "HELLO is sent at once",
            f"{hello.stamp - asked} ms later")
    s.check("P7.1", s.is_connected(former, False), "the PULL is closed at a higher epoch",
            "it is still connected")
    session = (old << 32) + 999
    push = s.bind(zmq.PUSH, f"task.{session:016x}")
    s.pushes[session] = push
    s.answer(WELCOME, session, s.suffix(push, session), life=old)
    s.settle()
    s.check("P7.3", s.is_connected(push, False, 0), "a WELCOME of a lower epoch is ignored", "it connects")
    s.need("P4.5", s.welcome() is not None, "it joins the new consumer")
    s.beats = True
    task = s.task()
    s.acknowledges = False
    s.give(task)
    s.need("P6.5", s.is_done(task), "a task of the new consumer is done")
    s.beat(life=old, confirmed=1)
    s.check("P7.3", not any(f.kind == HELLO for f in s.settle()), "a BEAT of a lower epoch is ignored",
            "it says HELLO")
    repeated = s.hear(3 * s.hb, HEARTBEAT, when=lambda f: 1 in [r[0] for r in f.results])
    s.check("P7.3", repeated is not None, "it acknowledges nothing, either",
            "the result is not repeated any more")
    for what, kind, rest in (("LEAVING", LEAVING, None), ("REJOIN", REJOIN, [0])):
        if rest is None:
            s.publish("consumer", pack(VERSION, kind, "consumer", old))
        else:
            s.answer(kind, *rest, life=old)
        s.settle()
        s.check("P7.3", s.is_connected(s.push, True, 0), f"a {what} of a lower epoch is ignored",
                "it has left its session")


@scene
def leaving(s):
    s.join()
    former = s.push
    running = s.task()
    s.give(running)
    s.hear(GRACE_MS)
    s.beats = False
    s.publish("consumer", pack(VERSION, LEAVING, "consumer", s.life, more=LATER))
    asked, first = boot_ms(), len(s.frames)
    hello = s.next_hello(4 * s.hb)
    s.need("P7.5", hello is not None, "LEAVING is followed by HELLO")
    s.check("P7.5", hello.stamp - asked >= 0.6 * s.hb, "after LEAVING HELLO waits for a heartbeat",
            f"{hello.stamp - asked} ms")
    s.check("P7.5", s.is_connected(former, False), "the PULL is closed at LEAVING", "it is still connected")
    s.check("P7.2", s.is_done(running), "what runs goes on", f"status {s.status(running)}")
    s.beats = True
    s.life += 1
    s.last_session = s.life << 32
    s.need("P7.5", s.welcome() is not None, "it joins the next consumer")


@scene
def silence(s):
    """Nothing is heard; then a consumer with a lower epoch, whose predecessor's record was lost."""
    s.join()
    high = s.task()
    s.give(high)
    s.need("P6.5", s.is_done(high), "a task is done")
    s.after_heartbeat()
    s.beat()
    s.beats, quiet, former, seen = False, boot_ms(), s.push, len(s.topics)
    hello = s.next_hello(8 * s.hb)
    s.need("P7.4", hello is not None, "after three heartbeats without BEAT it begins again with HELLO")
    span = hello.stamp - quiet
    s.check("P7.4", 2.7 * s.hb <= span <= 5 * s.hb, "that is after three heartbeats", f"{span} ms")
    s.check("P7.4", s.is_connected(former, False), "its sockets are destroyed",
            "it is still connected to its tasks")
    s.hear(s.hb)
    changes = s.topics[seen:]
    s.check("P7.4", (True, b"consumer\0") in changes, "its sockets are made anew, and subscribed",
            f"{changes}")
    s.life -= 1
    s.last_session, s.last_number = s.life << 32, (s.life << 32) + 1000
    s.sessions.add(0)
    s.publish("consumer", pack(VERSION, BEAT, "consumer", s.life, False, False, []))
    s.hear(GRACE_MS)
    s.check("P4.13", s.welcome() is not None,
            "after that the next BEAT is the consumer's, also of a lower epoch", "it does not join")
    s.beats = True
    task = s.task()
    s.give(task)
    s.check("P4.13", s.is_done(task), "numbers are counted from it", f"status {s.status(task)}")


@scene
def drain(s):
    """TERM, with something to do."""
    s.join()
    running = s.task()
    s.give(running)
    s.hear(GRACE_MS)
    s.after_heartbeat()
    s.acknowledges = False
    s.worker.terminate()
    asked = boot_ms()
    if s.is_saver():
        drain_saver(s)
        return
    frame = s.hear(3 * s.hb, HEARTBEAT, when=lambda f: f.slots == 0)
    s.need("P8.1", frame is not None, "TERM: a HEARTBEAT with 0 slots")
    s.check("P8.1", frame.stamp - asked < 0.8 * s.hb, "that is sent at once",
            f"{frame.stamp - asked} ms later")
    late = s.task()
    s.give(late)
    s.check("P8.1", s.status(late) == RETURNED, "a task that comes then is returned",
            f"status {s.status(late)}")
    s.check("P8.4", s.is_done(running), "a running task is finished", f"status {s.status(running)}")
    s.hear(0.8 * s.lost)
    s.need("P8.3", not s.is_over and s.worker.poll() is None,
           "it does not leave before its results are acknowledged", "it leaves")
    s.acknowledges = True
    s.give(confirmed=s.read, last=True)
    bye = s.hear(s.lost + 2 * s.hb, BYE) or next((f for f in s.frames if f.kind == BYE), None)
    s.need("P8.3", bye is not None, "BYE, when all is acknowledged and nothing more comes")
    s.check("P8.5", bye.last == max(s.results), "BYE names its last serial",
            f"{bye.last} of {max(s.results)}")
    s.check("P8.8", s.exit_code(END_MS) == 0, "it ends with 0", f"exit {s.worker.poll()}")


def drain_saver(s):
    s.acknowledges = True
    s.hear(3 * s.hb)
    frames = [f for f in s.frames[-8:] if f.kind == HEARTBEAT]
    s.check("P8.6", s.worker.poll() is None and frames[-1].slots > 0,
            "TERM: a saver keeps its slots, and serves", "it does not")
    settle = s.task(SETTLE)
    s.give(settle)
    s.check("P8.6", s.status(settle) == OK, "a settle is still answered", f"status {s.status(settle)}")
    s.beat()
    s.publish("consumer", pack(VERSION, LEAVING, "consumer", s.life))
    s.beats = False
    s.check("P8.9", s.exit_code(END_MS) == 0, "it leaves when the consumer has left: exit 0",
            f"exit {s.worker.poll()}")


@scene
def alone(s):
    """TERM without a session, and with nothing to tell."""
    s.beats = False
    s.first_hello()
    s.worker.terminate()
    code = s.exit_code(s.lost + END_MS)
    stamps = [f.stamp for f in s.frames if f.slots == 0] or [0]
    s.check("P8.8", code == 0 and stamps[-1] - stamps[0] < 0.6 * s.lost,
            "without a session, and with nothing to tell, it ends with 0 at once",
            f"exit {code}, HELLOs with 0 slots for {stamps[-1] - stamps[0]} ms")


@scene
def last(s):
    """TERM while a task runs; the consumer never says that it was the last one."""
    s.join()
    if s.is_saver():
        return
    first, task = s.task(), s.task()
    given = boot_ms()
    s.give(first)
    s.need("P6.5", s.is_done(first), "a task is done")
    took_ms = boot_ms() - given
    s.after_heartbeat()
    s.give(task)
    s.hear(max(GRACE_MS, took_ms - s.hb // 2))
    s.worker.terminate()
    is_told = lambda f: f.slots == 0 and task[0] not in [h[0] for h in f.held] and f.last == 2
    frame = s.hear(took_ms + 4 * s.hb, HEARTBEAT, when=is_told)
    s.need("P8.4", s.status(task, 1) in (OK, FAILED), "what runs goes on when it drains", f"{s.status(task, 1)}")
    if any(f.kind == HEARTBEAT and f.slots == 0 and f.held for f in s.frames):
        s.check("P8.8", frame is not None and frame.after_ms < 0.8 * s.hb,
                "one more HEARTBEAT with 0 slots is sent at once when nothing runs any more",
                f"it comes {frame and frame.after_ms} ms after the one before")
    ended = next(f.at_ms for f in s.frames if task[0] in [r[1] for r in f.results])
    code = s.exit_code(s.lost + END_MS)
    bye = next((f for f in s.frames if f.kind == BYE), None)
    s.check("P8.3", bye is None or bye.at_ms - ended >= 0.8 * s.lost,
            "it does not leave before it has heard that nothing more comes, or lost-after has passed",
            f"BYE {bye and bye.at_ms - ended} ms after the last task")
    s.check("P8.8", code == 0 and bye is not None and bye.at_ms - ended <= 2 * s.lost,
            "it leaves without that word, with BYE and 0, when lost-after has passed since nothing runs",
            f"exit {code}, BYE {bye and bye.at_ms - ended} ms after the last task")


@scene
def left(s):
    """TERM while a task runs, and the consumer leaves before it ends."""
    s.join()
    if s.is_saver():
        return
    s.acknowledges = False
    s.give(s.task())
    s.hear(GRACE_MS)
    s.worker.terminate()
    s.need("P8.1", s.hear(3 * s.hb, HEARTBEAT, when=lambda f: f.slots == 0) is not None,
           "TERM: a HEARTBEAT with 0 slots")
    s.beats, first = False, len(s.frames)
    s.publish("consumer", pack(VERSION, LEAVING, "consumer", s.life))
    code = s.exit_code(s.options.task_ms + END_MS)
    s.check("P8.9", code == 0, "it leaves when the consumer has left and nothing runs: exit 0",
            f"exit {code}")
    s.check("P8.11", not any(f.kind == BYE for f in s.frames[first:]), "without a session there is no BYE",
            "BYE")


@scene
def limit(s):
    """TERM, and a task that takes longer than the drain limit (with --drain-ms)."""
    s.join()
    if s.is_saver():
        return
    task = s.task()
    s.give(task)
    s.hear(GRACE_MS)
    s.worker.terminate()
    asked = boot_ms()
    found = s.result(task, s.options.drain_ms + s.lost)
    span = boot_ms() - asked
    s.need("P8.4", found is not None and found[4] in (FAILED, OPEN),
           "at its drain limit it ends what runs, and tells that it failed",
           f"status {found and found[4]} {span} ms after TERM")
    s.check("P8.4", span >= 0.8 * s.options.drain_ms, "until then it runs on", f"{span} ms")
    code = s.exit_code(s.lost + END_MS)
    s.check("P8.8", code == 0, "it leaves lost-after beyond its drain limit at the latest: exit 0",
            f"exit {code}")


@scene
def refused(s):
    """For longer than it takes to presume a former process lost."""
    s.first_hello()
    began = boot_ms()
    s.answer(REFUSED, 0, "another process has this id")
    while s.worker.poll() is None and boot_ms() < began + 16000:
        if s.hear(100, HELLO):
            s.answer(REFUSED, 0, "another process has this id")
    span = boot_ms() - began
    s.check("P4.8", s.worker.poll() == 69, "a worker that is refused ends with 69",
            f"exit {s.worker.poll()}")
    s.check("P4.8", 9900 <= span <= 13000, "that is when more than 10 s have passed", f"{span} ms")


@scene
def later(s):
    """Elements of a later version behind those that it knows."""
    s.join(more=LATER)
    s.acknowledges = s.beats = False
    task = s.task()
    s.give(task, more=LATER)
    s.check("P2.3", s.is_done(task), "TASKS with more elements count", f"status {s.status(task)}")
    confirm = array([*map(msgpack.packb, (s.id, s.session, 1, s.stamp)), *LATER])
    for _ in range(3):
        s.publish("consumer",
                  array([*map(msgpack.packb, (VERSION, BEAT, "consumer", s.life, False, False)),
                         array([confirm]), *LATER_IN_BEAT]))
        s.hear(s.hb)
    frame = s.hear(2 * s.hb, HEARTBEAT)
    s.check("P2.3", frame is not None and not frame.results, "an acknowledgement with more elements counts",
            "the result is repeated")


REAL = [900000, 0, 0, 1, NO_ID, NO_ID, "", False, False]
ROW = [1, 1, 1, NO_ID, NO_ID, NO_ID, NO_ID, 1, 2, 0, 1000, 0, "r1", "", "", False, "", False, 0]

def change(block, at, value):
    return [*block[:at], value, *block[at + 1:]]

# What is behind the fields that each task has.
RESTART_BLOCKS = (
    ("P2.15", "attributes that are text", ["x"]), ("P2.15", "an attribute BMC", [{"BMC": "x"}]),
    ("P2.15", "an attribute -f", [{"bmc": "-f"}]), ("P2.15", "an attribute that is a number", [{"bmc": 1}]),
    ("P2.15", "9 attributes", [{f"a{i}": "x" for i in range(9)}]),
    ("P2.15", "an attribute of 257 bytes", [{"bmc": "x" * 257}]),
    ("P2.14", "left_ms alone", [{}, REAL[0]]), ("P2.14", "no owed", [{}, *REAL[:-1]]),
    ("P2.15", "left_ms 0", [{}, *change(REAL, 0, 0)]), ("P2.15", "command 17", [{}, *change(REAL, 3, 17)]),
    ("P2.15", "a machine of 15 bytes", [{}, *change(REAL, 4, bytes(15))]),
    ("P2.15", "a health of 49 bytes", [{}, *change(REAL, 6, "x" * 49)]),
    ("P2.15", "a number for owes", [{}, *change(REAL, 7, 0)]))
SAVE_BLOCKS = (("P2.14", "row alone", ROW[:1]), ("P2.14", "no run", ROW[:-1]), ("P2.15", "row 5", change(ROW, 0, 5)),
               ("P2.15", "a number for casualty", change(ROW, 17, 0)))


@scene
def frames(s):
    """What is no frame, each with something that would be noticed."""
    s.join()
    good = lambda *more: pack(VERSION, BEAT, "consumer", s.life + 1, False, False, [], more=LATER_IN_BEAT[:1] + more)
    bad = (("P2.1", "bytes behind the array", good() + b"\0"), ("P2.1", "a cut frame", good()[:-1]),
           ("P2.1", "a map", b"\x80"), ("P2.1", "nothing", b""),
           ("P2.2", "another version", pack(VERSION + 1, BEAT, "consumer", s.life + 1, False, False, [])),
           ("P2.7", "arrays 7 deep", good(b"\x91" * 6 + b"\xc0")), ("P2.8", "16,390 elements", good(*[b"\xc0"] * 16382)),
           ("P2.9", "an ext type", good(b"\xd4\x05\x00")), ("P2.9", "a timestamp", good(b"\xd6\xff\0\0\0\1")),
           ("P2.9", "a size beyond its end", good(b"\xdb\x7f\xff\xff\xff\xc0")), ("P2.9", "a byte that is no type", good(b"\xc1")),
           ("P2.15", "a number for a flag", pack(VERSION, BEAT, "consumer", s.life + 1, 0, 0, [])),
           ("P2.15", "too few fields", pack(VERSION, BEAT, "consumer", s.life + 1, False)),
           ("P2.15", "a unix_ms of 0", pack(VERSION, BEAT, "consumer", s.life + 1, False, False, [], 0)),
           ("P2.15", "a unix_ms that is text", pack(VERSION, BEAT, "consumer", s.life + 1, False, False, [], "1")),
           ("P2.10", "257 acknowledgements", pack(VERSION, BEAT, "consumer", s.life + 1, False, False, [["x", 1, 0, 0]] * 257)))
    for clause, what, data in bad:
        s.publish("consumer", data)
        s.need(clause, not any(f.kind == HELLO for f in s.settle()),
               f"a BEAT with {what} is refused as a whole", "it is taken: HELLO")
        s.need(clause, s.worker.poll() is None, f"it lives on after {what}",
               f"exit {s.worker.poll()}: {s.last_words()}")
    s.publish("consumer", good(), good())
    s.events.send(b"consumer\0")
    s.check("P1.11", not any(f.kind == HELLO for f in s.settle()),
            "an event with another number of frames is dropped", "it is taken")
    given = []
    for clause, what, more in (("P2.9", "an ext type", b"\xd4\x05\x00"),
                               ("P2.7", "arrays 7 deep", b"\x91" * 6 + b"\xc0")):
        given.append((clause, what, s.task()))
        s.give(given[-1][2], more=(more,))
    given.append(("P2.1", "bytes behind the array", s.task()))
    s.give_raw(pack(VERSION, TASKS, s.session, s.stamp, 0, False, [given[-1][2]]) + b"\0")
    given.append(("P1.11", "two frames", s.task()))
    s.give_raw(pack(VERSION, TASKS, s.session, s.stamp, 0, False, [given[-1][2]]), b"\xc0")
    given.append(("P2.10", "257 tasks", s.task()))
    s.give(*[given[-1][2]] * 257)
    for what, at, value in (("a host with a blank", 3, "web 1"), ("a host like an option", 3, "-f"),
                            ("an id of 15 bytes", 2, bytes(15)), ("an id as str", 2, "0123456789abcdef"),
                            ("a leg 9", 1, 9), ("a number as float", 0, 1.5), ("attempt 0", 4, 0)):
        task = s.task()
        given.append(("P2.15", what, task))
        s.give([*task[:at], value, *task[at + 1:]])
    for clause, what, more in SAVE_BLOCKS if s.is_saver() else RESTART_BLOCKS:
        task = s.task()
        given.append((clause, what, task))
        s.give_raw(pack(VERSION, TASKS, s.session, s.stamp, 0, False, [task[:7 if s.is_saver() else 5] + more]))
        s.settle()
        s.need(clause, s.worker.poll() is None, f"it lives on after TASKS with {what}",
               f"exit {s.worker.poll()}: {s.last_words()}")
    last = s.task()
    s.give(last)
    s.check("P2.1", s.is_done(last), "it takes tasks behind all that",
            f"status {s.status(last)}: {s.last_words()}")
    s.hear(s.options.task_ms + GRACE_MS)
    for clause, what, task in given:
        s.check(clause, task[0] not in s.ended, f"TASKS with {what} are refused as a whole",
                "a task of it gets a result")


@scene
def numbers(s):
    """The highest that there are."""
    s.life = (1 << 32) - 2
    s.last_session, s.last_number = s.life << 32, (s.life << 32) + 1000
    s.join()
    task = s.task()
    s.give(task)
    s.check("P2.15", s.is_done(task), "sessions and numbers of 2^63 and more are kept whole",
            f"status {s.status(task)}")
    s.check("P4.3", any(f.session == s.session for f in s.frames if f.kind == HEARTBEAT),
            "and are named so", "not named")


@scene
def query(s):
    s.join()

    def asked(about, process):
        first = len(s.frames)
        s.publish("consumer", pack(VERSION, QUERY, 77, about, process, 0, ""))
        s.settle()  # asks once more, about stats
        found = [f for f in s.frames[first:] if f.kind == TELL and f.about == about]
        return found[about == 1:]

    for about, what in ((1, "stats"), *(() if s.is_saver() else ((6, "hosts"),))):
        for process in (s.id, ""):
            found = asked(about, process)
            s.need("P9.35", len(found) == 1, f"a QUERY about {what} is answered by TELL, once",
                   f"{len(found)} answers")
            try:
                told = json.loads(found[0].text)
            except ValueError:
                told = None
            s.check("P9.96", type(told) is dict and told.get("process") == s.id == found[0].process,
                    f"the text about {what} is a JSON object that names its process", found[0].text[:80])
            is_stats = told and told.get("mayhem") == "stats" and told.get("role") in ("saver", "restarter")
            is_whole = is_stats if about == 1 else told and type(told.get("hosts")) is list
            s.check("P9.96", is_whole, f"{what} have what P9.96 asks for", found[0].text[:80])
    s.check("P9.35", not asked(1, s.id + "0"), "a QUERY that names another process is not answered",
            "it is")


@scene
def permit(s):
    """Of a real driver: no command without a permit."""
    s.join()
    if not s.is_driver:
        return
    task = s.task()
    s.give(task)
    s.need("P6.5", s.is_done(task), "a command is run")
    s.halted = True
    s.beat()
    s.settle()
    held = s.task()
    s.give(held)
    found = s.result(held, 3 * s.lost)
    s.check("P6.18", found is not None and found[4] == RETURNED,
            "while it is halted no command is started: its task is returned",
            f"status {found and found[4]}")
    s.halted = False
    s.hear(2 * s.hb)
    task = s.task()
    s.give(task)
    s.check("P6.18", s.is_done(task), "a BEAT that is not halted permits again", f"status {s.status(task)}")
    late = s.task()
    s.give(late, start_ms=boot_ms() - 1)
    s.check("P6.17", s.status(late) == RETURNED, "a command is returned when start_ms has come",
            f"status {s.status(late)}")


@scene
def orders(s):
    """Of a saver."""
    s.join()
    if not s.is_saver():
        return
    order = [random.randbytes(16), 1, "", 0, 0, "a test", "tester"]
    s.give_raw(pack(VERSION, ORDERS, s.session + 7, 0, 0, 0, [order]))
    s.check("P6.22", s.hear(500, RECORDED) is None, "ORDERS of another session are ignored",
            "they are answered")
    for what in ("an order is answered when it is recorded", "and so it is when it is repeated"):
        s.give_raw(pack(VERSION, ORDERS, s.session, 0, 0, 0, [order]))
        frame = s.hear(2000, RECORDED)
        s.check("P6.22", frame is not None and frame.fields[3] == [[order[0], ""]], what,
                repr(frame and frame.fields[3]))
    s.give_raw(pack(VERSION, ORDERS, s.session, 5, 0, 0, []))
    frame = s.hear(2000, STATE)
    s.check("P6.23", frame is not None and frame.fields[4] == 5 and [e[0] for e in frame.fields[7]] == [1],
            "the state has the halt that is in force", repr(frame and frame.fields[3:]))
