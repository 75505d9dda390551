# syntax=docker/dockerfile:1
# The gateway as an image. NOT BUILT HERE: no container engine was at hand when this was written, so read it before you
# trust it, and tell us what it lacks.
#
#   docker build -t tenbin .
#   docker run --rm -p 127.0.0.1:8787:8787 -v "$PWD/gateway:/etc/tenbin:ro" -v tenbin-store:/var/lib/tenbin \
#     --env-file tenbin.env --read-only --tmpfs /tmp tenbin
#
# `gateway` holds tenbin.toml, the routers and price files it names; mount the folder, not the file, or a change that
# comes by renaming is never seen. compose.yaml does the same.

FROM python:3.13-slim AS build
# The compiler of the kernel: without it Tenbin works, and decides more slowly.
RUN apt-get update && apt-get install -y --no-install-recommends gcc libc6-dev
WORKDIR /src
# The versions of the lock without its hashes: pip cannot check hashes of some packages and build the project beside.
COPY requirements/demo.lock requirements/demo.lock
RUN sed -E '/^ +--hash/d; s/ *\\$//' requirements/demo.lock > pins.txt
COPY pyproject.toml hatch_build.py README.md LICENSE NOTICE ./
COPY src src
RUN python -m venv --without-pip /opt/tenbin \
 && python -m pip --python /opt/tenbin/bin/python install --no-cache-dir --only-binary :all: --no-binary tenbin \
      --no-compile -c pins.txt .

FROM python:3.13-slim
LABEL org.opencontainers.image.title="tenbin" \
      org.opencontainers.image.description="Sends every query to the cheapest model that is good enough" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build /opt/tenbin /opt/tenbin
RUN python -m compileall -q /opt/tenbin/lib \
 && groupadd --system --gid 10001 tenbin \
 && useradd --system --uid 10001 --gid tenbin --no-create-home --home-dir /var/lib/tenbin tenbin \
 && install -d -o tenbin -g tenbin -m 0700 /var/lib/tenbin
# Settings of the config that a container must have otherwise. The public port is reached from outside, hence keys are
# required there (tenbin keys create); the admin port stays inside: docker exec, or set TENBIN_GATEWAY__ADMIN_HOST and
# an admin key.
ENV PATH="/opt/tenbin/bin:$PATH" \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    OMP_NUM_THREADS=1 \
    OPENBLAS_NUM_THREADS=1 \
    TENBIN_CACHE=none \
    TENBIN_GATEWAY__HOST=0.0.0.0 \
    TENBIN_GATEWAY__PORT=8787 \
    TENBIN_STORE__PATH=/var/lib/tenbin
USER 10001:10001
WORKDIR /etc/tenbin
VOLUME /var/lib/tenbin
EXPOSE 8787
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s --retries=3 \
  CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8787/health', timeout=2)"]
ENTRYPOINT ["tenbin"]
CMD ["serve", "/etc/tenbin/tenbin.toml"]
