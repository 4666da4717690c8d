"""What the peers in Python share: processes that are measured, and the line of the result.

CPU time counts from when all have joined until the last ack has come, as in peer.h.
"""

import argparse
import resource
import signal
import subprocess
import sys
import time

TIME_LIMIT_S = 300


def options(durabilities, jobs):
    parser = argparse.ArgumentParser()
    parser.add_argument("-n", dest="jobs", type=int, default=jobs)
    parser.add_argument("-w", dest="window", type=int, default=10000)
    parser.add_argument("-f", dest="durability", choices=durabilities, default=durabilities[0])
    parser.add_argument("dir")
    signal.alarm(TIME_LIMIT_S)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    return parser.parse_args()


def fail(what):
    sys.exit(f"bench: {what}")


def cpu_s(pid):
    """CPU time of a process and all its threads, by its clock (see clock_getcpuclockid(3))."""
    return time.clock_gettime((~pid << 3) | 2)


def peak_kb(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM:"))


class Roles:
    """Processes by name; they die with this one, which is the role "producer"."""

    def __init__(self):
        self.all = {}
        self.at_begin = {}
        self.begin_s = 0.0

    def start(self, name, argv, **more):
        self.all[name] = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", *argv], stdin=subprocess.DEVNULL, stdout=sys.stderr, **more
        )

    def usage(self):
        used = {name: cpu_s(process.pid) for name, process in self.all.items()}
        return {**used, "producer": time.process_time()}

    def begin(self):
        self.at_begin = self.usage()
        self.begin_s = time.monotonic()

    def end(self):
        """What print_result takes: seconds, CPU and peak memory by role."""
        seconds = time.monotonic() - self.begin_s
        cpu = {name: used - self.at_begin[name] for name, used in self.usage().items()}
        rss = {name: peak_kb(process.pid) for name, process in self.all.items()}
        rss["producer"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return seconds, cpu, rss

    def stop(self):
        """At once, as what they have done is checked by then; the server, the first, is the last."""
        for process in reversed(self.all.values()):
            process.kill()
            process.wait()


def print_result(jobs, seconds, cpu, rss):
    each = {name: used * 1e6 / jobs for name, used in cpu.items()}
    print(
        f"jobs={jobs} seconds={seconds:.3f} jobs_per_s={jobs / seconds:.0f}",
        f"cpu_us_per_job={sum(each.values()):.3f}",
        *(f"cpu_{name}={used:.3f} rss_kb_{name}={rss[name]}" for name, used in each.items()),
    )
