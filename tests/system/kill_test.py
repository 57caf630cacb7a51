"""kill -9 of the hub at random moments of one run, now and then with its cache.

What was published must equal, record for record, a single-threaded fold of that run's own log; and
values and clusters must equal those of a run that nobody disturbed.
"""

import csv
import datetime
import json
import random
import shutil
import subprocess

import pytest

from installations import connector, statement_keys

KILLS = 20
KILLS_LONG = 100
DELAY_MAX_S = 2.5
TRIALS = 250
SLOTS = 60
CONNECTORS = [connector(name) for name in ("sus/trials", "lumc/cart-register", "lumc/slots")]


class World:
    """What the sources say in each round: trials that two registers know by shared numbers, which
    come, change, go and come back; slots of one clean room that collide."""

    def __init__(self, folder, seed):
        self.random = random.Random(seed)
        self.day = datetime.date(2026, 1, 1)
        self.rounds = 0
        self.folders = {name: folder / path for name, path in (
            ("sus", "trials/sus-trials-csv"), ("cart", "trials/cart-register-csv"),
            ("slots", "slots_batches/fhir-r4-spec"))}
        for path in self.folders.values():
            path.mkdir(parents=True)
        self.sus = {number: self.sus_row(number) for number in range(TRIALS)}
        self.cart = {number: self.cart_row(number) for number in range(TRIALS)}

    def nct(self, number):
        """Mostly the trial's own; sometimes another's, so that clusters merge, clash and split."""
        return f"NCT9903{number if self.random.random() < 0.9 else self.random.randrange(TRIALS):04}"

    def sus_row(self, number):
        return {"trial_id": f"SUS-{number}", "title_sv": f"Prövning {number}",
                "title_en": f"Trial {number} of cells", "status":
                self.random.choice(["planerad", "rekryterar", "vilande", "avslutad"]),
                "eu_ct": f"2026-5{number:05}-11-00", "nct": self.nct(number),
                "protocol": f"P-{number}", "sponsor": "Skånes universitetssjukhus",
                "product": "Hud", "product_kind": "cell",
                "planned_subjects": self.random.randrange(5, 50), "start": "2026-01",
                "updated": str(self.day)}

    def cart_row(self, number):
        return {"NCTId": f"NCT9903{number:04}", "BriefTitle": f"Trial {number} of cells",
                "OverallStatus": self.random.choice(["RECRUITING", "COMPLETED", "SUSPENDED"]),
                "Phase": "PHASE1", "Conditions": "Leukaemia", "Interventions": "Cells",
                "StartDate": self.random.choice(["", "2026-01", "2026-01-15"]),
                "LastUpdatePostDate": str(self.day),
                "EnrollmentCount": self.random.randrange(5, 50),
                "LeadSponsor": "Skane University Hospital", "SnapshotDate": str(self.day)}

    def slot(self, number):
        start = 6 * self.random.randrange(40)
        def hour(n):
            return f"2026-{3 + n // 240:02}-{1 + n % 240 // 10:02}T{8 + n % 10:02}:00:00Z"
        return {"resourceType": "Appointment", "id": f"k{number}",
                "status": self.random.choice(["booked", "booked", "cancelled", "fulfilled"]),
                "meta": {"lastUpdated": f"{self.day}T{self.rounds % 24:02}:00:00Z"},
                "serviceType": [{"text": "expansion"}], "start": hour(start),
                "end": hour(start + self.random.randrange(1, 9)),
                "participant": [{"actor": {"reference": "Location/clean-room-1"}}]}

    def write_csv(self, name, rows):
        path = self.folders[name] / f"trials-{self.day}.csv"
        fresh = path.with_suffix(".new")
        with fresh.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, rows[0])
            writer.writeheader()
            writer.writerows(rows)
        fresh.rename(path)

    def turn(self):
        """Another round: some of everything changes."""
        self.rounds += 1
        self.day += datetime.timedelta(days=1)
        for number in self.random.sample(range(TRIALS), TRIALS // 3):
            self.sus[number] = self.sus_row(number)
            self.cart[number] = self.cart_row(number)
        for name, rows in (("sus", self.sus), ("cart", self.cart)):
            self.write_csv(name, [row for number, row in rows.items()
                                  if (number * 7 + self.rounds) % 20])
        for number in self.random.sample(range(SLOTS), SLOTS // 4):
            path = self.folders["slots"] / f"{self.rounds:03}-{number}.json"
            fresh = path.with_suffix(".new")
            fresh.write_text(json.dumps(self.slot(number)))
            fresh.rename(path)


def summary(installation):
    """Clusters and what is said of them, without ids."""
    found = {}
    for entity in installation.ctl_json("entity", "list"):
        keys = statement_keys(entity)
        listed = [statement["key"] for statement in entity["statements"]]
        sources = {name: listed[index] if index >= 0 else index
                   for name, index in entity["sources"].items()}
        conflicts = sorted((conflict["field"], conflict["severity"])
                           for conflict in entity["conflicts"])
        found["+".join(keys)] = {"value": entity["value"], "sources": sources,
                                 "conflicts": conflicts}
    return found


def kill_at_a_random_moment(process, delay_s):
    """True where the hub still ran."""
    try:
        process.child.wait(delay_s)
        return False
    except subprocess.TimeoutExpired:
        process.kill()
        return True


@pytest.fixture(scope="module")
def runs(request, seed, install, tmp_path_factory):
    """(the killed installation, the calm one, how often it was killed)"""
    print(f"tests/run system/kill_test.py -- --seed {seed}")
    chance = random.Random(seed + 1)
    kills = KILLS_LONG if request.config.getoption("--long") else KILLS
    samples = tmp_path_factory.mktemp("world")
    world = World(samples, seed)
    world.turn()
    shaken = install(samples)
    killed = 0
    for _ in range(kills):
        connectors = [shaken.start_connector(file, "--once") for file in CONNECTORS]
        killed += kill_at_a_random_moment(shaken.hub, chance.uniform(0, DELAY_MAX_S))
        if chance.random() < 0.25:  # its cache is lost with it
            shutil.rmtree(shaken.folder / "state", ignore_errors=True)
        shaken.start_hub(wait=False)
        for process in connectors:
            assert process.wait(60) == 0, process.tail()
        world.turn()
    shaken.run_connectors(CONNECTORS)
    shaken.wait_until_settled()
    calm = install(samples)
    calm.run_connectors(CONNECTORS)
    calm.wait_until_settled()
    return shaken, calm, killed


def test_the_hub_was_killed_while_it_ran(request, runs):
    assert runs[2] >= (KILLS_LONG if request.config.getoption("--long") else KILLS)


@pytest.mark.parametrize("domain", ["trial", "gmp-slot"])
def test_what_was_published_is_a_single_threaded_fold_of_the_log(runs, domain):
    for installation in runs[:2]:
        assert ", 0 compacted away, 0 differences" in installation.ctl("refold", domain)


def test_values_and_clusters_are_those_of_a_calm_run(runs):
    shaken, calm = summary(runs[0]), summary(runs[1])
    assert len(calm) > TRIALS / 2
    assert any(value["conflicts"] for value in calm.values())
    assert any("+" in key for key in calm)
    assert set(shaken) == set(calm)
    for key, value in calm.items():
        assert shaken[key] == value, key


def test_every_input_is_accounted_for_after_all_that(runs):
    for installation in runs[:2]:
        assert installation.ctl_result("status").returncode == 0
