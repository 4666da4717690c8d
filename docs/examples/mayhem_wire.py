"""Sections 1 and 2 of docs/protocol.md for a worker in Python: frames and sockets. P2.3 and the like are
clauses of that page. It needs pyzmq and msgpack (Debian: python3-zmq, python3-msgpack)."""
import os, re, sys
from types import NoneType
import msgpack, zmq

VERSION = 3
TASKS, HELLO, HEARTBEAT, RESULTS, BYE = 2, 3, 4, 6, 7
WELCOME, REFUSED, REJOIN, BEAT, LEAVING, QUERY, TELL = 9, 10, 11, 12, 13, 14, 15
OTHER_VERSION = -1  # instead of a kind
RESTART = 2  # of the legs


class Map(list):
    """A map as its pairs: one of a later version may have keys that a dict cannot have."""


SHAPES = {TASKS: (int, int, int, bool, list), WELCOME: (str, int, str, int, int, str),
          REFUSED: (str, int, str, int, int, str), REJOIN: (str, int, str, int, int),
          BEAT: (str, int, bool, bool, list), LEAVING: (str, int), QUERY: (int, int, str, int, str)}
TASK, CONFIRM = (int, int, bytes, str, int), (str, int, int, int)
REAL = (int, int, int, int, bytes, bytes, str, bool, bool)  # what a restart has behind its attributes


def count(value, depth=1):
    """The elements of a value. A ValueError when it is too deep (P2.7), or has an ext type (P2.9)."""
    if type(value) not in (list, Map):
        if type(value) not in (NoneType, bool, int, float, str, bytes):
            raise ValueError
        return 1
    if depth > 6:
        raise ValueError
    items = [item for pair in value for item in pair] if type(value) is Map else value
    return 1 + sum(count(item, depth + 1) for item in items)


def fits(values, types):
    """Whether the first elements are of these types; what is behind them does not matter (P2.3)."""
    return type(values) is list and len(values) >= len(types) and all(
        type(value) is kind and (kind is not int or 0 <= value < 1 << 64)
        and (kind is not str or not re.search("[\0\ud800-\udfff]", value))
        for value, kind in zip(values, types))


def is_attributes(pairs):
    return (type(pairs) is Map and len(pairs) <= 8 and all(fits(pair, (str, str)) for pair in pairs)
            and len(dict(pairs)) == len(pairs) and all(
                re.fullmatch("[a-z][a-z0-9_]{0,31}", key) and re.fullmatch("(?!-)[A-Za-z0-9._:@/+=,-]{0,256}", value)
                for key, value in pairs))


def is_real(block):
    return (fits(block, REAL) and 1 <= block[0] < 1 << 63 and max(block[1:3]) < 1 << 63 and block[3] <= 16
            and len(block[4]) == len(block[5]) == 16 and len(block[6].encode()) <= 48)


def is_task(task):
    """P2.14: attributes may be missing, and what a real driver has behind them, but not a part of it."""
    return (fits(task, TASK) and 1 <= task[1] <= 4 and len(task[2]) == 16 and 1 <= task[4] < 1 << 32
            and re.fullmatch("[A-Za-z0-9._:][A-Za-z0-9._:-]{0,252}", task[3]) is not None
            and (task[1] != RESTART or ((len(task) < 6 or is_attributes(task[5]))
                                        and (len(task) < 7 or is_real(task[6:])))))


def decode(data):
    """Kind and fields of a frame; (0, []) when it breaks a limit or a type: it is refused as a whole."""
    try:
        frame = msgpack.unpackb(data, raw=False, strict_map_key=False, object_pairs_hook=Map,
                                unicode_errors="surrogateescape")
        if not fits(frame, (int, int)) or count(frame) > 16384:
            return 0, []
    except (ValueError, TypeError, msgpack.UnpackException):
        return 0, []
    if frame[0] != VERSION:
        return OTHER_VERSION, []
    kind, fields = frame[1], frame[2:]
    is_item = {TASKS: is_task, BEAT: lambda item: fits(item, CONFIRM)}.get(kind)
    is_good = kind in SHAPES and fits(fields, SHAPES[kind]) and (
        is_item is None or (len(fields[4]) <= 256 and all(map(is_item, fields[4])))) and (
        kind != BEAT or len(fields) < 6 or (fits(fields[5:], (int,)) and 1 <= fields[5] < 1 << 63))  # unix_ms
    return (kind, fields) if is_good else (0, [])


def encode(kind, *fields):
    return msgpack.packb([VERSION, kind, *fields], use_bin_type=True)


def read_key(path):
    """The lines NAME = VALUE of a key file (`mayhem keys new`); ends the process when others can read it."""
    if os.stat(path).st_mode & 0o077:
        sys.exit(f"others can read {path}: chmod 600 it, or have a new key made")
    with open(path, encoding="ascii") as file:
        pairs = [re.split(" *= *", line.strip(), maxsplit=1) for line in file if line[0] not in "#\n"]
    key = {**dict(pairs), "server": [value for name, value in pairs if name == "server"]}
    if not ("name" in key and "public" in key and "secret" in key and key["server"]):
        sys.exit(f"{path} is not the key of a client: it lacks name, public, secret or server")
    return key


def connect(context, kind, base, name, topics=(), key=None, server=0):
    """A socket with the options of P1.5, connected to inbox, events, or what a WELCOME names. server: which
    of the consumer's keys it believes; a file has two while that key is being replaced."""
    socket, hwm = context.socket(kind), 100000 if kind == zmq.SUB else 1000
    for option, value in {zmq.SNDHWM: hwm, zmq.RCVHWM: hwm, zmq.MAXMSGSIZE: 1 << 20,
                          zmq.LINGER: 1000 if kind == zmq.PUSH else 0, zmq.HANDSHAKE_IVL: 1000,
                          zmq.RECONNECT_IVL: 1000 if key else 10, zmq.RECONNECT_IVL_MAX: 1000,
                          zmq.IMMEDIATE: int(kind == zmq.PUSH)}.items():
        socket.set(option, value)
    if key:
        socket.curve_publickey, socket.curve_secretkey = key["public"].encode(), key["secret"].encode()
        socket.curve_serverkey = key["server"][server % len(key["server"])].encode()
    for topic in topics:
        socket.subscribe(topic.encode() + b"\0")  # P1.8
    if base.startswith("tcp:"):
        host, _, port = base.rpartition(":")
        offset = {"inbox": 1, "events": 2}.get(name)
        socket.connect(f"{host}:{int(port) + offset if offset else name}")  # P1.1
    else:
        socket.connect(f"{base}.{name}")
    return socket
