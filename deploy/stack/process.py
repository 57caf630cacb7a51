"""Child processes that end with their parent, and waiting for conditions."""

import pathlib
import random
import signal
import socket
import subprocess
import time

STOP_TIMEOUT_S = 20


class Failed(Exception):
    """Something that was to happen did not; the text says what."""


def wait_until(condition, what, timeout_s=60.0, interval_s=0.05):
    """Calls condition until it returns something true, and returns that."""
    deadline = time.monotonic() + timeout_s
    while True:
        result = condition()
        if result:
            return result
        if time.monotonic() > deadline:
            raise Failed(f"{what}: not within {timeout_s:g} s")
        time.sleep(interval_s)


# Below the ports that the kernel gives to whoever asks for any (ip_local_port_range): what is free now
# is not given to a connection before its server has it.
PORTS = range(10240, 32768)
_given = set()


def free_port(preferred=0):
    """A TCP port of the loopback address that nobody has: the preferred one if it is free. None is
    given twice."""
    dice = random.SystemRandom()
    for port in (preferred or dice.choice(PORTS), *(dice.choice(PORTS) for _ in range(100))):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        if port not in _given:
            _given.add(port)
            return port
    raise Failed("no free port on 127.0.0.1")


class Process:
    """One child process, its output in a file. Ended by the kernel when its parent ends."""

    def __init__(self, name, command, log_path, environment=None):
        self.name = name
        self.command = [str(part) for part in command]
        self.log_path = pathlib.Path(log_path)
        self.environment = environment
        self.child = None

    def start(self):
        with self.log_path.open("ab") as log:
            self.child = subprocess.Popen(
                ["setpriv", "--pdeathsig", "TERM", "--", *self.command],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=self.environment,
                start_new_session=True)
        return self

    @property
    def pid(self):
        return self.child.pid

    def is_running(self):
        return self.child is not None and self.child.poll() is None

    def wait(self, timeout_s):
        """Its exit code."""
        try:
            return self.child.wait(timeout_s)
        except subprocess.TimeoutExpired:
            raise Failed(f"{self.name} still runs after {timeout_s:g} s\n{self.tail()}") from None

    def stop(self):
        """Asks it to end; kills it where it does not. Its exit code, None where it never ran."""
        if self.child is None:
            return None
        if self.is_running():
            self.child.send_signal(signal.SIGCONT)
            self.child.terminate()
            try:
                self.child.wait(STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                self.kill()
        return self.child.returncode

    def kill(self):
        if self.is_running():
            self.child.kill()
            self.child.wait()

    def log_text(self):
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""

    def tail(self, lines=20):
        return "\n".join(self.log_text().splitlines()[-lines:])
