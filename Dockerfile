# Built in the image of the Swift toolchain, run in the Debian that this image is made of: the program carries Swift's
# libraries in itself.
FROM swift:6.3-bookworm AS build
WORKDIR /chaosrig
COPY scripts scripts
RUN scripts/install-missing build && rm -rf /var/lib/apt/lists/*
COPY Makefile Package.swift ./
COPY Sources Sources
COPY Tests Tests
RUN make install DESTDIR=/install

FROM debian:bookworm-slim
RUN apt-get update \
    && apt-get install --yes --no-install-recommends \
        iproute2 iptables libmicrohttpd12 libnetfilter-queue1 libpq5 libsqlite3-0 libssl3 libstdc++6 libyaml-0-2 \
    && rm -rf /var/lib/apt/lists/*
COPY --from=build /install /
WORKDIR /chaosrig
COPY faults faults
ENTRYPOINT ["chaosrig"]
CMD ["--help"]
