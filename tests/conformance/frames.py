"""The frames of docs/protocol.md, as the tester reads and makes them. It shares no code with the pipeline, nor
with docs/examples, so that it cannot share their mistakes."""
import re, time
import msgpack

VERSION = 3
TASKS, HELLO, HEARTBEAT, STARTED, RESULTS, BYE = range(2, 8)
WELCOME, REFUSED, REJOIN, BEAT, LEAVING, QUERY, TELL = range(9, 16)
ORDERS, RECORDED, STATE = 17, 18, 19
SAVER, SAVE, RESTART, SETTLE = 1, 1, 2, 3
OK, FAILED, RETURNED, OPEN = range(4)
NO_ID = bytes(16)

# ---- what a worker may send: types and ranges (P2.15)

def number(low=0, high=(1 << 64) - 1):
    return lambda v: type(v) is int and low <= v <= high

def text(size, pattern=None):
    return lambda v: (type(v) is str and len(v.encode("utf-8", "surrogateescape")) <= size and "\0" not in v
                      and not re.search("[\ud800-\udfff]", v) and (not pattern or re.fullmatch(pattern, v) is not None))

def many(item, high=256):
    return lambda v: type(v) is list and len(v) <= high and all(map(item, v))

def flag(v): return type(v) is bool
def ident(v): return type(v) is bytes and len(v) == 16
def pairs(v):
    return type(v) is dict and len(v) <= 4 and all(k and text(32)(k) and text(256)(w) for k, w in v.items())

U64, U32, MS = number(), number(0, (1 << 32) - 1), number(0, (1 << 63) - 1)
NAME = text(63, "[A-Za-z0-9_][A-Za-z0-9._-]*")
HOST = text(253, "[A-Za-z0-9._:][A-Za-z0-9._:-]*")
def name_or_empty(v): return v == "" or NAME(v)

RESULT = [number(1), U64, number(1, 4), ident, number(0, 3), number(0, 4), MS, text(512), pairs]
PAUSE = [number(1, (1 << 63) - 1), flag]
END = [number(1, 17), number(0, 1000), number(0, 4), ident, ident, flag, flag, text(128), text(48), flag]
ROW = [number(0, 4), U32, number(0, 16), ident, ident, ident, ident, MS, MS, MS, number(0, 17), number(0, 1000), U32, U32,
       text(128), text(48), flag, U64]

def fits(values, types):
    return type(values) is list and len(values) >= len(types) and all(t(v) for t, v in zip(types, values))

def result(v):
    block = [] if not fits(v, RESULT) else PAUSE if v[4] == RETURNED else END if v[2] in (2, 4) else ROW
    return fits(v, RESULT) and (len(v) == len(RESULT) or fits(v[len(RESULT):], block))  # P2.14

def assignment(v):
    return fits(v, [U64, ident, number(1, 4), flag, lambda h: HOST(h) or (h == "" and v[2] in (1, 3))])

HEAD = [NAME, U64, U64]  # worker, nonce, session
REPORT = [NAME, U64, number(1, 2), U64, U64, MS, number(0, 4096), U64, number(0, 63), number(1, 64)]
SHAPES = {HELLO: REPORT + [name_or_empty, U32, many(assignment), many(result)],
          HEARTBEAT: REPORT + [many(assignment), many(result)], STARTED: HEAD + [many(U64)],
          RESULTS: HEAD + [many(result)], BYE: HEAD + [U64],
          TELL: [NAME, U64, number(1, 7), text(131072)],
          RECORDED: HEAD + [many(lambda v: fits(v, [ident, text(512)]))],
          STATE: HEAD + [U64, U64, U64, U64, many(lambda v: type(v) is list and len(v) >= 9)]}

# How a task may end (P6.26): by leg, status: outcomes; whether an error may, or must, be there.
SAVES, RESTARTS = (1, 3), (2, 4)

def is_end(result):
    _, _, leg, _, status, outcome, _, error, *more = result
    if leg in RESTARTS:
        return outcome == 0 and (status != OK or error == "") and (status != FAILED or error != "" or len(more) > 1)
    if status == OK:
        return leg == SAVE or outcome != 0
    return status != OPEN and outcome == 0

# ---- frames of the consumer, as bytes

def array(items):
    return b"\xdc" + len(items).to_bytes(2, "big") + b"".join(items)

def pack(*fields, more=()):
    """A frame, with these raw elements at its end."""
    return array([msgpack.packb(v) for v in fields] + list(more))

# What a later version might add: a map with an integer as key and a str that is no UTF-8, one with an
# array as key, a float, and an array within arrays.
LATER = (b"\x81\x01\xa1\xff", b"\x81\x90\xc0", b"\xca\x3f\x80\x00\x00", b"\x91\x91\x91\xc0")
# Behind the acknowledgements of a BEAT there may be the time; what nobody knows yet is behind that.
LATER_IN_BEAT = (msgpack.packb(1795332314123), *LATER)

def boot_ms():
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1000000
