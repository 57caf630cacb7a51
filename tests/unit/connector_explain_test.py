"""connector explain and connector schema: what people and editors are told is what the checker knows."""

import copy
import json
import re

import jsonschema
import pytest
import yaml

from programs import ROOT, run

CONFIGURATIONS = sorted((ROOT / "connectors").glob("*/*.yaml"))
GOOD = {
    "connector": "trying", "institution": "sus", "system": "sus-trials",
    "source": {"transport": "file-drop", "format": "csv", "folder": "."},
    "target": {"domain": "trial"},
    "records": [{"key": "id", "version": {"tie": "position"}, "fields": {"acronym": "name"}}],
}


def explain(*words):
    done = run("connector", "explain", *words)
    assert done.returncode == 0, done.stderr
    return done.stdout


def names(kind):
    return re.findall(r"^(\S+)", explain(kind), re.M)


SUBSCRIBED = {
    "connector": "telling", "institution": "lu",
    "subscribe": {"topics": ["unified.trial"], "since": "now"},
    "target": {"transport": "webhook-out", "url": "https://example.org/events",
               "secrets": ["${env:SECRET}"]},
}


# --- explain ---


@pytest.mark.parametrize("kind, one", [("transport", "http-poll"), ("format", "hl7v2"),
                                       ("transform", "pseudonym")])
def test_each_part_of_a_kind_is_told_of(kind, one):
    assert one in names(kind)
    for name in names(kind):
        assert explain(kind, name).startswith(f"{name}: ")


def test_a_transport_is_told_of_with_its_options_and_their_defaults():
    told = explain("transport", "file-drop")
    assert re.search(r"^  folder +text or list .*Required\.$", told, re.M)
    assert re.search(r"^  pattern .*Default", told, re.M)


def test_a_transport_is_told_of_with_what_its_source_must_have():
    assert re.search(r"^  CREATE TABLE hub_outbox \($", explain("transport", "postgres"), re.M)


def test_a_configuration_takes_every_example_of_a_transform(tmp_path):
    (tmp_path / "sample.csv").write_text("id\nA-1\n")
    for name in names("transform"):
        example = explain("transform", name).splitlines()[1].strip()
        field = "start" if name == "time" else "acronym"
        field = "status" if name in ("table", "else") else field
        good = GOOD if name != "seal" else GOOD | {
            "institution": "lu", "system": "lu-guests", "target": {"domain": "exchange"}}
        field = "contact" if name == "seal" else field
        path = tmp_path / f"{name}.yaml"
        path.write_text(yaml.safe_dump({k: v for k, v in good.items() if k != "records"})
                        + "records:\n  - key: id\n    version: {tie: position}\n    fields:\n"
                        + f"      {field}: {example}\n")
        done = run("connector", "dry-run", path, "--input", tmp_path / "sample.csv")
        assert done.returncode == 0 and "A-1" in done.stdout, f"{example}\n{done.stderr}"


@pytest.mark.parametrize("words", [("weather",), ("weather", "rain"), ("transport", "pigeon")])
def test_what_is_not_there_is_answered_with_what_is(words):
    done = run("connector", "explain", *words)
    assert done.returncode == 2 and not done.stdout
    assert ("file-drop" if words[0] == "transport" else "would pass") in done.stderr


# --- schema ---


@pytest.fixture(scope="module")
def schema():
    done = run("connector", "schema")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    jsonschema.Draft202012Validator.check_schema(found)
    return jsonschema.Draft202012Validator(found)


@pytest.mark.parametrize("path", CONFIGURATIONS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_every_configuration_of_the_project_fits_the_schema(schema, path):
    schema.validate(yaml.safe_load(path.read_text()))


MISTAKES = {
    "a key that is none": lambda c: c.update(conector="x"),
    "no system": lambda c: c.pop("system"),
    "a transport that is none": lambda c: c["source"].update(transport="pigeon"),
    "an option that is none": lambda c: c["source"].update(foldr="."),
    "an option of another transport": lambda c: c["source"].update(url="https://example.org"),
    "no folder": lambda c: c["source"].pop("folder"),
    "a number in words": lambda c: c["source"].update(stable_ms="soon"),
    "a domain that is none": lambda c: c["target"].update(domain="trials"),
    "a field that the domain does not have": lambda c: c["records"][0]["fields"].update(title="a"),
    "a record without a key": lambda c: c["records"][0].pop("key"),
    "a key of a record that is none": lambda c: c["records"][0].update(foreach="a"),
}


OUTBOUND_MISTAKES = {
    "no topics": lambda c: c["subscribe"].pop("topics"),
    "a beginning that is none": lambda c: c["subscribe"].update(since="tomorrow"),
    "an option that is none of a subscription": lambda c: c["subscribe"].update(topic="a"),
    "a transport that reads": lambda c: c["target"].update(transport="file-drop"),
    "an option of another outbound transport": lambda c: c["target"].update(folder="."),
    "no address": lambda c: c["target"].pop("url"),
    "both directions": lambda c: c.update(source=GOOD["source"]),
}


def test_the_configurations_that_mistakes_are_made_in_are_good(schema):
    schema.validate(GOOD)
    schema.validate(SUBSCRIBED)


@pytest.mark.parametrize("mistake", OUTBOUND_MISTAKES)
def test_an_editor_sees_where_something_subscribes(schema, mistake):
    configuration = copy.deepcopy(SUBSCRIBED)
    OUTBOUND_MISTAKES[mistake](configuration)
    with pytest.raises(jsonschema.ValidationError):
        schema.validate(configuration)


@pytest.mark.parametrize("mistake", MISTAKES)
def test_an_editor_sees(schema, mistake):
    configuration = copy.deepcopy(GOOD)
    MISTAKES[mistake](configuration)
    with pytest.raises(jsonschema.ValidationError):
        schema.validate(configuration)
