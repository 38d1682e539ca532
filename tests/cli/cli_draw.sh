#!/bin/sh
# --draw and --sheet write pictures of their own, the same for any number of threads, over no input
. tests/mission/lib.sh
forest=$digits/forest.joblib
magic() { head -c 8 "$1" | od -An -tx1 | tr -d ' \n'; }

run "$uncork" predict "$forest" "$digits" --draw "$work/drawn" --sheet "$work/sheet.png"
expect 0 'digit_3.png: 3 0.7405'
for i in 0 1 2 3 4 5 6 7 8 9; do
    [ "$(magic "$work/drawn/digit_$i.png")" = 89504e470d0a1a0a ] || fail "digit_$i.png isn't a PNG"
done
[ "$(magic "$work/sheet.png")" = 89504e470d0a1a0a ] || fail "the sheet isn't a PNG"

# the same bytes with one thread and with several
run "$uncork" predict "$forest" "$digits" --draw "$work/again" --sheet "$work/again.jpg" --threads 1
expect 0 ''
diff -r "$work/drawn" "$work/again" || fail "one thread draws otherwise"
[ "$(magic "$work/again.jpg" | cut -c1-6)" = ffd8ff ] || fail "the sheet isn't a JPEG"

# two inputs of one name get two files; what can't be read has an error line, the rest is drawn
mkdir "$work/in"
cp "$digits/digit_3.png" "$work/in/digit_7.png"
printf 'P5 8 8 16\n' >"$work/in/digit_8.pgm"
head -c 64 /dev/zero >>"$work/in/digit_8.pgm"
printf broken >"$work/in/bad.png"
run "$uncork" predict "$forest" "$digits/digit_7.png" "$work/in/digit_7.png" "$work/in/bad.png" \
    "$work/in/digit_8.pgm" --draw "$work/two" --sheet "$work/two.png" --quiet
expect 1 'bad.png: this is no picture'
[ "$(ls "$work/two" | tr '\n' ' ')" = 'digit_7.png digit_7_2.png digit_8.png ' ] || fail "drawn: $(ls "$work/two")"
cmp -s "$work/two/digit_7.png" "$work/two/digit_7_2.png" && fail "two inputs, one drawing"
[ -s "$work/two.png" ] || fail "no sheet"

# standard input
run "$uncork" predict "$forest" - --draw "$work/in2" <"$digits/digit_3.png"
expect 0 ''
cmp -s "$work/in2/stdin.png" "$work/drawn/digit_3.png" || fail "standard input is drawn otherwise"

# masks and keypoints lie on the picture: each model draws its own
photo=tests/fixtures/draw/small.jpg
for model in segment mask heatmaps logits; do
    run "$uncork" predict "tests/fixtures/outputs/$model.onnx" "$photo" --draw "$work/$model" --quiet
    expect 0 'small.jpg: '
    for other in segment mask heatmaps logits; do
        [ "$other" = "$model" ] || [ ! -e "$work/$other" ] ||
            ! cmp -s "$work/$model/small.jpg" "$work/$other/small.jpg" || fail "$model is drawn as $other"
    done
done

# a picture is drawn as the preprocessing turned it: 240 x 180, upright 180 x 240
size() { od -An -v -tx1 "$1" | tr -d ' \n' | grep -o 'ffc00011080[0-9a-f]\{7\}' | cut -c11-18; }
turned=tests/fixtures/draw/turned.jpg
boxes=tests/fixtures/draw/od_boxes.onnx
run "$uncork" predict "$boxes" "$turned" --draw "$work/as-stored" --quiet
expect 0 ''
[ "$(size "$work/as-stored/turned.jpg")" = 00b400f0 ] || fail "as stored: $(size "$work/as-stored/turned.jpg")"
run "$uncork" predict "$boxes" "$turned" --draw "$work/upright" --quiet \
    --preprocess 'rgb | exif | resize=64x64,bilinear,pillow | nhwc'
expect 0 '0.9800 [3.6 12.0 28.8 40.8]' # of 180 x 240
[ "$(size "$work/upright/turned.jpg")" = 00f000b4 ] || fail "upright: $(size "$work/upright/turned.jpg")"

# more than a page
i=0
while [ $i -lt 201 ]; do
    echo "$digits/digit_$((i % 10)).png"
    i=$((i + 1))
done >"$work/list"
run "$uncork" predict "$forest" "@$work/list" --sheet "$work/many.png"
expect 0 "note: 2 sheets of 200 pictures: $work/many.png to $work/many_2.png"
[ -s "$work/many_2.png" ] || fail "no second page"

# no input is written over, and what can't be is said before any work
refuse() {
    text=$1
    shift
    run "$uncork" predict "$forest" "$@"
    expect 2 "$text"
    one_line
}
refuse 'which is read: give another' "$digits/digit_3.png" --draw "$digits"
refuse 'the file is read: give another' "$work/in/digit_7.png" --sheet "$work/in/digit_7.png"
refuse 'is a file, not a folder' "$digits/digit_3.png" --draw "$work/sheet.png"
refuse 'a sheet is a .png or a .jpg' "$digits/digit_3.png" --sheet "$work/sheet.gif"
refuse "there is no folder $work/none" "$digits/digit_3.png" --sheet "$work/none/sheet.png"
refuse "--draw-style can't be 'nice'" "$digits/digit_3.png" --draw "$work/x" --draw-style nice
refuse '--draw-style goes with' "$digits/digit_3.png" --draw-style od
[ ! -e "$work/x" ] || fail "a folder was made all the same"

# an answer that is a picture of its own isn't drawn
run "$uncork" predict tests/fixtures/outputs/upscale.onnx "$photo" --draw "$work/upscale"
expect 0 "1 pictures aren't drawn"
[ ! -e "$work/upscale/small.jpg" ] || fail "the input was copied"

# rows have no picture
run "$uncork" predict "$digits/iris_boosting.pkl" "$digits/iris.csv" --draw "$work/rows"
expect 0 'are rows, not pictures'

# a link planted in the folder is replaced, what it points to stays
mkdir "$work/planted"
printf 'precious' >"$work/precious"
for name in digit_3.png digit_7.png; do
    ln -s "$work/precious" "$work/planted/$name"
done
run "$uncork" predict "$forest" "$digits/digit_3.png" --draw "$work/planted" --quiet
expect 0 ''
[ "$(magic "$work/planted/digit_3.png")" = 89504e470d0a1a0a ] || fail "digit_3.png isn't a PNG"
run "$uncork" preprocess "$digits/digit_7.png" --preprocess 'gray | resize=8x8,box,pillow' -o "$work/planted" --quiet
expect 0 ''
[ ! -L "$work/planted/digit_7.png" ] || fail 'a link was written through'
[ "$(cat "$work/precious")" = precious ] || fail 'a planted link was written through'
