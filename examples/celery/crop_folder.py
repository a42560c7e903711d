"""Crop every image of a folder by the workers of cropsvc, from a Celery program.

BROKER_URL=amqp://... REDIS_URL=redis://... python crop_folder.py photos thumbnails
"""

import os
import sys
from pathlib import Path

from celery import Celery
from celery.result import AsyncResult

CROP = {"aspect": "1:1", "size": "200x200", "anchor": "smart", "format": "webp"}
SECONDS = 300  # to wait for one image; others may be in front of it

app = Celery(broker=os.environ["BROKER_URL"], backend=os.environ["REDIS_URL"])
app.conf.update(
    accept_content=["json", "msgpack"],
    result_serializer="msgpack",
    task_default_queue="cropsvc",
    task_default_queue_type="quorum",
    broker_transport_options={"confirm_publish": True},  # a message that is lost raises an error
)


def send(path: Path) -> AsyncResult:
    """Queue the crop of a file."""
    return app.send_task("cropsvc.crop", [path.read_bytes(), CROP], serializer="msgpack")


def save(result: AsyncResult, target: Path) -> str:
    """Write the crop; return what is wrong, or nothing."""
    try:
        image = result.get(timeout=SECONDS)
    except Exception as error:  # noqa: BLE001 - whatever the task raised: a code and a message
        return ": ".join(map(str, error.args)) or repr(error)
    finally:
        result.forget()
    target.write_bytes(image)
    return ""


def main(source: Path, target: Path) -> int:
    """Crop all files of *source* into *target*; return 1 if any failed."""
    target.mkdir(parents=True, exist_ok=True)
    sent = [(path, send(path)) for path in sorted(source.iterdir())]  # the workers share them
    failed = 0
    for path, result in sent:
        problem = save(result, target / f"{path.stem}.webp")
        failed |= bool(problem)
        print(f"{path.name}: {problem or 'done'}")  # noqa: T201 - its output
    return failed


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
