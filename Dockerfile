# The image of the connector: the program, the libraries that it is linked to, root certificates and a small shell.
#
#   docker build --build-arg COMMIT="$(git rev-parse HEAD)" --tag source-devin-ai .
#
# docs/container.md says how to use it, tests/image/run builds it and tries it.

# 1 is the newest compiler: its standard library brings corrections, and Cargo.lock pins everything else that is compiled.
# For the compiler of an earlier build, name its version: --build-arg RUST=1.95.
ARG RUST=1

FROM rust:${RUST}-slim-bookworm AS build
WORKDIR /build
# The dependencies first, for an empty program without benchmarks: compiled again only when the manifest changes. What is
# left of that program goes, so that no file's age decides whether the real one is compiled.
COPY Cargo.toml Cargo.lock ./
COPY crates/redact/Cargo.toml crates/redact/
RUN mkdir src crates/redact/src \
    && touch src/lib.rs crates/redact/src/lib.rs \
    && echo 'fn main() {}' > src/main.rs \
    && sed --in-place '/^\[\[bench\]\]$/,/^$/d' Cargo.toml \
    && cargo build --release --locked \
    && cargo clean --release --locked --package source-devin-ai --package redact
COPY . .
ARG COMMIT=
RUN SOURCE_DEVIN_AI_COMMIT="$COMMIT" cargo build --release --locked

# The image's files, from Debian's packages, in the base that is there already. The platform starts connectors with a shell
# and its tools, and people look into containers: busybox has all of that in 2 MB. No package manager, no compiler, nothing
# that the program does not use. glibc rather than a static musl: its allocator is what the program was measured with.
FROM rust:${RUST}-slim-bookworm AS files
RUN apt-get update \
    && apt-get install --yes --no-install-recommends busybox-static ca-certificates libc6 libgcc-s1
COPY --from=build /build/target/release/source-devin-ai /airbyte/source-devin-ai
WORKDIR /image
RUN set -eu; \
    mkdir --parents bin etc/ssl/certs var/lib/dpkg/status.d; \
    install --directory --mode=1777 tmp; \
    cp --dereference --parents $(ldd /airbyte/source-devin-ai | grep --only-matching '/[^ ]*') .; \
    for applet in $(busybox --list); do ln --symbolic busybox "bin/$applet"; done; \
    cp --remove-destination "$(command -v busybox)" bin/busybox; \
    cp /etc/ssl/certs/ca-certificates.crt etc/ssl/certs; \
    cp --dereference /etc/os-release etc; \
    echo 'hosts: files dns' > etc/nsswitch.conf; \
    printf '%s\n' 'root:x:0:0:root:/:/bin/sh' 'airbyte:x:1000:1000:airbyte:/airbyte:/bin/sh' > etc/passwd; \
    printf '%s\n' 'root:x:0:' 'airbyte:x:1000:' > etc/group; \
    # Their licenses, and what scanners of images ask for: which package in which version.
    for package in busybox-static ca-certificates libc6 libgcc-s1; do \
        cp --dereference --parents "/usr/share/doc/$package/copyright" .; \
        dpkg-query --status "$package" > "var/lib/dpkg/status.d/$package"; \
    done

FROM scratch
COPY --from=files /image /
COPY --from=files --chown=1000:1000 /airbyte /airbyte
COPY LICENSE /usr/share/doc/source-devin-ai/copyright
WORKDIR /airbyte
# By number, because a cluster that wants no root cannot tell from a name; it is the user airbyte.
USER 1000:1000
ENV PATH="/airbyte:/bin"

# The platform starts the connector through a shell, from another directory: the path is absolute.
ENV AIRBYTE_ENTRYPOINT="/airbyte/source-devin-ai"
ENTRYPOINT ["/airbyte/source-devin-ai"]

# Equal to dockerRepository and dockerImageTag in metadata.yaml.
LABEL io.airbyte.name="source-devin-ai/source-devin-ai"
LABEL io.airbyte.version="0.1.0"
LABEL org.opencontainers.image.title="source-devin-ai"
LABEL org.opencontainers.image.description="An Airbyte source for Devin, the AI software engineer, and a relay from alerts to Devin sessions"
LABEL org.opencontainers.image.licenses="MIT"
LABEL org.opencontainers.image.version="0.1.0"
ARG COMMIT=
LABEL org.opencontainers.image.revision="$COMMIT"
