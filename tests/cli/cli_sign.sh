#!/bin/sh
# a signed artifact verifies by its key alone, and one that was changed, or signed by another, doesn't
. tests/mission/lib.sh
command -v openssl >/dev/null 2>&1 || { echo "skipped: no openssl here to make keys"; exit 0; }
model=tests/fixtures/onnx/layers.onnx
for k in ours theirs; do
    openssl genpkey -algorithm ed25519 -out "$work/$k.pem" 2>/dev/null
    openssl pkey -in "$work/$k.pem" -pubout -out "$work/$k.pub" 2>/dev/null
done
run "$uncork" pack "$model" -o "$work/a.cork" --sign "$work/ours.pem" --quiet
expect 0 ""
run "$uncork" pack "$model" -o "$work/b.cork" --sign "$work/ours.pem" --quiet
cmp -s "$work/a.cork" "$work/b.cork" || fail "the same key and model gave other bytes"
run "$uncork" verify "$work/a.cork" --key "$work/ours.pub"
expect 0 ""
run "$uncork" verify "$work/a.cork"
expect 0 ""
run "$uncork" verify "$work/a.cork" --key "$work/theirs.pub"
expect 1 "isn't that of"
one_line
python3 tests/cli/cork_tools.py contract "$work/a.cork" "$work/c.cork" shape Shape
run "$uncork" verify "$work/c.cork" --key "$work/ours.pub"
expect 1 "isn't that of"
run "$uncork" pack "$model" -o "$work/d.cork" --quiet
run "$uncork" verify "$work/d.cork" --key "$work/ours.pub"
expect 1 "isn't signed"
run "$uncork" pack "$model" -o "$work/e.cork" --sign "$work/ours.pub"
expect 1 "no Ed25519 private key"
[ ! -e "$work/e.cork" ] || fail "an artifact was left behind"
run "$uncork" verify "$work/a.cork" --sign "$work/ours.pem"
expect 2 "doesn't sign"
