"""The dashboard in Chromium: looking, clicking, and markup in jobs that stays text."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests import pictures
from tests.dashboard import hostile
from tests.dashboard.desk_client import PASSWORD, USER, Desk, beside
from tests.stack import Stack

JOB_TIMEOUT = 20
JPEG = {"Content-Type": "image/jpeg"}
QUEUED = "/0/view/jobs/cropsvc/queued/200/asc/1"
FAILED = "/0/view/jobs/cropsvc/failed/50/asc/1"


@pytest.fixture(scope="module")
def desk(
    make_module_stack: Callable[..., Stack], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Desk]:
    """A stack with one worker and its dashboard."""
    stack = make_module_stack(workers=1, job_timeout=JOB_TIMEOUT)
    directory = tmp_path_factory.mktemp("dashboard")
    with beside(stack, directory, CROPSVC_JOB_TIMEOUT=str(JOB_TIMEOUT)) as desk:
        yield desk


@pytest.fixture(scope="module")
def attacked(
    make_module_stack: Callable[..., Stack], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Desk]:
    """A dashboard over a Redis full of hostile jobs; no worker takes them."""
    with beside(make_module_stack(worker=False), tmp_path_factory.mktemp("dashboard")) as desk:
        mark = tmp_path_factory.mktemp("mark") / "executed"
        hostile.push(desk.redis, mark)
        hostile.push_failed(desk.redis, mark)
        hostile.push_workers(desk.redis)
        yield desk


class Faults(list[str]):
    """What a page of the dashboard must never do."""

    expected = "ERR_NETWORK_CHANGED"  # another test has started or ended a container

    def watch(self, page: Page) -> None:
        page.on("pageerror", lambda error: self.append(f"script error: {error}"))
        page.on("console", lambda said: self._hear(said.type, said.text))
        page.on("dialog", lambda dialog: self.append(f"dialog: {dialog.message}"))

    def _hear(self, kind: str, text: str) -> None:
        if self.expected in text:
            return
        if "Content Security Policy" in text or "TrustedHTML" in text or kind == "error":
            self.append(f"{kind}: {text}")


@pytest.fixture
def faults() -> Faults:
    """Empty at the start; the test's page adds to it."""
    return Faults()


@pytest.fixture
def page(browser: Browser, faults: Faults) -> Iterator[Page]:
    """A page that is logged in; it must have had no fault at the end."""
    login = {"username": USER, "password": PASSWORD}
    with browser.new_context(http_credentials=login, viewport={"width": 1200, "height": 800}) as to:
        to.set_default_timeout(15_000)
        page = to.new_page()
        faults.watch(page)
        yield page
    assert faults == []


def shot(page: Page, name: str) -> None:
    """A screenshot, for whoever asks for one with DASHBOARD_SHOTS."""
    if directory := os.environ.get("DASHBOARD_SHOTS"):
        page.screenshot(path=Path(directory) / f"{name}.png", full_page=True)


def test_from_queues_over_jobs_to_one_job_and_its_worker(desk: Desk, page: Page) -> None:
    done = desk.done()
    with desk.held() as held:
        running = held.running()
        waiting = desk.submit()
        page.goto(desk.dashboard.url)
        row = page.locator("#queues tbody tr")
        expect(row.locator("td")).to_contain_text(["cropsvc", "1", "1"])
        shot(page, "queues")
        row.locator("td:nth-child(2) a").click()
        expect(page.locator("#jobs .job_id")).to_have_text([waiting])
        shot(page, "queued")
        page.select_option("#select-registry", "finished")
        expect(page.locator("#jobs .job_id")).to_contain_text([done])
        page.get_by_role("link", name=done).click()
        expect(page.locator("#facts")).to_contain_text("cropsvc.crop")
        expect(page.locator("#bar output")).to_have_text("done 100 %")
        page.get_by_role("link", name="Workers").click()
        expect(page.locator("#workers tbody tr")).to_have_count(1)
        expect(page.locator("#workers")).to_contain_text("busy")
        shot(page, "workers")
        page.get_by_role("link", name=running).click()
        expect(page.locator("#facts")).to_contain_text("running")
        shot(page, "running")


def test_the_jobs_page_starts_with_our_queue(desk: Desk, page: Page) -> None:
    page.goto(desk.dashboard.url)
    page.get_by_role("link", name="Jobs").click()
    expect(page.locator("#select-queue")).to_have_value("cropsvc")


def test_a_failed_job_shows_its_reason_and_can_run_again(desk: Desk, page: Page) -> None:
    job_id = desk.failed()
    ended = desk.job(job_id)["ended_at"]
    page.goto(f"{desk.dashboard.url}/0/view/job/{job_id}")
    expect(page.locator("#reason")).to_contain_text("unreadable: ")
    shot(page, "failed")
    with page.expect_response(lambda answer: answer.url.endswith("/requeue")) as told:
        page.get_by_role("button", name="Requeue").click()
    assert told.value.status == 200
    desk.wait_state(job_id, "failed")
    assert desk.job(job_id)["ended_at"] > ended


def test_requeue_all_names_the_jobs_that_cannot_run_again(desk: Desk, page: Page) -> None:
    gone = desk.failed()
    desk.redis.delete(f"cropsvc:source:-:{gone}")
    page.goto(desk.dashboard.url + FAILED)
    expect(page.locator(f"[data-job-id={gone}] .exc_info")).to_contain_text("unreadable: ")
    page.get_by_role("button", name="Requeue all").click()
    page.get_by_role("button", name="Yes").click()
    expect(page.locator("#notice")).to_contain_text("upload is no longer kept")
    shot(page, "refused")


def test_a_waiting_job_is_canceled_from_the_list(desk: Desk, page: Page) -> None:
    with desk.held() as held:
        held.running()
        job_id = desk.submit()
        page.goto(desk.dashboard.url + QUEUED)
        row = page.locator(f"[data-job-id={job_id}]")
        row.get_by_role("button", name="Cancel").click()
        page.get_by_role("button", name="No", exact=True).click()
        assert desk.job(job_id)["state"] == "queued"
        row.get_by_role("button", name="Cancel").click()
        page.get_by_role("button", name="Yes").click()
        expect(row).to_have_count(0)
        assert desk.job(job_id)["state"] == "canceled"


def test_a_running_job_is_canceled_from_its_page(desk: Desk, page: Page) -> None:
    with desk.held() as held:
        job_id = held.running()
        page.goto(f"{desk.dashboard.url}/0/view/job/{job_id}")
        page.get_by_role("button", name="Cancel").click()
        page.get_by_role("button", name="Yes").click()
        expect(page.locator("#facts")).to_contain_text("canceled")
        expect(page.get_by_role("button", name="Cancel")).to_be_hidden()


def test_a_job_is_deleted_from_its_page(desk: Desk, page: Page) -> None:
    job_id = desk.done()
    page.goto(f"{desk.dashboard.url}/0/view/job/{job_id}")
    page.get_by_role("button", name="Delete").click()
    page.get_by_role("button", name="Yes").click()
    expect(page.get_by_role("heading", name="Queues")).to_be_visible()
    assert job_id not in desk.ids("finished")


def test_progress_appears_by_itself(desk: Desk, page: Page) -> None:
    with desk.held() as held:
        held.running()
        job_id = desk.submit()
        page.goto(f"{desk.dashboard.url}/0/view/job/{job_id}")
        expect(page.locator("#bar output")).to_have_text("queued 0 %")
    expect(page.locator("#bar output")).to_have_text("done 100 %", timeout=30_000)


PAGES = [
    "/",
    "/0/view/workers",
    QUEUED,
    FAILED,
    *(f"/0/view/job/{job_id}" for job_id in ("markup", "function", "failed-markup", "bad-status")),
]


@pytest.mark.parametrize("path", PAGES)
def test_markup_in_jobs_and_workers_stays_text(attacked: Desk, page: Page, path: str) -> None:
    page.goto(attacked.dashboard.url + path)
    expect(page.get_by_text("Loading …")).to_have_count(0)
    page.wait_for_load_state("networkidle")
    assert page.evaluate("window.owned") is None
    assert page.title() != "owned"
    assert page.locator("main img, main script").count() == 0


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ("/0/view/job/markup", "#facts"),
        ("/0/view/job/failed-markup", "#reason"),
        ("/0/view/workers", "#workers"),
        (QUEUED, "#jobs .description"),
        (FAILED, "#jobs .exc_info"),
    ],
)
def test_the_markup_is_there_as_text(attacked: Desk, page: Page, path: str, place: str) -> None:
    page.goto(attacked.dashboard.url + path)
    expect(page.locator(place).filter(has_text=hostile.PAYLOAD).first).to_be_visible()
    shot(page, f"hostile{place.strip('#').partition(' ')[0]}")


def test_our_own_record_in_hostile_hands_stays_text(desk: Desk, page: Page) -> None:
    job_id = desk.failed()
    error = f'{{"code":"unreadable","detail":{hostile.json.dumps(hostile.PAYLOAD)}}}'
    record = {"error": error, "stage": hostile.PAYLOAD, "request": hostile.PAYLOAD}
    desk.redis.hset(f"cropsvc:job:-:{job_id}", mapping=record)
    page.goto(f"{desk.dashboard.url}/0/view/job/{job_id}")
    expect(page.locator("#reason")).to_contain_text(hostile.PAYLOAD)
    expect(page.locator("#facts")).to_contain_text(hostile.PAYLOAD)
    page.goto(desk.dashboard.url + FAILED)
    expect(page.locator(f"[data-job-id={job_id}]")).to_contain_text(hostile.PAYLOAD)
    assert page.evaluate("window.owned") is None


def test_a_file_name_with_markup_does_not_reach_the_dashboard(desk: Desk, page: Page) -> None:
    file = (hostile.PAYLOAD, pictures.jpeg(64, 48, seed=desk.number()), "image/jpeg")
    query = {"outputs": '[{"name": "a"}]'}
    answer = desk.api.post("/v1/crops?wait=20", files={"image": file}, params=query)
    job_id = answer.json()["id"]
    desk.wait_listed(job_id, "finished")
    page.goto(f"{desk.dashboard.url}/0/view/job/{job_id}")
    expect(page.locator("#facts")).to_contain_text("done")
    assert "onerror" not in page.content()


@pytest.mark.parametrize("name", ["box", "size", "background", "format", "outputs", "preset"])
def test_a_parameter_with_markup_is_refused_and_does_not_reach_the_dashboard(
    desk: Desk, page: Page, name: str
) -> None:
    query = {name: hostile.PAYLOAD}
    answer = desk.api.post("/v1/crops", content=pictures.jpeg(), params=query, headers=JPEG)
    assert answer.status_code == 400
    page.goto(f"{desk.dashboard.url}/0/view/jobs/cropsvc/queued/200/asc/1")
    expect(page.get_by_text("No jobs.")).to_be_visible()


def test_the_browser_itself_refuses_markup_and_inline_scripts(
    attacked: Desk, page: Page, faults: Faults
) -> None:
    page.goto(attacked.dashboard.url)
    add = f"document.body.innerHTML = {hostile.json.dumps(hostile.PAYLOAD)}"
    told = page.evaluate(f"() => {{ try {{ {add} }} catch (error) {{ return error.name }} }}")
    assert told == "TypeError"
    assert any("TrustedHTML" in fault for fault in faults)
    faults.clear()


@pytest.mark.parametrize("site", ["http://evil.example/", "http://127.0.0.1:1/"])
def test_another_sites_page_can_change_nothing(
    desk: Desk, page: Page, faults: Faults, site: str
) -> None:
    faults.expected = "Failed to load resource"  # so a console tells of a refusal
    job_id = desk.failed()
    url = f"{desk.dashboard.url}/job/{job_id}/delete"
    page.goto(desk.dashboard.url)  # the browser knows the password now
    form = f'<form method="post" action="{url}"><button>You have won</button></form>'
    page.route(f"{site}**", lambda route: route.fulfill(body=form, content_type="text/html"))
    page.goto(site)
    with page.expect_response(url) as told:
        page.get_by_role("button").click()
    assert told.value.status == 403
    assert job_id in desk.ids("failed")
