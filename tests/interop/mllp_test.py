"""HAPI, the HL7 v2 library that many hospitals' systems are made with, sends to a running connector:
over MLLP and over TLS, while Kafka stands still, and while the connector is killed again and again."""

import collections
import os
import random
import re
import select
import signal
import socket
import ssl
import subprocess
import threading
import time

import confluent_kafka
import pytest

import programs
import readme
from stack.installation import ROOT, make_keys
from stack.kafka import Broker, jars_folder
from stack.process import Failed, Process, free_port, wait_until

HERE = ROOT / "tests" / "interop" / "hapi"
JARS = jars_folder().with_name("hapi-2.6.0")
BIN = ROOT / "build" / "release" / "bin"
WEAKENED = ROOT / "build" / "release" / "tests" / "fault" / "libweakened.so"
SYSTEM = "sus-atmp"
INGEST = "ingest.sus.gmp-slot"
ANSWER_TIMEOUT_S = 60
KILLS, LONG_KILLS = 10, 100
SIZE_MAX_BYTES = 4096
SIU = ("MSH|^~\\&|PLAN|SUS|HUB|ATMP|20260302071500||SIU^S12^SIU_S12|{id}|P|2.5.1{more}\r"
       "SCH|PL-{id}|{slot}|||||||||^^^20260312080000^20260312160000|||||||||||||||Booked\r"
       "RGS|1\rAIL|1||SUITE-B^ROOM-2|||20260312080000|||480|min||Booked\r")


def siu(identifier, slot=None, more=""):
    return SIU.format(id=identifier, slot=slot or f"FS-{identifier}", more=more)


class Hapi:
    """The sender in Java, one process."""

    def __init__(self, folder, port, tls=None, timeout_ms=30000):
        self.log = (folder / "hapi.log").open("ab")
        self.child = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", "--", "java", "-XX:TieredStopAtLevel=1", "-Xmx128m",
             *[f"-Djavax.net.ssl.{name}={value}" for name, value in (tls or {}).items()],
             "-cp", f"{JARS}/*", HERE / "Sender.java", str(port), "tls" if tls else "plain",
             str(timeout_ms)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log, text=True, bufsize=1)

    def send(self, message):
        self.child.stdin.write(message.replace("\r", "\\r") + "\n")
        self.child.stdin.flush()

    def has_answer(self, within_s):
        return bool(select.select([self.child.stdout], [], [], within_s)[0])

    def answer(self):
        if not self.has_answer(ANSWER_TIMEOUT_S):
            raise Failed("HAPI says nothing")
        return self.child.stdout.readline().split(maxsplit=2)

    def ask(self, message):
        self.send(message)
        return self.answer()

    def send_until_accepted(self, message):
        """As a system does that must not lose anything. How often it was sent and not answered."""
        deadline, unanswered = time.monotonic() + ANSWER_TIMEOUT_S, 0
        while time.monotonic() < deadline:
            code, *rest = self.ask(message)
            if code == "AA":
                return unanswered
            assert code in ("failed", "AE"), (code, rest)
            refused = "ConnectException" in rest[0] + rest[-1]
            unanswered += not refused
            time.sleep(0.05 if refused else 0)
        raise Failed("never accepted")

    def stop(self):
        self.child.stdin.close()
        self.child.wait(30)
        self.log.close()


def slots_from(source):
    """connectors/sus/slots.yaml with another source."""
    text = (ROOT / "connectors" / "sus" / "slots.yaml").read_text()
    text, count = re.subn(r"^source:\n(  .*\n)+", lambda _: source, text, flags=re.M)
    assert count == 1
    return text.replace("../", f"{ROOT}/connectors/")


class Connector:
    """The ATMP centre's slots, of which it is told over MLLP."""

    def __init__(self, folder, broker, more="", environment=None):
        self.folder = folder
        self.port = free_port()
        self.path = folder / "slots.yaml"
        self.path.write_text(slots_from(
            f"source:\n  transport: mllp\n  format: hl7v2\n  listen: 127.0.0.1:{self.port}\n"
            f"  size_max_bytes: {SIZE_MAX_BYTES}\n{more}"))
        make_keys(folder / "keys", ["sus"])
        self.environment = {**os.environ, "HUB_BOOTSTRAP": broker.bootstrap,
                            "HUB_SCHEMAS": str(ROOT / "schemas"),
                            "HUB_KEYS": str(folder / "keys"), **(environment or {})}
        self.process = None

    def start(self):
        self.process = Process("connector", [BIN / "connector", "run", self.path, "--state",
                                             self.folder / "state"],
                               self.folder / "connector.log", self.environment).start()
        return self

    def is_listening(self):
        if not self.process.is_running():
            raise Failed(f"the connector ended\n{self.process.tail()}")
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def wait_until_listening(self):
        wait_until(self.is_listening, "the connector listening")
        return self


@pytest.fixture
def broker(tmp_path):
    broker = Broker(tmp_path / "kafka")
    broker.start()
    subprocess.run([BIN / "hubctl", "topic", "create"], check=True, capture_output=True,
                   env={**os.environ, "HUB_BOOTSTRAP": broker.bootstrap,
                        "HUB_SCHEMAS": str(ROOT / "schemas")})
    yield broker
    broker.stop()


@pytest.fixture
def running(broker):
    """running(what, …) stops it at the end."""
    started = []

    def run(what):
        started.append(what)
        return what

    yield run
    for each in reversed(started):
        each.stop()


@pytest.fixture
def connect(broker, running, tmp_path):
    def start(**options):
        connector = Connector(tmp_path, broker, **options).start()
        running(connector.process)
        return connector.wait_until_listening()

    return start


def read_keys(broker, topic):
    """How often each key is in what is committed."""
    consumer = confluent_kafka.Consumer({
        "bootstrap.servers": broker.bootstrap, "group.id": "mllp", "enable.auto.commit": False,
        "isolation.level": "read_committed", "enable.partition.eof": True})
    try:
        left = consumer.list_topics(topic, 30).topics[topic].partitions
        consumer.assign([confluent_kafka.TopicPartition(topic, number, 0) for number in left])
        keys, ended = collections.Counter(), set()
        while len(ended) < len(left):
            message = consumer.poll(30)
            assert message is not None, f"{topic}: nothing came"
            if message.error() is None:
                keys[message.key().decode()] += 1
            else:
                ended.add(message.partition())
        return keys
    finally:
        consumer.close()


def slots(broker):
    return {key.removeprefix(f"{SYSTEM}/"): count for key, count in read_keys(broker, INGEST).items()}


def test_the_source_that_the_readme_shows_is_one(tmp_path):
    shown, = [text for text in readme.code("yaml") if "transport: mllp" in text]
    (tmp_path / "slots.yaml").write_text(slots_from(shown))
    done = programs.run("connector", "check", tmp_path / "slots.yaml")
    assert done.returncode == 0, done.stdout + done.stderr


def test_hapi_is_answered_in_both_modes(broker, connect, running, tmp_path):
    hapi = running(Hapi(tmp_path, connect().port))
    assert hapi.ask(siu("M-1")) == ["AA", "M-1", "null\n"]
    assert hapi.ask(siu("M-2", more="|||AL|NE||8859/1")) == ["CA", "M-2", "null\n"]
    assert hapi.ask(siu("M-3", more="|||NE|AL")) == ["AA", "M-3", "null\n"]
    assert hapi.ask(siu("M-4") + "NTE|1||" + "x" * SIZE_MAX_BYTES + "\r") == ["AR", "M-4", "207\n"]
    assert hapi.ask(siu("M-5", more="|||AL|AL") + "NTE|1||" + "x" * SIZE_MAX_BYTES + "\r") == \
        ["CR", "M-5", "207\n"]
    assert hapi.ask(siu("M-6")) == ["AA", "M-6", "null\n"]
    assert slots(broker) == {f"FS-M-{number}": 1 for number in (1, 2, 3, 6)}
    assert read_keys(broker, "deadletter.sus").total() == 2


def test_nobody_is_answered_before_kafka_has_it(broker, connect, running, tmp_path):
    hapi = running(Hapi(tmp_path, connect().port, timeout_ms=ANSWER_TIMEOUT_S * 1000))
    assert hapi.ask(siu("M-1"))[0] == "AA"
    broker.process.child.send_signal(signal.SIGSTOP)
    try:
        hapi.send(siu("M-2"))
        early = hapi.has_answer(within_s=2)
    finally:
        broker.process.child.send_signal(signal.SIGCONT)
    assert not early
    assert hapi.answer()[:2] == ["AA", "M-2"]
    assert slots(broker) == {"FS-M-1": 1, "FS-M-2": 1}


@pytest.mark.long("as long as Kafka is waited for")
def test_while_kafka_is_away_hapi_is_asked_to_send_again(broker, connect, running, tmp_path):
    hapi = running(Hapi(tmp_path, connect().port, timeout_ms=ANSWER_TIMEOUT_S * 1000))
    assert hapi.ask(siu("M-1"))[0] == "AA"
    broker.process.kill()
    assert hapi.ask(siu("M-2")) == ["AE", "M-2", "207\n"]
    broker.start()
    hapi.send_until_accepted(siu("M-2"))
    assert slots(broker) == {"FS-M-1": 1, "FS-M-2": 1}


def test_with_a_spool_hapi_is_answered_while_kafka_is_away(broker, connect, running, tmp_path):
    """And the connector is killed, with Kafka away and when it is back."""
    connector = connect(more="  while_away: spool\n")
    hapi = running(Hapi(tmp_path, connector.port, timeout_ms=ANSWER_TIMEOUT_S * 1000))
    assert hapi.ask(siu("M-1"))[0] == "AA"
    broker.stop()
    for number in range(2, 40):
        assert hapi.ask(siu(f"M-{number}"))[:2] == ["AA", f"M-{number}"]
    kept = tmp_path / "state" / "spool" / "sus-slots"
    assert len(list(kept.glob("[0-9]*"))) == 38
    connector.process.kill()
    broker.start()
    for _ in range(2):
        running(connector.start().process)
        connector.wait_until_listening()
        connector.process.kill()
    running(connector.start().process)
    hapi.send_until_accepted(siu("M-40"))
    hapi.send_until_accepted(siu("M-2"))
    assert not list(kept.glob("[0-9]*"))
    assert slots(broker) == {f"FS-M-{number}": 1 for number in range(1, 41)}


def kill_again_and_again(connector, hapi, running, chance, kills):
    """While HAPI sends, each message until it is accepted. The slots that it was told are safe, and how
    often it was not answered."""
    accepted, unanswered, stop = [], [0], threading.Event()
    failures = []

    def send():
        try:
            while not stop.is_set():
                number = len(accepted) + 1
                unanswered[0] += hapi.send_until_accepted(siu(f"M-{number}"))
                accepted.append(f"FS-M-{number}")
        except Exception as failure:  # for the thread that started this one
            failures.append(failure)

    sending = threading.Thread(target=send)
    sending.start()
    try:
        for _ in range(kills):
            before = len(accepted)
            wait_until(lambda: failures or len(accepted) > before, "an answer", ANSWER_TIMEOUT_S)
            time.sleep(chance.uniform(0, 0.3))
            connector.process.kill()
            running(connector.start().process)
            connector.wait_until_listening()
    finally:
        stop.set()
        sending.join(ANSWER_TIMEOUT_S)
    assert not failures, failures
    return accepted, unanswered[0]


def test_a_connector_that_is_killed_loses_and_doubles_nothing(broker, connect, running, tmp_path,
                                                              seed, request):
    """What HAPI heard AA of is committed, whenever the connector was killed after."""
    long = request.config.getoption("--long")
    connector = connect()
    hapi = running(Hapi(tmp_path, connector.port, timeout_ms=1500))
    accepted, unanswered = kill_again_and_again(connector, hapi, running, random.Random(seed),
                                                LONG_KILLS if long else KILLS)
    print(f"seed {seed}: {len(accepted)} messages, {unanswered} not answered and sent again")
    assert unanswered > 0
    assert slots(broker) == {slot: 1 for slot in accepted}
    assert not read_keys(broker, "deadletter.sus")


def test_a_connector_that_only_says_it_has_committed_is_found_out(broker, connect, running, tmp_path):
    """The control."""
    connector = connect(environment={"LD_PRELOAD": str(WEAKENED), "HUB_WEAKENED": "commit"})
    hapi = running(Hapi(tmp_path, connector.port))
    for number in range(10):
        hapi.send_until_accepted(siu(f"M-{number}"))
    assert len(slots(broker)) < 10


# --- TLS ---

def openssl(*arguments):
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)


@pytest.fixture
def certificates(tmp_path):
    """An authority, and what it has signed: the connector and one sender."""
    folder = tmp_path / "tls"
    folder.mkdir()
    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", 2)
    openssl("req", "-x509", *key, "-subj", "/CN=authority", "-keyout", folder / "ca.key", "-out",
            folder / "ca.pem")
    for name in ("connector", "sender"):
        openssl("req", "-x509", *key, "-subj", f"/CN={name}", "-CA", folder / "ca.pem", "-CAkey",
                folder / "ca.key", "-addext", "subjectAltName=IP:127.0.0.1", "-addext",
                "basicConstraints=critical,CA:FALSE", "-keyout", folder / f"{name}.key", "-out",
                folder / f"{name}.pem")
    openssl("pkcs12", "-export", "-in", folder / "sender.pem", "-inkey", folder / "sender.key",
            "-out", folder / "sender.p12", "-passout", "pass:secret")
    subprocess.run(["keytool", "-importcert", "-noprompt", "-alias", "ca", "-file",
                    folder / "ca.pem", "-keystore", folder / "trust.p12", "-storepass", "secret"],
                   check=True, capture_output=True)
    return folder


def test_hapi_speaks_tls_with_a_certificate_and_nobody_without(broker, connect, running, tmp_path,
                                                               certificates):
    connector = connect(more="  tls_certificate: tls/connector.pem\n  tls_key: tls/connector.key\n"
                             "  tls_client_ca: tls/ca.pem\n")
    hapi = running(Hapi(tmp_path, connector.port, tls={
        "trustStore": certificates / "trust.p12", "trustStorePassword": "secret",
        "keyStore": certificates / "sender.p12", "keyStorePassword": "secret"}))
    assert hapi.ask(siu("M-1"))[:2] == ["AA", "M-1"]
    long = siu("M-2") + "".join(f"NTE|{number}||{'x' * 50}\r" for number in range(40))
    assert hapi.ask(long)[:2] == ["AA", "M-2"]
    context = ssl.create_default_context(cafile=certificates / "ca.pem")
    with socket.create_connection(("127.0.0.1", connector.port), 10) as plain, \
            pytest.raises(OSError), context.wrap_socket(plain, server_hostname="127.0.0.1") as tls:
        tls.sendall(b"\x0b" + siu("M-3").encode() + b"\x1c\r")
        tls.recv(1)  # of TLS 1.3 the refusal comes after our side of the handshake
        raise AssertionError("it was let in")
    with socket.create_connection(("127.0.0.1", connector.port), 10) as plain:
        plain.sendall(b"\x0b" + siu("M-4").encode() + b"\x1c\r")
        assert b"MSA" not in plain.recv(4096)
    assert hapi.ask(siu("M-5"))[:2] == ["AA", "M-5"]
    assert "connection_refused" in connector.process.log_text()
    assert "peer did not return a certificate" in connector.process.log_text()
    assert slots(broker) == {"FS-M-1": 1, "FS-M-2": 1, "FS-M-5": 1}
