"""A model field that stores a crop of the uploaded image. Copy this file into your project."""

from functools import cache
from pathlib import Path
from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import UploadedFile
from django.db import models

from cropsvc.client import Client, ClientError

SECONDS = 20  # that a form waits for its crop


@cache
def client() -> Client:
    """Return the client of this process; threads share it."""
    return Client(settings.CROPSVC_URL, settings.CROPSVC_KEY, patience=5)


class CroppedImageFormField(forms.FileField):
    """Crops the upload while the form is validated, so that a refusal is the field's error."""

    widget = forms.ClearableFileInput(attrs={"accept": "image/*"})

    def __init__(self, *, crop: dict[str, Any], **options: Any) -> None:
        self.crop = crop
        super().__init__(**options)

    def clean(self, data: Any, initial: Any = None) -> Any:
        """Return the crop as a file, or what was there before if nothing was uploaded."""
        file = super().clean(data, initial)
        if not isinstance(file, UploadedFile):
            return file
        try:
            job = client().wait(client().submit(file, **self.crop), seconds=SECONDS)
            image = client().image(job)
        except ClientError as error:
            raise ValidationError(error.detail) from error
        except TimeoutError as error:
            raise ValidationError("The image server is busy. Try again later.") from error
        return ContentFile(image, name=f"{Path(file.name).stem}.{job.output().format}")


class CroppedImageField(models.FileField):
    """Stores a crop of the upload; *crop* holds parameters of the API.

    Migrations leave *crop* out, because the database does not depend on it.
    """

    def __init__(self, *args: Any, crop: dict[str, Any] | None = None, **options: Any) -> None:
        self.crop = crop or {}
        super().__init__(*args, **options)

    def formfield(self, **options: Any) -> Any:
        """Return the field of a form, in the admin too."""
        return super().formfield(
            **{"form_class": CroppedImageFormField, "crop": self.crop, **options}
        )
