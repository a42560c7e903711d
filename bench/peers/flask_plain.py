"""The plain Flask + Celery + Redis way: submit, poll, fetch."""

import uuid

from flask import Flask, Response, jsonify, request

from bench.peers.celery_plain import client
from bench.peers.celery_plain import crop as task
from cropsvc.imaging.params.parser import parse

app = Flask(__name__)


@app.post("/crops")
def submit() -> tuple[Response, int]:
    """202 and the job's id."""
    name = uuid.uuid4().hex
    wanted = parse(request.args.items()).to_json()
    client().set(f"source:{name}", request.get_data(cache=False), ex=3600)
    task.apply_async((f"source:{name}", f"result:{name}", wanted), task_id=name)
    return jsonify(id=name), 202


@app.get("/crops/<name>")
def status(name: str) -> Response:
    """The task's state."""
    return jsonify(state=task.AsyncResult(name).state)


@app.get("/crops/<name>/image")
def image(name: str) -> Response | tuple[Response, int]:
    """The result's bytes."""
    data = client().get(f"result:{name}")
    return Response(data, mimetype="image/jpeg") if data else (jsonify(error="none"), 404)
