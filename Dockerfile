FROM rust:1-slim-bookworm AS build
WORKDIR /build
COPY Cargo.toml Cargo.lock ./
COPY src ./src
COPY schemas ./schemas
# Cargo reads the manifest whole and wants its benchmarks to be there.
COPY benches ./benches
RUN cargo build --release --locked

FROM debian:bookworm-slim
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates \
    && rm -rf /var/lib/apt/lists/* \
    && groupadd --gid 1000 airbyte \
    && useradd --uid 1000 --gid airbyte --no-create-home --home-dir /airbyte --shell /bin/sh airbyte \
    && install --directory --owner=airbyte --group=airbyte /airbyte
WORKDIR /airbyte
COPY --from=build --chown=airbyte:airbyte /build/target/release/source-devin-ai /airbyte/source-devin-ai
USER airbyte

# The platform starts the connector through a shell, from another directory: the path is absolute and the image has /bin/sh.
ENV AIRBYTE_ENTRYPOINT="/airbyte/source-devin-ai"
ENTRYPOINT ["/airbyte/source-devin-ai"]

# Equal to dockerRepository and dockerImageTag in metadata.yaml.
LABEL io.airbyte.name="source-devin-ai/source-devin-ai"
LABEL io.airbyte.version="0.1.0"
