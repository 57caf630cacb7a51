"""Who has a number finds the entity: over HTTP, by hubctl, and in unified.identifier."""

import json
import urllib.error
import urllib.parse
import urllib.request

import pytest

from installations import connector, entity_of, take

NUMBER = "nct:NCT99000101"
KEY = "ctgov/NCT99000101"


@pytest.fixture(scope="module")
def installation(install):
    started = install()
    take(started, [connector("sus/ctgov"), connector("sus/trials"), connector("lumc/slots")])
    return started


def ask(installation, path, **query):
    """(status, body)"""
    url = f"{installation.registry}{path}?{urllib.parse.urlencode(query)}"
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def entity(installation, key=KEY):
    return entity_of(installation.ctl_json("entity", "list"), key)


def test_a_number_leads_to_its_entity(installation):
    wanted = {"domain": "trial", "entity_id": entity(installation)["entity_id"]}
    assert ask(installation, "/v1/resolve", identifier=NUMBER) == \
        (200, {"identifier": NUMBER, "entities": [wanted]})
    assert installation.ctl_json("resolve", NUMBER) == [{"identifier": NUMBER, **wanted}]


def test_a_number_need_not_be_in_normal_form(installation):
    status, found = ask(installation, "/v1/resolve", identifier="nct: nct 99000101")
    assert status == 200 and found["identifier"] == NUMBER
    assert wanted_id(installation) in installation.ctl("resolve", "nct:nct99000101")


def wanted_id(installation):
    return entity(installation)["entity_id"]


def test_every_number_of_every_active_entity_is_listed_and_no_other(installation):
    listed = {}
    for line in installation.ctl("consume", "unified.identifier", "-o", "json").splitlines():
        record = json.loads(line)
        listed[record["key"]] = record["value"]
    listed = {key: sorted(value["entities"]) for key, value in listed.items() if value}
    wanted = {}
    for found in installation.ctl_json("entity", "list", "--domain", "trial"):
        for identifier in found["value"]["identifiers"]:
            if identifier["relation"] == "SELF" and identifier["scheme"] in ("nct", "euct"):
                wanted.setdefault(f"{identifier['scheme']}:{identifier['value']}", []) \
                    .append(found["entity_id"])
    trials = {key: ids for key, ids in listed.items() if key.startswith(("nct:", "euct:"))}
    assert trials == {key: sorted(ids) for key, ids in wanted.items()} != {}
    assert any(key.startswith("slot:") and "#" in key for key in listed)


def test_an_entity_is_shown_as_it_stands(installation):
    status, found = ask(installation, f"/v1/entity/{wanted_id(installation)}")
    known = entity(installation)
    assert status == 200
    assert {name: found[name] for name in ("entity_id", "kind", "into", "revision", "value")} == \
        {name: known[name] for name in ("entity_id", "kind", "into", "revision", "value")}
    assert found["domain"] == "trial"
    assert found["statements"] == [statement["key"] for statement in known["statements"]]


def test_what_is_not_there_is_not_found(installation):
    assert ask(installation, "/v1/resolve", identifier="nct:NCT01999999")[0] == 404
    assert ask(installation, "/v1/resolve")[0] == 400
    assert ask(installation, "/v1/entity/trial-nowhere")[0] == 404
    assert ask(installation, "/v1/nothing")[0] == 404
    assert installation.ctl_result("resolve", "nct:NCT01999999").returncode == 3


def test_after_a_merge_the_number_and_the_old_id_lead_to_the_survivor(installation):
    kept, gone = entity(installation), entity(installation, "ctgov/NCT99000102")
    done = installation.ctl_result("entity", "join", kept["entity_id"], gone["entity_id"],
                                   "--reason", "One trial.", "--by", "anna")
    assert done.returncode == 0, done.stdout + done.stderr
    whole = entity(installation, "ctgov/NCT99000102")["entity_id"]
    old = ({kept["entity_id"], gone["entity_id"]} - {whole}).pop()
    for number in (NUMBER, "nct:NCT99000102"):
        _, found = ask(installation, "/v1/resolve", identifier=number)
        assert found["entities"] == [{"domain": "trial", "entity_id": whole}]
        assert whole in installation.ctl("resolve", number)
    status, found = ask(installation, f"/v1/entity/{old}")
    assert status == 200 and found["entity_id"] == whole and found["kind"] == "ACTIVE"


def test_a_hub_that_was_killed_answers_the_same(installation):
    before = ask(installation, "/v1/resolve", identifier=NUMBER)
    installation.hub.kill()
    installation.start_hub()
    installation.wait_until_settled()
    assert ask(installation, "/v1/resolve", identifier=NUMBER) == before
    assert ", 0 compacted away, 0 differences" in installation.ctl("refold", "trial")
    assert ", 0 compacted away, 0 differences" in installation.ctl("refold", "gmp-slot")
