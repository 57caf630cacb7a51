"""The last lines: what tests have to say though they passed (record_property("said", ...)), and how many
ran, passed, failed and were skipped, and why."""

import collections


def pytest_unconfigure(config):
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None or config.option.collectonly:
        return
    stats = reporter.stats
    for report in stats.get("passed", []):
        for text in (text for name, text in report.user_properties if name == "said"):
            print(text)
    passed = len(stats.get("passed", []))
    failed = len(stats.get("failed", [])) + len(stats.get("error", []))
    skipped = stats.get("skipped", [])
    why = collections.Counter(_reason(report) for report in skipped)
    reasons = "; ".join(f"{count}: {reason}" for reason, count in why.most_common())
    print(f"{passed + failed} ran, {passed} passed, {failed} failed, {len(skipped)} skipped"
          + (f" ({reasons})" if reasons else ""))


def _reason(report):
    text = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    return text.removeprefix("Skipped: ")
