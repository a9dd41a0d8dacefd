"""
Puts bench/results.json as a table into docs/performance.md, between its two marks.

`python -m bench.table`; the prose around the table is written by people.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from bench.lines import told

ROOT: Final = Path(__file__).resolve().parent.parent
PAGE: Final = ROOT / "docs" / "performance.md"
RESULTS: Final = ROOT / "bench" / "results.json"
BEGIN: Final = "<!-- results: written by python -m bench.table -->"
END: Final = "<!-- end of results -->"
HEAD: Final = (
    "| line | ours | reference in the same run | ratio | target | |\n|---|---:|---:|---:|---|---|\n"
)


def main() -> None:
    """Write the table."""
    report = json.loads(RESULTS.read_text("utf-8"))
    page = PAGE.read_text("utf-8")
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    PAGE.write_text(f"{before}{BEGIN}\n\n{table_of(report)}\n{END}{after}", "utf-8")


def table_of(report: Mapping[str, Any]) -> str:
    """Return the machine in a sentence, and one row for each line that has a target or a peer."""
    rows = [
        _row(one)
        for one in report["lines"]
        if one["target"] or one["against"] or one["verdict"] == "SKIP"
    ]
    return f"{_machine(report)}\n\n{HEAD}{''.join(rows)}"


def _row(line: Mapping[str, Any]) -> str:
    ours = "" if line["ours"] is None else f"{told(line['ours'])} {line['unit']}"
    reference = ""
    if line["reference"] is not None:
        reference = f"{told(line['reference'])} {line['unit']}, {line['against']}"
    ratio = "" if line["ratio"] is None else f"{line['ratio']:.2f}"
    verdict = f"**{line['verdict']}**" if line["verdict"] == "FAIL" else line["verdict"]
    name = f"{line['name']}<br>{line['note']}" if line["note"] else line["name"]
    target = line["target"].replace(">=", "≥").replace("<=", "≤")
    return f"| {name} | {ours} | {reference} | {ratio} | {target} | {verdict} |\n"


def _machine(report: Mapping[str, Any]) -> str:
    found = report["machine"]
    versions = ", ".join(
        f"{name} {version}" for name, version in found["packages"].items() if version
    )
    return (
        f"Measured {report['measured_at']} on {found['cores']} cores ({found['processor']}), "
        f"{found['memory_gb']} GB, {found['system']}, Python {found['python']}, "
        f"SQLite {found['sqlite']}, anvil {found['anvil']}; load average when it ended "
        f"{' / '.join(map(str, found['load_average']))}. {versions}."
    )


if __name__ == "__main__":
    main()
