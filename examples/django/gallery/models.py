"""A person with a portrait."""

from django.db import models

from gallery.fields import CroppedImageField

PORTRAIT = {"aspect": "4:5", "size": "400x500", "anchor": "smart", "format": "webp"}


class Person(models.Model):
    """A person; the portrait is cropped by the server when it is uploaded."""

    name = models.CharField(max_length=80)
    portrait = CroppedImageField(upload_to="portraits", crop=PORTRAIT)

    def __str__(self) -> str:
        return self.name
