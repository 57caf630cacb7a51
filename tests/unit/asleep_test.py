"""What the fold promises it promises from any state of sleep: the tests of the fold once more, with everything
loaded anew before each entry, so that each wakes just what it comes near; from memory, and from a store; and with
everything let go in its place."""

import os
import pathlib
import subprocess

import pytest

from c_tests import ROOT, SANITIZERS, TIMEOUT_S

PROGRAMS = ROOT / "build" / "dev" / "tests" / "unit"
NAMES = sorted(path.stem for path in pathlib.Path(__file__).parent.glob("fold*_test.c")
               if path.stem != "fold_load_test")  # which restarts by itself


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("where", ["memory", "store", "place"])
def test_the_fold_does_the_same_from_sleep(name, where):
    environment = {**os.environ, **SANITIZERS, "HUB_TEST_SLEEPS": where,
                   "HUB_SCHEMAS": str(ROOT / "schemas")}
    done = subprocess.run([PROGRAMS / name], env=environment, capture_output=True, text=True,
                          check=False, timeout=TIMEOUT_S)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
