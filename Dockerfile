# One image for the front end, the worker and the dashboard; they differ by their command.
# With Celery it is another: who runs on RQ carries no code that is not used.
# A digest pins the base for good: --build-arg PYTHON_DIGEST=@sha256:...
ARG PYTHON_TAG=3.13-slim
ARG PYTHON_DIGEST=

FROM python:${PYTHON_TAG}${PYTHON_DIGEST} AS build
WORKDIR /build
COPY requirements.txt .
RUN python -m venv /opt/cropsvc \
 && /opt/cropsvc/bin/python -m pip install --no-cache-dir --disable-pip-version-check \
      --require-hashes --only-binary :all: -r requirements.txt
# What both have in common is installed by now, so that the second image takes seconds.
ARG REQUIREMENTS=requirements.txt
COPY ${REQUIREMENTS} chosen.txt
RUN /opt/cropsvc/bin/python -m pip install --no-cache-dir --disable-pip-version-check \
      --require-hashes --only-binary :all: -r chosen.txt \
 && /opt/cropsvc/bin/python -m pip uninstall --quiet --yes pip

FROM python:${PYTHON_TAG}${PYTHON_DIGEST}
RUN groupadd --gid 10001 cropsvc \
 && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /nonexistent \
      --shell /usr/sbin/nologin cropsvc
COPY --from=build /opt/cropsvc /opt/cropsvc
WORKDIR /srv
COPY wsgi.py worker.py gunicorn.conf.py ./
COPY cropsvc cropsvc
RUN /opt/cropsvc/bin/python -m compileall -q .
# `make image` adds version, revision, time and base.
LABEL org.opencontainers.image.title=cropsvc \
      org.opencontainers.image.description="A crop service: job API and page on Flask, Redis Queue and Pillow" \
      org.opencontainers.image.licenses=MIT
ENV PATH=/opt/cropsvc/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    CROPSVC_BIND=0.0.0.0 \
    WORKERS=1
USER 10001:10001
EXPOSE 5000 9181
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s \
  CMD ["timeout", "-s", "KILL", "5", "python", "-m", "cropsvc.run.health", "web"]
CMD ["python", "-m", "gunicorn", "-c", "gunicorn.conf.py", "wsgi:app"]
