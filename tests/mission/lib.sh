# Shared by the rows' scripts: where things are, and what a check prints when it fails.
set -u
uncork=${UNCORK_BIN:-build/release/uncork}
here=tests/mission
data=tests/fixtures/mission
digits=examples/digits
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fail() {
    echo "$*"
    exit 1
}

# run COMMAND...: leaves $status, $work/out and $work/err.
run() {
    "$@" >"$work/out" 2>"$work/err"
    status=$?
}

# expect STATUS TEXT: the last run's exit status, and TEXT somewhere in what it printed.
expect() {
    [ "$status" = "$1" ] || fail "exit status $status, expected $1: $(cat "$work/err")"
    [ -z "$2" ] || cat "$work/out" "$work/err" | grep -qF -- "$2" || fail "no '$2' in: $(cat "$work/out" "$work/err")"
}

# one_line: the last run's standard error is one line, its standard output empty.
one_line() {
    [ "$(grep -c . "$work/err")" = 1 ] || fail "not one line: $(cat "$work/err")"
    [ ! -s "$work/out" ] || fail "output on failure: $(cat "$work/out")"
}

# published SCRIPT FORMAT: the reference answers of ../shared/models/FORMAT, compared by a Python with NumPy.
published() {
    folder=../shared/models/$2
    if [ ! -d "$folder" ]; then
        echo "$folder isn't here"
        exit 77
    fi
    for python in python3 /usr/bin/python3; do
        if "$python" -c 'import numpy' 2>/dev/null; then
            "$python" "$here/$1" "$uncork" "$folder" "$work"
            exit $?
        fi
    done
    echo "there is no Python with NumPy"
    exit 77
}

# exports: unpacks tests/fixtures/tensorflow/exports.zip into $work/exports; small genuine SavedModels, a photo.
exports() {
    for python in python3 /usr/bin/python3; do
        if "$python" -m zipfile -e tests/fixtures/tensorflow/exports.zip "$work/exports" 2>/dev/null; then
            exports=$work/exports
            photo=$exports/photo.jpg
            return
        fi
    done
    echo "there is no Python to unpack with"
    exit 77
}
