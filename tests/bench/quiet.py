"""What the whole load does not tell: how long one statement takes when there is room, and what statements cost
that change nothing. Each beside the raw copies, in turn, on ingest topics of their own."""

import contextlib
import json
import re

from load import INGEST, PROGRAMS, ROOT, call, expect
from stack.process import Failed, wait_until
from subjects import TIMEOUT_S, read_counts, read_metrics

COPIED = ["bench.first", "bench.second"]
CHECKPOINT_WAIT_S = 15  # the hub writes what is to be written within 10


def count_checkpoints(listen):
    return int(re.search(r'^atmp_checkpoints_total\{outcome="written"\} (\d+)$', read_metrics(listen), re.M)[1])


def wait_for_checkpoint(listen):
    """Until the cache has what was taken; none comes where it has all of it."""
    before = count_checkpoints(listen)
    with contextlib.suppress(Failed):
        wait_until(lambda: count_checkpoints(listen) > before, "a checkpoint", CHECKPOINT_WAIT_S, interval_s=0.1)


class Quiet:
    """limit, hub, peer: subjects. load: whose topics are emptied, seed and trials: of what is written instead."""

    def __init__(self, limit, hub, peer, load, seed, trials):
        self.limit = limit
        self.hub = hub
        self.peer = peer
        self.topics = load.topics
        self.bootstrap = hub.broker.bootstrap
        self.seed = seed
        self.trials = trials

    def _empty(self):
        self.topics.drop(*INGEST, *self.hub.topics)
        self.topics.create_all()

    def _program(self, name, *arguments):
        return json.loads(call([PROGRAMS / name, self.bootstrap, *arguments],
                               HUB_SCHEMAS=str(ROOT / "schemas")))

    # --- latency ---

    def _measure(self, events, rate, topic):
        found = self._program("latency", events, self.trials, self.seed, rate, topic)
        expect("statements sent", found["sent"], events)
        return found

    def latency_of_limit(self, events, rate, number):
        self._empty()
        self.topics.create(*COPIED)
        run = self.limit.start(f"quiet-copy-{number}", events, *COPIED)
        try:
            found = self._measure(events, rate, COPIED[1])
            expect("statements that came through", found["seen"], events)
            self.limit.wait(run)
        finally:
            run.process.stop()
        self.topics.drop(*COPIED)
        return found

    def latency_of_hub(self, events, rate, number):
        self._empty()
        run, listen = self.hub.start(f"quiet-hub-{number}")
        try:
            wait_until(lambda: read_counts(listen), "the hub taking its partitions", TIMEOUT_S)
            found = self._measure(events, rate, "unified.trial")
            counts = wait_until(lambda: self.hub.has_taken(run, listen, events, found["seen"]),
                                "the hub taking all", TIMEOUT_S)
            changes = counts["admit new"] + counts["admit changed"]
            expect("statements that something came of", found["seen"], changes)
        finally:
            self.hub.stop(run)
        return found

    def latency_of_peer(self, events, rate, number):
        self._empty()
        application = f"quiet-streams-{number}"
        self.topics.create(self.peer.merged)
        run = self.peer.start(application)
        try:
            return self._measure(events, rate, self.peer.merged)
        finally:
            self.peer.stop(run)
            self.topics.drop(self.peer.merged, *self.peer.inner_topics(application))

    # --- what changes nothing ---

    def _write(self, events, mode):
        return self._program("produce", events, self.trials, self.seed, mode)["records"]

    def repeats_of_hub(self, events, number):
        """CPU s per million, from when it has taken, and written to its cache, what each system tells first, until
        both is done with the repeats."""
        self._empty()
        run, listen = self.hub.start(f"quiet-repeats-{number}")
        try:
            first = self._write(0, "each")
            before = wait_until(lambda: self.hub.has_taken(run, listen, first, first), "the hub taking the first",
                                TIMEOUT_S, interval_s=0.1)
            wait_for_checkpoint(listen)
            cpu_s = run.cpu_so_far()
            self._write(events, "again")
            counts = wait_until(lambda: self.hub.has_taken(run, listen, first + events, 0),
                                "the hub taking the repeats", TIMEOUT_S, interval_s=0.1)
            wait_for_checkpoint(listen)
            cpu_s = run.cpu_so_far() - cpu_s
            expect("statements that change nothing",
                   counts["admit unchanged"] - before["admit unchanged"], events)
        finally:
            self.hub.stop(run)
        return cpu_s * 1e6 / events

    def repeats_of_limit(self, events, number):
        """CPU s per million, of one copy of such statements."""
        self.topics.drop(*INGEST)
        self.topics.create_all()
        self._write(events, "again")
        self.topics.create(COPIED[0])
        run = self.limit.start(f"quiet-once-{number}", events, COPIED[0])
        self.limit.wait(run)
        cpu_s = run.cpu_of_life()
        found = self.topics.read(COPIED[0])
        expect("repeats copied", found[COPIED[0]]["records"], events)
        self.topics.drop(COPIED[0])
        return cpu_s * 1e6 / events
