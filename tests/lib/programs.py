"""The built programs, run as a user runs them: from the root of the tree, without Kafka."""

import json
import os
import pathlib
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAMS = ROOT / "build" / "release" / "bin"
TIMEOUT_S = 60


def run(program, *arguments, folder=ROOT, **environment):
    """What it did: returncode, stdout and stderr."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("HUB_")}
    return subprocess.run(
        [PROGRAMS / program, *map(str, arguments)], cwd=folder, check=False, text=True,
        env={**kept, "HUB_SCHEMAS": str(ROOT / "schemas"), **environment},
        stdin=subprocess.DEVNULL, capture_output=True, timeout=TIMEOUT_S)


def simulate(*arguments, **options):
    """What hubctl simulate says, which must go well."""
    done = run("hubctl", "simulate", *arguments, **options)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
