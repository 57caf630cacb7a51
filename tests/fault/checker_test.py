"""The checker, on records with a fault planted in them: each is found, and called by its name."""

import io
import json
import pathlib

import fastavro
import pytest

from checker import POISON, Record, Schemas, check

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
        "deadletter.hub": [],
        "unified.trial": [("trial-1", write("unified.trial", unified(n))) for n in (1, 2)]}
    return {name: [Record(0, offset, key, value) for offset, (key, value) in enumerate(records)]
            for name, records in values.items()}


def words(topics, compacted=False):
    findings, _ = check(lambda name: topics[name], ["sus"], "trial", compacted=compacted)
    return dict(findings.counts)


def refuse(topics, record, original):
    """A dead letter for it, as the hub writes one."""
    letter = {"stage": "admit", "code": "AVRO", "reason": "cut off", "topic": "ingest.sus.trial",
              "partition": record.partition, "offset": record.offset, "key": record.key.encode(),
              "original": original, "original_hash": bytes(32)}
    topics["deadletter.hub"].append(Record(0, 0, record.key, Writer()("deadletter", letter)))


@pytest.fixture
def poisoned(topics):
    """A record in between that was written to be refused, and was."""
    poison = Record(0, 9, KEY, topics["ingest.sus.trial"][2].value[:-3], lambda: [POISON])
    topics["ingest.sus.trial"].insert(1, poison)
    refuse(topics, poison, poison.value)
    return topics


@pytest.fixture
def late(topics):
    """The first version once more, after the others."""
    write = Writer()
    topics["ingest.sus.trial"].append(Record(0, 9, KEY, topics["ingest.sus.trial"][0].value))
    topics["admitted.sus.trial"].append(
        Record(0, 9, KEY, write("admitted", admitted("3", "LATE"))))
    topics["log.trial"].append(
        Record(0, 9, f"late/sus/{KEY}", topics["ingest.sus.trial"][0].value))
    return topics


def test_what_a_sound_hub_wrote_is_clean(topics):
    findings, numbers = check(lambda name: topics[name], ["sus"], "trial")
    assert findings.is_clean, str(findings)
    assert numbers == {"inputs": 3, "dead letters": 0, "entries": 2, "entities": 1}


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


def test_an_entry_with_other_bytes_than_its_input_is_wrong(topics):
    topics["log.trial"][1].value = topics["log.trial"][0].value
    assert words(topics) == {"wrong": 1}


def test_what_came_late_has_an_entry_of_its_own(late):
    assert words(late) == {}


def test_a_late_outcome_without_its_entry_is_torn(late):
    late["log.trial"].pop()
    assert words(late) == {"torn": 1}


def test_what_is_late_and_taken_as_new_is_wrong(late):
    late["admitted.sus.trial"][-1].value = Writer()("admitted", admitted("1", "CHANGED"))
    late["log.trial"][-1].key = f"sus/{KEY}"
    assert words(late) == {"wrong": 1}


def test_poison_with_its_dead_letter_is_clean(poisoned):
    assert words(poisoned) == {}


def test_poison_without_a_dead_letter_is_lost(poisoned):
    poisoned["deadletter.hub"].pop()
    assert words(poisoned) == {"lost": 1}


def test_a_dead_letter_that_came_twice_is_a_duplicate(poisoned):
    poisoned["deadletter.hub"].append(poisoned["deadletter.hub"][0])
    assert words(poisoned) == {"duplicate": 1}


def test_a_dead_letter_with_other_bytes_is_torn(poisoned):
    poisoned["deadletter.hub"].pop()
    refuse(poisoned, poisoned["ingest.sus.trial"][1], b"something else")
    assert words(poisoned) == {"torn": 1}


def test_a_sound_record_that_was_refused_is_wrong(poisoned):
    poisoned["ingest.sus.trial"][1].headers = list
    assert words(poisoned) == {"wrong": 1}


def test_a_dead_letter_of_nothing_is_wrong(topics):
    refuse(topics, Record(0, 77, KEY, b""), b"")
    assert words(topics) == {"wrong": 1}


def test_compaction_takes_what_a_later_record_replaced(topics):
    topics["admitted.sus.trial"].pop(0)
    topics["unified.trial"].pop(0)
    assert words(topics, compacted=True) == {}
    assert words(topics) == {"lost": 2, "duplicate": 1}


def test_compaction_never_takes_the_last(topics):
    topics["admitted.sus.trial"].pop()
    assert words(topics, compacted=True) == {"lost": 1}


def test_compaction_never_takes_from_the_log(topics):
    topics["log.trial"].pop(0)
    assert words(topics, compacted=True) == {"torn": 1}


def test_what_moves_to_another_shard_has_an_entry_in_either(topics):
    """By its name, for once."""
    del topics["unified.trial"][1]
    wrote = Writer()
    topics["admitted.sus.trial"][2].value = wrote("admitted", admitted("3", "MOVED"))
    moved = topics["log.trial"].pop()
    back = Record(0, 7, moved.key, topics["ingest.sus.trial"][2].value,
                  lambda: [("hub_moved_to", b"B")])
    topics["log.trial"] += [back, Record(1, 7, moved.key, moved.value)]

    def found():
        findings, _ = check(lambda name: topics[name], ["sus"], "trial",
                            shard_of=lambda value: ord(value["titles"][0]["text"]) - ord("A"))
        return dict(findings.counts)
    assert found() == {}
    topics["log.trial"].remove(back)
    assert found() == {"torn": 1}
