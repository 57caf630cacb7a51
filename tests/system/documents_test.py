"""Published documents of real registers, hospitals and universities, through a whole installation.

Each case is told of the real documents and of the project's own, which are made to the same
pattern; where the real ones are absent, the own ones are what is tested.
"""

import json
import re
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from installations import (OWN_GROUP, OWN_SAMPLES, conflict_values, entity_of, statement_keys, take)
from stack.installation import connector_files


# Connectors that seal: their originals have what they seal in clear.
SEALING = {re.search(r"^connector: (\S+)", text, re.M)[1]
           for text in map(Path.read_text, connector_files()) if "seal: {" in text}


@dataclass
class Documents:
    """What is expected of one set of documents."""

    samples: Path
    cross_registered: tuple  # two statements: the first register is silent about the second
    enrolments: set
    countries: str           # an EudraCT number with one document a country
    country_keys: int
    country_enrolments: set
    country_titles: list     # each in one of the title conflict's values
    relations: tuple         # a statement, and the numbers that it names without being them
    mobility: tuple          # key of the sender's and of the receiver's statement
    planned: tuple
    actual: tuple
    without: frozenset = frozenset()  # domains that no document tells of
    entities: list = field(default_factory=list)
    conflicts: list = field(default_factory=list)


OWN = dict(
    cross_registered=("ctgov/NCT99000201", "isrctn/99000201"),
    enrolments={'{"count":41,"type":"UNSTATED"}', '{"count":38,"type":"ACTUAL"}'},
    countries="2019-009001-17", country_keys=2,
    country_enrolments={'{"count":40,"type":"TARGET"}', '{"count":32,"type":"TARGET"}'},
    country_titles=['a pilot"', 'bladder"'],
    relations=("ctgov/NCT99000103", set()),
    mobility=("ewp-outgoing/v2/lu.se/5b2f6b0e-9f11-4c57-8d0a-30f1a7c2e901",
              "ewp-incoming/lu.se/5b2f6b0e-9f11-4c57-8d0a-30f1a7c2e901"),
    planned=("2026-02-02", "2026-06-12"), actual=("2026-02-03", "2026-06-10"))

REAL = dict(
    cross_registered=("ctgov/NCT01035190", "isrctn/80181452"),
    enrolments={'{"count":863,"type":"UNSTATED"}', '{"count":850,"type":"TARGET"}'},
    countries="2012-003632-23", country_keys=7,
    country_enrolments={'{"count":38,"type":"TARGET"}', '{"count":10,"type":"TARGET"}'},
    country_titles=["A Pilot", "A Phase 2/3"],
    relations=("ctgov/NCT03443973", {"NCT03444870", "NCT04374253"}),
    mobility=("ewp-outgoing/v2/uio.no/c442c289-5541-4cae-9edb-8ad83e133613",
              "ewp-incoming/uio.no/c442c289-5541-4cae-9edb-8ad83e133613"),
    planned=("2010-02-01", "2010-06-20"), actual=("2018-02-05", "2018-06-19"),
    without=frozenset({"product"}))


@pytest.fixture(scope="module", params=[
    pytest.param("own", marks=pytest.mark.xdist_group(OWN_GROUP)),
    pytest.param("real", marks=pytest.mark.xdist_group("published documents"))])
def installed(request, install):
    """(installation, what is expected of its documents)"""
    if request.param == "own":
        documents = Documents(OWN_SAMPLES, **OWN)
        installation = request.getfixturevalue("own_installation")
    else:
        documents = Documents(request.getfixturevalue("real_samples"), **REAL)
        installation = install(documents.samples)
        take(installation)
    documents.entities = installation.ctl_json("entity", "list")
    documents.conflicts = installation.ctl_json("conflict", "list")
    return installation, documents


@pytest.fixture
def documents(installed):
    return installed[1]


def numbers(entity, relation, scheme=None):
    return {identifier["value"] for identifier in entity["value"]["identifiers"]
            if identifier["relation"] == relation and scheme in (None, identifier["scheme"])}


def test_every_input_is_accounted_for(installed):
    installation, documents = installed
    assert installation.ctl_result("status").returncode == 0
    for domain in installation.ctl_json("status")["domains"]:
        assert (domain["source_records"] > 0) == (domain["domain"] not in documents.without)
        assert domain["lag"] == 0


def test_what_was_published_is_what_the_log_gives(installed):
    installation, _ = installed
    for domain in installation.ctl_json("status")["domains"]:
        assert ", 0 compacted away, 0 differences" in installation.ctl("refold", domain["domain"])


def test_two_registers_tell_of_one_trial_though_one_is_silent_about_the_other(documents):
    first, second = documents.cross_registered
    entity = entity_of(documents.entities, first)
    assert entity is entity_of(documents.entities, second)
    silent = next((documents.samples / "trials" / "ctgov-classic-json-ctrdata").glob(
        f"{first.split('/')[1]}*.json")).read_text()
    assert f"ISRCTN{second.split('/')[1]}" not in silent


def test_two_enrolments_are_an_open_conflict(documents):
    entity = entity_of(documents.entities, documents.cross_registered[0])
    assert documents.enrolments <= set(conflict_values(documents.conflicts, entity, "enrolment"))
    assert "enrolment" in {conflict["field"] for conflict in entity["conflicts"]}


def test_the_countries_of_a_trial_are_one_entity(documents):
    keys = [statement["key"] for entity in documents.entities
            for statement in entity["statements"]
            if statement["key"].startswith(f"euctr/{documents.countries}/")]
    assert len(keys) == documents.country_keys
    entity = entity_of(documents.entities, keys[0])
    assert set(keys) <= set(statement_keys(entity))
    assert len(entity["value"]["by_country"]) >= documents.country_keys


def test_the_countries_disagree_about_title_and_enrolment(documents):
    key = next(statement["key"] for entity in documents.entities
               for statement in entity["statements"]
               if statement["key"].startswith(f"euctr/{documents.countries}/"))
    entity = entity_of(documents.entities, key)
    assert documents.country_enrolments <= set(
        conflict_values(documents.conflicts, entity, "enrolment"))
    titles = conflict_values(documents.conflicts, entity, "titles[en].text")
    for words in documents.country_titles:
        assert any(words.casefold() in title.casefold() for title in titles)


def test_a_trial_is_not_the_trials_it_is_related_to(documents):
    key, related = documents.relations
    entity = entity_of(documents.entities, key)
    assert statement_keys(entity) == [key]
    assert related <= numbers(entity, "RELATED")
    assert not related & numbers(entity, "SELF")


def test_no_placeholder_joins_anything(documents):
    for entity in documents.entities:
        if entity["entity_id"].startswith("trial-"):
            for number in numbers(entity, "SELF"):
                assert not re.fullmatch(r"(NCT|ISRCTN)0+", number), entity["entity_id"]


def test_a_mobility_is_one_entity_as_its_sender_and_its_receiver_tell_it(documents):
    sender, receiver = documents.mobility
    entity = entity_of(documents.entities, sender)
    assert entity is entity_of(documents.entities, receiver)


def test_planned_and_actual_dates_are_different_fields(documents):
    value = entity_of(documents.entities, documents.mobility[0])["value"]
    for name, expected in (("planned", documents.planned), ("actual", documents.actual)):
        assert (value[name]["from"]["value"], value[name]["to"]["value"]) == expected
    assert not entity_of(documents.entities, documents.mobility[0])["conflicts"]


def test_slots_and_appointments_become_slots(documents):
    """As an independent reader of the files finds them: the last file of an id counts."""
    expected = {}
    for folder in ("fhir-r4-spec", "fhir-r5-spec"):
        for path in sorted((documents.samples / "slots_batches" / folder).glob("*.json")):
            resource = json.loads(path.read_text())
            if resource["resourceType"] in ("Slot", "Appointment") and "end" in resource:
                expected[f"lumc-mes/{resource['resourceType']}/{resource['id']}"] = resource
    assert expected
    for key, resource in expected.items():
        value = entity_of(documents.entities, key)["value"]
        start = value["interval"]["start"]
        minutes = start["offset_minutes"]
        assert start["time"][:10] <= resource["start"][:10]
        assert (minutes == 0) == resource["start"].endswith(("Z", "+00:00")), key
        if resource["status"] == "booked":
            assert value["status"] == "BOOKED"


def test_every_study_of_a_paged_register_is_an_entity(installed):
    installation, documents = installed
    sources = installation.sources
    asked = [request for request in sources.requests if request.startswith("/api/v2/studies")]
    assert len({request for request in asked}) == -(-len(sources.studies) // 50)
    for study in sources.studies:
        number = study["protocolSection"]["identificationModule"]["nctId"]
        entity_of(documents.entities, f"ctgov/{number}")


def test_every_page_of_the_feed_of_events_is_read(installed):
    installation, documents = installed
    asked = [request.rsplit("/", 1)[1] for request in installation.sources.requests
             if request.startswith("/uppfoljning/feed/")]
    archived = [str(number) for number in range(1, len(installation.sources.feed))]
    assert asked and set(asked) == {"recent", *archived}
    told = {statement["key"] for entity in documents.entities for statement in entity["statements"]}
    course = ("http://schemas.ladok.se/utbildningsinformation/KursTillStatusEvent",
              "http://schemas.ladok.se/utbildningsinformation/KursUppdateradEvent")
    for page in installation.sources.feed:
        for entry in ElementTree.fromstring(page).findall("{*}entry"):
            if entry.find("{*}category").get("term") in course:
                key = entry.findtext("{*}content/*/{*}UtbildningUID").lower()
                assert f"ladok/{key}" in told


def test_no_dead_letter_is_without_its_reason_and_its_original_unless_that_must_stay(installed):
    installation, _ = installed
    for letter in installation.ctl_json("dlq", "list"):
        assert letter["reason"] and letter["stage"] and letter["code"]
        shown = json.loads(installation.ctl("dlq", "show", letter["place"], "-o", "json"))
        stays = letter["stage"] == "guard" or shown["connector"] in SEALING
        assert (shown["original"] is None) == stays, letter["place"]
