"""The libFuzzer targets: each is fed its corpus, then fuzzed: 2 s, or 10 minutes with --long.

A finding is printed with the command that repeats it. Once it is mended, its input belongs into
corpus/NAME, under a name that says what it was. To keep what a long run has found (in
build/fuzz/corpus/NAME) of inputs that reach what the kept ones do not:

    build/fuzz/tests/fuzz/NAME_fuzz -merge=1 tests/fuzz/corpus/NAME build/fuzz/corpus/NAME
"""

import base64
import concurrent.futures
import os
import pathlib
import subprocess

import pytest

from c_tests import ROOT, SANITIZERS

HERE = pathlib.Path(__file__).parent
TARGETS = sorted(path.stem.removesuffix("_fuzz") for path in HERE.glob("*_fuzz.c"))
SECONDS, LONG_SECONDS = 1, 600
GRACE_S = 120  # to read the corpus on a busy machine, and to end
SHOWN_BYTES = 4096
LIMITS = ["-rss_limit_mb=1024", "-timeout=10", "-print_final_stats=1"]


def run(name, folder, options, *corpora, timeout_s):
    """Exit code and what there is to say of a finding, which is put into the folder."""
    program = ROOT / "build/fuzz/tests/fuzz" / name
    assert program.exists(), f"{program} is not built"
    done = subprocess.run([program, *LIMITS, *options, f"-artifact_prefix={folder}/", *corpora],
                          cwd=ROOT, check=False, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=timeout_s,
                          env={**os.environ, **SANITIZERS, "HUB_SCHEMAS": str(ROOT / "schemas")})
    output = done.stdout.decode("utf-8", "replace")
    return done.returncode, "\n".join(output.splitlines()[-60:]) + described(name, folder)


def described(name, folder):
    findings = [path for path in folder.iterdir() if path.is_file()]
    return "".join(describe(name, path) for path in sorted(findings))


def describe(name, finding):
    data = finding.read_bytes()
    cut = f", of which the first {SHOWN_BYTES}" if len(data) > SHOWN_BYTES else ""
    data_64 = base64.b64encode(data[:SHOWN_BYTES]).decode()
    return (f"\n\n{finding.name}: {len(data)} bytes{cut}:\n{data[:SHOWN_BYTES].hex()}\n"
            f"again: base64 -d <<<'{data_64}' >/tmp/finding && "
            f"build/fuzz/tests/fuzz/{name} /tmp/finding\n")


@pytest.fixture(scope="module")
def fuzzing(request, seed, tmp_path_factory):
    """All the chosen targets, as many at a time as there are processors."""
    long = request.config.getoption("--long")
    seconds = LONG_SECONDS if long else SECONDS

    def fuzz(target):
        folder = tmp_path_factory.mktemp(target)
        found = ROOT / "build/fuzz/corpus" / target if long else folder / "found"
        found.mkdir(parents=True, exist_ok=True)
        return run(f"{target}_fuzz", folder, [f"-max_total_time={seconds}", f"-seed={seed}"],
                   found, HERE / "corpus" / target, timeout_s=seconds + GRACE_S)

    chosen = [item.callspec.params["target"] for item in request.session.items
              if getattr(item, "originalname", "") == test_any_bytes_are_survived.__name__]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        yield {target: pool.submit(fuzz, target) for target in chosen}


@pytest.mark.parametrize("target", TARGETS)
def test_the_kept_inputs_are_survived(target, tmp_path):
    corpus = HERE / "corpus" / target
    assert any(corpus.iterdir())
    code, report = run(f"{target}_fuzz", tmp_path, ["-runs=0"], corpus, timeout_s=GRACE_S)
    assert code == 0, report


@pytest.mark.parametrize("target", TARGETS)
def test_any_bytes_are_survived(target, fuzzing, seed):
    code, report = fuzzing[target].result()
    assert code == 0, f"seed {seed}\n{report}"


def test_a_planted_read_beyond_the_input_is_found(tmp_path, seed):
    code, report = run("planted", tmp_path, [f"-max_total_time={GRACE_S}", f"-seed={seed}"],
                       timeout_s=2 * GRACE_S)
    assert code != 0 and "heap-buffer-overflow" in report, report
    assert "base64 -d" in report
