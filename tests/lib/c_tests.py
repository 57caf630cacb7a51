"""Collects cmocka programs: tests/SUITE/NAME_test.c is built as build/PRESET/tests/SUITE/NAME_test.

Every cmocka_unit_test in the source is a test of its own here. A program runs once; what it does
not report did not pass. Those of property/ run twice: all their cases on the release build, which is
fast, and a part of them under the sanitizers.
"""

import os
import pathlib
import re
import secrets
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
TIMEOUT_S = 600
LONG_TIMEOUT_S = 6 * 3600
SANITIZERS = {
    "ASAN_OPTIONS": "abort_on_error=1:malloc_context_size=8:quarantine_size_mb=16",
    "UBSAN_OPTIONS": "print_stacktrace=1",
    "LSAN_OPTIONS": f"suppressions={ROOT}/tests/lib/leaks.txt:print_suppressions=0",
}


def pytest_addoption(parser):
    parser.addoption("--long", action="store_true",
                     help="also what takes too long for every run")
    parser.addoption("--seed", type=int,
                     help="repeats what a run with this seed did; a test that fails says its own")


def pytest_configure(config):
    config.addinivalue_line("markers", "long(what): what it takes is too much for every run")


def pytest_runtest_setup(item):
    marker = item.get_closest_marker("long")
    if marker is not None and not item.config.getoption("--long"):
        pytest.skip(f"{marker.args[0]}; --long does it")


@pytest.fixture(scope="session")
def seed(request):
    """What the dice are thrown with. A test that fails says it."""
    chosen = request.config.getoption("--seed")
    return secrets.randbits(31) + 1 if chosen is None else chosen


def pytest_collect_file(parent, file_path):
    if file_path.name.endswith("_test.c"):
        return Source.from_parent(parent, path=file_path)
    return None


class Source(pytest.File):
    def collect(self):
        builds = [("dev", "")]
        if self.path.parent.name == "property":
            builds = [("release", "long" if self.config.getoption("--long") else ""),
                      ("dev", "short")]
        for preset, scale in builds:
            program = Program(self.path, preset, scale, self.config.getoption("--seed"))
            for name in re.findall(r"cmocka_unit_test\w*\((\w+)", self.path.read_text()):
                yield Case.build(self, name, program)


class Program:
    """One build of a test program."""

    def __init__(self, source, preset, scale, seed):
        self.path = ROOT / "build" / preset / "tests" / source.parent.name / source.stem
        self.preset = preset
        self.scale = scale
        self.seed = {} if seed is None else {"HUB_TEST_SEED": str(seed)}
        self.results = None
        self.output = ""

    def run(self):
        """Once; fills results with name -> passed."""
        if self.results is not None:
            return
        self.results = {}
        if not self.path.exists():
            self.output = f"{self.path} is not built"
            return
        environment = {**os.environ, **SANITIZERS, **self.seed, "CMOCKA_MESSAGE_OUTPUT": "TAP",
                       "HUB_TEST_SCALE": self.scale, "HUB_SCHEMAS": str(ROOT / "schemas")}
        done = subprocess.run([self.path], cwd=ROOT, env=environment, check=False,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT,
                              timeout=LONG_TIMEOUT_S if self.scale == "long" else TIMEOUT_S)
        self.output = done.stdout.decode("utf-8", "replace")
        found = re.findall(r"^(ok|not ok) \d+ - (\w+)", self.output, re.M)
        self.results = {name: word == "ok" for word, name in found}
        if done.returncode != 0 and all(self.results.values()):
            self.results = {name: False for name in self.results}
            self.output += f"\nexit code {done.returncode}"


class Case(pytest.Item):
    @classmethod
    def build(cls, parent, test, program):
        case = cls.from_parent(parent, name=f"{test}[{program.preset}]")
        case.test = test
        case.program = program
        return case

    def runtest(self):
        self.program.run()
        passed = self.program.results.get(self.test)
        if not passed:
            raise CaseFailed(self.program.output, passed is None)

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
