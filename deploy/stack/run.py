"""deploy/run, once everything is installed and built."""

import argparse
import pathlib
import shutil
import signal
import sys
import tempfile
import time

from stack import story
from stack.installation import ROOT, Installation
from stack.process import Failed

OWN_SAMPLES = ROOT / "connectors" / "samples"


def note(text):
    print(f"{time.strftime('%H:%M:%S')}  {text}", file=sys.stderr, flush=True)


def parse_arguments():
    parser = argparse.ArgumentParser(
        prog="deploy/run", description="Runs a whole installation on this machine.")
    parser.add_argument("--once", action="store_true",
                        help="end when every input is accounted for")
    parser.add_argument("--samples", default=OWN_SAMPLES, metavar="DIR",
                        help="the documents the connectors read (connectors/samples)")
    arguments = parser.parse_args()
    if not pathlib.Path(arguments.samples).is_dir():
        parser.error(f"{arguments.samples} is no folder")
    return arguments


def start(installation):
    note("starting Kafka")
    installation.start_broker()
    installation.create_topics()
    note(f"starting the hub; Kafka is at {installation.broker.bootstrap}")
    installation.start_hub()


def take_everything(installation):
    """Runs every connector to the end of its source, and waits for the hub."""
    note("connectors read their sources")
    installation.run_connectors(note=note)
    note("the hub takes what they wrote")
    installation.wait_until_settled()


def report(installation):
    """Prints the tables. Whether the counts add up, and the story, where it is ours, is whole."""
    status = installation.ctl_result("status")
    print(status.stdout, end="")
    print(status.stderr, end="", file=sys.stderr)
    whole = True
    if installation.samples == OWN_SAMPLES:
        whole = story.tell(installation)
    return status.returncode == 0 and whole


def say_where_to_look(installation):
    for name in ("HUB_BOOTSTRAP", "HUB_SCHEMAS", "HUB_ARCHIVE", "HUB_ARCHIVE_KEY"):
        print(f"export {name}={installation.environment[name]}")
    print(f"""export HUB_REGISTRY={installation.registry}

build/release/bin/hubctl entity list             what there is
build/release/bin/hubctl conflict list           where sources disagree
build/release/bin/hubctl consume unified.trial   a topic's records as JSON
curl {installation.registry}/metrics             counters, for Prometheus

The connectors are running. Ctrl-C stops everything.""", flush=True)


def run(arguments, folder):
    installation = Installation(folder, arguments.samples, preferred_ports=True)
    try:
        start(installation)
        take_everything(installation)
        good = report(installation)
        if not arguments.once:
            installation.start_connectors()
            installation.start_archiver("--interval-ms", "5000")
            say_where_to_look(installation)
            signal.pause()
        return 0 if good else 1
    finally:
        note("stopping")
        installation.stop()


def interrupt(*_):
    raise KeyboardInterrupt


def main():
    arguments = parse_arguments()
    for number in (signal.SIGINT, signal.SIGTERM):  # also where a background job would ignore it
        signal.signal(number, interrupt)
    folder = tempfile.mkdtemp(prefix="atmp-hub-")
    try:
        return run(arguments, folder)
    except Failed as failure:
        note(str(failure))
        return 1
    except KeyboardInterrupt:
        return 0 if not arguments.once else 130
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
