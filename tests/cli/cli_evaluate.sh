#!/bin/sh
# evaluate's figures are scikit-learn's on the same pictures (tests/fixtures/gen/evaluate_digits.py)
. tests/mission/lib.sh
fixtures=tests/fixtures/evaluate

run "$uncork" evaluate "$fixtures/tree.pkl" "$fixtures/digits"
expect 0 'accuracy 70.00 % (42 of 60), top-5 90.00 %'
expect 0 'macro average        0.7697  0.6848  0.7049        60'
expect 0 'weighted average     0.7380  0.7000  0.6994        60'
expect 0 '8                 .  2  .  .  1  .  .  .  2  2'
expect 0 'note: preprocessing: gray | resize=8x8'

# a table of paths and labels, which count from its folder
run "$uncork" evaluate "$fixtures/tree.pkl" "$fixtures/digits.csv" --quiet
expect 0 'accuracy 70.00 % (42 of 60), top-5 90.00 %'

# every number, where Python is there
run "$uncork" evaluate "$fixtures/tree.pkl" "$fixtures/digits" --json --threads 1
expect 0 '"confusion_matrix":[[5,0,0,0,1,'
cp "$work/out" "$work/report.json"
if command -v python3 >/dev/null; then
    python3 - "$work/report.json" "$fixtures/expected.json" <<'PY' || fail "not scikit-learn's figures"
import json, sys
got, want = (json.load(open(p)) for p in sys.argv[1:])
def same(a, b):
    if isinstance(b, dict): return all(k == "scikit-learn" or same(a[k], v) for k, v in b.items())
    if isinstance(b, list): return len(a) == len(b) and all(map(same, a, b))
    return abs(a - b) <= 1e-15 if isinstance(b, float) else a == b
sys.exit(not same(got, want))
PY
fi

# files: the same report, a line a picture, the matrix
run "$uncork" evaluate "$fixtures/tree.pkl" "$fixtures/digits" --output "$work/report" --threads 2
expect 0 ''
cmp -s "$work/report/report.json" "$work/report.json" || fail "report.json isn't what --json prints"
[ "$(grep -c . "$work/report/predictions.csv")" = 61 ] || fail "not a line a picture"
grep -q "^$fixtures/digits/0/1229.png,0,4,1.0,false$" "$work/report/predictions.csv" || fail "$(cat "$work/report/predictions.csv")"
[ "$(head -c 4 "$work/report/confusion.png" | tail -c 3)" = PNG ] || fail "no confusion.png"
run "$uncork" evaluate "$fixtures/tree.pkl" "$fixtures/digits" --csv --quiet
expect 0 'label,precision,recall,f1,support'
[ "$(grep -c . "$work/out")" = 11 ] || fail "not a line a class: $(cat "$work/out")"

# rows: a table with a column of labels, which the model doesn't take
printf 'setosa\nsetosa\nversicolor\nvirginica\nvirginica\n' >"$work/species"
echo "$(head -1 "$digits/iris.csv"),species" >"$work/iris.csv"
sed 1d "$digits/iris.csv" | paste -d, - "$work/species" >>"$work/iris.csv"
run "$uncork" evaluate "$digits/iris_boosting.pkl" "$work/iris.csv" --quiet
expect 0 '5 rows of 3 classes'
expect 0 'accuracy 80.00 % (4 of 5)'
expect 0 'versicolor           0.5000  1.0000  0.6667         1'

# names: the folders' order where the model has none, --labels else; a folder that means nothing
cp -r "$fixtures/digits" "$work/named"
i=0
for name in null eins zwei drei vier fuenf sechs sieben acht neun; do
    mv "$work/named/$i" "$work/named/$name"
    echo "$name"
    i=$((i + 1))
done >"$work/labels.txt"
run "$uncork" evaluate "$fixtures/tree.pkl" "$work/named"
expect 0 "'acht' is class 0, as Keras and torchvision number folders"
run "$uncork" evaluate "$fixtures/tree.pkl" "$work/named" --labels "$work/labels.txt"
expect 0 'accuracy 70.00 % (42 of 60)'
expect 0 'sieben               0.7500  0.6000  0.6667         5'
mv "$work/named/null" "$work/named/nix"
run "$uncork" evaluate "$fixtures/tree.pkl" "$work/named" --labels "$work/labels.txt" --quiet
expect 1 "folder 'nix' is none of the model's 10 classes: its 6 pictures don't count"
expect 1 '54 pictures of 9 classes, 6 more failed'
[ "$(grep -c . "$work/err")" = 1 ] || fail "not one line: $(cat "$work/err")"

# a network counts as its answers say
i=0
while [ $i -lt 10 ]; do
    mkdir -p "$work/net/$((i % 5))"
    cp "$digits/digit_$i.png" "$work/net/$((i % 5))/"
    i=$((i + 1))
done
network=tests/fixtures/outputs/logits.onnx
run "$uncork" predict "$network" "$work"/net/*/*.png --csv --quiet --top 1
cp "$work/out" "$work/answers.csv"
right=$(sed 1d "$work/answers.csv" | awk -F, '{ n = split($1, part, "/"); if (part[n - 1] == $3) right++ } END { print right + 0 }')
run "$uncork" evaluate "$network" "$work/net" --quiet
expect 0 "($right of 10)"

# a broken picture is said and counted
cp -r "$fixtures/digits" "$work/digits"
printf broken >"$work/digits/3/broken.png"
run "$uncork" evaluate "$fixtures/tree.pkl" "$work/digits" --quiet
expect 1 'digits/3/broken.png: this is no picture'
expect 1 '60 pictures of 10 classes, 1 more failed'

# what can't be evaluated is one line
mkdir "$work/one"
cp -r "$fixtures/digits/3" "$work/one/cat"
run "$uncork" evaluate "$fixtures/tree.pkl" "$work/one"
expect 2 "folder 'cat' is none of the model's 10 classes: 0, 1, 2, 3, 4, ...; --labels FILE says"
one_line
run "$uncork" evaluate "$fixtures/tree.pkl" "$fixtures/digits/3"
expect 2 'no folder with pictures in it'
one_line
run "$uncork" evaluate "$fixtures/tree.pkl"
expect 2 'evaluate takes a model and labelled pictures'
one_line
