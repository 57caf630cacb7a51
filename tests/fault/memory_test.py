"""Every allocation of our programs failed, once and for ever: nothing but a clean stop, a refusal with a
word, or the whole result comes of it (tests/fault/starve.c says how it is done and judged).

The ordinary run tries some, spread over the run by its seed; --long tries each.
"""

import os
import pathlib
import random
import re
import subprocess

import pytest

from programs import ROOT
from stack.installation import connector_files, make_keys

BUILD = ROOT / "build" / "release"
STARVE = BUILD / "tests" / "fault" / "libstarve.so"
CARELESS = BUILD / "tests" / "fault" / "careless"
TIMEOUT_S, LONG_TIMEOUT_S = 600, 3 * 3600  # only what hangs for ever is to meet them
SIMULATED = [25, 2, 3, 18, 26, 42, 59]
GOOD = ["stopped", "refused", "unharmed"]
BAD = ["crash", "hang", "silent", "half", "leak"]
# OpenSSL makes itself ready once, under locks that a fork would leave taken.
PASSED_OVER = "libcrypto"
MISTAKES = ["leak", "crash", "hang", "half", "silent"]


class Starved:
    """A program, run once to be counted and then to be starved."""

    def __init__(self, folder, *command, good=0, **environment):
        self.folder = folder
        self.command = list(map(str, command))
        self.environment = environment
        self.report = folder / "report"
        self.expected = folder / "expected"
        done = self.run()
        assert done.returncode == good, done.stderr
        self.expected.write_bytes(done.stdout)
        self.clean = self.numbers()

    def run(self, timeout_s=TIMEOUT_S, **environment):
        kept = {name: value for name, value in os.environ.items() if not name.startswith("HUB_")}
        out = self.folder / "out"  # a file: how much of it was written is read from there
        with out.open("wb") as stdout:
            done = subprocess.run(
                self.command, cwd=ROOT, check=False, stdin=subprocess.DEVNULL, stdout=stdout,
                stderr=subprocess.PIPE, timeout=timeout_s,
                env={**kept, "HUB_SCHEMAS": str(ROOT / "schemas"), **self.environment,
                     "LD_PRELOAD": str(STARVE), "STARVE_REPORT": str(self.report),
                     "STARVE_EXCEPT": PASSED_OVER, **environment})
        done.stdout = out.read_bytes()
        return done

    def numbers(self):
        return {name: int(value) for name, value in
                re.findall(r"^(\w+) (-?\d+)$", self.report.read_text(), re.M)}

    def starve(self, timeout_s, every=1, phase=0, begin=0, **environment):
        done = self.run(timeout_s, STARVE_EXPECTED=str(self.expected),
                        STARVE_LIVE=str(self.clean["live"]), STARVE_EVERY=str(every),
                        STARVE_PHASE=str(phase), STARVE_FROM=str(begin), **environment)
        assert done.stdout == self.expected.read_bytes()  # who forks is not harmed
        return self.numbers()


@pytest.fixture
def keys(tmp_path):
    make_keys(tmp_path / "keys", ["sus", "lu", "lumc"])
    return tmp_path / "keys"


@pytest.fixture
def loading(tmp_path):
    """About how many allocations it takes to load the schemas: what `hubctl simulate` makes before it
    finds no configuration."""
    folder = tmp_path / "loading"
    folder.mkdir()
    starved = Starved(folder, BUILD / "bin" / "hubctl", "simulate", "absent.yaml", good=1)
    return starved.clean["allocations"]


@pytest.fixture
def starve(request, seed, tmp_path, capsys):
    """starve(command) fails the command's allocations one after the other from `begin` on."""
    long = request.config.getoption("--long")

    def run(*command, begin=0, usual, **environment):
        starved = Starved(tmp_path, *command, **environment)
        count = starved.clean["allocations"] - begin
        every = 1 if long else max(1, count // usual)
        numbers = starved.starve(LONG_TIMEOUT_S if long else TIMEOUT_S, every,
                                 random.Random(seed).randrange(every), begin)
        with capsys.disabled():
            print(f"\n{' '.join(pathlib.Path(word).name for word in starved.command[:3])}: {count:,} "
                  f"allocations, {numbers['tried'] // 2:,} of them failed once and for ever: "
                  f"{words(numbers)}")
        assert not any(numbers[name] for name in BAD), f"seed {seed}\n{starved.report.read_text()}"
        # Some few of them, as of a table that grows, are another run's chance.
        assert numbers["tried"] >= 2 * (count // every) * 0.99 - 2 and numbers["tried"] > 0

    return run


def words(numbers):
    return ", ".join(f"{numbers[name]:,} {name}" for name in GOOD + BAD if numbers[name])


def test_documents_are_mapped_admitted_and_folded_whole_or_not(starve, keys):
    """From the schemas on: every configuration with its own samples, through both stages."""
    starve(BUILD / "bin" / "hubctl", "simulate", *connector_files(), usual=300, HUB_KEYS=str(keys))


@pytest.mark.long("a hundred thousand allocations after those of loading")
def test_schemas_are_checked_whole_or_not(starve, loading):
    starve(BUILD / "bin" / "hubctl", "schema", "lint", begin=loading, usual=1)


@pytest.mark.parametrize("simulated", [SIMULATED[0], *(
    pytest.param(seed, marks=pytest.mark.long("one seed is for every run"))
    for seed in SIMULATED[1:])])
def test_steps_are_done_whole_or_not(starve, loading, simulated):
    """Statements, decisions, other rules, references, loading from topics and from caches: only whole
    transactions are told of, in the order of the run that lacks nothing."""
    starve(BUILD / "tests" / "sim" / "simulator", "--seed", simulated, begin=loading, usual=600)


@pytest.mark.long("hundreds of caches")
def test_the_cache_is_written_whole_or_not(tmp_path, capsys):
    """LMDB's own allocations among them."""
    done = subprocess.run([BUILD / "tests" / "fault" / "starved_cache", tmp_path], check=False,
                          text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, timeout=TIMEOUT_S * 10)
    with capsys.disabled():
        print("\nthe cache: " + ", ".join(done.stdout.splitlines()))
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_with_memory_is_found(tmp_path, mistake):
    """The control."""
    numbers = Starved(tmp_path, CARELESS, mistake).starve(TIMEOUT_S, STARVE_PATIENCE_S="1")
    assert {name for name in BAD if numbers[name]} == {mistake}


def test_a_program_without_one_is_not(tmp_path):
    numbers = Starved(tmp_path, CARELESS, "careful").starve(TIMEOUT_S)
    assert numbers["stopped"] == numbers["tried"] == 2
