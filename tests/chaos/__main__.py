"""`make chaos`: the campaign's report; exit code 1 if a promise was broken."""

import argparse
import sys
import time

from tests.chaos.campaign import FULL, SHORT, campaign


def main() -> int:
    """Runs one campaign and prints its report."""
    parser = argparse.ArgumentParser(prog="make chaos")
    parser.add_argument("--short", action="store_true", help="40 seconds instead of 4 minutes")
    parser.add_argument("--seed", type=int, default=int(time.time()) % 100_000)
    options = parser.parse_args()
    report = campaign(SHORT if options.short else FULL, options.seed)
    sys.stdout.write(report.text() + "\n")
    return 1 if report.lost or report.wrong or report.strange else 0


if __name__ == "__main__":
    sys.exit(main())
