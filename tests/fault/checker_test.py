"""The checker, on records with a fault planted in them: each is found, and called by its name."""

import io
import json
import pathlib

import fastavro
import pytest

from checker import Record, Schemas, check

ROOT = pathlib.Path(__file__).resolve().parents[2]
KEY = "ctgov/NCT99000101"


class Writer:
    """Values in the Confluent wire format, by the last version of a subject."""

    def __init__(self):
        lock = json.loads((ROOT / "schemas" / "registry.lock.json").read_text())
        self.ids = {entry["subject"]: entry["id"] for entry in lock}
        self.schemas = Schemas()

    def __call__(self, subject, value):
        schema_id = self.ids[subject]
        schema = fastavro.parse_schema(json.loads(
            (ROOT / "schemas" / self.schemas.files[schema_id]).read_text()))
        out = io.BytesIO()
        fastavro.schemaless_writer(out, schema, value)
        return b"\0" + schema_id.to_bytes(4, "big") + out.getvalue()


def statement(version, name):
    return {"statement": {"version": version, "state": "CURRENT"},
            "titles": [{"lang": "en", "text": name}]}


def admitted(version, outcome):
    return {"shard": 0, "version": version, "hash": bytes(32), "state": "CURRENT",
            "outcome": outcome}


def unified(revision):
    trial = json.loads((ROOT / "schemas" / "domains" / "trial.avsc").read_text())
    return {"entity_id": "trial-1", "kind": "ACTIVE", "founder": KEY, "founded_offset": 0,
            "revision": revision, "changed": [], "statements": [], "conflicts": [], "rules": "r",
            "core": 1, "sources": {field["name"]: -1 for field in trial["fields"]}}


@pytest.fixture
def topics():
    """Three versions of one trial, the second a repetition, as a sound hub treats them."""
    write = Writer()
    said = [("1", "A"), ("2", "A"), ("3", "B")]
    inputs = [write("trial", statement(*each)) for each in said]
    values = {
        "ingest.sus.trial": [(KEY, value) for value in inputs],
        "admitted.sus.trial": [(KEY, write("admitted", admitted(version, outcome)))
                               for version, outcome in (("1", "NEW"), ("2", "UNCHANGED"),
                                                        ("3", "CHANGED"))],
        "log.trial": [(f"sus/{KEY}", inputs[0]), (f"sus/{KEY}", inputs[2])],
        "unified.trial": [("trial-1", write("unified.trial", unified(n))) for n in (1, 2)]}
    return {name: [Record(0, offset, key, value) for offset, (key, value) in enumerate(records)]
            for name, records in values.items()}


def words(topics):
    findings, _ = check(lambda name: topics[name], ["sus"], "trial")
    return dict(findings.counts)


def test_what_a_sound_hub_wrote_is_clean(topics):
    findings, numbers = check(lambda name: topics[name], ["sus"], "trial")
    assert findings.is_clean, str(findings)
    assert numbers == {"inputs": 3, "entries": 2, "entities": 1}


def test_an_input_without_an_outcome_is_lost(topics):
    topics["admitted.sus.trial"].pop(1)
    assert words(topics) == {"lost": 1}


def test_an_outcome_that_came_twice_is_a_duplicate(topics):
    topics["admitted.sus.trial"].insert(2, topics["admitted.sus.trial"][1])
    assert words(topics) == {"duplicate": 1}


def test_an_outcome_without_its_entry_is_torn(topics):
    topics["log.trial"].pop()
    assert words(topics) == {"torn": 1}


def test_an_entry_that_came_twice_is_a_duplicate(topics):
    topics["log.trial"].append(topics["log.trial"][-1])
    assert words(topics) == {"duplicate": 1}


def test_entries_that_changed_places_are_out_of_order(topics):
    topics["log.trial"].reverse()
    assert words(topics) == {"out of order": 1}


def test_an_outcome_that_the_inputs_do_not_demand_is_wrong(topics):
    topics["admitted.sus.trial"][1] = topics["admitted.sus.trial"][2]
    topics["log.trial"].insert(1, topics["log.trial"][1])
    assert words(topics) == {"wrong": 1}


def test_an_entry_that_nobody_said_is_wrong(topics):
    topics["log.trial"].append(Record(0, 9, "sus/ctgov/NCT99000102", topics["log.trial"][0].value))
    assert words(topics) == {"wrong": 1}


def test_a_revision_that_is_missing_is_lost(topics):
    topics["unified.trial"].pop(0)
    assert words(topics) == {"lost": 1}


def test_a_revision_that_came_twice_is_a_duplicate(topics):
    topics["unified.trial"].append(topics["unified.trial"][-1])
    assert words(topics) == {"duplicate": 1}
