"""What an auditor asks of an archive, with the Kafka that it is of gone: whether the log gives what was
published, what was known at a time, what became of an entity since."""

import datetime
import json
import shutil

import confluent_kafka
import pytest

from installations import entity_of, take
from stack.installation import ROOT

DECIDED = ("--reason", "As the protocol says.", "--by", "anna")
NO_DIFFERENCE = ", 0 compacted away, 0 differences"


def now():
    return datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="milliseconds")


def other_rules(folder):
    """The schemas with fewer conflicts."""
    shutil.copytree(ROOT / "schemas", folder)
    path = folder / "domains" / "trial.avsc"
    text = path.read_text(encoding="utf-8")
    assert '"hub:conflict": "minor"' in text
    path.write_text(text.replace('"hub:conflict": "minor"', '"hub:conflict": "ignore"'),
                    encoding="utf-8")
    return folder


class Told:
    """One installation's life: read, archived, decided about, ruled otherwise, archived again; then its
    Kafka is gone. What was shown at each moment, by its time."""

    def __init__(self, installation, folder):
        self.installation = installation
        take(installation)
        self.moments = [self.look()]
        installation.archive_everything()
        self.choose()
        self.moments.append(self.look())
        self.kafka("entity", "separate", self.entity, "--statement", "isrctn/99000201", *DECIDED)
        self.moments.append(self.look())
        self.rule(other_rules(folder / "schemas"), folder / "report.json")
        self.moments.append(self.look())
        installation.archive_everything()
        self.published = {domain: self.kafka("refold", domain) for domain in self.domains}
        self.history = self.kafka("entity", "history", self.entity, "-o", "json")
        installation.hub.stop()
        installation.broker.stop()

    @property
    def domains(self):
        return sorted(path.stem for path in (ROOT / "schemas" / "domains").glob("*.avsc"))

    def kafka(self, *arguments):
        return self.installation.ctl(*arguments)

    def archive(self, *arguments):
        return self.installation.ctl_result(*arguments, "--archive", self.installation.archive)

    def look(self):
        self.installation.wait_until_settled()
        shown = {command: self.kafka(*command, "-o", "json") for command in
                 (("entity", "list", "--all"), ("conflict", "list", "--all"), ("match", "list"))}
        return now(), shown

    def choose(self):
        trial = entity_of(self.installation.ctl_json("entity", "list"), "ctgov/NCT99000201")
        self.entity = trial["entity_id"]
        self.kafka("conflict", "resolve", f"{self.entity}/enrolment", "--statement",
                   "ctgov/NCT99000201", *DECIDED)

    def rule(self, folder, report):
        rehearsed = self.installation.ctl_result("rules", "diff", "trial", "--to", folder,
                                                 "--report", report)
        assert rehearsed.returncode == 1, rehearsed.stdout + rehearsed.stderr
        self.kafka("rules", "activate", "trial", "--to", folder, "--report", report, *DECIDED)


@pytest.fixture(scope="module")
def told(install, tmp_path_factory):
    return Told(install(), tmp_path_factory.mktemp("told"))


def test_the_archived_log_gives_what_was_published(told):
    """With decisions, and other rules in the middle."""
    for domain in told.domains:
        refolded = told.archive("refold", domain)
        assert refolded.returncode == 0, refolded.stdout + refolded.stderr
        assert NO_DIFFERENCE in refolded.stdout
        assert refolded.stdout == told.published[domain]
    assert "trial: 0 published" not in told.published["trial"]


def test_what_was_known_then_is_known_of_the_archive(told):
    for time, shown in told.moments:
        for command, then in shown.items():
            found = told.archive(*command, "-o", "json", "--as-of", time)
            assert found.returncode == 0, found.stderr
            assert json.loads(found.stdout) == json.loads(then), f"{command} as of {time}"
    assert len({json.dumps(shown[("entity", "list", "--all")]) for _, shown in told.moments}) == 4


def test_a_history_is_whole_and_differences_are_told(told):
    history = json.loads(told.archive("entity", "history", told.entity, "-o", "json").stdout)
    assert history == json.loads(told.history)
    assert [record["value"]["revision"] for record in history] == list(range(1, len(history) + 1))
    assert len(history) > 2
    differing = json.loads(told.archive("entity", "diff", told.entity, "--from",
                                        told.moments[0][0], "--to", told.moments[1][0], "-o",
                                        "json").stdout)
    enrolment = next(row for row in differing if row["field"] == "enrolment")
    assert enrolment["from"]["count"] != enrolment["to"]["count"] == 41
    assert enrolment["statement"] == "ctgov/NCT99000201"
    same = told.archive("entity", "diff", told.entity, "--from", "1", "--to", "1", "-o", "json")
    assert json.loads(same.stdout) == []
    none = told.archive("entity", "diff", told.entity, "--from", "2020-01-01")
    assert none.returncode == 3 and "there is no record '2020-01-01'" in none.stderr


def test_an_institution_is_given_a_receipt_for_its_event(told, tmp_path):
    """What it said, as it said it, and the entry of the log: both proved by the archive's key alone."""
    said = next(record for record in map(json.loads, told.archive(
        "consume", "ingest.lumc.trial", "-o", "json").stdout.splitlines()) if record["value"])
    event = said["headers"]["ce_id"]
    archive, key = told.installation.archive, told.installation.archive / "rollup" / "log.vkey"
    receipt = told.installation.ctl("archive", "receipt", archive, event, "--to-file",
                                    tmp_path / "receipt")
    assert f"ingest.lumc.trial/{said['partition']}@{said['offset']}\n" in receipt
    for part in ("said", "entered"):
        checked = told.installation.ctl("archive", "check", tmp_path / f"receipt.{part}.json.spicy",
                                        "--key", key)
        assert f"receipt.{part}.avro is that record" in checked
    unknown = told.installation.ctl_result("archive", "receipt", archive, "nobody/1/0", "--to-file",
                                           tmp_path / "none")
    assert unknown.returncode == 3 and "no record of the archive has the ce_id" in unknown.stderr
    assert not list(tmp_path.glob("none*"))


def test_an_archive_answers_what_is_asked_of_kafka(told):
    for command in (["entity", "explain", told.entity], ["trace", told.entity, "--backward"],
                    ["rules", "show", "trial"], ["consume", "decision"], ["dlq", "list"],
                    ["resolve", "nct:NCT99000201"]):
        found = told.archive(*command)
        assert found.returncode in (0, 1), f"{command}: {found.stderr}"
        assert found.stdout, command


def test_what_is_of_kafka_now_is_not_asked_of_an_archive(told):
    refused = told.archive("status")
    assert refused.returncode == 2 and "without --archive and --as-of it would pass" in refused.stderr
    decided = told.archive("conflict", "defer", "x", *DECIDED)
    assert decided.returncode == 2


def test_a_time_that_is_none_is_refused(told):
    for time in ("yesterday", "2026-02-30", "2026-03-03T12:00:00", "2026-03-03 12:00:00Z"):
        assert told.archive("entity", "list", "--as-of", time).returncode == 2, time


def test_a_record_that_no_fold_made_is_found_in_an_archive(install):
    """The control: what is archived besides what was folded."""
    installation = install()
    take(installation, [ROOT / "connectors" / "sus" / "trials.yaml"])
    producer = confluent_kafka.Producer({"bootstrap.servers": installation.broker.bootstrap})
    producer.produce("unified.trial", key=b"trial:forged", value=b"\0nothing of ours", partition=0)
    assert producer.flush(30) == 0
    installation.archive_everything()
    refolded = installation.ctl_result("refold", "trial", "--archive", installation.archive)
    assert refolded.returncode == 1
    assert "the log gives no such record" in refolded.stdout


def test_a_segment_that_was_altered_is_not_folded(told, tmp_path):
    """Last: the archive is another afterwards."""
    copy = tmp_path / "archive"
    shutil.copytree(told.installation.archive, copy)
    segment = next((copy / "log.trial-0" / "segments").glob("*.avro"))
    octets = bytearray(segment.read_bytes())
    octets[-40] ^= 1
    segment.write_bytes(octets)
    refolded = told.installation.ctl_result("refold", "trial", "--archive", copy)
    assert refolded.returncode != 0
    assert "are not those that were archived" in refolded.stderr


def is_about(line, entity, statements):
    """As `hubctl replay --entity` is told: by what a record's key names."""
    kind, key = line["topic"].split(".")[0], line["key"] or ""
    if kind == "log" and not key.startswith("decision/"):
        return key.removeprefix("late/").partition("/")[2] in statements
    if kind == "ingest":
        return key in statements
    subject = key.removeprefix("decision/").partition("/")[0]
    return entity in subject.replace("~", "+").split("+")


def test_what_is_about_an_entity_is_replayed_and_nothing_else(told, tmp_path):
    files = tmp_path / "whole", tmp_path / "about"
    for file, choice in zip(files, (("--domain", "trial"), ("--entity", told.entity)), strict=True):
        done = told.archive("replay", "--to-file", file, *choice)
        assert done.returncode == 0, done.stdout + done.stderr
    whole, about = ([json.loads(line) for line in file.read_text().splitlines()] for file in files)
    statements = {statement["key"] for line in whole
                  if line["topic"] == "unified.trial" and line["key"] == told.entity
                  for statement in line["value"]["statements"]}
    assert "ctgov/NCT99000201" in statements
    assert about == [line for line in whole if is_about(line, told.entity, statements)]
    assert {line["topic"].split(".")[0] for line in about} == {"ingest", "log", "unified", "conflict"}
    assert any((line["key"] or "").startswith("decision/") for line in about)
    assert len(about) < len(whole) / 2
