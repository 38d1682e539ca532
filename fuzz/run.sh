#!/bin/sh
# Runs every fuzz target for a while on a scratch copy of its seeds. Run from the source root:
#
#   fuzz/run.sh [seconds a target, default 60] [target ...]
#
# One line a target: runs and crashes. Inputs that crash are kept in build/fuzz/crashes/. Fails when
# there is one.
set -u
seconds=${1:-60}
[ $# -gt 0 ] && shift
cd "$(dirname "$0")/.." || exit 2
targets=${*:-$(for f in fuzz/fuzz_*.c; do basename "$f" .c | sed 's/^fuzz_//'; done)}

cmake --preset fuzz >/dev/null || exit 2
for name in $targets; do
    cmake --build build/fuzz --target "fuzz_$name" >build/fuzz/build.log 2>&1 || {
        tail -20 build/fuzz/build.log
        exit 2
    }
done

failed=0
crashes=build/fuzz/crashes
mkdir -p $crashes
for name in $targets; do
    corpus=$(mktemp -d)
    seeds=fuzz/seeds/$name
    [ -d "$seeds" ] || seeds=fuzz/seeds/${name%%_*} # image_opencv: pictures
    [ -d "$seeds" ] || seeds=tests/fixtures/$name # of importers: the small ones
    [ -d "$seeds" ] && find "$seeds" -type f -size -40k -exec cp {} "$corpus" \;
    before=$(find $crashes -type f | wc -l)
    set -- -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
        -artifact_prefix="$crashes/$name-"
    [ -f "fuzz/dict/$name.dict" ] && set -- "$@" -dict="fuzz/dict/$name.dict"
    "build/fuzz/fuzz_$name" "$@" "$corpus" >"build/fuzz/$name.log" 2>&1
    status=$?
    runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "build/fuzz/$name.log")
    found=$(($(find $crashes -type f | wc -l) - before))
    echo "$name: ${runs:-?} runs, $found crashes"
    if [ $status -ne 0 ]; then
        failed=1
        grep -m 3 -E 'ERROR|SUMMARY|runtime error' "build/fuzz/$name.log"
    fi
    rm -rf "$corpus"
done
exit $failed
