"""What the fault programme runs: a broker, the proxy before it, hubs, and the feed that writes the
institutions' statements past the proxy."""

import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import time

import confluent_kafka
import confluent_kafka.admin
from proxy import Proxy
from stack.installation import ROOT
from stack.kafka import Broker
from stack.process import Failed, Process, free_port, wait_until

BIN = ROOT / "build" / "release" / "bin"
PROGRAMS = ROOT / "build" / "release" / "tests" / "fault"
INSTITUTIONS = ["sus", "lu", "lumc"]
DOMAIN = "trial"
TRIALS = 2000
PIECE = 2500
BATCH_COUNT_MAX = 500
AWAKE_MAX = 1000  # of more statements than that, so that hubs sleep and wake all the time
SETTLE_TIMEOUT_S = 300
WEAKENED_TIMEOUT_S = 30
WATCHDOG_EXIT_CODE = 70

PROXIED = """\
listeners=PLAINTEXT://127.0.0.1:{port},PROXIED://127.0.0.1:{behind_port},\
CONTROLLER://127.0.0.1:{controller_port}
advertised.listeners=PLAINTEXT://127.0.0.1:{port},PROXIED://127.0.0.1:{proxy_port}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,PROXIED:PLAINTEXT,CONTROLLER:PLAINTEXT
"""


def proxied_broker(folder, long_lived=True):
    """A broker that is running, and the proxy before it."""
    broker = Broker(folder, long_lived=long_lived)
    behind_port, proxy_port = free_port(), free_port()
    with broker.properties_path.open("a") as file:
        file.write(PROXIED.format(port=broker.port, controller_port=broker.controller_port,
                                  behind_port=behind_port, proxy_port=proxy_port))
    return broker.start(), Proxy(proxy_port, behind_port).start()


def harmed(weakened=None, clock=None, preload=None):
    """The environment by which a program lacks something (tests/fault/weakened.c), runs by the clock of
    a file (tests/fault/clock.c), and has another librdkafka; or none of it."""
    more = {}
    loaded = [str(path) for path in (PROGRAMS / "libweakened.so" if weakened else None,
                                     PROGRAMS / "libclock.so" if clock else None, preload) if path]
    if clock:
        more["HUB_CLOCK"] = str(clock)
    if weakened:
        more["HUB_WEAKENED"] = weakened
    if loaded:
        more["LD_PRELOAD"] = ":".join(loaded)
    return more


def write_clock(path, milliseconds):
    """The wall clock of programs that run by it is this much ahead of the machine's."""
    path.touch()
    with path.open("r+b") as file:  # in place: they have it mapped
        file.write(milliseconds.to_bytes(8, sys.byteorder, signed=True))


def restart_broker(broker):
    """Kills it and starts it again. How many partitions a transaction hung in."""
    broker.process.kill()
    broker.start()
    return broker.end_hanging_transactions()


class Feed:
    """Statements, piece by piece, from one seed."""

    def __init__(self, bootstrap, seed, folder, trials=TRIALS, how=()):
        self.log = (folder / "feed.log").open("wb")
        self.process = subprocess.Popen(
            [PROGRAMS / "feed", bootstrap, str(trials), str(seed), *how], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=self.log, text=True,
            env={**os.environ, "HUB_SCHEMAS": str(ROOT / "schemas")})
        self.written = self.poison = 0

    def write(self, count, how="next"):
        """how: feed.c names them."""
        self.process.stdin.write(f"{count} {how}\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            raise Failed("the feed ended")
        self.written, self.poison = map(int, answer.split())

    def stop(self):
        self.process.stdin.close()
        self.process.wait(30)
        self.log.close()


class World:
    """weakened: what the hubs lack (tests/fault/weakened.c), or None. preload: another librdkafka.
    piece: how many records are written at a time. feed: what writes them, made of the broker's address,
    the seed and a folder."""

    def __init__(self, folder, seed, weakened=None, preload=None, schemas=ROOT / "schemas", feed=Feed,
                 piece=PIECE, long_lived=True):
        self.piece = piece
        self.compacted = False
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.schemas = schemas
        self.weakened = weakened
        self.preload = preload
        self.broker, self.proxy = proxied_broker(self.folder / "kafka", long_lived)
        self.ctl("topic", "create")
        self.feed = feed(self.broker.bootstrap, seed, self.folder)
        self.hubs = {}
        self.started = []
        self.listens = {}
        self.ended_by_watchdog = 0
        self.clock = None  # the file that says the time to hubs that start

    @property
    def patience_s(self):
        return WEAKENED_TIMEOUT_S if self.weakened else SETTLE_TIMEOUT_S

    # --- hubs ---

    @property
    def environment(self):
        return {**os.environ, "HUB_BOOTSTRAP": f"127.0.0.1:{self.proxy.port}",
                "HUB_SCHEMAS": str(self.schemas),
                **harmed(self.weakened, self.clock, self.preload)}

    def start_hub(self, name="hub-1", machine="", environment=None):
        """machine: another than where a hub of that name runs already."""
        self.listens[name] = f"127.0.0.1:{free_port()}"
        self.hubs[name] = Process(
            name, [BIN / "atmp-hub", "--instance", name, "--state",
                   self.folder / f"state-{name}{machine}", "--listen", self.listens[name],
                   "--checkpoint-interval-ms", "500", "--batch-count-max", BATCH_COUNT_MAX,
                   "--awake-max", AWAKE_MAX],
            self.folder / f"{name}.log", environment or self.environment).start()
        self.started.append(self.hubs[name])
        return self.hubs[name]

    def start_after_watchdog(self, hub):
        """As its supervisor does. A hub that stood still for long is ended by its watchdog, too."""
        if hub.child.returncode != WATCHDOG_EXIT_CODE:
            raise Failed(f"{hub.name} ended\n{hub.tail()}")
        self.ended_by_watchdog += 1
        hub.start()

    def wait_for(self, event, timeout_s):
        """As the event's own wait, but a hub that its watchdog ends meanwhile is started again."""
        deadline = time.monotonic() + timeout_s
        while not event.wait(1):
            self.supervise()
            if time.monotonic() > deadline:
                return False
        return True

    def supervise(self):
        """A hub whose call never returned is ended by its watchdog, and started as by its supervisor."""
        for hub in self.hubs.values():
            if not hub.is_running() and hub.child.returncode == WATCHDOG_EXIT_CODE:
                self.start_after_watchdog(hub)

    def set_clock(self, milliseconds):
        """Of hubs that are started from now on, and of those that run by it."""
        self.clock = self.folder / "clock"
        write_clock(self.clock, milliseconds)

    def kill_hub(self, name="hub-1"):
        self.hubs[name].kill()

    def lose_cache(self, name="hub-1"):
        shutil.rmtree(self.folder / f"state-{name}", ignore_errors=True)

    def configure(self, topics, settings):
        """Topic settings, while everything runs."""
        admin = confluent_kafka.admin.AdminClient({"bootstrap.servers": self.broker.bootstrap})
        entries = [confluent_kafka.admin.ConfigEntry(
            name, value, incremental_operation=confluent_kafka.admin.AlterConfigOpType.SET)
            for name, value in settings.items()]
        resources = [confluent_kafka.admin.ConfigResource(
            confluent_kafka.admin.ResourceType.TOPIC, topic, incremental_configs=entries)
            for topic in topics]
        for done in admin.incremental_alter_configs(resources).values():
            done.result()

    # --- looking ---

    def cleaned_up_to(self, topic):
        """The offset that Kafka has compacted a topic's first partition up to."""
        path = self.broker.folder / "data" / "cleaner-offset-checkpoint"
        lines = path.read_text().splitlines() if path.exists() else []
        return max((int(line.split()[2]) for line in lines if line.startswith(f"{topic} 0 ")),
                   default=0)

    def ctl_result(self, *arguments):
        environment = {**os.environ, "HUB_BOOTSTRAP": self.broker.bootstrap,
                       "HUB_SCHEMAS": str(self.schemas)}
        return subprocess.run([BIN / "hubctl", *map(str, arguments)], check=False, text=True,
                              capture_output=True, env=environment, stdin=subprocess.DEVNULL)

    def ctl(self, *arguments):
        result = self.ctl_result(*arguments)
        if result.returncode != 0:
            raise Failed(f"hubctl {' '.join(map(str, arguments))}: exit code {result.returncode}\n"
                         f"{result.stdout[-2000:]}{result.stderr[-2000:]}")
        return result.stdout

    def librdkafka(self):
        """The versions that the hubs say they run."""
        logs = (path.read_text(errors="replace") for path in self.folder.glob("hub-*.log"))
        return {version for log in logs for version in re.findall(r"librdkafka ([\d.]+)", log)}

    def is_settled(self):
        for hub in self.hubs.values():
            if not hub.is_running():
                self.start_after_watchdog(hub)
        return self.ctl_result("lag").returncode == 0

    def wait_until_settled(self):
        """Hubs that lack something may never get there: that is a finding, and the checker's."""
        try:
            wait_until(self.is_settled, "the hub taking what is there", self.patience_s,
                       interval_s=1)
        except Failed:
            if not self.weakened:
                raise

    def differences(self, domain):
        """How many published records are not those of a single-threaded fold of the log, or are missing;
        but for those that compaction took."""
        refolded = self.ctl_result("refold", domain)
        found = re.search(r"(\d+) compacted away, (\d+) differences", refolded.stdout)
        away, differences = map(int, found.groups()) if found else (0, 1)
        return differences + (0 if self.compacted else away)

    def unbalanced(self):
        """What hubctl status says does not add up."""
        return [f"{each['left']}: {each['left_count']}, but {each['right']}: {each['right_count']}"
                for each in json.loads(self.ctl_result("status", "-o", "json").stdout)["wrong"]
                if "connectors" not in each["left"]]  # there are none here

    def stop(self):
        self.feed.stop()
        for hub in self.started:  # also one that stands still
            hub.kill()
        self.proxy.stop()
        self.broker.process.kill()
