"""hubctl trace walks one patient's story from the donation to the doses and back, and names the one
gap planted in it."""

import pytest

from installations import entity_of

DONATION = "din:Z999926000114"
SKIN_BATCH = "coi:COI-SKIN1-0007"
LOST = "CRY-26-3413"


@pytest.fixture(scope="module")
def story(own_installation):
    """{name: the entity that has the statement}"""
    entities = own_installation.ctl_json("entity", "list")
    return {name: entity_of(entities, key)["entity_id"] for name, key in {
        "material": "lumc-biobank/BiologicallyDerivedProduct/skin-114",
        "batch": "qp/QP-26-021",
        "slot": "lumc-mes/Appointment/8001",
        "product": "lu-stemcells/SCC-SKIN-1",
        "trial": "sus-trials/SUS-2026-01",
    }.items()}


@pytest.fixture(scope="module")
def forward(own_installation):
    return own_installation.ctl_json("trace", DONATION, "--forward")


@pytest.fixture(scope="module")
def backward(own_installation):
    return own_installation.ctl_json("trace", SKIN_BATCH, "--backward")


def walked(trace):
    return [entity["entity_id"] for entity in trace["entities"]]


def steps(trace, kind):
    return [step["text"] for entity in trace["entities"] for step in entity["steps"]
            if step["kind"] == kind]


def test_a_donation_leads_forward_to_its_doses(forward, story):
    assert walked(forward) == [story["material"], story["batch"]]
    assert [entity["depth"] for entity in forward["entities"]] == [0, 1]
    assert [text.split(",")[0] for text in steps(forward, "dose")] == ["dose 1", "dose 2"]


def test_a_batch_is_told_with_its_slot_its_product_and_its_trial(forward, story):
    links = {link["role"]: link["entities"] for link in forward["entities"][1]["links"]}
    assert links["slot"] == [story["slot"]]
    assert links["product"] == [story["product"]]
    assert links["trial"] == [story["trial"]]
    assert links["starting-material"] == [story["material"]]


def test_a_dose_leads_back_to_the_donation(backward, story):
    assert walked(backward)[0] == story["batch"]
    assert set(walked(backward)) == set(story.values())
    assert any("consent ACTIVE" in text for text in steps(backward, "consent"))
    assert len(walked(backward)) == len(set(walked(backward))), "each is told once"


def test_whoever_got_a_dose_is_the_donor(forward):
    donor = next(link["identifier"] for link in forward["entities"][0]["links"]
                 if link["role"] == "donor").removeprefix("subject:")
    assert all(text.endswith(f" to {donor}") for text in steps(forward, "dose"))


def test_the_way_through_hands_is_told_both_ways(forward, backward):
    for trace in (forward, backward):
        shipments = [text.split()[1] for text in steps(trace, "shipment")]
        assert sorted(shipments) == ["CRY-26-3307", "CRY-26-3412", LOST]


@pytest.mark.parametrize("direction", ["forward", "backward"])
def test_the_one_gap_is_named(request, story, direction):
    gaps = request.getfixturevalue(direction)["gaps"]
    assert len(gaps) == 1
    assert gaps[0]["entity"] == story["batch"]
    assert LOST in gaps[0]["gap"] and gaps[0]["gap"].endswith(": nobody tells that it arrived")


def test_a_patient_leads_to_all_that_is_theirs(own_installation, forward, story):
    """No entity is known by a pseudonym: what links to it is where the way begins."""
    donor = next(link["identifier"] for link in forward["entities"][0]["links"]
                 if link["role"] == "donor")
    found = walked(own_installation.ctl_json("trace", donor, "--forward"))
    assert {story["material"], story["batch"]} <= set(found)


def test_a_patient_is_known_to_the_institutions_alone_and_no_gap(forward):
    patients = [link for entity in forward["entities"] for link in entity["links"]
                if link["domain"] == "patient"]
    assert patients and all(link["foreign"] and not link["entities"] for link in patients)


def test_a_part_that_nobody_has_told_of_is_a_gap(own_installation):
    """Serum of a blood donation that the biobank's documents name and do not hold."""
    serum = entity_of(own_installation.ctl_json("entity", "list"),
                      "lumc-biobank/Specimen/serum-114")
    gaps = own_installation.ctl_json("trace", serum["entity_id"], "--backward")["gaps"]
    assert [gap["gap"] for gap in gaps] == [
        "its parent is material specimen:lumc-biobank:Specimen/blood-114, and no entity is known "
        "by it"]


def test_people_read_the_same(own_installation):
    text = own_installation.ctl("trace", DONATION, "--forward")
    assert "1 gap:" in text
    assert sum(line.lstrip().startswith("! ") for line in text.splitlines()) == 1


def test_it_says_what_it_cannot_do(own_installation):
    for arguments, code in ((("nobody", "--forward"), 3), ((DONATION,), 2),
                            ((DONATION, "--forward", "--backward"), 2)):
        assert own_installation.ctl_result("trace", *arguments).returncode == code
