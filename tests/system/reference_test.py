"""Facts across domains: what a record links to is judged by what the hub knows of it."""

import json
import shutil
import subprocess

import pytest

from installations import OWN_SAMPLES, connector, entity_of, take
from stack.installation import ROOT
from stack.process import wait_until

HUBCTL = ROOT / "build" / "release" / "bin" / "hubctl"
BATCH = "lumc-batches/table/LH-26-003"
MARROW = "A9999S9998Z999926000119A00000"
FILES = [connector(name) for name in ("lumc/material", "lumc/batches")]

SLOTS = """
connector: lumc-rooms
institution: lumc
system: lumc-mes
source: {transport: file-drop, format: csv, folder: rooms, pattern: .*}
target: {domain: gmp-slot}
records:
  - key: [number]
    version: {tie: position}
    fields:
      facility: {value: "ror:05xvt9f17"}
      links:
        - domain: {value: trial}
          identifier: {classify: [euct, nct], value: trial, relation: self, else: drop}
          role: {value: trial}
"""
TRIALS = """
connector: sus-few-trials
institution: sus
system: sus-trials
source: {transport: file-drop, format: csv, folder: trials, pattern: .*}
target: {domain: trial}
records:
  - key: [nct]
    version: {tie: position}
    fields:
      identifiers: [{scheme: nct, value: nct, relation: self}]
      status: {from: status, table: {on: RECRUITING, off: WITHDRAWN}, else: reject}
"""
STAYS = """
connector: lu-stays
institution: lu
system: lu-guests
source: {transport: file-drop, format: csv, folder: stays, pattern: .*}
target: {domain: exchange}
records:
  - key: [number]
    version: {tie: position}
    fields:
      person_ref: {from: person, pseudonym: shared}
      status: {value: ACTIVE}
      actual:
        from: {from: from, time: {formats: [date]}}
        to: {from: to, time: {formats: [date]}}
"""


def simulate(folder, **documents):
    """The open conflicts; {a configuration: lines of CSV}."""
    arguments = []
    keys = folder / "keys" / "shared"
    keys.mkdir(parents=True, mode=0o700)
    (keys / "2026").touch(mode=0o600)
    (keys / "2026").write_bytes(b"k" * 32)
    for name, (config, lines) in documents.items():
        (folder / f"{name}.yaml").write_text(config)
        (folder / f"{name}.csv").write_text("\n".join(lines) + "\n")
        arguments += [folder / f"{name}.yaml", folder / f"{name}.csv"]
    result = subprocess.run([HUBCTL, "simulate", "--schemas", ROOT / "schemas", "--keys",
                             folder / "keys", *arguments], check=False, capture_output=True,
                            text=True)
    assert result.returncode == 0, result.stderr
    return [conflict for conflict in json.loads(result.stdout)["conflicts"]
            if conflict["state"] == "OPEN"]


def test_a_slot_of_a_withdrawn_or_unknown_trial_is_a_conflict(tmp_path):
    found = simulate(
        tmp_path,
        rooms=(SLOTS, ["number,trial", "1,NCT99000101", "2,NCT99000199", "3,NCT99000133", "4,"]),
        trials=(TRIALS, ["nct,status", "NCT99000101,on", "NCT99000199,off"]))
    told = {conflict["values"][0]["statements"][0]: conflict for conflict in found}
    assert set(told) == {"lumc-mes/2", "lumc-mes/3"}
    assert {conflict["kind"] for conflict in found} == {"REFERENCE"}
    assert json.loads(told["lumc-mes/2"]["values"][1]["value"])["status"] == "WITHDRAWN"
    assert json.loads(told["lumc-mes/3"]["values"][1]["value"]) == {"known": False}


def test_of_a_domain_whose_records_are_not_given_nothing_is_said(tmp_path):
    assert simulate(tmp_path, rooms=(SLOTS, ["number,trial", "1,NCT99000101"])) == []


def test_a_researcher_in_two_places_is_a_conflict(tmp_path):
    found = simulate(tmp_path, stays=(STAYS, [
        "number,person,from,to", "1,0000-0001,2026-03-02,2026-04-30",
        "2,0000-0001,2026-04-27,2026-05-29", "3,0000-0001,2026-05-29,2026-06-30",
        "4,0000-0002,2026-03-02,2026-06-30"]))
    assert [conflict["kind"] for conflict in found] == ["OVERLAP"]
    assert {statement for value in found[0]["values"] for statement in value["statements"]} == {
        "lu-guests/1", "lu-guests/2"}


@pytest.fixture(scope="module")
def marrow(install, tmp_path_factory):
    """An installation whose donor has not withdrawn the consent yet."""
    samples = tmp_path_factory.mktemp("samples")
    shutil.copytree(OWN_SAMPLES, samples, dirs_exist_ok=True)
    (samples / "material/fhir-r4-spec/06-marrow-consent-withdrawn.json").unlink()
    installation = install(samples)
    for file in FILES:  # a batch before its material would be made of what is not known
        take(installation, [file])
    return installation


def consent_is(installation, verdict, time):
    """The biobank says so; until the hub has taken it."""
    consent = json.loads((OWN_SAMPLES / "material/fhir-r4-spec/06-marrow-consent-withdrawn.json")
                         .read_text())
    consent["meta"]["lastUpdated"] = f"2026-03-{time}T09:30:00+01:00"
    consent["provision"]["type"] = verdict
    name = f"material/fhir-r4-spec/{time}-consent.json"
    (installation.samples / name).write_text(json.dumps(consent))
    take(installation, FILES)


def history(installation):
    """The transitions of the batch's conflict about its material, in order."""
    records = [json.loads(line) for line in
               installation.ctl("consume", "conflict.batch", "-o", "json").splitlines()]
    return [record["value"]["transition"] for record in records
            if MARROW in record["value"]["conflict_id"]]


def test_a_consent_that_is_withdrawn_and_given_again_opens_and_closes_it_once(marrow):
    assert history(marrow) == []
    consent_is(marrow, "deny", "05")
    assert history(marrow) == ["OPENED"]
    batch = entity_of(marrow.ctl_json("entity", "list"), BATCH)
    assert any(MARROW in conflict["field"] for conflict in batch["conflicts"])
    marrow.hub.kill()
    marrow.start_hub()
    consent_is(marrow, "permit", "06")
    assert history(marrow) == ["OPENED", "RESOLVED"]
    marrow.hub.kill()
    consent_is_later = json.loads((marrow.samples / "material/fhir-r4-spec/05-consent.json")
                                  .read_text())
    consent_is_later["meta"]["lastUpdated"] = "2026-03-07T09:30:00+01:00"
    (marrow.samples / "material/fhir-r4-spec/07-consent.json").write_text(
        json.dumps(consent_is_later))
    marrow.run_connectors(FILES)
    marrow.start_hub()
    marrow.wait_until_settled()
    wait_until(lambda: history(marrow) == ["OPENED", "RESOLVED", "REOPENED"],
               "the conflict that is open again", 30)


def test_what_was_published_follows_from_the_log_with_its_facts(marrow):
    assert ", 0 compacted away, 0 differences" in marrow.ctl("refold", "batch")


def test_all_that_was_read_and_written_adds_up(marrow):
    """Of the sources that were read, that is: the connectors run again and again."""
    wrong = json.loads(marrow.ctl_result("status", "-o", "json").stdout)["wrong"]
    assert [sum for sum in wrong if "refer" in sum["left"] + sum["right"]] == []
