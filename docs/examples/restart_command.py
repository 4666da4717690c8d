"""A restart by a command: its start, and its end in the words of a result (docs/protocol.md, RESULTS). This is
the place for another way to restart a host."""
import os, re, signal, subprocess, tempfile

RESTARTED, EXIT, TIMEOUT, SIGNAL, STOPPED = 1, 2, 3, 4, 5  # ends
NO_ID, UNVERIFIED = bytes(16), 3


class Command:
    """Starts it, with {host} filled in and no shell. An OSError: it cannot be started here."""

    def __init__(self, words, host):
        self.output = tempfile.TemporaryFile()
        self.process = subprocess.Popen([word.replace("{host}", host) for word in words], stdout=self.output,
                                        stdin=subprocess.DEVNULL, stderr=self.output, start_new_session=True)

    def kill(self):
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
            return True
        return False

    def end(self, killed_as=None):
        """None while it runs; else its error, empty when it is ok, and what a real driver says of it. killed_as:
        it is over in any case, by that end when it still ran."""
        was_killed = killed_as is not None and self.kill()
        code = self.process.poll()
        if code is None:
            return None
        end = killed_as if was_killed else RESTARTED if code == 0 else EXIT if code > 0 else SIGNAL
        error = {RESTARTED: "", EXIT: f"exit status {code}", TIMEOUT: "timeout", SIGNAL: f"signal {-code}",
                 STOPPED: "stopped"}[end]
        self.output.seek(0)
        words = re.sub("[^ -~]+", " ", self.output.read().decode(errors="replace"))[-128:]
        proof = UNVERIFIED if end == RESTARTED else 0
        return error, (end, code if code >= 0 else 256 - code, proof, NO_ID, NO_ID, True, False, words, "", False)
