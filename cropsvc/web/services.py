"""What the views of one app share."""

from dataclasses import dataclass
from typing import cast

from flask import current_app

from cropsvc.imaging.params.presets import BUILT_IN, Presets
from cropsvc.jobs.service import Jobs
from cropsvc.settings.settings import Settings
from cropsvc.store import Store

EXTENSION = "cropsvc"


@dataclass(frozen=True)
class Services:
    """The collaborators that the entry point made."""

    settings: Settings
    store: Store
    jobs: Jobs
    presets: Presets = BUILT_IN


def services() -> Services:
    """Return the current app's services."""
    return cast(Services, current_app.extensions[EXTENSION])
