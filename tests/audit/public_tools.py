"""Tools of others that check what we keep. Those of Go are installed once, by Go's own client."""

import os
import pathlib
import shutil
import subprocess
import tempfile

import pytest

from written_archive import CACHE

HERE = pathlib.Path(__file__).parent
INSTALL_TIMEOUT_S = 600
TIMEOUT_S = 120
TOOLS = {"fsck": "github.com/transparency-dev/tessera/cmd/fsck@v1.0.4",
         "spicy": "filippo.io/torchwood/cmd/spicy@v0.9.0"}
AVRO_TOOLS = CACHE / "avro-tools-1.12.0" / "avro-tools-1.12.0.jar"


def absent(what, why):
    pytest.skip(f"{what} IS ABSENT ({why}): the archive was not checked by it")


def install(name, *build):
    """Builds a Go program into the cache, where it is not there."""
    program = CACHE / "go-tools" / name
    if program.exists():
        return program
    if shutil.which("go") is None:
        absent(name.upper(), "Go is not installed")
    program.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=program.parent) as folder:
        done = subprocess.run(build, capture_output=True, text=True, check=False,
                              timeout=INSTALL_TIMEOUT_S, cwd=HERE / "tlog_proof",
                              env={**os.environ, "GOBIN": folder, "GOFLAGS": "-buildvcs=false"})
        if done.returncode != 0:
            absent(name.upper(), done.stderr.strip().splitlines()[-1][:200])
        (pathlib.Path(folder) / name.split("@")[0]).rename(program)
    return program


def tool(name):
    version = TOOLS[name].rsplit("@", 1)[1]
    return install(f"{name}@{version}", "go", "install", TOOLS[name])


def tlog_proof():
    """Torchwood's library for C2SP tlog-proof, with a main of ours."""
    return install("tlog_proof@v0.9.0", "go", "install", ".")


def run(*words, **options):
    return subprocess.run(list(map(str, words)), capture_output=True, text=True, check=False,
                          timeout=TIMEOUT_S, **options)


def fsck(folder, key_file=None):
    """Whether Tessera's fsck finds it as it should be: by what it says, never by its exit code."""
    done = run(tool("fsck"), "--ui=false", "--N=8", f"--storage_url=file://{folder}",
               f"--public_key={key_file or folder / 'log.vkey'}")
    return "Successfully fsck'd" in done.stdout + done.stderr


def avro_tools(*words):
    """What Avro's tools for Java say."""
    if not AVRO_TOOLS.exists():
        absent("AVRO-TOOLS", "deploy/setup --tests fetches it")
    done = run("java", "-XX:TieredStopAtLevel=1", "-Xmx256m", "-jar", AVRO_TOOLS, *words)
    assert done.returncode == 0, done.stderr
    return done.stdout
