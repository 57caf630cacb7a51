"""Real documents that speak of the same thing, and some that only seem to: exactly what is told in
pairs.json becomes of them.

Of each pair: which statements are one entity, every open conflict with its values, every number that
is related and never joins, every question for a person, and what is said in the end. Published text
is not repeated there; of a title a pattern is told.
"""

import json
import os
import pathlib
import re
import subprocess

import pytest

from stack.installation import ROOT, make_keys

PAIRS = json.loads((pathlib.Path(__file__).parent / "pairs.json").read_text())
DATE_SIZES = {"DAY": 10, "MONTH": 7, "YEAR": 4}


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    folder = tmp_path_factory.mktemp("keys") / "keys"
    make_keys(folder, ["sus", "lu", "lumc"])
    return folder


@pytest.fixture(scope="module")
def outcome(keys, real_samples):
    """outcome(pair): what the hub makes of its documents, each pair simulated once."""
    known = {}

    def simulate(pair):
        arguments = []
        for source in pair["documents"]:
            arguments.append(ROOT / "connectors" / f"{source['connector']}.yaml")
            arguments += [real_samples / file for file in source["files"]]
        if "context" in pair:
            arguments += ["--context", pair["context"]]
        done = subprocess.run(
            [ROOT / "build" / "release" / "bin" / "hubctl", "simulate", *arguments], check=False,
            capture_output=True, text=True,
            env={**os.environ, "HUB_SCHEMAS": str(ROOT / "schemas"), "HUB_KEYS": str(keys)})
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def get(name):
        if name not in known:
            known[name] = simulate(PAIRS[name])
        return known[name]

    return get


def plain(value):
    """Dates as texts, as exact as they are known."""
    if isinstance(value, dict) and set(value) == {"value", "precision"}:
        return value["value"][:DATE_SIZES[value["precision"]]]
    if isinstance(value, dict):
        return {name: plain(part) for name, part in value.items()}
    if isinstance(value, list):
        return [plain(part) for part in value]
    return value


def keys_of(entity):
    return sorted(statement["key"] for statement in entity["statements"])


def in_force(result):
    return [entity for entity in result["unified"] if entity["kind"] == "ACTIVE"]


def entity_with(result, key):
    return next(entity for entity in result["unified"] if key in keys_of(entity))


def fits(expected, value):
    if isinstance(expected, dict) and set(expected) == {"like"}:
        return re.search(expected["like"], value) is not None
    return expected == value


@pytest.fixture(params=PAIRS)
def told(request, outcome):
    """(what is expected of a pair, what became of it)"""
    return PAIRS[request.param], outcome(request.param)


def test_the_statements_are_these_entities(told):
    expected, result = told
    entities = in_force(result)
    if isinstance(expected["entities"], int):
        assert len(entities) == expected["entities"]
        assert all(len(keys_of(entity)) == 1 for entity in entities)
    else:
        assert sorted(map(keys_of, entities)) == sorted(map(sorted, expected["entities"]))


def test_these_were_taken_back_and_no_others(told):
    expected, result = told
    withdrawn = [keys_of(entity) for entity in result["unified"] if entity["kind"] == "WITHDRAWN"]
    assert sorted(sum(withdrawn, [])) == expected.get("withdrawn", [])


def test_these_are_the_open_conflicts(told):
    expected, result = told
    found = {}
    for conflict in result["conflicts"]:
        if conflict["state"] == "OPEN":
            entity = next(entity for entity in result["unified"]
                          if conflict["conflict_id"].startswith(entity["entity_id"] + "/"))
            found[keys_of(entity)[0], conflict["field"]] = [
                plain(json.loads(each["value"])) for each in conflict["values"]]
    wanted = {(each["of"], each["field"]): each["values"]
              for each in expected.get("conflicts", [])}
    assert set(found) == set(wanted)
    for place, values in wanted.items():
        assert len(found[place]) == len(values), found[place]
        for value in values:
            assert sum(fits(value, each) for each in found[place]) == 1, (value, found[place])


def test_these_numbers_are_related_and_nothing_else_is(told):
    expected, result = told
    related = []
    for entity in in_force(result):
        found = {"SELF": set(), "RELATED": set()}
        for identifier in entity["value"]["identifiers"]:
            if identifier["relation"] in ("SELF", "RELATED", "PARENT", "PREDECESSOR"):
                itself = identifier["relation"] == "SELF"
                found["SELF" if itself else "RELATED"].add(identifier["value"])
        assert not found["SELF"] & found["RELATED"]
        related += found["RELATED"]
    assert sorted(related) == sorted(expected.get("related", []))


def test_nothing_is_asked_of_a_person_but_this(told):
    expected, result = told
    asked = [match for match in result["matches"] if match["state"] == "OPEN"]
    assert len(asked) == expected.get("matches", 0)


def test_this_is_said_in_the_end(told):
    expected, result = told
    for each in expected.get("says", []):
        entity = entity_with(result, each["of"])
        for field, value in each["fields"].items():
            assert fits(value, plain(entity["value"][field])), (field, entity["value"][field])


def test_the_entities_changed_as_often_as_that(told):
    expected, result = told
    revisions = {}
    for entity in result["unified"]:
        revisions[str(entity["revision"])] = revisions.get(str(entity["revision"]), 0) + 1
    assert revisions == expected["revisions"]


def test_these_documents_are_refused_and_no_others(told):
    expected, result = told
    refused = [letter["document"].split("#")[0] for letter in result["dead_letters"]]
    assert refused == expected.get("refused", [])
    assert all(letter["reason"] for letter in result["dead_letters"])


def test_every_pair_is_told_with_all_its_documents(real_samples):
    published = {pair["id"]: pair["files"]
                 for pair in json.loads((real_samples / "PAIRS.json").read_text())}
    assert set(published) == set(PAIRS)
    for name, pair in PAIRS.items():
        told = [file for source in pair["documents"] for file in source["files"]]
        assert sorted([*told, *pair.get("left_out", {})]) == sorted(
            file for file in published[name] if not file.endswith("SOURCE.txt"))
