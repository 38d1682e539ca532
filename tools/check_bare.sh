#!/bin/sh
# Every source outside the instruction-set files compiles with one bare compiler line (no CMake).
set -eu
cd "$(dirname "$0")/.."
flags="$(pkg-config --cflags libpng libjpeg libwebp libtiff-4 libopenjp2 freetype2 2>/dev/null || true)"
for file in $(find src -name '*.c' ! -name '*_avx2.c' ! -name '*_avx512.c' ! -name '*_vnni.c' ! -name '*_neon.c'); do
    cc -std=c11 -D_POSIX_C_SOURCE=200809L -Iinclude -Isrc $flags -fsyntax-only "$file"
done
