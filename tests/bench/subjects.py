"""What is measured. A subject takes the whole load once per run, from the ingest topics to its own,
and is believed only when what it left there is what the load demands.

Rates are by the broker's clock: from the first record that a subject appended to its last. CPU is of
the process's whole life, start and end included; memory is its peak.
"""

import json
import os
import pathlib
import re
import resource
import shutil
import urllib.request

from confluent_kafka import ConsumerGroupTopicPartitions, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec

from load import BIN, INGEST, INSTITUTIONS, PROGRAMS, ROOT, call, expect, schema_id
from stack.kafka import jars_folder
from stack.process import Failed, Process, free_port, wait_until

TIMEOUT_S = 300
LOOK_INTERVAL_S = 0.02


def read_memory(pid):
    """Bytes: the peak of what was resident (not getrusage's, which begins with what the parent had), and what is
    private now: without the pages of files, which the kernel drops where it needs the memory."""
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    found = dict(re.findall(r"^(VmHWM|RssAnon):\s+(\d+) kB", status, re.M))
    return int(found.get("VmHWM", 0)) * 1024, int(found.get("RssAnon", 0)) * 1024


def cpu_of_children():
    """Seconds, of those that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def rate(load, first_ms, last_ms):
    return load.events * 1000 / (last_ms - first_ms)


class Run:
    """One life of a process: its CPU seconds and peak memory, private (as often as it is looked at) and all."""

    def __init__(self, process):
        self.process = process
        self.memory = self.private = 0
        self.cpu_before = cpu_of_children()
        process.start()

    def look(self):
        """Whether it still runs."""
        if not self.process.is_running():
            return False
        try:
            resident, private = read_memory(self.process.pid)
        except OSError:
            return False
        self.memory, self.private = max(self.memory, resident), max(self.private, private)
        return True

    def cpu_so_far(self):
        """Seconds, while it runs."""
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")  # proc_pid_stat(5)

    def cpu_of_life(self):
        """Seconds, after its end, before any other child's."""
        return cpu_of_children() - self.cpu_before

    def costs(self, load):
        """After its end, before any other child's."""
        return {"cpu": self.cpu_of_life() * 1e6 / load.events, "memory": self.memory,
                "private": self.private, "pid": self.process.pid}


class Limit:
    """The same bytes copied twice, by tests/bench/copy.c."""

    name = "limit"
    title = "two raw transactional copies"

    def __init__(self, broker, folder):
        self.broker = broker
        self.folder = folder

    def start(self, group, events, *topics):
        """Copies so many from the ingest topics to the first of the topics, and on to the second."""
        return Run(Process("copy", [PROGRAMS / "copy", self.broker.bootstrap, group, events,
                                    ",".join(INGEST), *topics], self.folder / "copy.log"))

    @staticmethod
    def wait(run):
        wait_until(lambda: not run.look(), "the copies", TIMEOUT_S, LOOK_INTERVAL_S)
        if run.process.wait(TIMEOUT_S) != 0:
            raise Failed(f"copy failed\n{run.process.tail()}")

    def run(self, load, number):
        topics = ["bench.first", "bench.second"]
        load.topics.create(*topics)
        run = self.start(f"bench-copy-{number}", load.events, *topics)
        self.wait(run)
        costs = run.costs(load)
        found = load.topics.read(*topics)
        for topic in topics:
            expect(f"{topic}: records", found[topic]["records"], load.events)
            expect(f"{topic}: bytes", found[topic]["bytes"], load.bytes)
            expect(f"{topic}: digest", found[topic]["digest"], load.digest)
        load.topics.drop(*topics)
        return {**costs, "rate": rate(load, found[topics[0]]["first_ms"],
                                      found[topics[1]]["last_ms"])}


class Hub:
    """atmp-hub as it is shipped: admit and fold, checkpoints of its cache included."""

    name = "hub"
    title = "the hub"
    topics = ["log.trial", "unified.trial", "conflict.trial", "match.trial", "deadletter.hub",
              *(f"admitted.{name}.trial" for name in INSTITUTIONS)]

    def __init__(self, broker, folder, options=()):
        """options: of the program"""
        self.broker = broker
        self.folder = folder
        self.options = options
        self.librdkafka = None

    def start(self, group, number=1):
        """(its run, where it listens), with a state of its own; number: in its group."""
        listen = f"127.0.0.1:{free_port()}"
        return Run(Process("atmp-hub",
                           [BIN / "atmp-hub", "--bootstrap", self.broker.bootstrap, "--schemas",
                            ROOT / "schemas", "--state", self.folder / f"state-{group}-{number}", "--listen",
                            listen, "--group", group, "--instance", f"hub-{number}", *self.options],
                           self.folder / "hub.log")), listen

    def run(self, load, number):
        load.topics.drop(*self.topics)
        load.topics.create_all()
        run, listen = self.start(f"bench-hub-{number}")
        try:
            counts = wait_until(lambda: self._done(run, listen, load), "the hub taking the load",
                                TIMEOUT_S, interval_s=0.1)
            run.look()
        finally:
            self.stop(run)
        costs = run.costs(load)
        self.librdkafka = re.search(r"librdkafka ([\d.]+)", run.process.log_text())[1]
        found = load.topics.read(*self.topics)
        self._check(load, counts, found)
        times = [each for each in found.values() if each["records"] > 0]
        return {**costs, "rate": rate(load, min(each["first_ms"] for each in times),
                                      max(each["last_ms"] for each in times))}

    @staticmethod
    def stop(run):
        code = run.process.stop()
        if code != 0:
            raise Failed(f"the hub ended with {code}\n{run.process.tail()}")

    def _done(self, run, listen, load):
        entries = load.expected["created"] + load.expected["changed"]
        return self.has_taken(run, listen, load.events, entries)

    @staticmethod
    def has_taken(run, listen, events, entries):
        """The counts, once so many statements are admitted and so many entries folded."""
        if not run.look():
            raise Failed(f"the hub ended\n{run.process.tail()}")
        counts = read_counts(listen)
        return counts if is_taken(counts, events, entries) else None

    @staticmethod
    def check_counts(load, counts):
        wanted = load.expected
        for outcome, count in {"new": wanted["created"], "changed": wanted["changed"],
                               "unchanged": wanted["unchanged"]}.items():
            expect(f"admitted as {outcome}", counts[f"admit {outcome}"], count)
        for outcome in ("late", "withdrawn", "moved", "dead"):
            expect(f"admitted as {outcome}", counts[f"admit {outcome}"], 0)
        expect("folded and published", counts["fold published"], wanted["created"] + wanted["changed"])
        expect("entities", counts["entities"], wanted["entities"])

    @staticmethod
    def _check(load, counts, found):
        wanted = load.expected
        entries = wanted["created"] + wanted["changed"]
        Hub.check_counts(load, counts)
        expect("open conflicts", counts["conflicts_open"], wanted["conflicts_open"])
        expect("entries of the log, one of which names its rules", found["log.trial"]["records"],
               entries + 1)
        expect("unified records", found["unified.trial"]["records"] >= entries, True)
        expect("admitted records", sum(found[f"admitted.{name}.trial"]["records"]
                                       for name in INSTITUTIONS), load.events)
        expect("dead letters", found["deadletter.hub"]["records"], 0)


ADMIT_OUTCOMES = ["new", "changed", "unchanged", "late", "withdrawn", "moved", "dead"]
FOLD_OUTCOMES = ["published", "unchanged", "superseded", "withdrawn"]


def is_taken(counts, events, entries):
    """Whether so many statements are admitted and so many entries folded."""
    admitted = sum(counts.get(f"admit {outcome}", 0) for outcome in ADMIT_OUTCOMES)
    folded = sum(counts.get(f"fold {outcome}", 0) for outcome in FOLD_OUTCOMES)
    return admitted >= events and folded >= entries


def read_metrics(listen):
    """Empty where the hub does not answer yet."""
    try:
        with urllib.request.urlopen(f"http://{listen}/metrics", timeout=2) as answer:
            return answer.read().decode()
    except OSError:
        return ""


def read_counts(listen):
    return counts_of(read_metrics(listen), "trial")


def counts_of(metrics, domain):
    """{"admit new": 7, "fold published": 7, "entities": 5, ...} of the domain; empty of no metrics."""
    counts = {}
    for name, labels, value in re.findall(r"^atmp_(\w+)\{([^}]*)\} (\d+)$", metrics, re.M):
        labels = dict(re.findall(r'(\w+)="([^"]*)"', labels))
        if labels.get("domain") != domain:
            continue
        short = {"admit_records_total": "admit", "fold_entries_total": "fold"}.get(name)
        key = f"{short} {labels['outcome']}" if short else name
        counts[key] = counts.get(key, 0) + int(value)
    return counts


class Progress:
    """How far a consumer group has come, by the offsets that it has committed."""

    def __init__(self, bootstrap, group):
        self.group = group
        self.admin = AdminClient({"bootstrap.servers": bootstrap})

    def _committed(self):
        request = [ConsumerGroupTopicPartitions(self.group)]
        found = self.admin.list_consumer_group_offsets(request)[self.group].result()
        return {(each.topic, each.partition): each.offset for each in found.topic_partitions}

    def _ends(self, topic):
        """Nothing where there is no such topic."""
        partitions = self.admin.list_topics(topic, timeout=10).topics[topic].partitions
        if not partitions:
            return {}
        found = self.admin.list_offsets({TopicPartition(topic, number): OffsetSpec.latest()
                                         for number in partitions})
        return {(each.topic, each.partition): future.result().offset
                for each, future in found.items()}

    def has_taken(self, topics):
        """Whether it has come to the end of all, the marks of the last transactions included."""
        try:
            committed = self._committed()
            return all(is_at_end(committed, self._ends(topic)) for topic in topics)
        except KafkaException:
            return False  # nobody has joined the group yet


def is_at_end(committed, ends):
    """{(topic, partition): offset} of both; without ends there is no topic, and it was not read."""
    return bool(ends) and all(max(committed.get(place, 0), 0) >= end for place, end in ends.items())


class Streams:
    """The peer: the hub's job in Kafka Streams, exactly once, by tests/bench/streams. It is measured after
    the hub, and has to merge every trial to the very value that the hub has merged it to."""

    name = "streams"
    title = "the peer: Kafka Streams"
    source = pathlib.Path(__file__).resolve().parent / "streams"
    merged = "bench.merged"
    heap = "512m"

    def __init__(self, broker, folder, threads):
        self.broker = broker
        self.folder = folder
        self.threads = threads
        self.classes = folder / "streams-classes"
        self.jars = jars_folder().with_name("streams-4.3.1")

    @property
    def versions(self):
        """Of what it is made of."""
        jars = dict(re.findall(r" ([\w-]+)-([\d.]+)\.jar$",
                               (self.source / "jars.sha256").read_text(), re.M))
        java = call(["java", "--version"]).split()[1]
        return (f"Kafka Streams {jars['kafka-streams']}, RocksDB {jars['rocksdbjni']}, "
                f"Avro {jars['avro']}, Java {java}")

    def compile(self):
        call(["javac", "-cp", f"{self.jars}/*", "-d", self.classes,
              *sorted(self.source.glob("*.java"))])

    def _java(self, heap, program, *arguments):
        return ["java", f"-Xmx{heap}", "-XX:+UseSerialGC", f"-Djava.io.tmpdir={self.folder}",
                "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
                "-cp", f"{self.classes}:{self.jars}/*", program, *arguments]

    @staticmethod
    def inner_topics(application):
        """Those that it makes for itself: what goes from task to task first."""
        return [f"{application}-changed-repartition",
                *(f"{application}-{store}-changelog" for store in ("seen", "trials"))]

    def start(self, application):
        if not self.classes.exists():
            self.compile()
        # The allocator that Kafka's documentation advises for RocksDB, and that the hub has, too.
        return Run(Process("streams", self._java(
            self.heap, "Peer", self.broker.bootstrap, application, self.folder / application,
            ROOT / "schemas", schema_id("trial"), self.threads, ",".join(INGEST), self.merged),
            self.folder / "streams.log", {**os.environ, "LD_PRELOAD": "libjemalloc.so.2"}))

    @staticmethod
    def stop(run):
        code = run.process.stop()
        if code != JAVA_TERMINATED:
            raise Failed(f"Kafka Streams ended with {code}\n{run.process.tail()}")

    def run(self, load, number):
        application = f"bench-streams-{number}"
        inner = self.inner_topics(application)
        between = inner[0]
        load.topics.create(self.merged)
        progress = Progress(self.broker.bootstrap, application)
        run = self.start(application)
        try:
            wait_until(lambda: self._done(run, progress, [*INGEST, between]),
                       "Kafka Streams taking the load", TIMEOUT_S, interval_s=0.1)
            run.look()
        finally:
            self.stop(run)
        costs = run.costs(load)
        found = load.topics.read(between, self.merged)
        self._check(load, found[between], found[self.merged], self._compare())
        load.topics.drop(self.merged, *inner)
        shutil.rmtree(self.folder / application)
        return {**costs, "rate": rate(load, found[between]["first_ms"],
                                      found[self.merged]["last_ms"])}

    @staticmethod
    def _done(run, progress, topics):
        if not run.look():
            raise Failed(f"Kafka Streams ended\n{run.process.tail()}")
        return progress.has_taken(topics)

    def _compare(self):
        """{entities, merged, same}: of the hub, of the peer, and of both."""
        return json.loads(call(self._java(
            "1g", "Compare", self.broker.bootstrap, ROOT / "schemas", schema_id("unified.trial"),
            schema_id("trial"), "unified.trial", self.merged)))

    @staticmethod
    def _check(load, between, merged, compared):
        wanted = load.expected
        changes = wanted["created"] + wanted["changed"]
        expect("statements that Kafka Streams lets pass", between["records"], changes)
        expect("trials that it publishes, again and again", merged["records"], changes)
        for what in ("entities", "merged", "same"):
            expect(f"compared with the hub: {what}", compared[what], wanted["entities"])


JAVA_TERMINATED = 143  # what a JVM ends with when it was asked to and could
