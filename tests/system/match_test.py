"""A number typed with two digits swapped: the pair waits for a person, who looks and decides."""

import shutil

import pytest

from installations import OWN_SAMPLES, connector, entity_of, take

LIST = """trial_id,protocol,eu_ct,nct,title_sv,title_en,sponsor,status,product,product_kind,\
planned_subjects,start,updated
SUS-2026-09,,,NCT99000110,Hud,{title},Skånes universitetssjukhus,rekryterar,Hudskiva,cell,30,\
2026-11-12,2026-02-02
"""


@pytest.fixture(scope="module")
def installation(install, tmp_path_factory):
    samples = tmp_path_factory.mktemp("samples")
    shutil.copytree(OWN_SAMPLES, samples, dirs_exist_ok=True)
    folder = samples / "trials" / "sus-trials-csv"
    shutil.rmtree(folder)
    folder.mkdir()
    started = install(samples)
    files = [connector("sus/ctgov"), connector("sus/trials")]
    take(started, files[:1])
    title = entity_of(started.ctl_json("entity", "list"), "ctgov/NCT99000101")["value"]["titles"][0]
    (folder / "trials-2026-02-02.csv").write_text(LIST.format(title=title["text"]))
    take(started, files[1:])
    return started


def entities(installation):
    listed = installation.ctl_json("entity", "list")
    return [entity_of(listed, key) for key in ("ctgov/NCT99000101", "sus-trials/SUS-2026-09")]


def match(installation, *more):
    ids = {entity["entity_id"] for entity in entities(installation)}
    found = [match for match in installation.ctl_json("match", "list", *more)
             if set(match["entities"]) == ids]
    return found[0] if found else None


def test_the_near_miss_is_listed_and_joins_nothing(installation):
    first, second = entities(installation)
    assert first["entity_id"] != second["entity_id"]
    evidence = match(installation)["evidence"]
    assert [item["kind"] for item in evidence] == ["NEAR_MISS"]
    assert evidence[0]["detail"].startswith("nct:NCT99000101 ~ nct:NCT99000110, same titles")
    table = installation.ctl("match", "list")
    assert "nct:NCT99000101 ~ nct:NCT99000110" in table


def test_the_two_are_compared_field_by_field(installation):
    shown = installation.ctl_json("match", "show", match(installation)["match_id"])
    fields = {field["field"]: field for field in shown["fields"]}
    assert fields["titles"]["equal"] in ("yes", "partly")
    assert fields["identifiers"]["equal"] == "no"
    assert fields["enrolment"]["equal"] == "no"
    assert {source.split("@")[0] for source in fields["enrolment"]["from"]} == \
        {"ctgov/NCT99000101", "sus-trials/SUS-2026-09"}
    by_id = {entity["entity_id"]: entity["value"] for entity in entities(installation)}
    for side, entity in enumerate(shown["entities"]):
        for name, field in fields.items():
            assert field["values"][side] == by_id[entity["entity_id"]][name]


def test_the_evidence_is_told_in_words_with_the_commands_that_decide(installation):
    found = match(installation)
    text = installation.ctl("match", "show", found["match_id"])
    assert "nct:NCT99000101 and nct:NCT99000110 are one slip of the hand apart" in text
    first, second = found["entities"]
    assert f"hubctl entity join {first} {second}" in text
    assert f"hubctl entity separate {first} {second}" in text


def test_a_match_that_is_not_there_is_not_found(installation):
    assert installation.ctl_result("match", "show", "trial-a~trial-b").returncode == 3


def test_the_command_that_is_shown_closes_it(installation):
    shown = installation.ctl_json("match", "show", match(installation)["match_id"])
    command = shown["separate"].replace("--reason TEXT", "").split()[1:]
    done = installation.ctl_result(*command, "--reason", "Two trials.", "--by", "anna")
    assert done.returncode == 0, done.stdout + done.stderr
    assert match(installation) is None
    assert match(installation, "--all")["state"] == "CLOSED"
    assert ", 0 compacted away, 0 differences" in installation.ctl("refold", "trial")
