"""Completeness: "411 of 412". What is lost, changed or invented between a source and the hub is named, and
so is where; once it is mended, nothing is.

Losses are real ones: a record is deleted from Kafka before the hub has read it, and one is written by
hand that no source has.
"""

import csv
import http.server
import json
import subprocess
import threading

import confluent_kafka
import confluent_kafka.admin
import pytest

from stack.process import wait_until

TRIALS = 412
TOPIC = "ingest.sus.trial"
SYSTEM = "sus-trials"
WAIT_S = 30
SNAPSHOT = """\
connector: sus-list
institution: sus
system: sus-trials
source: {{transport: file-drop, format: csv, folder: {folder}, pattern: 'list-.*', settle_ms: 0,
         mode: snapshot, withdraw_max_percent: 10}}
target: {{domain: trial}}
records:
  - key: id
    version: {{from: changed, tie: position}}
    event_time: {{from: changed, time: {{formats: [date], zone: UTC}}}}
    fields:
      acronym: name
      status: {{from: status, table: {{open: RECRUITING, done: COMPLETED}}, else: reject}}
"""


REGISTER = """\
connector: lu-register
institution: lu
system: isrctn
source: {{transport: http-poll, format: json, url: 'http://127.0.0.1:{port}/trials'}}
target: {{domain: trial}}
records:
  - for_each: trials
    key: id
    version: {{tie: position}}
    fields:
      acronym: name
"""


def connector_run(installation, file):
    done = subprocess.run([installation.programs / "connector", "run", file, "--once"], text=True,
                          env=installation.environment, check=False, capture_output=True,
                          stdin=subprocess.DEVNULL, timeout=WAIT_S)
    assert done.returncode == 0, done.stderr


class Register(http.server.ThreadingHTTPServer):
    """Gives all it has at once, and says when that has not changed."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Answering)
        self.ids, self.unchanged = ["I-1", "I-2", "I-3"], 0
        threading.Thread(target=self.serve_forever, daemon=True).start()


class Answering(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        tag = f'"{"-".join(self.server.ids)}"'
        same = self.headers["If-None-Match"] == tag
        self.server.unchanged += same
        body = b"" if same else json.dumps(
            {"trials": [{"id": each, "name": each} for each in self.server.ids]}).encode()
        self.send_response(304 if same else 200)
        self.send_header("ETag", tag)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Office:
    """A trials office that saves its list, and the connector that reads it."""

    def __init__(self, installation, folder):
        self.installation = installation
        self.folder = folder / "drop"
        self.folder.mkdir()
        self.file = folder / "sus-list.yaml"
        self.file.write_text(SNAPSHOT.format(folder=self.folder))
        self.saved = 0
        self.rows = [{"id": f"T-{number:03}", "changed": "2026-03-01", "name": f"NAME {number}",
                      "status": "open"} for number in range(TRIALS)]

    def save(self, rows=None):
        """The whole list, as a new file that is read once."""
        self.saved += 1
        new = self.folder / "saving"
        with new.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, self.rows[0])
            writer.writeheader()
            writer.writerows(self.rows if rows is None else rows)
        new.rename(self.folder / f"list-{self.saved:03}.csv")
        self.run()

    def run(self):
        connector_run(self.installation, self.file)

    def do(self, *words):
        done = subprocess.run([self.installation.programs / "connector", *words],
                              env=self.installation.environment, check=False, text=True,
                              capture_output=True, stdin=subprocess.DEVNULL, timeout=WAIT_S)
        assert done.returncode == 0, done.stderr

    def look(self):
        """Exit code, and what is told of the source."""
        self.installation.wait_until_settled()
        done = self.installation.ctl_result("complete", "-o", "json")
        source, = [each for each in json.loads(done.stdout) if each["system"] == SYSTEM]
        assert (source["institution"], source["domain"]) == ("sus", "trial")
        return done.returncode, source

    def told(self):
        """The records of the ingest topic, by key."""
        lines = self.installation.ctl("consume", TOPIC, "-o", "json").splitlines()
        return {record["key"]: record for record in map(json.loads, lines)}


def findings_of(source):
    return {(each["finding"], each["key"].removeprefix(f"sus/{SYSTEM}/")): each["why"]
            for each in source["findings"]}


def assert_whole(looked):
    code, source = looked
    assert source["findings"] == []
    assert (code, source["held"], source["of"]) == (0, TRIALS, TRIALS)


def delete_up_to(bootstrap, offset):
    """As somebody may who takes the topic for one whose records expire."""
    admin = confluent_kafka.admin.AdminClient({"bootstrap.servers": bootstrap})
    for policy in "compact,delete", "compact":
        entry = confluent_kafka.admin.ConfigEntry(
            "cleanup.policy", policy,
            incremental_operation=confluent_kafka.admin.AlterConfigOpType.SET)
        resource = confluent_kafka.admin.ConfigResource("topic", TOPIC, incremental_configs=[entry])
        for done in admin.incremental_alter_configs([resource]).values():
            done.result(WAIT_S)
        if policy == "compact":
            return
        for done in admin.delete_records(
                [confluent_kafka.TopicPartition(TOPIC, 0, offset + 1)]).values():
            done.result(WAIT_S)


@pytest.fixture(scope="module")
def office(install, tmp_path_factory):
    """One record is gone from Kafka before the hub has begun to read."""
    folder = tmp_path_factory.mktemp("office")
    office = Office(install(folder, hub=False), folder)
    office.save()
    first = min((record for record in office.told().values() if record["partition"] == 0),
                key=lambda record: record["offset"])
    office.lost = first["key"].removeprefix(f"{SYSTEM}/")
    delete_up_to(office.installation.broker.bootstrap, first["offset"])
    office.installation.start_hub()
    return office


def test_one_that_was_lost_on_the_way_is_named(office):
    code, source = office.look()
    assert (code, source["held"], source["of"], source["missing"]) == (1, TRIALS - 1, TRIALS, 1)
    assert findings_of(source) == {("missing", office.lost): f"it was told, and is not in {TOPIC}"}
    table = office.installation.ctl_result("complete").stdout
    assert f"{TRIALS - 1} of {TRIALS}" in table and f"sus/{SYSTEM}/{office.lost}" in table


def test_a_restart_of_the_connector_hides_no_loss(office):
    office.run()
    assert ("missing", office.lost) in findings_of(office.look()[1])


def test_it_is_whole_again_when_the_journal_tells_it_again(office):
    office.do("remap", office.file, "--since", "2026-01-01", "--reason", "one was lost")
    assert_whole(office.look())
    office.save()
    assert_whole(office.look())


def test_what_the_hub_refused_is_named_with_its_dead_letter(office):
    office.rows[7]["changed"] = "2999-01-01"
    office.rows[7]["name"] = "TOO EARLY"
    office.save()
    code, source = office.look()
    (finding, key), = findings_of(source)
    assert (code, source["held"], finding, key) == (1, TRIALS - 1, "different", "T-007")
    assert "dead letter deadletter.hub/0@0" in findings_of(source)[finding, key]


def test_what_the_connector_refused_is_named_with_its_dead_letter(office):
    office.rows[8]["status"] = "closed"
    office.save([*office.rows, {**office.rows[0], "id": "T-new", "status": "shut"},
                 {**office.rows[0], "id": ""}])
    code, source = office.look()
    found = findings_of(source)
    assert (code, source["held"], source["of"]) == (1, TRIALS - 2, TRIALS + 2)
    nameless, = [key for _, key in found if key.startswith("sus/?/")]
    assert found.pop(("missing", nameless)) == "a dead letter whose key could not be told"
    assert set(found) == {("different", "T-007"), ("different", "T-008"), ("missing", "T-new")}
    assert "dead letter deadletter.sus/0@" in found["different", "T-008"]
    place = found["missing", "T-new"].split()[2]
    assert found["missing", "T-new"] == f"dead letter {place} (CODE)"
    office.installation.ctl("dlq", "discard", place, "--reason", "no trial of ours", "--by",
                            "anna")
    found = findings_of(office.look()[1])
    assert found["missing", "T-new"] == f"dead letter {place} (CODE, discarded)"


def test_what_vanished_and_was_not_withdrawn_for_doubt_is_unknown_to_the_source(office):
    office.save(office.rows[:300])
    code, source = office.look()
    unknown = {key for finding, key in findings_of(source) if finding == "unknown"}
    assert code == 1
    assert unknown == {row["id"] for row in office.rows[300:]}
    assert source["of"] == 300


def test_what_was_mended_is_whole_though_a_later_version_of_it_was_refused(office):
    office.rows[7].update(changed="2026-03-02", name="NAME 7")
    office.rows[8]["status"] = "open"
    office.save()
    assert_whole(office.look())


def test_what_was_withdrawn_is_no_loss(office):
    office.save(office.rows[5:])
    code, source = office.look()
    assert source["findings"] == []
    assert (code, source["held"], source["of"]) == (0, TRIALS - 5, TRIALS - 5)


def test_what_no_source_has_is_unknown(office):
    some = next(record for record in office.told().values()
                if record["value"]["statement"]["state"] == "CURRENT")
    producer = confluent_kafka.Producer(
        {"bootstrap.servers": office.installation.broker.bootstrap})
    consumer = confluent_kafka.Consumer(
        {"bootstrap.servers": office.installation.broker.bootstrap, "group.id": "copier"})
    consumer.assign([confluent_kafka.TopicPartition(TOPIC, some["partition"], some["offset"])])
    copied = consumer.poll(WAIT_S)
    consumer.close()
    producer.produce(TOPIC, key=f"{SYSTEM}/T-invented", value=copied.value())
    assert producer.flush(WAIT_S) == 0
    code, source = office.look()
    assert code == 1
    assert findings_of(source)["unknown", "T-invented"] == "no manifest has it"


def test_a_register_that_is_read_again_and_again_is_seen_whole(office, tmp_path):
    register = Register()
    file = tmp_path / "lu-register.yaml"
    file.write_text(REGISTER.format(port=register.server_port))

    def look():
        connector_run(office.installation, file)
        office.installation.wait_until_settled()
        told = json.loads(office.installation.ctl_result("complete", "-o", "json").stdout)
        source, = [each for each in told if each["system"] == "isrctn"]
        return source["held"], source["of"], findings_of(source)

    assert look() == (3, 3, {})
    assert look() == (3, 3, {}) and register.unchanged
    register.ids.remove("I-2")
    held, of, found = look()
    assert (held, of, list(found)) == (2, 2, [("unknown", "lu/isrctn/I-2")])
    assert "was not withdrawn" in found["unknown", "lu/isrctn/I-2"]
    register.shutdown()
    register.server_close()


def manifests(office, topic):
    """The last record of each key, as it is."""
    consumer = confluent_kafka.Consumer(
        {"bootstrap.servers": office.installation.broker.bootstrap, "group.id": "manifests",
         "enable.partition.eof": True, "isolation.level": "read_committed"})
    consumer.assign([confluent_kafka.TopicPartition(topic, 0, 0)])
    last = {}
    while (message := consumer.poll(WAIT_S)).error() is None:
        last[message.key().decode()] = message.value()
    consumer.close()
    return last


def test_a_manifest_that_is_not_whole_or_another_institutions_is_found_out(office):
    before = manifests(office, "manifest.sus")
    office.rows[11]["name"] = "CHANGED"
    office.save()
    producer = confluent_kafka.Producer(
        {"bootstrap.servers": office.installation.broker.bootstrap})
    changed = next(key for key, value in manifests(office, "manifest.sus").items()
                   if "/" in key and value != before[key])
    producer.produce("manifest.sus", key=changed, value=before[changed])
    producer.produce("manifest.lumc", key="sus-list", value=before["sus-list"])
    assert producer.flush(WAIT_S) == 0
    code, source = office.look()
    part = changed.split("/")[1]
    assert (code, findings_of(source)["damaged", "sus-list"]) == (
        1, f"its manifest is not whole: part {part} is not what it was summed up as")
    told = office.installation.ctl_result("complete").stderr
    assert "manifest.lumc: a manifest of connector sus-list that claims to be of sus" in told


def test_where_the_topic_is_not_there_yet_connectors_run_all_the_same(office):
    bootstrap = office.installation.broker.bootstrap
    admin = confluent_kafka.admin.AdminClient({"bootstrap.servers": bootstrap})
    for done in admin.delete_topics(["manifest.sus", "manifest.lu"]).values():
        done.result(WAIT_S)
    wait_until(lambda: not {"manifest.sus", "manifest.lu"} & set(admin.list_topics(timeout=WAIT_S).topics), "its end")
    office.rows[9]["name"] = "ANOTHER"
    office.save()
    office.installation.wait_until_settled()
    assert office.told()[f"{SYSTEM}/T-009"]["value"]["acronym"] == "ANOTHER"
    done = office.installation.ctl_result("complete")
    assert (done.returncode, "no connector has published a manifest" in done.stderr) == (3, True)
