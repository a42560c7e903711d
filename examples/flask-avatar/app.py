"""A Flask application whose users crop their avatar in the browser.

The image goes straight to the crop service. The form brings the job's id, and the application
fetches the avatar.
"""

import os
from pathlib import Path

from flask import Flask, Response, redirect, render_template, request, send_file
from werkzeug.wrappers import Response as Answer

from cropsvc.client import Client, ClientError

CROPS = os.environ.get("CROPSVC_URL", "http://localhost:5000")
SHAPE = {"size": "256x256", "format": "webp"}
AVATAR = Path(os.environ.get("AVATAR", "avatar.webp")).absolute()  # yours: one for each user
POLICY = (  # all that <crop-image> needs from a strict policy
    f"default-src 'self'; script-src {CROPS}; connect-src 'self' {CROPS}; "
    "require-trusted-types-for 'script'"
)

app = Flask(__name__)
crops = Client(CROPS, key=os.environ.get("CROPSVC_KEY"))


@app.get("/")
def page() -> Response:
    """Return the page with the form."""
    html = render_template("avatar.html", crops=CROPS, shape=SHAPE, has_avatar=AVATAR.exists())
    return Response(html, headers={"Content-Security-Policy": POLICY})


@app.get("/crop-token")
def token() -> dict[str, str]:
    """Return a token for one upload. Yours: for users who are logged in only."""
    return crops.token(parameters=["box"], fixed=SHAPE, max_upload=10 * 2**20)


@app.post("/avatar")
def save() -> Answer:
    """Fetch the avatar that the user cropped, and keep it."""
    try:
        AVATAR.write_bytes(crops.image(request.form["avatar"]))
    except ClientError as error:
        return Response(error.detail, error.status or 503, content_type="text/plain")
    return redirect("/", 303)


@app.get("/avatar")
def avatar() -> Response:
    """Return the avatar."""
    return send_file(AVATAR, mimetype="image/webp", max_age=0)
