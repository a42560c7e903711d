"""The front end as a WSGI application: `gunicorn -c gunicorn.conf.py wsgi:app`."""

import os
import sys

from cropsvc.config import ConfigError, Settings
from cropsvc.web.app import create_app

try:
    app = create_app(Settings.from_env(os.environ))
except ConfigError as error:
    sys.exit(f"cropsvc: {error}")
