"""tests/bench/run --restart: how long a hub that was killed takes to its first committed record.

One hub takes statements about so many trials. Then, in turn and a few times: it is killed with -9
while it works, the topics of its state are read with nothing done (twice, and the second time counts),
and it is started with its cache deleted; it is killed again, the topics are read again, and it is
started with its cache. What is timed is start to the first new unified record that a read_committed reader sees.
"""

import json
import os
import pathlib
import shutil
import statistics
import subprocess
import time

from load import BIN, INSTITUTIONS, PROGRAMS, ROOT, Topics, call
from sections import PIECE, SETTLED_MIN, write_restart
from stack.kafka import Broker
from stack.process import Failed, Process, free_port, wait_until
from subjects import ADMIT_OUTCOMES, FOLD_OUTCOMES, cpu_of_children, read_counts, read_memory

FEED = ROOT / "build" / "release" / "tests" / "fault" / "feed"
STATE = ["log.trial", "unified.trial", "conflict.trial", "match.trial",
         *(f"admitted.{name}.trial" for name in INSTITUTIONS)]
TRANSACTION = 10_000
AMID = 1_000  # records of each of the transactions that a hub is killed amid
TIMEOUT_S = 900


def cpu_of(pid):
    """Seconds of a process that runs."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Feed:
    """Writes statements on demand; every system tells of each of its trials first."""

    def __init__(self, broker, trials, seed):
        self.written = 0
        self.child = subprocess.Popen(
            [str(FEED), broker.bootstrap, str(trials), str(seed), "each"], text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            env={"HUB_SCHEMAS": str(ROOT / "schemas")})

    def write(self, count, how="next"):
        """how: see tests/fault/feed.c"""
        self.child.stdin.write(f"{count} {how}\n")
        self.child.stdin.flush()
        answer = self.child.stdout.readline()
        if not answer:
            raise Failed("feed ended")
        self.written = int(answer.split()[0])

    def close(self):
        self.child.stdin.close()
        self.child.wait()


class First:
    """Watches for the first unified record that is committed from now on."""

    def __init__(self, broker):
        self.child = subprocess.Popen([str(PROGRAMS / "read"), "first", broker.bootstrap,
                                       "unified.trial"], text=True, stdout=subprocess.PIPE)
        self.child.stdout.readline()  # ready

    def wait(self):
        """When it was there, in seconds of the monotonic clock."""
        said = self.child.stdout.readline()
        self.child.wait()
        if not said:
            raise Failed("read first ended")
        return int(said) / 1000


class Restarts:
    def __init__(self, broker, folder, entities, seed, options=()):
        """options: of the hub"""
        self.broker, self.folder, self.entities, self.options = broker, folder, entities, options
        Topics(broker).create_all()
        self.feed = Feed(broker, entities, seed)
        self.state = folder / "state"
        self.listen = None
        self.hub = None
        self.memory = self.statements = 0

    def start_hub(self):
        """When it began, in seconds of the monotonic clock."""
        self.listen = f"127.0.0.1:{free_port()}"
        self.hub = Process("atmp-hub",
                           [BIN / "atmp-hub", "--bootstrap", self.broker.bootstrap, "--schemas",
                            ROOT / "schemas", "--state", self.state, "--listen", self.listen,
                            "--group", "bench-restart", *self.options], self.folder / "hub.log")
        began = time.monotonic()
        self.hub.start()
        return began

    def _has_all(self):
        if not self.hub.is_running():
            raise Failed(f"the hub ended\n{self.hub.tail()}")
        counts = read_counts(self.listen)
        entries = counts.get("admit new", 0) + counts.get("admit changed", 0)
        admitted = sum(counts.get(f"admit {outcome}", 0) for outcome in ADMIT_OUTCOMES)
        folded = sum(counts.get(f"fold {outcome}", 0) for outcome in FOLD_OUTCOMES)
        return admitted == self.feed.written and folded == entries

    def _is_cache_at_rest(self, done):
        """A cache that catches up is written every ten seconds."""
        written = (self.state / "data.mdb").stat().st_mtime
        return time.time() - max(written, done) > 15

    def wait_for_all(self):
        wait_until(self._has_all, "the hub taking what was written", TIMEOUT_S, interval_s=0.1)

    def settle(self):
        """Until the hub has taken all, and its cache has it too."""
        self.wait_for_all()
        done = time.time()
        wait_until(lambda: self._is_cache_at_rest(done), "the cache", TIMEOUT_S, interval_s=0.2)

    def fill(self):
        """Two systems on average tell of a trial; then some of them have news. Seconds that the hub has
        worked for it."""
        took_s = 0
        while self.feed.written < SETTLED_MIN * self.entities:
            self.restart_to_rest()
            began, end = time.monotonic(), self.feed.written + PIECE
            while self.feed.written < min(end, SETTLED_MIN * self.entities):
                self.feed.write(TRANSACTION)
            self.wait_for_all()
            took_s += time.monotonic() - began
        counts = read_counts(self.listen)
        if counts["entities"] != self.entities:
            raise Failed("the hub has not made an entity of every trial")
        self.statements = counts["statements"]
        return took_s

    def restart_to_rest(self):
        """What a hub has looked at stays in its memory: all of it at once is more than it needs. It has written
        its cache when it ends."""
        self.stop_hub()
        self.start_hub()
        wait_until(lambda: read_counts(self.listen), "the hub taking its partitions", TIMEOUT_S)

    def stop_hub(self):
        if self.hub is not None and self.hub.stop() != 0:
            raise Failed(f"the hub did not end well\n{self.hub.tail()}")

    def kill(self):
        """With -9, while it takes records; more of them wait for it then."""
        for number in range(20):
            self.feed.write(AMID)
            if number == 10:
                self.memory = max(self.memory, read_memory(self.hub.pid)[0])
                self.hub.kill()

    def read(self):
        """Seconds of reading the topics of the state, of clock and of CPU; records and bytes."""
        began, cpu = time.monotonic(), cpu_of_children()
        found = json.loads(call([PROGRAMS / "read", "all", self.broker.bootstrap, *STATE]))
        return {"seconds": time.monotonic() - began, "cpu": cpu_of_children() - cpu, **found}

    def restart(self):
        """Seconds from start to first committed record, of clock and of CPU."""
        first = First(self.broker)
        began = self.start_hub()
        seconds = first.wait() - began
        cpu = cpu_of(self.hub.pid)
        self.settle()
        return seconds, cpu

    def round(self):
        found = {}
        for name in ("without", "with"):
            self.kill()
            if name == "without":
                shutil.rmtree(self.state)
            self.read()  # which brings them into the page cache, as it does for who comes after it
            read = self.read()
            found[name], found[f"cpu_{name}"] = self.restart()
            found[f"read_{name}"], found["cpu_read"] = read["seconds"], read["cpu"]
            found["records"], found["bytes"] = read["records"], read["bytes"]
        return found

    def close(self):
        self.feed.close()
        if self.hub is not None:
            self.hub.kill()


def ratios(middle):
    return {"without_vs_read": middle["without"] / middle["read"],
            "with_vs_read": middle["with"] / middle["read"],
            "cpu_without_vs_read": middle["cpu_without"] / middle["cpu_read"],
            "cpu_with_vs_read": middle["cpu_with"] / middle["cpu_read"]}


def run_restart(arguments, folder, seed, heap, note, results):
    entities = arguments.entities[0]
    broker = Broker(folder / "kafka", heap=heap, long_lived=True)
    restarts = None
    try:
        note("starting Kafka")
        broker.start()
        note(f"a hub that takes statements about {entities:,} trials")
        restarts = Restarts(broker, folder, entities, seed, arguments.hub_option)
        restarts.fill()
        restarts.settle()
        rounds, busy = [], os.getloadavg()[0]
        for number in range(arguments.rounds):
            rounds.append(restarts.round())
            note(f"round {number + 1}: " + ", ".join(
                f"{name} {rounds[-1][name]:.2f} s"
                for name in ("read_without", "without", "read_with", "with")))
        middle = {name: statistics.median(each[name] for each in rounds) for name in rounds[0]}
        middle["read"] = statistics.median(
            each[name] for each in rounds for name in ("read_without", "read_with"))
        middle["memory"], middle["busy"] = restarts.memory, busy
        middle["statements"] = restarts.statements
        found = ratios(middle)
        print(write_restart(results, arguments, rounds, middle, found), end="")
        return {**found, **{f"{name}_s": middle[name] for name in ("read", "without", "with")}}
    finally:
        if restarts is not None:
            restarts.close()
        broker.stop()
