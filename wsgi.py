"""The front end as a WSGI application: `gunicorn -c gunicorn.conf.py wsgi:app`."""

import os

from cropsvc.settings.reloading import held_settings
from cropsvc.web.app import create_app

app = create_app(held_settings.get(os.environ))
