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
    parser.add_argument("--objects", action="store_true", help="images in a directory; 13 minutes")
    options = parser.parse_args()
    form = SHORT if options.short else FULL
    report = campaign(form, options.seed, objects=options.objects)
    sys.stdout.write(report.text() + "\n")
    return 1 if report.is_broken else 0


if __name__ == "__main__":
    sys.exit(main())
