"""hubctl entity explain names, for every field of every entity, a place in a source document where an
independent mapper (tests/lib/explained.py) finds the same value."""

import collections
import copy
import json

import pytest

from explained import Documents, Untrue, check_statement
from installations import entity_of, take


EDGES_MAX = 20  # entities of several statements, each of them a program of its own


class Explained:
    """All entities of an installation, explained."""

    def __init__(self, installation):
        self.installation = installation
        self.documents = Documents(installation)
        self.entities = installation.ctl_json("entity", "list")
        self.told = {told["entity_id"]: told for told in self.explain_all()}

    def explain_all(self, *arguments):
        lines = self.installation.ctl("entity", "explain", "--all", *arguments, "-o", "json")
        return map(json.loads, lines.splitlines())

    def statements(self):
        """(entity id, field, what is told of one statement's value) of all of them."""
        for entity_id, told in self.told.items():
            for field in told["fields"]:
                for statement in field["statements"]:
                    yield entity_id, field, {**statement, "field": field["field"]}


@pytest.fixture(scope="module")
def own(own_installation):
    return Explained(own_installation)


@pytest.fixture(scope="module", params=["own", "real"])
def explained(request, install):
    if request.param == "own":
        return request.getfixturevalue("own")
    installation = install(request.getfixturevalue("all_real_samples"))
    take(installation)
    return Explained(installation)


def broken(source):
    """The source with every path led astray, and whether there was any. A constant behind a path would
    give the same value for another reason, so it is left out."""
    source, any_path = copy.deepcopy(source), False
    sources = [source]
    while sources:
        each = sources.pop()
        if "first" in each:
            each["first"] = [part for part in each["first"] if "constant" not in part]
        sources += each.get("first", []) + each.get("join", [])
        sources += [part for name, part in each.get("plus", {}).items() if name != "time"]
        if "path" in each:
            any_path = True
            each["path"] = f"{each['path']}.astray" if each["path"] else "astray"
    return source, any_path


def test_every_field_is_found_where_its_explanation_says(explained, capsys):
    counts, wrong = collections.Counter(), []
    for entity_id, field, told in explained.statements():
        try:
            used = check_statement(told, explained.documents)
        except Untrue as untrue:
            wrong.append(f"{entity_id} {told['field']} {told['statement']}: {untrue}")
            continue
        counts["statements' fields"] += 1
        counts["in the document"] += "path" in used
        counts["told with the document"] += "context" in used
        counts["by the configuration alone"] += used == {"constant"}
        counts["tables"] += "table" in json.dumps(told["records"])
        counts["look-ups"] += "lookup" in json.dumps(told["records"])
    fields = sum(bool(field["statements"]) for told in explained.told.values()
                 for field in told["fields"])
    with capsys.disabled():
        print(f"\nexplain: {len(explained.told)} entities, {fields} fields, " +
              ", ".join(f"{count} {name}" for name, count in counts.items()))
    assert not wrong, f"{len(wrong)}:\n" + "\n".join(wrong[:40])
    assert counts["in the document"] > 100


def test_an_explanation_with_a_wrong_path_is_not_believed(explained):
    """Negative control: the same check, with each path led astray."""
    tried = 0
    for entity_id, _, told in explained.statements():
        if "path" not in check_statement(told, explained.documents):
            continue
        told = copy.deepcopy(told)
        for record in told["records"]:
            record.pop("update", None)  # else what is found nowhere may have been said before
            for origin in record["origins"]:
                origin["source"], _ = broken(origin["source"])
        with pytest.raises(Untrue):
            check_statement(told, explained.documents)
            pytest.fail(f"{entity_id} {told['field']} {told['statement']} was believed")
        tried += 1
    assert tried > 100


def test_what_is_published_is_what_the_statements_chosen_say(explained):
    entities = {entity["entity_id"]: entity for entity in explained.entities}
    for entity_id, told in explained.told.items():
        entity = entities[entity_id]
        for field in told["fields"]:
            value = entity["value"][field["field"]]
            chosen = [each for each in field["statements"] if each["chosen"]]
            sharing = [each for each in field["statements"] if each["shares"]]
            assert field["value"] == value
            assert len(chosen) <= 1 and not (chosen and sharing)
            if chosen and not field["union"]:
                assert chosen[0]["value"] == value, (entity_id, field["field"])
            if sharing:
                said = {json.dumps(part) for each in sharing for part in leaves(each["value"])}
                assert {json.dumps(part) for part in leaves(value)} <= said


def leaves(value):
    if isinstance(value, dict):
        return [leaf for part in value.values() for leaf in leaves(part)]
    if isinstance(value, list):
        return [leaf for part in value for leaf in leaves(part)]
    return [value]


def test_every_statement_but_the_chosen_one_has_a_reason_to_lose(explained):
    for _, field, told in explained.statements():
        assert told["why"]
        if not told["chosen"] and not told["shares"] and any(
                each["chosen"] for each in field["statements"]) and not field["union"]:
            assert any(words in told["why"] for words in (
                "rule", "rank of the system", "statement key", "shut out", "more exact")), told


def test_the_place_in_the_log_is_where_the_statement_is(own):
    for entity in own.entities:
        offsets = {each["key"]: each["offset"] for each in entity["statements"]}
        for field in own.told[entity["entity_id"]]["fields"]:
            for told in field["statements"]:
                assert told["log"]["offset"] == offsets[told["statement"]]
                assert told["log"]["topic"].startswith("log.")


# --- why one, and why not ---


def test_an_entity_hangs_together_edge_by_edge(explained):
    keys_of = {entity["entity_id"]: [each["key"] for each in entity["statements"]]
               for entity in explained.entities}
    several = {entity_id for entity_id, keys in keys_of.items() if len(keys) > 1}
    for entity_id in sorted(several)[:EDGES_MAX]:
        keys = keys_of[entity_id]
        told = explained.installation.ctl_json("entity", "explain", entity_id, "--edges")
        parts = {key: {key} for key in keys}
        assert told["whole"]
        assert sorted(each["statement"] for each in told["statements"]) == sorted(keys)
        for edge in told["edges"]:
            if not edge["joined"]:
                continue
            assert parts[edge["a"]] is not parts[edge["b"]]
            both = parts[edge["a"]] | parts[edge["b"]]
            parts.update(dict.fromkeys(both, both))
        assert len(parts[keys[0]]) == len(keys), "the edges that joined reach every statement"


def test_all_entities_are_whole_by_their_edges(own):
    told = list(own.explain_all("--edges"))
    assert {each["entity_id"] for each in told} == set(own.told)
    assert all(each["whole"] for each in told)


def test_two_that_only_name_each_other_are_told_apart_by_that(own):
    one = entity_of(own.entities, "ctgov/NCT99000201")["entity_id"]
    other = entity_of(own.entities, "ctgov/NCT99000202")["entity_id"]
    told = own.installation.ctl_json("entity", "explain", one, other)
    assert not told["same"]
    assert "only what is SELF to both joins" in told["why"]
    assert {(each["value"], each["relation_a"], each["relation_b"]) for each in told["named"]} == {
        ("NCT99000202", "RELATED", "SELF")}


def test_two_with_nothing_in_common_are_told_so(own):
    one = entity_of(own.entities, "ctgov/NCT99000201")["entity_id"]
    other = entity_of(own.entities, "sus-trials/SUS-2026-01")["entity_id"]
    assert own.installation.ctl_json("entity", "explain", one, other)["why"] == \
        "they share no identifier"


def test_what_cannot_be_explained_is_said(own):
    trial = own.entities[-1]["entity_id"]
    slot = next(each["entity_id"] for each in own.entities
                if each["entity_id"].startswith("gmp-slot-"))
    for arguments, code in (((trial, "nothing"), 3), (("nobody",), 3), ((trial, slot), 2),
                            (("trial-0000000000000000",), 3)):
        assert own.installation.ctl_result("entity", "explain", *arguments).returncode == code


def test_without_the_configuration_the_path_is_said_to_be_unknown(own, tmp_path):
    trial = entity_of(own.entities, "ctgov/NCT99000201")["entity_id"]
    told = own.installation.ctl_json("entity", "explain", trial, "status", "--connectors", tmp_path)
    for statement in told["fields"][0]["statements"]:
        assert statement["unknown"] == "no configuration with that hash is here"
        assert len(statement["mapping_hash"]) == 64


# --- what people decided: an installation of its own, because it changes what others look at ---


@pytest.fixture(scope="module")
def decided(install):
    installation = install()
    take(installation)
    return installation


def by_anna(installation, *arguments):
    done = installation.ctl_result(*arguments, "--reason", "As the protocol says.", "--by", "anna")
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_choice_is_told_with_who_made_it_and_why(decided):
    trial = entity_of(decided.ctl_json("entity", "list"), "ctgov/NCT99000201")["entity_id"]
    by_anna(decided, "conflict", "resolve", f"{trial}/enrolment", "--statement",
            "ctgov/NCT99000201")
    field = decided.ctl_json("entity", "explain", trial, "enrolment")["fields"][0]
    conflict = field["conflicts"][0]
    assert conflict["choice_holds"]
    assert conflict["decision"]["decided_by"] == "anna"
    for told in field["statements"]:
        assert told["chosen"] == (told["statement"] == "ctgov/NCT99000201")
        assert told["why"] == ("chosen by anna: As the protocol says." if told["chosen"]
                               else "not chosen by the person who decided")


def test_a_separation_is_told_by_both_sides(decided):
    whole = entity_of(decided.ctl_json("entity", "list"), "sus-trials/SUS-2026-01")["entity_id"]
    by_anna(decided, "entity", "separate", whole, "--statement", "sus-trials/SUS-2026-01")
    entities = decided.ctl_json("entity", "list")
    one, other = (entity_of(entities, key)["entity_id"]
                  for key in ("sus-trials/SUS-2026-01", "ctgov/NCT99000101"))
    told = decided.ctl_json("entity", "explain", one, other)
    assert told["why"] == "anna decided that they are apart: As the protocol says."
    assert told["refused"][0]["refusal"] == "APART"
    assert told["decisions"][0]["kind"] == "SEPARATE"


def test_a_join_is_told_as_the_edge_it_is(decided):
    entities = decided.ctl_json("entity", "list")
    one, other = (entity_of(entities, key)["entity_id"]
                  for key in ("ctgov/NCT99000102", "ctgov/NCT99000103"))
    by_anna(decided, "entity", "join", one, other)
    joined = entity_of(decided.ctl_json("entity", "list"), "ctgov/NCT99000102")["entity_id"]
    edge = decided.ctl_json("entity", "explain", joined, "--edges")["edges"][0]
    assert edge["joined"] and edge["decision"]["by"] == "anna"
