"""A domain that no release has, made for tests: the cleaning of clean rooms, of which two systems
tell. One schema file, and the scheme of its numbers."""

import json
import shutil
import subprocess

from programs import PROGRAMS
from stack.installation import ROOT

HEAD = ("statement", "identifiers", "links")  # common to all domains
OWN_FIELDS = [
    {"name": "room", "type": ["null", "string"], "doc": "The room.", "default": None,
     "hub:merge": ["latest"], "hub:equal": "fold", "hub:conflict": "major"},
    {"name": "agent", "type": ["null", "string"], "doc": "What it is cleaned with.",
     "default": None, "hub:merge": [{"authority": ["system:lumc-calendar"]}, "latest"],
     "hub:conflict": "minor"},
    {"name": "status", "doc": "How far it is.", "default": None,
     "type": ["null", {"type": "enum", "name": "CleaningStatus", "doc": "How far a cleaning is.",
                       "symbols": ["PLANNED", "DONE", "UNRECOGNISED"],
                       "default": "UNRECOGNISED"}],
     "hub:merge": ["latest"], "hub:conflict": "major", "hub:equal": "reachable",
     "hub:lifecycle": {"PLANNED": ["DONE"], "DONE": []}},
]
OWN_SCHEME = {"cleaning": {"title": "Number of a cleaning, given by who plans it", "issuer": True,
                           "normalise": ["trim"], "placeholders": [], "exclusive": True}}
HALL = {"name": "hall", "type": "string", "doc": "The hall of the room; it picks the shard.",
        "hub:merge": ["latest"], "hub:conflict": "major"}


def new_schema(sharded=False):
    """The common head as the other domains have it, and the fields of this one."""
    exchange = json.loads((ROOT / "schemas/domains/exchange.avsc").read_text())
    head = [field for field in exchange["fields"] if field["name"] in HEAD]
    return {"type": "record", "name": "Cleaning", "namespace": "atmp",
            "doc": "The cleaning of a room.", "hub:domain": "cleaning",
            "hub:identity": ["cleaning"], "hub:systems": ["lumc-mes", "lumc-calendar"], "hub:class": "none",
            "hub:retention": "O", "hub:label": [["room"], ["status"]],
            **({"hub:shard": "hall"} if sharded else {}),
            "fields": head + [HALL] * sharded + OWN_FIELDS}


def lock(schemas):
    subprocess.run([PROGRAMS / "hubctl", "--schemas", schemas, "schema", "lock"], check=True,
                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)


def add_to(schemas, sharded=False):
    """A copy of the project's schemas with it, in the folder `schemas`."""
    shutil.copytree(ROOT / "schemas", schemas)
    (schemas / "domains" / "cleaning.avsc").write_text(json.dumps(new_schema(sharded), indent=1))
    schemes = json.loads((schemas / "schemes.json").read_text())
    (schemas / "schemes.json").write_text(json.dumps({**schemes, **OWN_SCHEME}, indent=1))
    lock(schemas)
    return schemas
