"""Every branch of hub/core and hub/stages is taken by a unit or property test.

Writes build/coverage/REPORT.md. What no input can take is in excluded.csv, with the reason. It
builds and runs everything once more, so it takes minutes and runs with --long only.
"""

import os
import pathlib
import subprocess

import pytest

from branches import (Excuse, describe_missed, judge, read_excuses, read_lines, report,
                      run_gcov)
from c_tests import ROOT

EXCUSES = pathlib.Path(__file__).parent / "excluded.csv"
BUILD = ROOT / "build" / "coverage"
TIMEOUT_S = 1800
LONG = pytest.mark.long("builds and runs everything with coverage counters")


def programs():
    return [BUILD / "tests" / suite / source.stem
            for suite in ("unit", "property")
            for source in sorted((ROOT / "tests" / suite).glob("*_test.c"))]


@pytest.fixture(scope="module")
def lines():
    subprocess.run([ROOT / "deploy/setup", "--tests", "coverage"], check=True, timeout=TIMEOUT_S)
    for counters in BUILD.rglob("*.gcda"):
        counters.unlink()
    environment = {**os.environ, "HUB_TEST_SCALE": "short", "HUB_TEST_SEED": "1",
                   "HUB_SCHEMAS": str(ROOT / "schemas")}
    for program in programs():
        done = subprocess.run([program], cwd=ROOT, env=environment, check=False, text=True,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=TIMEOUT_S)
        assert done.returncode == 0, f"{program} failed:\n{done.stdout[-4000:]}"
    found = read_lines(run_gcov(ROOT, BUILD), ROOT)
    (BUILD / "REPORT.md").write_text(report(found, read_excuses(EXCUSES)))
    return found


@LONG
def test_every_branch_of_core_and_stages_is_taken(lines):
    missed = describe_missed(lines, read_excuses(EXCUSES))
    assert not missed, "\n".join([f"{BUILD / 'REPORT.md'} says:", *missed])


@LONG
def test_every_source_file_was_measured(lines):
    measured = {line.file for line in lines}
    sources = {path.relative_to(ROOT).as_posix() for folder in ("hub/core", "hub/stages")
               for path in (ROOT / folder).glob("*.c")}
    assert sources <= measured


@LONG
def test_every_excuse_excuses_something(lines):
    _, idle = judge(lines, read_excuses(EXCUSES))
    assert not idle, "\n".join(["nothing is missed there any more:", *map(str, idle)])


def test_every_excuse_says_why():
    assert all(excuse.why for excuse in read_excuses(EXCUSES))


# --- the checker itself, on made-up results of gcov ---


TEXT = "int pick(int a) {\n    if (a > 1)\n        return 2;\n    return 1;\n}\n"


@pytest.fixture
def measured(tmp_path):
    """A function that gives the lines of a made-up source, of which gcov counted so much."""
    path = tmp_path / "hub/core/pick.c"
    path.parent.mkdir(parents=True)
    path.write_text(TEXT)

    def measure(*results):
        return read_lines([{"current_working_directory": str(tmp_path), "files": [
            {"file": file, "lines": [
                {"line_number": 2, "function_name": "pick", "count": sum(branches),
                 "branches": [{"count": count} for count in branches]},
                {"line_number": 3, "function_name": "pick", "count": branches[0],
                 "branches": []}]}]} for file, branches in results], tmp_path)
    return measure


def test_a_missed_branch_is_found(measured):
    lines = measured(("hub/core/pick.c", [3, 0]))
    unexcused, _ = judge(lines, [])
    assert [str(line) for line in unexcused] == [
        "hub/core/pick.c:2 pick: if (a > 1)  (1 of 2 missed)"]
    assert "| hub/core/pick.c | 2 / 2 | 1 / 2 | 0 | 1 |" in report(lines, [])
    assert "- hub/core/pick.c:2 pick: if (a > 1)" in report(lines, [])
    assert describe_missed(lines, [])[-1] == "1 missed on 1 lines"


def test_a_line_that_never_ran_is_found(measured):
    unexcused, _ = judge(measured(("hub/core/pick.c", [0, 3])), [])
    assert [line.number for line in unexcused] == [2, 3]


def test_nothing_is_found_where_all_branches_are_taken(measured):
    lines = measured(("hub/core/pick.c", [3, 1]))
    assert judge(lines, []) == ([], [])
    assert describe_missed(lines, []) == []
    assert "Nothing." in report(lines, [])


def test_what_several_objects_say_is_added_up(measured):
    lines = measured(("hub/core/pick.c", [3, 0]), ("hub/core/pick.c", [0, 1]))
    assert judge(lines, []) == ([], [])


def test_other_folders_are_not_measured(measured):
    assert not measured(("/usr/include/uthash.h", [0, 0]))


def test_an_excuse_holds_for_as_many_branches_as_it_says(measured):
    lines = measured(("hub/core/pick.c", [3, 0]))
    assert judge(lines, [Excuse("hub/core/pick.c", "pick", "if (a*", 1, "")]) == ([], [])
    other = Excuse("hub/core/pick.c", "pick", "if (a > 1)", 2, "")
    unexcused, idle = judge(lines, [other])
    assert len(unexcused) == 1 and idle == [other]


@pytest.mark.parametrize("file, function, text", [
    ("hub/core/other.c", "pick", "if (a > 1)"),
    ("hub/core/pick.c", "other", "if (a > 1)"),
    ("hub/core/pick.c", "pick", "if (a > 2)"),
    ("hub/core/pick.c", "pick", "if (a"),
])
def test_an_excuse_for_another_place_excuses_nothing(measured, file, function, text):
    unexcused, idle = judge(measured(("hub/core/pick.c", [3, 0])),
                            [Excuse(file, function, text, None, "")])
    assert len(unexcused) == 1 and len(idle) == 1


def test_an_excuse_that_is_no_longer_needed_is_found(measured):
    excuse = Excuse("hub/core/pick.c", "pick", "if (a > 1)", 1, "")
    assert judge(measured(("hub/core/pick.c", [3, 1])), [excuse]) == ([], [excuse])
