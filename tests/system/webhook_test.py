"""webhook, with a sender that is not ours (the package `standardwebhooks`, and curl), Kafka, and a
connector that is killed: a sender that repeats itself until it hears 200 is neither skipped nor
doubled, and nobody hears 200 of what Kafka does not have, or the spool where there is one."""

import base64
import concurrent.futures
import datetime
import http.client
import json
import os
import random
import signal
import subprocess
import threading

import pytest
import standardwebhooks

from published import keys_by_partition, keys_in
from stack.process import Process, free_port, wait_until

KILLS, KILLS_LONG = 10, 100
OUTAGES, OUTAGES_LONG = 2, 10
SENDERS = 3
RUN_ON_MAX_S = 0.4
AGAIN_S = 0.02
ANSWER_TIMEOUT_S = 60
START_TIMEOUT_S = 60
CANARY = "Kanariefågel"
SECRET, OLDER = ("whsec_" + base64.b64encode(each).decode()
                 for each in (b"thirty-two bytes of a new secret", b"an older one, of 28 bytes :)"))

CONFIGURATION = """\
connector: {name}
institution: sus
system: sus-trials
source:
  transport: webhook
  format: json
  listen: {listen}
  path: /trials
  secrets: ['${{env:HOOK_SECRET}}', '${{env:HOOK_OLDER}}']
  size_max_bytes: 4096
{more}
target: {{domain: trial}}
records:
  - key: id
    version: {{tie: position}}
    fields:
      titles: [{{lang: {{value: en}}, text: title}}]
      acronym: "@header.x-ward"
      status: {{from: status, table: {{planned: PLANNED}}, else: reject}}
"""


class Called:
    """A connector that is called, in an installation without a hub: it writes, and nobody reads."""

    def __init__(self, installation, folder, name, more=""):
        self.installation = installation
        self.name = name
        self.listen = f"127.0.0.1:{free_port()}"
        self.file = folder / f"{name}.yaml"
        self.file.write_text(CONFIGURATION.format(name=name, listen=self.listen, more=more))
        self.process = None

    def start(self):
        environment = {**self.installation.environment, "HOOK_SECRET": SECRET, "HOOK_OLDER": OLDER}
        self.process = Process(self.name, [self.installation.programs / "connector", "run", self.file],
                               self.file.with_suffix(".log"), environment).start()
        return self

    def await_listening(self):
        wait_until(lambda: self.answer("GET", "/trials", {}, b"") is not None, f"start of {self.name}",
                   START_TIMEOUT_S)
        return self

    def answer(self, method, path, headers, body):
        """(status, text, headers), or None where there was no answer."""
        connection = http.client.HTTPConnection(self.listen, timeout=ANSWER_TIMEOUT_S)
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            return answer.status, answer.read().decode(), answer.headers
        except (OSError, http.client.HTTPException):
            return None
        finally:
            connection.close()

    def post(self, identifier, document, **more):
        headers, body = signed(identifier, document, **more)
        return self.answer("POST", "/trials", headers, body)

    def log(self):
        return self.process.log_text()

    def stop(self):
        if self.process is not None:
            self.process.stop()


def signed(identifier, document, secrets=(SECRET,), age_s=0):
    """Headers and body, as the package signs them."""
    at = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(seconds=age_s)
    body = json.dumps(document, ensure_ascii=False)
    signatures = [standardwebhooks.Webhook(each).sign(identifier, at, body) for each in secrets]
    return {"Content-Type": "application/json", "webhook-id": identifier,
            "webhook-timestamp": str(int(at.timestamp())),
            "webhook-signature": " ".join(signatures)}, body.encode()


def trial(key, title="A trial"):
    return {"id": key, "title": title, "status": "planned"}


@pytest.fixture(scope="module")
def installation(install, tmp_path_factory):
    return install(tmp_path_factory.mktemp("no-samples"), hub=False)


@pytest.fixture(scope="module")
def run(installation, tmp_path_factory):
    """run(name, more) starts a connector of that configuration."""
    running = []

    def start(name, more=""):
        running.append(Called(installation, tmp_path_factory.mktemp(name), name, more).start())
        return running[-1]

    yield start
    for each in running:
        each.stop()


@pytest.fixture(scope="module")
def called(run):
    return run("hooks").await_listening()


def test_what_the_package_signs_is_taken(installation, called):
    status, text, _ = called.post("msg_1", trial("taken"))
    assert (status, text) == (200, "taken\n")
    assert keys_in(installation).count("taken") == 1
    assert called.post("msg_1", trial("taken"))[:2] == (200, "known\n")
    assert called.post("msg_2", trial("by-both"), secrets=(OLDER, SECRET))[0] == 200
    assert called.post("msg_3", trial("by-the-older"), secrets=(OLDER,))[0] == 200
    assert sorted(keys_in(installation)) == ["by-both", "by-the-older", "taken"]


def test_what_is_turned_away_reaches_nobody(installation, called):
    before = sorted(keys_in(installation))
    foreign = "whsec_" + base64.b64encode(b"a secret of somebody else's, not ours").decode()
    document = trial("turned-away", CANARY)
    assert called.post("msg_4", document, secrets=(foreign,))[0] == 401
    assert called.post("msg_4", document, age_s=301)[0] == 400
    assert called.post("msg_4", document, age_s=-330)[0] == 400
    headers, body = signed("msg_4", document)
    assert called.answer("POST", "/trials", headers, body.replace(b"planned", b"stopped"))[0] == 401
    assert called.answer("POST", "/trials", {**headers, "webhook-id": "msg_5"}, body)[0] == 401
    assert called.answer("POST", "/elsewhere", headers, body)[0] == 404
    status, _, answered = called.answer("PUT", "/trials", headers, body)
    assert (status, answered["Allow"]) == (405, "POST")
    assert called.answer("POST", "/trials", {**headers, "Content-Type": "text/csv"}, body)[0] == 415
    assert called.post("msg_4", trial("large", CANARY * 500))[0] == 413
    assert called.post("msg_4", trial("very large", CANARY * 1000))[0] in (413, None)
    assert sorted(keys_in(installation)) == before
    assert keys_in(installation, "deadletter.sus") == []
    kinds = ("path", "method", "type", "size", "old", "new", "signature")
    wait_until(lambda: all(f'msg="{kind}: answered with' in called.log() for kind in kinds),
               "a line in the log for each kind")
    assert all(called.log().count(f'msg="{kind}: ') == 1 for kind in kinds)
    assert "Kanarie" not in called.log() and "whsec" not in called.log()


def test_nobody_hears_200_while_kafka_is_away(installation, run):
    nacking = run("nacking", "  answer_timeout_ms: 1000").await_listening()
    waiting = run("waiting", "  while_away: wait\n  answer_timeout_ms: 60000").await_listening()
    broker = installation.broker.process.child
    with concurrent.futures.ThreadPoolExecutor() as threads:
        broker.send_signal(signal.SIGSTOP)
        try:
            status, _, headers = nacking.post("msg_1", trial("nacked"))
            assert (status, headers["Retry-After"]) == (503, "10")
            patient = threads.submit(waiting.post, "msg_1", trial("waited-for"))
            with pytest.raises(concurrent.futures.TimeoutError):
                patient.result(1)
            assert nacking.post("msg_2", trial("nacked at once"))[0] == 503
        finally:
            broker.send_signal(signal.SIGCONT)
        assert patient.result(ANSWER_TIMEOUT_S)[0] == 200
    wait_until(lambda: nacking.post("msg_1", trial("nacked"))[0] == 200, "Kafka to be there again")
    found = keys_in(installation)
    assert (found.count("nacked"), found.count("waited-for")) == (1, 1)
    assert "nacked at once" not in found


SPOOL = "  while_away: spool\n  answer_timeout_ms: 500"


def spooled(installation, name):
    return list((installation.folder / "state" / "spool" / name).glob("[0-9]*"))


def await_empty_spool(installation, name):
    wait_until(lambda: not spooled(installation, name), "what was kept to be in Kafka")


def assert_told_once_in_order(installation, told):
    """Keys whose order by name is that in which they were told."""
    found = keys_by_partition(installation)
    for partition in found:
        own = [key for key in partition if key in told]
        assert own == sorted(own)
    assert sorted(key for keys in found for key in keys if key in told) == sorted(told)


def test_with_a_spool_a_sender_is_answered_while_kafka_is_away(installation, run):
    """And the connector is killed meanwhile: then nobody listens until Kafka is back."""
    name, told = "spooling", [f"spooled-{number:02}" for number in range(22)]
    spooling = run(name, SPOOL).await_listening()
    assert spooling.post("msg_0", trial(told[0]))[:2] == (200, "taken\n")
    installation.broker.stop()
    try:
        for number in range(1, 21):
            assert spooling.post(f"msg_{number}", trial(told[number]))[:2] == (200, "kept\n")
        assert spooling.post("msg_1", trial(told[1]))[0] == 200  # its answer was lost
        assert len(spooled(installation, name)) >= 20
        spooling.process.kill()
        spooling.start()
        wait_until(lambda: "session_ended" in spooling.log(), "a session that finds no Kafka")
        assert spooling.post("msg_21", trial(told[21])) is None
    finally:
        installation.broker.start()
    spooling.await_listening()
    assert spooling.post("msg_21", trial(told[21]))[0] == 200
    await_empty_spool(installation, name)
    assert spooling.post("msg_1", trial(told[1]))[:2] == (200, "known\n")
    assert_told_once_in_order(installation, told)
    assert "documents that were acknowledged while Kafka was away are in Kafka" in spooling.log()


class Sender:
    """Tells one event after the other, each until it hears 200."""

    def __init__(self, called, name, stop):
        self.called = called
        self.name = name
        self.stop = stop
        self.told = []  # of which it has heard 200
        self.repeated = self.known = 0

    def run(self):
        while not self.stop.is_set():
            key = f"{self.name}-{len(self.told):05}"
            while (answer := self.called.post(f"msg_{key}", trial(key))) is None or answer[0] != 200:
                assert answer is None or answer[0] == 503, answer
                self.repeated += 1
                self.stop.wait(AGAIN_S)
            self.known += answer[1] == "known\n"
            self.told.append(key)


@pytest.fixture(scope="module")
def told(request, seed, installation, run):
    """What senders have told a connector that was killed again and again."""
    print(f"tests/run system/webhook_test.py -- --seed {seed}")
    chance = random.Random(seed)
    killed = run("killed").await_listening()
    stop = threading.Event()
    senders = [Sender(killed, name, stop) for name in ("anna", "bertil", "cecilia")[:SENDERS]]
    with concurrent.futures.ThreadPoolExecutor() as threads:
        running = [threads.submit(sender.run) for sender in senders]
        try:
            for _ in range(KILLS_LONG if request.config.getoption("--long") else KILLS):
                heard = sum(len(sender.told) for sender in senders)
                wait_until(lambda: sum(len(sender.told) for sender in senders) > heard,
                           "an answer after the kill")
                with pytest.raises(subprocess.TimeoutExpired):  # it runs on, as it should
                    killed.process.child.wait(chance.uniform(0, RUN_ON_MAX_S))
                killed.process.kill()
                killed.start()
        finally:
            stop.set()
        for each in running:
            each.result(ANSWER_TIMEOUT_S)
    return senders


def test_what_is_told_to_a_killed_connector_is_neither_skipped_nor_doubled(installation, told):
    found = keys_in(installation)
    for sender in told:
        own = [key for key in found if key.startswith(f"{sender.name}-")]
        print(f"{sender.name}: {len(sender.told)} events, {sender.repeated} repeated, "
              f"{sender.known} were known already")
        assert sorted(own) == sender.told
    assert sum(sender.repeated for sender in told) >= KILLS


def await_more(senders, count):
    heard = sum(len(sender.told) for sender in senders)
    wait_until(lambda: sum(len(sender.told) for sender in senders) >= heard + count, "answers")


def test_with_a_spool_no_kill_loses_or_doubles_what_was_answered(request, seed, installation, run):
    """Kafka goes and comes, and the connector is killed while what it has kept is published. It stands
    still rather than ends: of a lone broker that starts again Kafka 4.3.1 can forget that a transaction
    was committed (deploy/stack/kafka.py), and what was in it is then lost to everybody."""
    chance, name = random.Random(seed), "spool-killed"
    broker = installation.broker.process.child
    spooling = run(name, SPOOL).await_listening()
    stop = threading.Event()
    senders = [Sender(spooling, name, stop) for name in ("david", "elsa")]
    with concurrent.futures.ThreadPoolExecutor() as threads:
        running = [threads.submit(sender.run) for sender in senders]
        try:
            for _ in range(OUTAGES_LONG if request.config.getoption("--long") else OUTAGES):
                await_more(senders, 10)
                broker.send_signal(signal.SIGSTOP)
                try:
                    await_more(senders, 200)
                finally:
                    broker.send_signal(signal.SIGCONT)
                for _ in range(3):
                    with pytest.raises(subprocess.TimeoutExpired):  # it runs on, as it should
                        spooling.process.child.wait(chance.uniform(0, RUN_ON_MAX_S))
                    spooling.process.kill()
                    spooling.start()
                    await_more(senders, 1)
        finally:
            stop.set()
        for each in running:
            each.result(ANSWER_TIMEOUT_S)
    await_empty_spool(installation, name)
    for sender in senders:
        print(f"{sender.name}: {len(sender.told)} events, {sender.repeated} repeated, "
              f"{sender.known} were known already")
        assert_told_once_in_order(installation, sender.told)


# --- TLS ---

def openssl(folder, *arguments):
    subprocess.run(["openssl", *map(str, arguments)], cwd=folder, check=True, capture_output=True)


def make_certificates(folder):
    """A CA and what it signs: a server's and a client's; and a client's that nobody has signed."""
    openssl(folder, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
            "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=An invented CA", "-days", "2")
    for name, use in (("server", "serverAuth"), ("client", "clientAuth")):
        (folder / f"{name}.ext").write_text(
            f"extendedKeyUsage={use}\nsubjectAltName=IP:127.0.0.1\n")
        openssl(folder, "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", f"/CN={name}.example")
        openssl(folder, "x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key",
                "-CAcreateserial", "-out", f"{name}.pem", "-days", "2", "-extfile", f"{name}.ext")
    openssl(folder, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
            "-keyout", "stranger.key", "-out", "stranger.pem", "-subj", "/CN=client.example",
            "-days", "2")


class Curl:
    """Posts with curl; what it says is the status, 000 where there was none."""

    def __init__(self, called, folder):
        self.called = called
        self.folder = folder

    def __call__(self, identifier, document, *options, scheme="https"):
        headers, body = signed(identifier, document)
        done = subprocess.run(
            ["curl", "--silent", "--show-error", "--max-time", "30", "--output", os.devnull,
             "--write-out", "%{http_code}", "--data-binary", "@-",
             *[part for header in headers.items() for part in ("--header", ": ".join(header))],
             *map(str, options), f"{scheme}://{self.called.listen}/trials"],
            cwd=self.folder, input=body, check=False, capture_output=True)
        return done.stdout.decode()


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    folder = tmp_path_factory.mktemp("certificates")
    make_certificates(folder)
    return folder


def await_curl(curl, *options):
    wait_until(lambda: curl("msg_0", trial("first"), *options) == "200", "start of it with TLS",
               START_TIMEOUT_S)


def test_curl_speaks_tls_with_it(installation, run, certificates):
    curl = Curl(run("secure", f"  tls_certificate: {certificates}/server.pem\n"
                    f"  tls_key: {certificates}/server.key"), certificates)
    await_curl(curl, "--cacert", "ca.pem")
    assert curl("msg_1", trial("by-tls"), "--cacert", "ca.pem", "--tlsv1.3") == "200"
    assert curl("msg_2", trial("by-tls-1.2"), "--cacert", "ca.pem", "--tls-max", "1.2") == "200"
    assert curl("msg_3", trial("by-tls-1.1"), "--cacert", "ca.pem", "--tls-max", "1.1",
                "--ciphers", "DEFAULT@SECLEVEL=0") == "000"
    assert curl("msg_4", trial("to-a-stranger"), "--cacert", "stranger.pem") == "000"
    assert curl("msg_5", trial("in-clear"), scheme="http") == "000"
    found = keys_in(installation)
    assert {"by-tls", "by-tls-1.2"} <= set(found)
    assert not {"by-tls-1.1", "to-a-stranger", "in-clear"} & set(found)


def test_only_senders_that_the_client_ca_knows_pass(installation, run, certificates):
    curl = Curl(run("mutual", f"  tls_certificate: {certificates}/server.pem\n"
                    f"  tls_key: {certificates}/server.key\n"
                    f"  tls_client_ca: {certificates}/ca.pem"), certificates)
    known = "--cacert", "ca.pem", "--cert", "client.pem", "--key", "client.key"
    await_curl(curl, *known)
    assert curl("msg_1", trial("with-a-certificate"), *known) == "200"
    assert curl("msg_2", trial("with-none"), "--cacert", "ca.pem") == "403"
    assert curl("msg_3", trial("with-a-strangers"), "--cacert", "ca.pem", "--cert", "stranger.pem",
                "--key", "stranger.key") in ("403", "000")
    assert curl("msg_4", trial("with-a-servers"), "--cacert", "ca.pem", "--cert", "server.pem",
                "--key", "server.key") in ("403", "000")
    found = keys_in(installation)
    assert "with-a-certificate" in found
    assert not {"with-none", "with-a-strangers", "with-a-servers"} & set(found)
