"""A Celery program that is not ours uses the worker as the contract's section on Celery says."""

import os
import subprocess
import sys
import time
from pathlib import Path

import celery.exceptions
import pytest
from celery import Celery
from celery.result import AsyncResult

from tests import pictures
from tests.celery.conftest import MakeService, Service, picture
from tests.tools import checkout

CROP = "cropsvc.crop"
SECONDS = 30


def send(app: Celery, *arguments: object, task: str = CROP, **options: object) -> AsyncResult:
    return app.send_task(task, arguments, serializer="msgpack", **options)


def refusal(result: AsyncResult) -> tuple[str, str]:
    """Code and words of a task that must fail."""
    with pytest.raises(Exception, match="'") as caught:
        result.get(timeout=SECONDS)
    assert type(caught.value).__name__ == "TaskRejected", caught.value
    code, words = caught.value.args
    assert result.state == "FAILURE"
    assert result.traceback is None  # no stack of ours
    return code, words


def test_it_gets_the_images_bytes(service: Service) -> None:
    data = pictures.png(60, 40)
    parameters = {"box": "4,20%,50%,40%", "size": "30x20", "format": "png"}
    got = send(service.program(), data, parameters).get(timeout=SECONDS)
    job = service.api.crop(data, **parameters)
    assert got == service.api.bytes_of(job)
    assert pictures.decode(got).shape[:2] == (20, 30)


def test_the_example_crops_a_folder_and_names_what_failed(service: Service, tmp_path: Path) -> None:
    place = checkout(tmp_path, "examples/celery") / "examples" / "celery"
    (place / "photos").mkdir()
    (place / "photos" / "cat.jpg").write_bytes(pictures.jpeg(300, 200))
    (place / "photos" / "notes.txt").write_text("no image")
    urls = {"BROKER_URL": service.broker_url, "REDIS_URL": service.stack.redis_url}
    done = subprocess.run(
        [sys.executable, "crop_folder.py", "photos", "thumbnails"], cwd=place,
        env={**os.environ, **urls}, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 1, done.stderr
    said = done.stdout.splitlines()
    assert said[0] == "cat.jpg: done"
    assert said[1].startswith("notes.txt: unsupported-format: ")
    made = pictures.decode((place / "thumbnails" / "cat.webp").read_bytes())
    assert made.shape[:2] == (200, 200)


def test_without_parameters_the_whole_image_comes_back(service: Service) -> None:
    got = send(service.program(), pictures.png(61, 41)).get(timeout=SECONDS)
    assert pictures.decode(got).shape[:2] == (41, 61)


def test_json_with_bytes_in_it_does_as_well(service: Service) -> None:
    result = service.program().send_task(CROP, [picture(), {"size": "9x9"}], serializer="json")
    assert pictures.decode(result.get(timeout=SECONDS)).shape[:2] == (9, 9)


def test_while_it_runs_it_sees_progress(make_service: MakeService) -> None:
    service = make_service()
    send(service.program(), picture()).get(timeout=SECONDS)
    service.crop_process().suspend()
    result = send(service.program(), picture())
    service.until(lambda: result.state == "PROGRESS", "it says that it runs")
    assert 0 <= result.result["current"] <= 1
    service.crop_process().resume()
    assert result.get(timeout=SECONDS)
    assert result.state == "SUCCESS"


def test_progress_comes_from_the_crop_itself(service: Service) -> None:
    app, seen = service.program(), set()
    many = {"size": "4000x4000", "format": "webp", "enlarge": True}
    result = send(app, pictures.jpeg(3000, 2000, seed=1), many)
    while not result.ready():
        told = result.result if result.state == "PROGRESS" else {}
        seen.add(told.get("current") if isinstance(told, dict) else None)
        time.sleep(0.01)
    fractions = sorted(one for one in seen if one is not None)
    assert len(fractions) >= 2
    assert fractions[0] >= 0
    assert fractions[-1] <= 1


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        ((b"GIF?", {}), "unsupported-format", ""),
        ((b"\x89PNG\r\n\x1a\n broken", {}), "unreadable", ""),
        ((pictures.png(8, 8), {"box": "100,100,5,5"}), "box-outside", ""),
        ((pictures.png(8, 8), {"box": "1,2,3"}), "bad-parameter", "box"),
        ((pictures.png(8, 8), {"colour": "red"}), "bad-parameter", "colour"),
        ((pictures.png(8, 8), {"outputs": [{}, {}]}), "bad-parameter", "outputs"),
        ((pictures.png(8, 8), ["box"]), "bad-request", ""),
        (("a text", {}), "bad-request", ""),
        ((), "bad-request", ""),
        ((pictures.png(8, 8), {}, 3), "bad-request", ""),
        ((pictures.truncated(pictures.jpeg(640, 480, seed=5)), {}), "unreadable", ""),
    ],
    ids=lambda value: value if isinstance(value, str) and value else "",
)
def test_bad_input_is_a_failure_with_our_code_and_message(
    service: Service, arguments: tuple[object, ...], code: str, words: str
) -> None:
    got, detail = refusal(send(service.program(), *arguments))
    assert got == code
    assert detail
    assert words in detail
    for leak in ("Traceback", "site-packages", ".py"):
        assert leak not in detail


def test_named_arguments_are_refused(service: Service) -> None:
    result = service.program().send_task(CROP, [picture()], {"box": "1,1,1,1"})
    assert refusal(result)[0] == "bad-request"


def test_an_image_over_the_limit_is_too_large(make_service: MakeService) -> None:
    service = make_service(max_upload=100_000)
    code, words = refusal(send(service.program(), bytes(100_001), {}))
    assert (code, "100001" in words, "100000" in words) == ("too-large", True, True)


def test_the_limits_on_pixels_hold(make_service: MakeService) -> None:
    service = make_service(max_pixels=1000)
    assert refusal(send(service.program(), pictures.png(40, 40), {}))[0] == "too-many-pixels"


def test_a_crop_that_takes_too_long_is_ended(make_service: MakeService) -> None:
    service = make_service(job_timeout=2)
    send(service.program(), picture()).get(timeout=SECONDS)
    service.crop_process().suspend()
    code, words = refusal(send(service.program(), picture()))
    assert (code, "2 s" in words) == ("timed-out", True)


def test_a_crop_whose_process_died_is_tried_again(make_service: MakeService) -> None:
    service = make_service()
    send(service.program(), picture()).get(timeout=SECONDS)
    (first := service.crop_process()).suspend()
    result = send(service.program(), picture())
    service.until(lambda: result.state == "PROGRESS", "it is in hand")
    first.kill()
    assert result.get(timeout=SECONDS)
    assert service.crop_process().pid != first.pid


def test_a_message_over_the_brokers_limit_is_refused_to_its_sender(service: Service) -> None:
    with pytest.raises(Exception, match="larger than"):
        send(service.program(), bytes(65 * 1024**2), {}, retry=False)


def test_an_image_of_the_largest_size_allowed_passes_the_broker(service: Service) -> None:
    code, _ = refusal(send(service.program(), bytes(32 * 1024**2), {}))
    assert code == "unsupported-format"  # read, and not too large


def test_an_unknown_task_ends_as_a_dead_letter(service: Service) -> None:
    dead = service.queue.facts("cropsvc.dead")["messages"]
    before = max(0, dead)
    result = send(service.program(), "true", task="os.system")
    with pytest.raises(celery.exceptions.NotRegistered):
        result.get(timeout=SECONDS)
    service.until(
        lambda: service.queue.facts("cropsvc.dead")["messages"] == before + 1, "it is dead"
    )
    assert send(service.program(), picture()).get(timeout=SECONDS)


@pytest.mark.parametrize("task", ["celery.chord_unlock", "celery.map", "celery.group"])
def test_celerys_own_tasks_are_unknown(service: Service, task: str) -> None:
    with pytest.raises(celery.exceptions.NotRegistered):
        send(service.program(), task=task).get(timeout=SECONDS)


@pytest.mark.parametrize("arguments", [(), (1, 2, 3), ("-", "nobody"), ("-", "nobody", "nobody")])
def test_a_job_that_is_none_harms_nobody(service: Service, arguments: tuple[object, ...]) -> None:
    send(service.program(), *arguments, task="cropsvc.job", ignore_result=True)
    assert send(service.program(), picture()).get(timeout=SECONDS)
    service.until(lambda: service.queue.facts()["messages"] == 0, "all are gone")


def test_pickle_is_never_read(service: Service, tmp_path) -> None:
    mark = tmp_path / "executed"
    app = service.program()
    app.conf.accept_content = ["pickle"]
    app.send_task(CROP, [Bomb(str(mark)), {}], serializer="pickle", ignore_result=True)
    assert send(service.program(), picture()).get(timeout=SECONDS)
    assert not mark.exists()


class Bomb:
    """Writes a file when it is unpickled."""

    def __init__(self, path: str) -> None:
        self.path = path

    def __reduce__(self):
        return (open, (self.path, "w"))


@pytest.mark.filterwarnings("ignore")  # Celery warns the sender of what is tested here
def test_a_countdown_is_not_waited_for(service: Service) -> None:
    assert send(service.program(), picture(), countdown=3600).get(timeout=SECONDS)
    assert service.queue.names() == {"cropsvc", "cropsvc.dead"}


def test_nothing_of_a_task_stays_in_the_store(service: Service) -> None:
    app = service.program()
    send(app, picture()).get(timeout=SECONDS)
    refusal(send(app, pictures.truncated(pictures.jpeg(640, 480, seed=6))))

    def kept() -> list[bytes]:
        names = ("source", "results", "same")
        return [key for name in names for key in service.redis.keys(f"cropsvc:{name}:+celery:*")]

    service.until(lambda: not kept(), "uploads and results are gone")
    assert service.redis.zcard("cropsvc:running") == 0
    assert service.redis.zcard("cropsvc:pending") == 0


def test_a_task_whose_worker_died_is_done_by_the_next(make_service: MakeService) -> None:
    service = make_service()
    send(service.program(), picture()).get(timeout=SECONDS)
    service.crop_process().suspend()
    result = send(service.program(), picture())
    service.until(lambda: result.state == "PROGRESS", "it is in hand")
    service.stack.kill(service.stack.worker)
    service.stack.worker.start()
    assert result.get(timeout=SECONDS)


def test_a_program_without_our_package_understands_a_failure(service: Service, tmp_path) -> None:
    code = f"""
import sys
from celery import Celery
app = Celery(broker={service.broker_url!r}, backend={service.stack.redis_url!r})
app.conf.update(accept_content=["json", "msgpack"], result_serializer="msgpack",
                task_default_queue="cropsvc", task_default_queue_type="quorum")
try:
    app.send_task("cropsvc.crop", [b"no image", {{}}], serializer="msgpack").get(timeout=30)
except Exception as error:
    print(error.args[0])
assert not [name for name in sys.modules if name.startswith("cropsvc")]
"""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=60
    )
    assert done.stdout.strip() == "unsupported-format", done.stderr
