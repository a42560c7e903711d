"""Settings of the example; the last part is cropsvc's."""

import os
from pathlib import Path

HERE = Path(os.environ.get("DATA", Path(__file__).parent))
DEBUG = True
SECRET_KEY = os.environ.get("SECRET_KEY", "only for this example")
ROOT_URLCONF = "gallery.views"
INSTALLED_APPS = ["gallery"]
MIDDLEWARE = ["django.middleware.csrf.CsrfViewMiddleware"]
TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": HERE / "db.sqlite3"}}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
MEDIA_ROOT, MEDIA_URL = HERE / "media", "/media/"

CROPSVC_URL = os.environ.get("CROPSVC_URL", "http://localhost:5000")
CROPSVC_KEY = os.environ.get("CROPSVC_KEY")
