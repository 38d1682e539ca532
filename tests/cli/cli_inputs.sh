#!/bin/sh
# folders, @lists, standard input and single files give the same lines; one bad picture stops nothing
. tests/mission/lib.sh
model=$digits/model_and_scaler.pkl
"$uncork" predict "$model" "$digits" --quiet >"$work/folder" || fail "folder"
[ "$(grep -c . "$work/folder")" = 10 ] || fail "ten lines: $(cat "$work/folder")"
ls "$digits"/digit_*.png >"$work/list"
"$uncork" predict "$model" "@$work/list" --quiet >"$work/listed" || fail "list"
cmp -s "$work/folder" "$work/listed" || fail "a list differs from the folder"
"$uncork" predict "$model" "$digits"/digit_*.png --quiet --batch 3 --threads 2 >"$work/files" || fail "files"
cmp -s "$work/folder" "$work/files" || fail "batches differ"
"$uncork" predict "$model" - --quiet <"$digits/digit_4.png" >"$work/stdin" || fail "standard input"
grep -q '^-: 4 ' "$work/stdin" || fail "standard input: $(cat "$work/stdin")"
mkdir "$work/empty"
run "$uncork" predict "$model" "$work/empty"
expect 1 'no picture'
