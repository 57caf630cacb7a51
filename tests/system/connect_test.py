"""A system is connected from nothing: how many commands and lines that takes is counted."""

import json
import subprocess

from installations import OWN_SAMPLES

COMMANDS_MAX, LINES_MAX = 5, 40
SAMPLE = OWN_SAMPLES / "exchange" / "lu-guests-csv" / "requests-2026-02.csv"
# What a person writes in the place of what `connector new` left to them.
WRITTEN = {
    "identifiers": "[{scheme: exchange-request, issuer: {value: lu.se}, value: request_no, "
                   "relation: self}]",
    "kind": "{from: kind, table: {researcher: RESEARCHER, doctoral: DOCTORAL, teaching: TEACHING}, "
            "else: reject}",
    "sending": "{value: Lunds universitet}",
    "receiving": "{from: host, lookup: organisations, else: keep_text}",
    "person_ref": "{from: orcid, pseudonym: shared}",
    "status": "{from: status, table: {requested: REQUESTED, withdrawn: CANCELLED}, else: reject}",
    "requested": "{from: {from: from, time: {formats: [date]}}, to: {from: to, time: {formats: "
                 "[date]}}}",
}


class Person:
    """Somebody at a terminal in a folder."""

    def __init__(self, installation, folder):
        self.installation, self.folder = installation, folder
        self.commands = 0

    def command(self, program, *words):
        """What it printed."""
        self.commands += 1
        done = subprocess.run([self.installation.programs / program, *words], cwd=self.folder,
                              env=self.installation.environment, check=False, text=True,
                              capture_output=True, stdin=subprocess.DEVNULL, timeout=120)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def edit(self, text):
        """Lines that have a # before them and are known what to do with."""
        lines = []
        for line in text.splitlines():
            name = line.strip().removeprefix("# ").split(":")[0]
            known = line.startswith("      # ") and name in WRITTEN
            lines.append(f"      {name}: {WRITTEN[name]}" if known else line)
        return "\n".join(lines) + "\n"


def test_a_system_is_connected_by_five_commands_and_forty_lines(install, tmp_path):
    installation = install()
    (tmp_path / SAMPLE.name).write_bytes(SAMPLE.read_bytes())
    person = Person(installation, tmp_path)
    begun = person.command("connector", "new", "--from", SAMPLE.name, "--domain", "exchange",
                           "--system", "lu-guests")
    configuration = tmp_path / "guests.yaml"
    configuration.write_text(person.edit(begun))
    person.command("connector", "check", "guests.yaml")
    assert "REQUESTED" in person.command("connector", "dry-run", "guests.yaml", "--input", SAMPLE.name)
    person.command("connector", "run", "guests.yaml", "--once")
    installation.wait_until_settled()
    told = [json.loads(line) for line in
            person.command("hubctl", "consume", "unified.exchange", "-o", "json").splitlines()]
    entity, = [each["value"]["value"] for each in told
               if "GUEST-2026-031" in json.dumps(each["value"]["value"]["identifiers"])]
    assert (entity["kind"], entity["status"]) == ("RESEARCHER", "REQUESTED")
    assert entity["receiving"]["org"] == "ror:05xvt9f17"
    lines = [line for line in configuration.read_text().splitlines()
             if line.strip() and not line.strip().startswith("#")]
    assert len(lines) <= LINES_MAX and person.commands <= COMMANDS_MAX
