#!/bin/sh
# Installs the release build into a scratch folder and builds a small program against it twice: through
# pkg-config and through the CMake package.
set -eu
cd "$(dirname "$0")/../.."
root=$PWD
to=$(mktemp -d)
trap 'rm -rf "$to"' EXIT
cmake --install build/release --prefix "$to/usr" >/dev/null
export PKG_CONFIG_PATH="$to/usr/lib/pkgconfig:$(find "$to/usr" -type d -name pkgconfig | head -1)"
cc tests/install/program.c $(pkg-config --cflags --libs uncork) -o "$to/by_pkg_config"
library=$(dirname "$(find "$to/usr" -name 'libuncork.so' | head -1)")
LD_LIBRARY_PATH=$library "$to/by_pkg_config" "$root/examples/digits/iris_boosting.pkl"
cmake -S tests/install -B "$to/build" -DCMAKE_PREFIX_PATH="$to/usr" >/dev/null
cmake --build "$to/build" >/dev/null
LD_LIBRARY_PATH=$library "$to/build/by_cmake" "$root/examples/digits/iris_boosting.pkl"
"$to/usr/bin/uncork" --version >/dev/null
