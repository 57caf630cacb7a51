"""Every requirement names tests that exist, and every test file serves one."""

import pytest

import evidence
import requirements
from programs import ROOT

TESTS = ROOT / "tests"


@pytest.fixture
def listed():
    return requirements.read(TESTS / "requirements.csv")


@pytest.fixture
def tests():
    return requirements.tests_in(TESTS)


def test_requirements_and_tests_fit(listed, tests):
    assert requirements.findings(listed, tests, requirements.OF_HELPERS) == []
    assert len(listed) > 50
    assert {each.user for each in listed} == requirements.USERS


def test_the_tests_are_those_that_a_run_collects(request, tests):
    """Of the files that this run has; all of them, where it does not choose among tests."""
    collected = {evidence.base_of(evidence.case_of(item.nodeid)) for item in request.session.items}
    files = {requirements.file_of(test) for test in collected}
    listed = {test for test in tests if requirements.file_of(test) in files}
    assert collected <= listed
    if not request.config.option.keyword and not any("::" in each for each in request.config.args):
        assert collected == listed


@pytest.mark.parametrize("change, finding", [
    ({"patterns": ["unit/admit_test.c::nobody_wrote_this"]},
     "EVD-5: no test is called unit/admit_test.c::nobody_wrote_this"),
    ({"patterns": []}, "EVD-5 says nothing of patterns"),
    ({"id": "ADM-1"}, "ADM-1 is there 2 times"),
    ({"grade": "grave"}, "EVD-5: 'grave' is none of ['high', 'low', 'medium']"),
    ({"user": "us"}, "EVD-5: 'us' is none of ['auditor', 'consumer', 'institution IT']"),
    ({"risk": ""}, "EVD-5 says nothing of risk"),
])
def test_a_requirement_that_is_none_is_found(listed, tests, change, finding):
    """The control."""
    wrong = next(each for each in listed if each.id == "EVD-5")
    for name, value in change.items():
        setattr(wrong, name, value)
    assert requirements.findings(listed, tests, requirements.OF_HELPERS) == [finding]


def test_a_test_file_that_serves_nothing_is_found(listed, tests):
    """The control."""
    found = requirements.findings(listed, [*tests, "unit/new_test.c::it_is_new"], requirements.OF_HELPERS)
    assert found == ["unit/new_test.c serves no requirement"]
    helpers = {*requirements.OF_HELPERS, "unit/admit_test.c", "unit/gone_test.c"}
    assert requirements.findings(listed, tests, helpers) == [
        "unit/admit_test.c is called a helper, and serves one",
        "unit/gone_test.c is called a helper, and is not there"]


def test_another_table_is_refused(tmp_path):
    other = tmp_path / "requirements.csv"
    other.write_text("id,requirement\nA,b\n")
    with pytest.raises(ValueError, match="would pass"):
        requirements.read(other)
