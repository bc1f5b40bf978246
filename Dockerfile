# Viva Voce in a container: the server with Genie and the embedded voice, no torch, as an ordinary user.
#
#   docker build -t vivavoce .
#   docker run --rm -p 127.0.0.1:7860:7860 -e VIVAVOCE_API_KEYS=at-least-16-characters vivavoce
#
# Environment (all settings: docs/settings.md):
#   VIVAVOCE_API_KEYS         keys, separated by commas; without one the server refuses to start, unless
#   VIVAVOCE_ALLOW_ANONYMOUS  true: everybody who reaches the port may use it
#   VIVAVOCE_ALLOWED_HOSTS    names under which it is reached, or *; not set: addresses and localhost, no other name
#   VIVAVOCE_PORT             port inside the container
# Volumes:
#   /voices   your voice packs, one folder each; may be mounted read-only
#   /data     downloaded voices, GenieData and compiled voices; keep it, or each start compiles them again

# By tag, which moves with Debian's fixes; for one that never moves give the digest that you have looked at:
#   docker build --build-arg PYTHON_IMAGE=python@sha256:... -t vivavoce .
ARG PYTHON_IMAGE=python:3.12-slim-bookworm

# -- build: a virtual environment with everything in it. One dependency and our own kernels are compiled, so this stage
# has a compiler.
FROM ${PYTHON_IMAGE} AS build

# Debian keeps one version of a package, so a pinned one would break the build at its next update.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends gcc libc6-dev \
    && rm -rf /var/lib/apt/lists/*

RUN python -m venv /opt/vivavoce
ENV PATH=/opt/vivavoce/bin:$PATH

WORKDIR /source
COPY requirements.lock ./
RUN pip install --no-cache-dir --require-hashes -r requirements.lock

COPY pyproject.toml hatch_build.py README.md LICENSE ./
COPY client_js/src client_js/src
COPY server server
# Every package is installed by now, each as its hash says (`make lock`); only our own is built here.
# hadolint ignore=DL3013
RUN pip install --no-cache-dir --no-deps --no-build-isolation ".[genie,korean,listen]" \
    && python -m compileall -q /opt/vivavoce

# -- run: the environment alone.
FROM ${PYTHON_IMAGE}

RUN useradd --system --uid 10001 --no-create-home --home-dir /data vivavoce \
    && mkdir /data /voices \
    && chown vivavoce /data /voices

COPY --from=build /opt/vivavoce /opt/vivavoce

ENV PATH=/opt/vivavoce/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    VIVAVOCE_HOST=0.0.0.0 \
    VIVAVOCE_PORT=7860 \
    VIVAVOCE_VOICES=/voices \
    VIVAVOCE_DATA_DIR=/data \
    VIVAVOCE_CACHE_DIR=/data/cache \
    GENIE_DATA_DIR=/data/GenieData

USER 10001
WORKDIR /opt/vivavoce
VOLUME ["/voices", "/data"]
EXPOSE 7860

# The server drains for up to 30 s on SIGTERM; `docker stop --time 45` lets it.
STOPSIGNAL SIGTERM

HEALTHCHECK --interval=15s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request; urllib.request.urlopen(f'http://127.0.0.1:{os.environ[\"VIVAVOCE_PORT\"]}/livez', timeout=3)"]

ENTRYPOINT ["vivavoce"]
CMD ["serve"]
