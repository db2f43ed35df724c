#!/bin/sh
# Makes ./configure. Needs autoconf, automake, libtool and pkg-config.
cd "$(dirname "$0")" && mkdir -p m4 build-aux && exec autoreconf --install --force
