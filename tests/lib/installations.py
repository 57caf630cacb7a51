"""Installations for tests: a broker, a hub and connectors of their own, and the documents to read.

real_samples: published documents beside the project (../shared/samples). They are not part of it;
where they are absent a test that needs them is skipped, and says so.
"""

import pathlib
import shutil

import pytest

from stack.installation import ROOT, Installation

TESTS = ROOT / "tests"
OWN_SAMPLES = ROOT / "connectors" / "samples"
REAL_SAMPLES = ROOT.parent / "shared" / "samples"
OWN_GROUP = "own samples"
WAITING = ("system", "interop", "security", "mock")  # suites
ABSENT = f"THE REAL DOCUMENTS ARE ABSENT ({REAL_SAMPLES.parent.name}/{REAL_SAMPLES.name} beside the " \
         "project): only the project's own samples were tested"


@pytest.fixture(scope="session")
def real_samples():
    if not REAL_SAMPLES.is_dir():
        pytest.skip(ABSENT)
    return REAL_SAMPLES


@pytest.fixture(scope="session")
def all_real_samples(request, real_samples):
    """For what takes minutes on them."""
    if not request.config.getoption("--long"):
        pytest.skip("takes minutes on the real documents; --long does it")
    return real_samples


@pytest.hookimpl(tryfirst=True)  # before xdist reads the groups
def pytest_collection_modifyitems(items):
    """Tests of one file run in one process, where they do not say otherwise, and all files that look
    at the project's own samples in the same one: there they share the installation that has read
    them. These come first, then what waits for brokers; what only computes fills the gaps and the
    end."""
    sharing = {item.path for item in items if "own_installation" in getattr(item, "fixturenames", ())}
    group_of = {}
    for item in items:
        marker = item.get_closest_marker("xdist_group")
        if marker is None:
            group = OWN_GROUP if item.path in sharing else str(item.path.relative_to(TESTS))
            marker = pytest.mark.xdist_group(group).mark
            item.add_marker(pytest.mark.xdist_group(group))
        group_of[item] = marker.args[0]
    items.sort(key=lambda item: (group_of[item] != OWN_GROUP,
                                 item.path.relative_to(TESTS).parts[0] not in WAITING))


def installer(tmp_path_factory):
    """A function that starts broker, topics and hub; all of them end with the generator."""
    running = []

    def start(samples=OWN_SAMPLES, hub=True, **more):
        folder = tmp_path_factory.mktemp("installation")
        installation = Installation(folder, samples, **more)
        running.append(installation)
        installation.start_broker()
        installation.create_topics()
        if hub:
            installation.start_hub()
        return installation

    yield start
    for installation in running:
        installation.stop()
        shutil.rmtree(installation.folder, ignore_errors=True)


@pytest.fixture(scope="module")
def install(tmp_path_factory):
    """install(samples) starts an installation of the module's own."""
    yield from installer(tmp_path_factory)


@pytest.fixture(scope="session")
def own_installation(tmp_path_factory):
    """The project's own samples, read once: for tests that look and change nothing that others look
    at."""
    starting = installer(tmp_path_factory)
    installation = next(starting)()
    take(installation)
    yield installation
    next(starting, None)


def take(installation, files=None):
    """Runs the connectors to the end of their sources, and waits for the hub."""
    installation.run_connectors(files)
    installation.wait_until_settled()


def connector(name):
    """The configuration of that name, institution/file."""
    return ROOT / "connectors" / f"{name}.yaml"


def entity_of(entities, key):
    """The entity that lists a statement."""
    found = [entity for entity in entities
             if any(statement["key"] == key for statement in entity["statements"])]
    assert len(found) == 1, f"{key} is listed by {len(found)} entities"
    return found[0]


def statement_keys(entity):
    return sorted(statement["key"] for statement in entity["statements"])


def conflict_values(conflicts, entity, field):
    """The values of an entity's open conflict about a field."""
    for conflict in conflicts:
        if conflict["conflict_id"] == f"{entity['entity_id']}/{field}":
            assert conflict["state"] == "OPEN"
            return [value["value"] for value in conflict["values"]]
    raise AssertionError(f"{entity['entity_id']} has no conflict about {field}")


def copy_to(folder, *files):
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for file in files:
        shutil.copy(file, folder)
