#!/bin/sh
# run.sh COMMAND: runs each row's script with UNCORK_BIN=COMMAND and prints the table of rows.
# A script exits 0 when the row holds, 77 when it can't be tried here (it says why), else it fails.
set -u
UNCORK_BIN=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
export UNCORK_BIN
cd "$(dirname "$0")/../.."
bad=0
for script in tests/mission/S*.sh; do
    row=$(basename "$script" .sh)
    what=$(sed -n '2s/^# *//p' "$script")
    log=$(mktemp)
    sh "$script" >"$log" 2>&1
    case $? in
    0) state=pass ;;
    77) state="skipped: $(tail -1 "$log")" ;;
    *)
        state=FAIL
        bad=$((bad + 1))
        ;;
    esac
    printf '%-7s %-8s %s\n' "$row" "$state" "$what"
    [ "$state" = FAIL ] && sed 's/^/        /' "$log"
    rm -f "$log"
done
[ "$bad" = 0 ]
