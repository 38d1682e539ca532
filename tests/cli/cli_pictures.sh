#!/bin/sh
# many pictures: order kept, bad ones told, batches, threads, standard input, lists, folders, files
. tests/mission/lib.sh
models=tests/fixtures/outputs
steps='rgb | scale=1/255 | nchw'

# one answer an input, in their order, whatever the threads and the batch; a bad one stops nothing
printf 'no picture' >"$work/bad.png"
: >"$work/list.txt"
for i in 1 2 3 4 5 6 7 8 9 10; do
    for name in noise dark slope; do echo "$models/$name.png"; done >>"$work/list.txt"
    [ $i = 4 ] && printf '%s\n%s\n' "$work/bad.png" "$work/absent.png" >>"$work/list.txt"
done
for threads in 1 2 5; do
    for batch in 1 3 32; do
        run "$uncork" predict "$models/softmax.onnx" "@$work/list.txt" --preprocess "$steps" --json --threads $threads --batch $batch
        [ "$status" = 1 ] || fail "exit status $status with a bad picture"
        [ -f "$work/first" ] || cp "$work/out" "$work/first"
        cmp -s "$work/out" "$work/first" || fail "other answers with $threads threads, batches of $batch"
        [ "$(grep -c '^uncork: ' "$work/err")" = 2 ] || fail "not a line for each bad picture: $(cat "$work/err")"
    done
done
python3 - "$work" <<'P' || exit 1
import json, sys
work = sys.argv[1]
names = open(work + "/list.txt").read().split()
lines = [json.loads(line) for line in open(work + "/out")]
assert [line["input"] for line in lines] == names
assert [i for i, line in enumerate(lines) if "error" in line] == [12, 13], lines[12:14]
P

# a batch that the model fixes is filled up
run "$uncork" predict "$models/two_a_run.onnx" "$models/noise.png" "$models/dark.png" "$models/slope.png" --preprocess "$steps" --top 1 --quiet
[ "$status" = 0 ] && [ "$(wc -l <"$work/out")" = 3 ] || fail "fixed batch: $(cat "$work/out" "$work/err")"

# a graph that takes one at a time behind a free axis
run "$uncork" predict "$models/one_a_run.onnx" "$models/noise.png" "$models/dark.png" --preprocess "$steps" --batch 2 --top 1 --quiet
[ "$status" = 0 ] && [ "$(wc -l <"$work/out")" = 2 ] || fail "one a run: $(cat "$work/out" "$work/err")"

# standard input, a folder (what is no picture is noted)
run sh -c "'$uncork' predict '$models/softmax.onnx' - --preprocess '$steps' --top 1 --quiet <'$models/noise.png'"
expect 0 '-: dog 0.9670'
run "$uncork" predict "$models/softmax.onnx" "$models" --preprocess "$steps" --top 1
expect 0 'files left out, no picture by their names (argmax.onnx, ...)'
[ "$(wc -l <"$work/out")" = 3 ] || fail "a folder of three: $(cat "$work/out")"
run "$uncork" predict "$models/softmax.onnx" "$models" --preprocess "$steps" --top 1 --quiet
[ -s "$work/err" ] && fail "notes with --quiet: $(cat "$work/err")"

# CSV has a header and a record an input
run "$uncork" predict "$models/softmax.onnx" "$work/bad.png" "$models/noise.png" --preprocess "$steps" --csv --top 2 --quiet
[ "$(head -1 "$work/out")" = 'input,label,index,score,label_2,index_2,score_2,error' ] || fail "header: $(head -1 "$work/out")"
grep -q "noise.png,dog,3,0.96.*,cat,4,0.03[0-9]*,$" "$work/out" || fail "record: $(cat "$work/out")"
[ "$(wc -l <"$work/out")" = 3 ] || fail "not three lines: $(cat "$work/out")"

# files of answers: vectors, masks, pictures; names of their own
mkdir "$work/a"
cp "$models/noise.png" "$work/a/noise.png"
run "$uncork" predict "$models/unit_norm.onnx" "$models/noise.png" "$work/a/noise.png" --preprocess "$steps" --quiet --json -o "$work/vectors"
expect 0 "\"file\":\"$work/vectors/noise_2.npy\""
cmp -s "$work/vectors/noise.npy" "$work/vectors/noise_2.npy" || fail "two vectors of one picture differ"
run "$uncork" predict "$models/segment.onnx" "$models/noise.png" --preprocess "$steps" --quiet --json -o "$work/masks"
expect 0 '"color":"#'
run "$uncork" predict "$models/softmax.onnx" "$work/masks/noise.png" --preprocess "$steps" --quiet
[ "$status" = 0 ] || fail "the mask is no picture: $(cat "$work/err")"
run "$uncork" predict "$models/upscale.onnx" "$models/noise.png" --preprocess "$steps" --quiet -o "$work/up"
expect 0 "written to $work/up/noise.png"

# a crop: what the model never saw has no class, and the rest adds up
run "$uncork" predict "$models/segment.onnx" examples/digits/digit_3.png --preprocess 'rgb | resize=48x48 | center_crop=32 | scale=1/255 | nchw' --quiet --json
python3 - "$work/out" <<'P' || exit 1
import json, sys
answer = json.load(open(sys.argv[1]))
seen = sum(c["share"] for c in answer["classes"])
assert 0.3 < seen < 0.6, seen  # (32 / 48) ** 2 is 0.44
P

# memory doesn't grow with the number of pictures
python3 - "$uncork" "$models" "$steps" "$work" <<'P' || exit 1
import os, resource, subprocess, sys
os.environ["ASAN_OPTIONS"] = "quarantine_size_mb=0"  # freed memory is given back
uncork, models, steps, work = sys.argv[1:]
def most(count):
    with open(work + "/many.txt", "w") as f:
        f.write((models + "/noise.png\n") * count)
    subprocess.run([uncork, "predict", models + "/softmax.onnx", "@" + work + "/many.txt", "--preprocess", steps, "--quiet"], check=True, stdout=subprocess.DEVNULL)
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
few, many = most(50), most(1000)
assert many <= few + 20 * 1024, (few, many)
P

# YCbCr without JPEG inside a TIFF (4 x 2, chroma halved both ways, deflate): as Pillow 13.0 gives it
printf '\111\111\052\000\010\000\000\000\014\000\000\001\003\000\001\000\000\000\004\000\000\000\001\001\003\000\001\000\000\000\002\000\000\000\002\001\003\000\003\000\000\000\236\000\000\000\003\001\003\000\001\000\000\000\010\000\000\000\006\001\003\000\001\000\000\000\006\000\000\000\021\001\004\000\001\000\000\000\324\000\000\000\025\001\003\000\001\000\000\000\003\000\000\000\026\001\003\000\001\000\000\000\002\000\000\000\027\001\004\000\001\000\000\000\024\000\000\000\034\001\003\000\001\000\000\000\001\000\000\000\022\002\003\000\002\000\000\000\002\000\002\000\024\002\005\000\006\000\000\000\244\000\000\000\000\000\000\000\010\000\010\000\010\000\000\000\000\000\001\000\000\000\377\000\000\000\001\000\000\000\200\000\000\000\001\000\000\000\377\000\000\000\001\000\000\000\200\000\000\000\001\000\000\000\377\000\000\000\001\000\000\000\170\234\143\110\345\210\112\232\261\364\365\346\377\121\213\000\036\251\006\000' >"$work/ycbcr.tif"
run "$uncork" preprocess "$work/ycbcr.tif" --preprocess 'decode=pillow' -o "$work/ycbcr" --quiet
expect 0 'uint8 [2, 4, 3]'
[ "$(tail -c 24 "$work/ycbcr/ycbcr.npy" | od -An -v -tu1 | tr -s ' \n' ' ')" = ' 34 0 0 135 94 48 213 154 98 255 224 168 42 1 0 124 83 37 227 168 112 255 244 188 ' ] || fail 'a YCbCr TIFF differs from Pillow'
