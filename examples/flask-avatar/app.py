"""A Flask application with an avatar upload."""

import os

from flask import Flask, render_template, request

from cropsvc.client import Client, ClientError

URL = os.environ.get("CROPSVC_URL", "http://localhost:5000")
app = Flask(__name__)
crops = Client(URL, key=os.environ.get("CROPSVC_KEY"))


@app.get("/")
def page() -> str:
    """Return the page with the form."""
    return render_template("avatar.html")


@app.post("/avatar")
def avatar() -> tuple[bytes, int, dict[str, str]]:
    """Crop the uploaded avatar to a square, and return it."""
    photo = request.files["photo"].read()
    try:
        crop = crops.crop(photo, aspect="1:1", size="256x256", format="webp")
    except ClientError as error:  # no image, for example; the text names the cure
        return error.detail.encode(), error.status or 503, {"Content-Type": "text/plain"}
    return crop.data, 200, {"Content-Type": "image/webp"}
