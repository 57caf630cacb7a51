"""A PostgreSQL server of a test's own, Debian's, with the outbox that `connector explain` shows, and those
who write into it."""

import pathlib
import signal
import subprocess

from programs import run
from stack.process import Failed, Process, free_port, wait_until

POSTGRES = pathlib.Path(__file__).with_name("postgres")
DONE = ".done"
STOP_TIMEOUT_S = 20


class Server:
    """settings: its own, as name=value."""

    def __init__(self, folder, *settings):
        self.folder = folder
        self.port = free_port()
        folder.mkdir(exist_ok=True)
        self.process = Process("postgres", [POSTGRES, folder, self.port, *settings],
                               folder / "server.log")

    @property
    def connection(self):
        return f"host={self.folder} port={self.port} dbname=postgres user=atmp_hub"

    def start(self):
        self.process.start()
        wait_until(self._answers, "start of PostgreSQL")

    def stop(self):
        if self.process.is_running():
            self.process.child.send_signal(signal.SIGINT)  # without waiting for who is connected
            self.process.wait(STOP_TIMEOUT_S)

    def make_outbox(self):
        writer = Writer(self)
        told = run("connector", "explain", "transport", "postgres").stdout
        writer.do("CREATE ROLE atmp_hub LOGIN")
        writer.do(told[told.index("CREATE TABLE"):])
        writer.stop()

    def command(self):
        return ["psql", "--no-psqlrc", "--quiet", "--no-align", "--tuples-only", "--set",
                "ON_ERROR_STOP=1", "--host", self.folder, "--port", str(self.port), "--username",
                "postgres", "postgres"]

    def _answers(self):
        assert self.process.is_running(), self.process.tail()
        return subprocess.run([*self.command(), "--command", "SELECT 1"], check=False,
                              capture_output=True).returncode == 0


class Writer:
    """One session, as postgres; what it is told is done when it says so."""

    def __init__(self, server):
        self.psql = subprocess.Popen(
            ["setpriv", "--pdeathsig", "TERM", "--", *server.command()], text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def do(self, sql):
        """The lines of its answer."""
        self.psql.stdin.write(f"{sql}\n;\n\\echo {DONE}\n")
        self.psql.stdin.flush()
        lines = []
        for line in self.psql.stdout:
            if line.rstrip("\n") == DONE:
                return lines
            lines.append(line.rstrip("\n"))
        raise Failed(f"psql has ended at: {sql}")

    def insert(self, text):
        """One row with that payload."""
        self.do(f"INSERT INTO hub_outbox (payload) VALUES ($told${text}$told$)")

    def stop(self):
        self.psql.stdin.close()
        self.psql.wait(STOP_TIMEOUT_S)
        self.psql.stdout.close()
