"""Collects cmocka programs: tests/SUITE/NAME_test.c is built as build/PRESET/tests/SUITE/NAME_test.

Every cmocka_unit_test in the source is a test of its own here. A program runs once; what it does
not report did not pass.
"""

import os
import pathlib
import re
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
TIMEOUT_S = 600
SANITIZERS = {
    "ASAN_OPTIONS": "abort_on_error=1:detect_stack_use_after_return=1",
    "UBSAN_OPTIONS": "print_stacktrace=1",
    "LSAN_OPTIONS": f"suppressions={ROOT}/tests/lib/leaks.txt:print_suppressions=0",
}


def program_of(source, preset="dev"):
    return ROOT / "build" / preset / "tests" / source.parent.name / source.stem


def pytest_addoption(parser):
    parser.addoption("--long", action="store_true",
                     help="also what takes too long for every run")


def pytest_collect_file(parent, file_path):
    if file_path.name.endswith("_test.c"):
        return Program.from_parent(parent, path=file_path)
    return None


class Program(pytest.File):
    def collect(self):
        self.results = None
        self.output = ""
        for name in re.findall(r"cmocka_unit_test\w*\((\w+)", self.path.read_text()):
            yield Case.from_parent(self, name=name)

    def run(self, is_long):
        """Once; fills results with name -> passed."""
        if self.results is not None:
            return
        environment = {**os.environ, **SANITIZERS, "CMOCKA_MESSAGE_OUTPUT": "TAP",
                       "HUB_TEST_LONG": "1" if is_long else "", "HUB_SCHEMAS": str(ROOT / "schemas")}
        self.results = {}
        if not program_of(self.path).exists():
            self.output = f"{program_of(self.path)} is not built"
            return
        done = subprocess.run([program_of(self.path)], cwd=ROOT, env=environment, check=False,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=TIMEOUT_S)
        self.output = done.stdout.decode("utf-8", "replace")
        found = re.findall(r"^(ok|not ok) \d+ - (\w+)", self.output, re.M)
        self.results = {name: word == "ok" for word, name in found}
        if done.returncode != 0 and all(self.results.values()):
            self.results = {name: False for name in self.results}
            self.output += f"\nexit code {done.returncode}"


class Case(pytest.Item):
    def runtest(self):
        self.parent.run(self.config.getoption("--long"))
        passed = self.parent.results.get(self.name)
        if not passed:
            raise CaseFailed(self.parent.output, passed is None)

    def repr_failure(self, excinfo):
        if isinstance(excinfo.value, CaseFailed):
            output, missing = excinfo.value.args
            head = "it was not reported\n" if missing else ""
            return head + "\n".join(output.splitlines()[-60:])
        return super().repr_failure(excinfo)

    def reportinfo(self):
        return self.path, 0, f"{self.path.parent.name}/{self.path.stem}::{self.name}"


class CaseFailed(Exception):
    pass
