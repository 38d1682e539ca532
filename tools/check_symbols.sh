#!/bin/sh
# check_symbols.sh BUILD: the shared library exports uncork_* and nothing else.
set -eu
library=$(ls "$1"/libuncork.so | head -1)
other=$(nm -D --defined-only "$library" | awk '{print $3}' | grep -v '^uncork_' || true)
if [ -n "$other" ]; then
    echo "exported besides uncork_*:" $other
    exit 1
fi
nm -D --defined-only "$library" | grep -c ' uncork_'
