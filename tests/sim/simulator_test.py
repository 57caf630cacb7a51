"""The simulator: many seeds hold every promise, and each rule broken on purpose is found."""

import os
import re
import subprocess

import pytest

from c_tests import ROOT, SANITIZERS

SEEDS, LONG_SEEDS, SANITIZED_SEEDS, BROKEN_SEEDS = 10_000, 100_000, 150, 100
TIMEOUT_S, LONG_TIMEOUT_S = 900, 3600
BREACHES = ["last-writer-wins", "late-forgotten", "decide-again", "cache-ahead",
            "torn-transaction", "rules-from-file", "stale-facts"]


def simulator(*arguments, preset="release", timeout_s=TIMEOUT_S):
    program = ROOT / "build" / preset / "tests/sim/simulator"
    assert program.exists(), f"{program} is not built"
    return subprocess.run(
        [program, *map(str, arguments)], cwd=ROOT, check=False, text=True, timeout=timeout_s,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        env={**os.environ, **SANITIZERS, "HUB_SCHEMAS": str(ROOT / "schemas")})


@pytest.fixture
def first_seed(request):
    return request.config.getoption("--seed") or 1


def test_no_seed_breaks_a_promise(request, first_seed, capsys):
    long = request.config.getoption("--long")
    seeds = LONG_SEEDS if long else SEEDS
    done = simulator("--seeds", seeds, "--from", first_seed,
                     timeout_s=LONG_TIMEOUT_S if long else TIMEOUT_S)
    with capsys.disabled():
        print("\n" + done.stdout, end="")
    assert done.returncode == 0, done.stdout
    assert done.stdout.startswith(f"{seeds} seeds in ")
    # What never happened was not tested.
    for pattern in [r"(\d+) late", r"(\d+) withdrawn", r"(\d+) moved to another shard",
                    r"(\d+) dead letters", r"(\d+) taken", r"(\d+) refused", r"(\d+) crashes",
                    r"(\d+) transactions aborted", r"(\d+) rebalances", r"(\d+) compactions",
                    r"(\d+) caches lost", r"rules: (\d+) changes",
                    r"references: (\d+) changes", r"(\d+) facts", r"(\d+) breaches"]:
        assert int(re.search(pattern, done.stdout).group(1)) > seeds / 20, pattern
    assert int(re.search(r"(\d+) without", done.stdout).group(1)) > 0


def test_no_seed_breaks_a_promise_or_memory_under_sanitizers(first_seed):
    done = simulator("--seeds", SANITIZED_SEEDS, "--from", first_seed, preset="dev")
    assert done.returncode == 0, done.stdout[-4000:]


@pytest.mark.parametrize("breach", BREACHES)
def test_a_rule_broken_on_purpose_is_found(breach):
    done = simulator("--seeds", BROKEN_SEEDS, "--break", breach)
    found = re.match(r"seed (\d+) \(the (\d+)\. run\) breaks a promise: ", done.stdout)
    assert done.returncode == 1 and found, done.stdout
    again = simulator("--seed", found.group(1), "--break", breach)
    assert again.returncode == 1
    assert "VIOLATION" in again.stdout, "the replay tells where"
    assert simulator("--seed", found.group(1)).returncode == 0, "it was the broken rule"


def test_a_seed_does_the_same_again():
    first, second = (re.sub(r"in [\d.]+ s of CPU.*", "", simulator("--seed", 7).stdout)
                     for _ in range(2))
    assert first == second
    assert first.startswith("seed     7: ")
    assert "seed 7: no promise is broken" in first


def test_an_unknown_rule_is_refused():
    done = simulator("--break", "nothing")
    assert done.returncode == 2
    assert done.stdout.startswith("usage: tests/sim/run ")
