"""A Flask application with an avatar upload."""

import os

from flask import Flask, render_template, request

from cropsvc.client import Client

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
    crop = crops.crop(request.files["photo"].read(), aspect="1:1", size="256x256", format="webp")
    return crop.data, 200, {"Content-Type": "image/webp"}
