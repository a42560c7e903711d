"""The worker: takes crop jobs from the queue, in WORKERS processes that are restarted if they die.

`python worker.py --burst` ends when the queue is empty.
"""

import os
import sys

from cropsvc.run.worker import work
from cropsvc.settings.settings import ConfigError, Settings

if __name__ == "__main__":
    try:
        settings = Settings.from_env(os.environ)
    except ConfigError as error:
        sys.exit(f"cropsvc: {error}")
    if not settings.redis_url:
        sys.exit("cropsvc: CROPSVC_REDIS_URL is needed: where should the worker find its jobs?")
    work(settings, os.environ, burst="--burst" in sys.argv[1:])
