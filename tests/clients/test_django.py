"""The Django example from a clean checkout: its field stores a crop, or says what is wrong."""

from pathlib import Path

from tests import pictures
from tests.stack import ROOT, Stack
from tests.tools import checkout, python_tools, run

USE = """
import os, pathlib
os.environ["DJANGO_SETTINGS_MODULE"] = "settings"
import django
django.setup()
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from gallery.models import Person
browser = Client()
def add(name, path):
    file = SimpleUploadedFile(path, pathlib.Path(path).read_bytes())
    return browser.post("/", {"name": name, "portrait": file}, HTTP_HOST="localhost")
added, refused = add("Ada", "in.jpg"), add("Bob", "no.jpg")
[person] = Person.objects.all()
shown = b"".join(browser.get(person.portrait.url, HTTP_HOST="localhost").streaming_content)
pathlib.Path("out.webp").write_bytes(shown)
print(added.status_code, refused.status_code, person.portrait.name, "errorlist" in
      refused.content.decode(), "Supported: JPEG" in refused.content.decode())
"""


def test_a_django_field_stores_the_crop_and_refuses_what_is_no_image(
    stack: Stack, tmp_path: Path
) -> None:
    python = python_tools() / "python"
    place = checkout(tmp_path, "examples/django") / "examples" / "django"
    (place / "in.jpg").write_bytes(pictures.jpeg(1000, 800))
    (place / "no.jpg").write_text("no image")
    environ = {"PYTHONPATH": str(ROOT), "CROPSVC_URL": stack.url}
    run(python, "manage.py", "makemigrations", "--check", cwd=place, **environ)
    run(python, "manage.py", "migrate", "--verbosity", "0", cwd=place, **environ)

    said = run(python, "-c", USE, cwd=place, **environ)

    assert said.split() == ["302", "200", "portraits/in.webp", "True", "True"]
    assert pictures.decode((place / "out.webp").read_bytes()).shape[:2] == (500, 400)
