"""What the project promises, and which tests show it: tests/requirements.csv.

A line is a requirement: its id; who needs it; one sentence; what goes wrong for a patient or a study where it is not
met, and how grave that is; and patterns of tests, SUITE/FILE or SUITE/FILE::NAME, in which * stands for anything.
A test of several cases is one test here: what stands in [brackets] is its case.
"""

import ast
import csv
import dataclasses
import fnmatch
import re

COLUMNS = ["id", "user", "requirement", "risk", "grade", "tests"]
USERS = {"institution IT", "consumer", "auditor"}
GRADES = {"high", "medium", "low"}

# They test what everything else is made of, and serve no requirement by themselves.
OF_HELPERS = {
    "unit/entry_test.c",   # entries and outputs of the stages
    "unit/file_test.c",    # reading and writing files
    "unit/status_test.c",  # errors and their texts
}


@dataclasses.dataclass
class Requirement:
    id: str
    user: str
    requirement: str
    risk: str
    grade: str
    patterns: list


def read(path):
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    if rows[0] != COLUMNS:
        raise ValueError(f"{path.name}: {rows[0]}; {COLUMNS} would pass")
    return [Requirement(*row[:-1], row[-1].split()) for row in rows[1:]]


def tests_in(folder):
    """The names of all tests below it, as SUITE/FILE::NAME."""
    found = []
    for path in sorted(folder.glob("*/*_test.*")):
        if path.suffix not in (".c", ".py"):
            continue
        text = path.read_text(encoding="utf-8")
        names = _in_c(text) if path.suffix == ".c" else _in_python(text)
        found += [f"{path.relative_to(folder)}::{name}" for name in names]
    return found


def _in_c(text):
    return re.findall(r"cmocka_unit_test\w*\((\w+)", text)  # as tests/lib/c_tests.py


def _in_python(text):
    return [each.name for each in ast.parse(text).body
            if isinstance(each, ast.FunctionDef) and each.name.startswith("test_")]


def file_of(test):
    return test.partition("::")[0]


def matching(pattern, tests):
    whole = pattern if "::" in pattern else f"{pattern}::*"
    return [test for test in tests if fnmatch.fnmatchcase(test, whole)]


def tests_of(requirement, tests):
    """Each once, in their order."""
    wanted = set()
    for pattern in requirement.patterns:
        wanted.update(matching(pattern, tests))
    return [test for test in tests if test in wanted]


def findings(requirements, tests, of_helpers):
    """What is wrong with the list, a sentence each."""
    wrong = []
    ids = [each.id for each in requirements]
    wrong += [f"{id} is there {ids.count(id)} times" for id in sorted(set(ids)) if ids.count(id) > 1]
    named = set()
    for each in requirements:
        wrong += [f"{each.id}: '{each.user}' is none of {sorted(USERS)}"] * (each.user not in USERS)
        wrong += [f"{each.id}: '{each.grade}' is none of {sorted(GRADES)}"] * (each.grade not in GRADES)
        wrong += [f"{each.id} says nothing of {name}" for name in ("requirement", "risk", "patterns")
                  if not getattr(each, name)]
        wrong += [f"{each.id}: no test is called {pattern}" for pattern in each.patterns
                  if not matching(pattern, tests)]
        named.update(file_of(test) for test in tests_of(each, tests))
    files = {file_of(test) for test in tests}
    wrong += [f"{file} serves no requirement" for file in sorted(files - named - of_helpers)]
    wrong += [f"{file} is called a helper, and serves one" for file in sorted(of_helpers & named)]
    wrong += [f"{file} is called a helper, and is not there" for file in sorted(of_helpers - files)]
    return wrong
