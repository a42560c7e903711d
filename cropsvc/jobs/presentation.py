"""Jobs as the contract writes them in JSON."""

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from cropsvc.model.job import Job, Output, Webhook


def job_json(job: Job) -> dict[str, Any]:
    """Return the job as the contract writes it."""
    link = f"/v1/crops/{job.id}"
    webhook = {"webhook": _webhook_json(job.webhook)} if job.webhook else {}
    return {
        **webhook,
        "id": job.id,
        "state": job.state,
        "progress": job.progress,
        "stage": job.stage,
        "position": job.position,
        "created_at": _when(job.created),
        "started_at": _when(job.started),
        "ended_at": _when(job.ended),
        "expires_at": _when(job.expires),
        "source": asdict(job.source),
        "outputs": [_output_json(output, link) for output in job.outputs],
        "error": asdict(job.error) if job.error else None,
        "cached": job.cached,
        "links": {
            "self": link,
            "image": f"{link}/image",
            "source": f"{link}/source",
            "events": f"{link}/events",
            "page": f"/crops/{job.id}",
        },
    }


def _webhook_json(webhook: Webhook) -> dict[str, Any]:
    return {
        "state": webhook.state,
        "attempts": webhook.attempts,
        "last_status": webhook.last_status or None,
        "next_at": _when(webhook.next_at),
    }


def _output_json(output: Output, link: str) -> dict[str, Any]:
    fields = asdict(output)
    for name in ("quality", "decision"):  # shown where `max_bytes` or the image itself decided
        if fields[name] is None:
            del fields[name]
    return {
        **fields,
        "region": list(output.region) if output.region else None,
        "notes": list(output.notes),
        "url": f"{link}/image/{output.name}",
    }


def _when(milliseconds: int | None) -> str | None:
    if milliseconds is None:
        return None
    moment = datetime.fromtimestamp(milliseconds / 1000, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
