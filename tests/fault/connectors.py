"""What is done to a running connector, and what its records must be like after all of it.

Each harm takes the world and a generator of chance, writes a piece of the source, does its harm while
that is read, and leaves a connector that runs.
"""

import collections
import contextlib
import json
import os
import signal
import subprocess
import threading

import confluent_kafka

import proxy
from checker import Findings, Schemas, read_topic
from nemeses import clock_ahead_ms, clock_name
from stack.installation import ROOT
from stack.process import Failed, Process, wait_until
from world import BIN, WEAKENED_TIMEOUT_S, harmed, proxied_broker, restart_broker, write_clock

DOMAIN = "trial"
SETTLE_TIMEOUT_S = 120
WAIT_S = 60
ONCE_TIMEOUT_S = 120
DELAY_MAX_S = 0.5
ANSWER_WAIT_S = 5
LAST_RECORDS = 10
MOMENTS = [(way, api_key) for api_key in (proxy.INIT_PRODUCER_ID, proxy.ADD_PARTITIONS_TO_TXN,
                                          proxy.PRODUCE, proxy.END_TXN)
           for way in (proxy.REQUEST, proxy.ANSWER)]
HELD = (proxy.END_TXN, proxy.ADD_PARTITIONS_TO_TXN, proxy.PRODUCE)


class ConnectorWorld:
    """A broker, the proxy before it, one source, and the connector that reads it.

    weakened: what the connector lacks (tests/fault/weakened.c), or None."""

    def __init__(self, folder, origin, seed, weakened=None):
        self.folder = folder
        self.weakened = weakened
        self.clock = None  # the file that says the time to connectors that start
        self.schemas = Schemas()
        self.broker, self.proxy = proxied_broker(folder / "kafka")
        subprocess.run([BIN / "hubctl", "topic", "create"], check=True, capture_output=True,
                       env={**self.environment, "HUB_BOOTSTRAP": self.broker.bootstrap})
        self.source = origin(folder, seed)
        self.name = self.configure(*self.source.harmed)
        self.connector = None
        self.started = []

    @property
    def environment(self):
        return {**os.environ, "HUB_SCHEMAS": str(ROOT / "schemas"),
                **harmed(self.weakened, self.clock)}

    def configure(self, institution, system):
        name = f"{institution}-{self.source.name}"
        (self.folder / f"{name}.yaml").write_text(
            f"connector: {name}\ninstitution: {institution}\nsystem: {system}\n"
            f"{self.source.configuration()}")
        return name

    # --- the connector ---

    def run(self, name, *arguments, bootstrap=None):
        process = Process(
            name, [BIN / "connector", "run", self.folder / f"{name}.yaml", "--state",
                   self.folder / "state", *arguments], self.folder / f"{name}.log",
            {**self.environment, "HUB_BOOTSTRAP": bootstrap or f"127.0.0.1:{self.proxy.port}"})
        self.started.append(process.start())
        return process

    def start(self):
        self.connector = self.run(self.name)
        return self.connector

    def kill(self):
        self.connector.kill()

    def set_clock(self, milliseconds):
        """Of connectors that are started from now on, and of those that run by it."""
        self.clock = self.folder / "clock"
        write_clock(self.clock, milliseconds)

    def run_once(self, name, **more):
        code = self.run(name, "--once", **more).wait(ONCE_TIMEOUT_S)
        if code != 0:
            raise Failed(f"connector {name} ended with {code}\n"
                         f"{(self.folder / f'{name}.log').read_text()[-2000:]}")

    # --- looking ---

    def position(self, name):
        """What the connector has committed last, or None."""
        consumer = confluent_kafka.Consumer({
            "bootstrap.servers": self.broker.bootstrap, "group.id": "fault-position",
            "enable.auto.commit": False, "enable.partition.eof": True,
            "isolation.level": "read_committed"})
        try:
            first, end = consumer.get_watermark_offsets(
                confluent_kafka.TopicPartition("position", 0), WAIT_S)
            found, back = None, LAST_RECORDS
            while found is None and back < 10 * (end - first):
                found = self._last_position(consumer, name, max(first, end - back))
                back *= 10
            return found
        finally:
            consumer.close()

    def _last_position(self, consumer, name, start):
        consumer.assign([confluent_kafka.TopicPartition("position", 0, start)])
        found = None
        while (message := consumer.poll(WAIT_S)) is not None and message.error() is None:
            if message.key().decode() == name:
                found = self.schemas.read(message.value())
        return found

    def is_read(self):
        try:
            position = self.position(self.name)
        except confluent_kafka.KafkaException:  # a broker that has just started
            return False
        return position is not None and self.source.documents == \
            self.source.read_of(json.loads(position["position"]))

    def wait_until_read(self):
        """A connector that lacks something may never get there: that is a finding, and the
        checker's."""
        try:
            wait_until(self.is_read, "the connector reading what is there",
                       WEAKENED_TIMEOUT_S if self.weakened else SETTLE_TIMEOUT_S, interval_s=0.2)
        except Failed:
            if not self.weakened:
                raise

    def judge(self):
        """Reads the source to its end, undisturbed; then looks at the records, and at what another
        connector that nobody has disturbed makes of the same source."""
        self.connector.stop()
        self.source.end()
        self.weakened = None
        self.run_once(self.name, bootstrap=self.broker.bootstrap)
        calm = self.configure(*self.source.calm)
        for _ in range(self.source.calm_runs):
            self.run_once(calm, bootstrap=self.broker.bootstrap)
        findings = Findings()
        for name, (institution, system) in ((self.name, self.source.harmed),
                                            (calm, self.source.calm)):
            check_published(self, institution, system, findings)
        said, wanted = (comparable(self.position(name), self.source)
                        for name in (self.name, calm))
        findings.add("wrong", self.source.read_once and said != wanted,
                     f"position after {said['sequence']} documents with {said['counts']} where "
                     f"{wanted['sequence']} with {wanted['counts']} were due")
        return findings

    def stop(self):
        self.source.stop()
        for process in self.started:
            process.stop()
        self.proxy.stop()
        self.broker.stop()


def comparable(position, source):
    """Without what tells one connector from another."""
    return {**{key: value for key, value in position.items()
               if key not in ("connector", "institution", "system", "config_hash")},
            "position": source.place_of(json.loads(position["position"]))}


def check_published(world, institution, system, findings):
    """Every row once, each key's in the source's order; every refused one a dead letter, once."""
    found = collections.defaultdict(list)
    for record in read_topic(world.broker.bootstrap, f"ingest.{institution}.{DOMAIN}"):
        title = world.schemas.read(record.value)["titles"][0]["text"]
        found[record.key.removeprefix(f"{system}/")].append(title)
    rows = world.source.rows
    for key, wanted in rows.expected.items():
        compare(f"{institution} {key}", found.pop(key, []), wanted, findings)
    findings.add("wrong", len(found), f"{list(found)[:1]} of {institution}, which the source has not")
    letters = [record.key.removeprefix(f"{system}/")
               for record in read_topic(world.broker.bootstrap, f"deadletter.{institution}")]
    compare(f"dead letters of {institution}", sorted(letters), sorted(rows.refused), findings)


def compare(where, said, wanted, findings):
    there, due = collections.Counter(said), collections.Counter(wanted)
    findings.add("lost", (due - there).total(), f"{list(due - there)[:1]} of {where}")
    findings.add("duplicate", (there - due).total(), f"{list(there - due)[:1]} of {where}")
    if there == due and said != wanted:
        findings.add("out of order", 1, where)


# --- harms ---

def kill_at_random(world, chance, _=None):
    """kill -9 some time after it has begun to write."""
    writing = threading.Event()
    world.proxy.when(proxy.REQUEST, proxy.PRODUCE, writing.set)
    world.source.write()
    assert writing.wait(WAIT_S) or world.weakened, "nothing was written"
    delay_s = chance.uniform(0, DELAY_MAX_S)
    with contextlib.suppress(subprocess.TimeoutExpired):
        world.connector.child.wait(delay_s)  # it runs on, as it should
    world.kill()
    world.start()
    return f"{delay_s:.2f} s after it began to write"


def kill_at_a_moment(world, _, moment):
    """kill -9 when a message passes, before anybody has it."""
    way, api_key = moment
    if api_key == proxy.INIT_PRODUCER_ID:  # said at a start only
        world.kill()
        world.proxy.when(way, api_key, world.kill)
        world.start()
    else:
        world.proxy.when(way, api_key, world.kill)
    world.source.write()
    wait_until(lambda: not world.connector.is_running(), "the kill", WAIT_S)
    world.start()
    return f"{way} of {proxy.NAMES[api_key]}"


def kill_uncommitted(world, *_):
    """kill -9 when all of a transaction is written, and the request to commit it is lost."""
    held = world.proxy.hold_next(proxy.END_TXN)
    world.source.write()
    assert held.caught.wait(WAIT_S), "no EndTxn"
    world.kill()
    held.drop()
    world.start()
    return "everything was written"


def hold(world, _, api_key):
    """A request is held back until its sender has given it up, gone on, and has written a part of the
    next transaction: its records, and not the position. Then it is delivered, and the sender killed
    before it can end that transaction."""
    world.wait_until_read()
    held = world.proxy.hold_next(api_key)
    world.source.write()
    assert held.caught.wait(WAIT_S), f"no {proxy.NAMES[api_key]}"
    assert held.given_up.wait(WAIT_S), f"its sender still waits for {proxy.NAMES[api_key]}"
    gate = world.proxy.hold_next(proxy.PRODUCE, text="position")
    produced = threading.Event()
    world.proxy.when(proxy.ANSWER, proxy.PRODUCE, produced.set)
    world.source.write()
    assert gate.caught.wait(WAIT_S), "no further transaction"
    produced.wait(1)
    held.release()
    held.answered.wait(ANSWER_WAIT_S)
    world.kill()
    gate.drop()
    world.proxy.forget_watchers()
    world.start()
    return proxy.NAMES[api_key]


def zombie(world, chance, _=None):
    """A connector is stopped in the middle, another of the same name takes over, and the first goes
    on as if nothing had been."""
    at = chance.choice((proxy.PRODUCE, proxy.END_TXN))
    caught = world.proxy.hold_next(at)
    world.source.write()
    assert caught.caught.wait(WAIT_S), f"no {proxy.NAMES[at]}"
    first = world.connector
    first.child.send_signal(signal.SIGSTOP)
    world.proxy.cancel(caught)
    caught.release()
    second = world.start()
    world.source.write()
    world.wait_until_read()
    first.child.send_signal(signal.SIGCONT)
    world.source.write()
    world.wait_until_read()
    wait_until(lambda: not (first.is_running() and second.is_running()), "one of two giving way",
               WAIT_S)
    if not second.is_running():
        world.connector = first
    return f"it stood still at a {proxy.NAMES[at]}"


def kill_broker(world, chance, at=None):
    at = chance.choice(HELD) if at is None else at
    moment = world.proxy.hold_next(at)
    world.source.write()
    assert moment.caught.wait(WAIT_S), f"no {proxy.NAMES[at]}"
    hanging = restart_broker(world.broker)
    world.proxy.cancel(moment)
    moment.release()
    world.source.write()
    return f"with a {proxy.NAMES[at]} under way" + (
        f", which hung in {hanging} partitions" if hanging else "")


def set_clock(world, chance, clock):
    """The wall clock is set while records are under way, and set back."""
    world.set_clock(0)
    world.connector.stop()
    world.start()
    under_way = world.proxy.hold_next(chance.choice((proxy.PRODUCE, proxy.END_TXN)))
    world.source.write()
    assert under_way.caught.wait(WAIT_S), "nothing was written"
    world.set_clock(clock_ahead_ms(clock))
    under_way.release()
    world.source.write()
    world.wait_until_read()
    world.set_clock(0)
    world.source.write()
    world.wait_until_read()
    return clock_name(clock)


def hide_behind_another(world, *_):
    """Another connector dies with a transaction open over the position topic; what is committed
    behind it cannot be read yet, and then this one is killed."""
    world.source.write()
    world.wait_until_read()
    held = world.proxy.hold_next(proxy.END_TXN)
    other = world.run(world.configure(*world.source.calm))
    assert held.caught.wait(WAIT_S), "the other ended no transaction"
    other.kill()
    held.drop()
    committed = threading.Event()
    world.proxy.when(proxy.ANSWER, proxy.END_TXN, committed.set)
    world.source.write()
    assert committed.wait(WAIT_S), "nothing was committed behind the open transaction"
    world.kill()
    world.start()
    world.wait_until_read()
