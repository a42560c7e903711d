"""`python -m bench [--form full|half|quick|tiny] [--row NAME ...]`: measures, prints, writes.

Only a full run of all rows writes bench/results.md; any other writes var/bench/results.md.
"""

import argparse
import os
import sys
import time

from bench import machine, report
from bench.drain import drain
from bench.engines import engines
from bench.memory import memory
from bench.objects import objects
from bench.over_http import Row, cached, over_http
from bench.peers import ipx
from bench.places import RESULTS, VAR
from bench.plan import PLANS, Plan
from bench.profiled import profile
from bench.results import BenchError, Results
from bench.single import depth, latency
from bench.six import peers

QUIET = 0.7  # load average above which something else is running
ROWS: dict[str, Row] = {
    "drain": drain,
    "peers": peers,
    "profile": profile,
    "http": over_http,
    "latency": latency,
    "engines": engines,
    "objects": objects,
    "cached": cached,
    "depth": depth,
    "memory": memory,
}


def main() -> int:
    """0 if every row was measured, whether or not its threshold is met."""
    asked = _arguments()
    facts = machine.facts()
    if (load := os.getloadavg()[0]) > QUIET:
        print(f"bench: the load is {load:.1f}: figures will be noise", file=sys.stderr)
    results = Results()
    started = time.monotonic()
    for name in asked.row or ROWS:
        _measure(name, PLANS[asked.form], results)
    facts["thumbor"] = machine.thumbor_versions()
    facts["ipx"] = ipx.versions()
    facts["took"] = f"{(time.monotonic() - started) / 60:.1f} minutes"
    print(report.screen(report.FIGURE_HEAD, report.figure_rows(results)), end="\n\n")
    print(report.screen(report.CLAIM_HEAD, report.claim_rows(results)))
    is_whole = asked.form == "full" and not asked.row
    out = RESULTS if is_whole else VAR / "results.md"
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(report.markdown(results, facts, asked.form), encoding="utf-8")
    print(f"\nWritten: {os.path.relpath(out)}")
    for words in results.failures:
        print(f"NOT MEASURED: {words}", file=sys.stderr)
    return 1 if results.failures else 0


def _measure(name: str, plan: Plan, results: Results) -> None:
    started = time.monotonic()
    print(f"bench: {name} ...", file=sys.stderr, flush=True)
    try:
        ROWS[name](plan, results)
    except BenchError as error:
        results.failures.append(f"{name}: {error}")
    print(f"bench: {name}: {time.monotonic() - started:.0f} s", file=sys.stderr, flush=True)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--form", choices=PLANS, default="full")
    parser.add_argument("--row", action="append", choices=ROWS, help="only this one; repeatable")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
