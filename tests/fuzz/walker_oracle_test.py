"""The walker beside avro-c, over 100,000 mutated records of every registered schema, each run with
another seed; over a million with --long."""

import json
import os
import subprocess

from c_tests import LONG_TIMEOUT_S, ROOT, TIMEOUT_S

PROGRAM = ROOT / "build/release/tests/fuzz/walker_oracle"
RECORDS, LONG_RECORDS = 30_000, 1_000_000


def run(*options, timeout_s):
    assert PROGRAM.exists(), f"{PROGRAM} is not built"
    done = subprocess.run([PROGRAM, *map(str, options)], cwd=ROOT, check=False, text=True,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=timeout_s,
                          env={**os.environ, "HUB_SCHEMAS": str(ROOT / "schemas")})
    return done.returncode, done.stdout


def said(seed, output):
    return f"seed {seed}\n{output[-4000:]}"


def test_what_the_walker_accepts_avro_c_decodes_to_the_last_byte(request, seed):
    long = request.config.getoption("--long")
    code, output = run("--seed", seed, "--records", LONG_RECORDS if long else RECORDS,
                       timeout_s=LONG_TIMEOUT_S if long else TIMEOUT_S)
    assert code == 0, said(seed, output)
    subjects = [line.split()[0] for line in output.splitlines() if line.endswith("accepted")]
    lock = json.loads((ROOT / "schemas/registry.lock.json").read_text())
    assert subjects == [entry["subject"] for entry in lock]


def test_what_the_walker_refuses_is_more_than_avro_c_can_bear(seed):
    """The control: given everything, avro-c disagrees or dies, and that is seen."""
    code, output = run("--seed", seed, "--unchecked", timeout_s=TIMEOUT_S)
    assert code == 1, said(seed, output)
    assert output.count("avro-c") == 1, said(seed, output)
