# anchorwatch as a container: no root, a root filesystem that may be read-only, everything it writes under /var/lib/anchorwatch.
#
#   docker build -t anchorwatch .
#   docker run --read-only --tmpfs /tmp -v anchorwatch:/var/lib/anchorwatch \
#       -v ./anchorwatch.yaml:/etc/anchorwatch/anchorwatch.yaml:ro anchorwatch
#
# The configuration has to say `store: /var/lib/anchorwatch/anchorwatch.db`: the health check looks there.

ARG PYTHON=3.13-slim-bookworm

FROM python:${PYTHON} AS build
ENV UV_NO_CACHE=1 UV_LINK_MODE=copy UV_PYTHON_DOWNLOADS=never
WORKDIR /src
RUN python -m venv /build && /build/bin/pip install --no-cache-dir --disable-pip-version-check "uv>=0.9,<1"

# Dependencies first: their layer stays until the lock changes.
COPY requirements.lock ./
RUN python -m venv --without-pip /opt/anchorwatch \
    && /build/bin/uv pip install --python /opt/anchorwatch/bin/python --compile-bytecode \
        --require-hashes --only-binary :all: --requirements requirements.lock

# The project in a folder of its own: where only the project changes, a release is a small layer above a large one that stays.
COPY pyproject.toml requirements-dev.lock README.md LICENSE ./
COPY daemon daemon
COPY detectors detectors
RUN /build/bin/uv build --wheel --out-dir /dist --build-constraints requirements-dev.lock --require-hashes . \
    && /build/bin/uv pip install --python /opt/anchorwatch/bin/python --prefix /app --compile-bytecode --no-deps /dist/*.whl

# The loops of the detectors are compiled here, for any processor of this architecture, and read where the root is read-only.
RUN PYTHONPATH="$(echo /app/lib/python3*/site-packages)" PYTHONDONTWRITEBYTECODE=1 NUMBA_CPU_NAME=generic /app/bin/anchorwatch warm

FROM python:${PYTHON}
LABEL org.opencontainers.image.title="anchorwatch" \
      org.opencontainers.image.description="The lookout for models in production: drift, accuracy and data quality from Kafka streams" \
      org.opencontainers.image.version="0.1.0" \
      org.opencontainers.image.licenses="Apache-2.0"
RUN groupadd --gid 10001 anchorwatch \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /var/lib/anchorwatch --shell /usr/sbin/nologin anchorwatch \
    && install --directory --owner 10001 --group 10001 --mode 0750 /var/lib/anchorwatch \
    && install --directory /etc/anchorwatch
COPY --from=build /opt/anchorwatch /opt/anchorwatch
COPY --from=build /app /opt/anchorwatch
ENV PATH="/opt/anchorwatch/bin:${PATH}" PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 NUMBA_CPU_NAME=generic

# A number, so that Kubernetes can see that it is not root.
USER 10001:10001
WORKDIR /var/lib/anchorwatch
VOLUME /var/lib/anchorwatch
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=10s --start-period=60s --retries=3 \
    CMD ["anchorwatch", "status", "--store", "/var/lib/anchorwatch/anchorwatch.db", "--max-age", "60s"]
ENTRYPOINT ["anchorwatch"]
CMD ["run", "/etc/anchorwatch/anchorwatch.yaml"]
