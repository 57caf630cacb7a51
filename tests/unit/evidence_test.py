"""What a run has shown is written down as it was: what failed, was skipped or did not run never passes for shown."""

import html
import os
import subprocess
import sys
import xml.etree.ElementTree as ET

import pytest

from programs import ROOT

XHTML = "{http://www.w3.org/1999/xhtml}"
LISTED = """id,user,requirement,risk,grade,tests
GOOD,consumer,It is so.,A patient is harmed.,high,small/good_test.py
BAD,auditor,It is <b>not</b> so.,A study is harmed.,low,small/bad_test.py::test_it_fails small/good_test.py
HALF,auditor,Some of it.,A study is harmed.,low,small/half_test.py::test_cases
SKIP,auditor,None of it.,A study is harmed.,low,small/half_test.py::test_skipped
BOTH,auditor,Skipped and passed.,A study is harmed.,low,small/half_test.py::test_skipped small/good_test.py
END,auditor,It ends badly.,A study is harmed.,low,small/bad_test.py::test_its_end_fails
GONE,auditor,Not collected.,A study is harmed.,low,small/gone_test.c
PART,auditor,Passed and not run.,A study is harmed.,low,small/gone_test.c small/good_test.py
"""
FILES = {
    "good_test.py": """
import pytest
pytestmark = pytest.mark.xdist_group("together")
def test_it_passes(): pass
@pytest.mark.parametrize("case", ["a[b", "c@d"])
def test_cases(case): pass
""",
    "bad_test.py": """
import pytest
@pytest.fixture
def ending():
    yield
    raise OSError("at the end")
def test_it_fails(): assert 1 == 2
def test_its_end_fails(ending): pass
""",
    "half_test.py": """
import pytest
@pytest.mark.parametrize("case", [1, 2])
def test_cases(case):
    if case == 2: pytest.skip("no <network>")
def test_skipped(): pytest.skip("never")
""",
    "gone_test.c": "cmocka_unit_test(it_was_never_built)\n",
}


@pytest.fixture
def tree(tmp_path):
    folder = tmp_path / "tests"
    (folder / "small").mkdir(parents=True)
    (folder / "requirements.csv").write_text(LISTED)
    for name, text in FILES.items():
        (folder / "small" / name).write_text(text)
    return folder


def run(tree, *arguments):
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "evidence", "--rootdir", tree,
         "-o", "python_files=*_test.py", *map(str, arguments)], cwd=tree, check=False,
        capture_output=True, text=True, stdin=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT / "tests" / "lib"), str(ROOT / "deploy")])})


def rows_of(page):
    """Requirement -> outcome, test -> (outcome, cases)."""
    root = ET.fromstring(page)
    _, requirements, tests = root.iter(f"{XHTML}tbody")
    texts = [[["".join(cell.itertext()) for cell in row] for row in table.iter(f"{XHTML}tr")]
             for table in (requirements, tests)]
    return ({row[0]: row[4] for row in texts[0]}, {row[0]: (row[1], row[2]) for row in texts[1]})


@pytest.mark.parametrize("more", [(), ("--numprocesses", 2, "--dist", "loadgroup")])
def test_each_requirement_has_what_its_tests_came_to(tree, tmp_path, more):
    done = run(tree, *more, "--evidence", tmp_path / "page.html", "small")
    assert done.returncode == 1, done.stdout + done.stderr
    page = (tmp_path / "page.html").read_text()
    shown, tests = rows_of(page)
    assert shown == {"GOOD": "passed", "BAD": "FAILED", "HALF": "not wholly run", "SKIP": "not wholly run",
                     "BOTH": "not wholly run", "END": "FAILED", "GONE": "not run",
                     "PART": "not wholly run"}
    assert tests["small/good_test.py::test_cases"] == ("passed", "2 passed")
    assert tests["small/half_test.py::test_cases"] == ("not wholly run",
                                                       "1 passed, 1 skipped (no <network>)")
    assert tests["small/bad_test.py::test_its_end_fails"] == ("FAILED", "1 failed")
    assert tests["small/gone_test.c::it_was_never_built"] == ("not run", "1 not run")
    assert "Requirements: 1 passed, 2 FAILED, 4 not wholly run, 1 not run." in page


def test_where_everything_passed_it_says_so(tree, tmp_path):
    """The control."""
    (tree / "requirements.csv").write_text("".join(LISTED.splitlines(keepends=True)[:2]))
    for name in ("bad_test.py", "half_test.py", "gone_test.c"):
        (tree / "small" / name).unlink()
    done = run(tree, "--evidence", tmp_path / "page.html", "small")
    assert done.returncode == 0, done.stdout + done.stderr
    shown, tests = rows_of((tmp_path / "page.html").read_text())
    assert shown == {"GOOD": "passed"}
    assert {outcome for outcome, _ in tests.values()} == {"passed"}


def test_a_run_that_stopped_early_shows_no_more_than_it_ran(tree, tmp_path):
    (tree / "small" / "good_test.py").write_text(FILES["good_test.py"].replace("case): pass",
                                                                               "case): assert 'c' not in case"))
    done = run(tree, "--evidence", tmp_path / "page.html", "--exitfirst", "small/good_test.py",
               "small/half_test.py")
    assert done.returncode == 1
    shown, tests = rows_of((tmp_path / "page.html").read_text())
    assert shown["GOOD"] == "FAILED"
    assert shown["SKIP"] == "not run"
    assert tests["small/half_test.py::test_cases"][0] == "not run"


def test_it_says_whose_the_validation_is_and_what_it_ran_on(tree, tmp_path):
    run(tree, "--evidence", tmp_path / "page.html", "small/good_test.py")
    page = (tmp_path / "page.html").read_text()
    root = ET.fromstring(page)
    text = " ".join("".join(root.itertext()).split())
    assert "evidence for a site's own validation, and not that validation" in text
    assert "stay the site's" in text
    for fact in ("Version", "Commit", "Processor", "librdkafka", "Kafka", "Begun", "Exit code"):
        assert fact in text
    assert "<script" not in page and html.escape("It is <b>not</b> so.") in page


@pytest.mark.parametrize("arguments, named", [
    (("-k", "passes", "small"), "-k"),
    (("small/good_test.py::test_it_passes",), "FILE::NAME"),
    (("--deselect", "small/bad_test.py::test_it_fails", "small"), "--deselect"),
])
def test_a_choice_among_tests_is_no_evidence(tree, tmp_path, arguments, named):
    done = run(tree, "--evidence", tmp_path / "page.html", *arguments)
    assert done.returncode == 4 and f"without {named} it would pass" in done.stderr
    assert not (tmp_path / "page.html").exists()
