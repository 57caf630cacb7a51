"""A single-node Kafka in KRaft mode, its own folder and its own ports."""

import contextlib
import os
import pathlib
import shutil
import subprocess

from stack.process import Failed, Process, free_port, wait_until

CLUSTER_ID = "9sPzGn3pT6uXb1kq0vWm2A"
START_TIMEOUT_S = 60

PROPERTIES = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller_port}
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs={folder}/data
num.network.threads=2
num.io.threads=4
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
transaction.abort.timed.out.transaction.cleanup.interval.ms=1000
auto.create.topics.enable=false
log.cleaner.dedupe.buffer.size=4194304
log.cleaner.backoff.ms=1000
"""


def jars_folder():
    """Where deploy/setup keeps the jars."""
    cache = os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache"
    return pathlib.Path(cache) / "atmp-hub" / "kafka-4.3.1"


CLASSES = "classes.jsa"
QUICK = ["-XX:TieredStopAtLevel=1"]  # half the CPU of a broker that lives for seconds


def tool(name, *arguments):
    """What one of Kafka's own tools prints."""
    done = subprocess.run(
        ["java", *QUICK, "-Dorg.slf4j.simpleLogger.defaultLogLevel=error", "-cp",
         f"{jars_folder()}/*", name, *map(str, arguments)],
        capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Failed(f"{name}: {done.stdout}{done.stderr}")
    return done.stdout


class Broker:
    """folder: for its data, properties and log; made where it is missing. long_lived: compiled as a
    broker in service is."""

    def __init__(self, folder, heap="256m", preferred_port=0, properties="", long_lived=False):
        self.folder = pathlib.Path(folder)
        self.heap = heap
        self.compiler = [] if long_lived else QUICK
        self.port = free_port(preferred_port)
        self.controller_port = free_port()
        self.folder.mkdir(parents=True, exist_ok=True)
        self.properties_path = self.folder / "server.properties"
        self.properties_path.write_text(PROPERTIES.format(
            port=self.port, controller_port=self.controller_port, folder=self.folder) + properties)
        self.process = None

    @property
    def bootstrap(self):
        return f"127.0.0.1:{self.port}"

    def start(self):
        prepared = self._prepared()
        data = self.folder / "data"
        if not (data / "meta.properties").exists():
            shutil.copytree(prepared / "data", data, dirs_exist_ok=True)  # it may be a disk of its own
        self._start(f"-XX:SharedArchiveFile={prepared / CLASSES}")
        return self

    def _start(self, *options):
        log = self.folder / "kafka.log"
        log.unlink(missing_ok=True)
        self.process = Process(
            "kafka",
            ["java", *self.compiler, *options, "-Xms64m", f"-Xmx{self.heap}", "-XX:+UseSerialGC",
             "-Dorg.slf4j.simpleLogger.defaultLogLevel=info", "-cp", f"{jars_folder()}/*",
             "kafka.Kafka", self.properties_path], log).start()
        wait_until(self._is_up, "start of Kafka", START_TIMEOUT_S)

    def _prepared(self):
        """A folder with what is the same for every broker here and is made once: the data folder as
        formatting leaves it, and Kafka's classes as the JVM wants them, which halves a start. Another
        JVM leaves them alone."""
        prepared = jars_folder() / f"prepared-{CLUSTER_ID}"
        if not prepared.exists():
            fresh = prepared.with_name(f"{prepared.name}.{os.getpid()}")
            self._format()
            shutil.copytree(self.folder / "data", fresh / "data")
            self._start(f"-XX:ArchiveClassesAtExit={fresh / CLASSES}")
            self.stop()
            shutil.rmtree(self.folder / "data")
            with contextlib.suppress(OSError):  # another was first
                fresh.rename(prepared)
            shutil.rmtree(fresh, ignore_errors=True)
        return prepared

    def _format(self):
        tool("kafka.tools.StorageTool", "format", "-t", CLUSTER_ID, "-c", self.properties_path)

    def end_hanging_transactions(self):
        """As an operator would. Kafka 4.3.1 can forget the markers of a transaction that was to end
        when a lone broker was killed: its coordinator finds no leader for the partitions until the
        broker is unfenced, and takes them for deleted. Returns how many partitions it held up."""
        transactions = ("org.apache.kafka.tools.TransactionsCommand", "--bootstrap-server",
                        self.bootstrap)
        listed = tool(*transactions, "find-hanging", "--broker-id", 1,
                      "--max-transaction-timeout", 0)
        ended = 0
        for line in listed.splitlines()[1:]:
            topic, partition, _, _, _, start_offset, *_ = line.split()
            try:
                tool(*transactions, "abort", "--topic", topic, "--partition", partition,
                     "--start-offset", start_offset)
                ended += 1
            except Failed as failure:  # it was only slow to end, and has ended since
                if "Could not find any open transactions" not in str(failure):
                    raise
        return ended

    def _is_up(self):
        if not self.process.is_running():
            raise Failed(f"Kafka ended\n{self.process.tail()}")
        return "Kafka Server started" in self.process.log_text()

    def stop(self):
        if self.process is not None:
            self.process.stop()
