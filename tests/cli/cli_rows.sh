#!/bin/sh
# tables as pandas, R, spreadsheets and numpy.savetxt write them; what can't be read says why, once
. tests/mission/lib.sh
model=$data/table.pkl
probabilities() { # of the last run, in the rows' order
    sed 's/.*"probabilities":\(\[[^]]*\]\).*/\1/' "$work/out"
}
same() { # same FILE: the answers of table.csv
    run "$uncork" predict "$model" "$1" --json --quiet
    expect 0 '"label"'
    probabilities >"$work/got"
    cmp -s "$work/want" "$work/got" || fail "$1 differs: $(cat "$work/got")"
}
run "$uncork" predict "$model" "$data/table.csv" --json --quiet
probabilities >"$work/want"

printf '"port","zip","fare","age"\n"C","01234","10.5","30"\n"S","90210","80","4"\n"Q","99999","30","61"\n' >"$work/quoted.csv"
same "$work/quoted.csv"
printf ',port,zip,fare,age\n0,C,01234,10.5,30\n1,S,90210,80,4\n2,Q,99999,30,61\n' >"$work/index.csv"
same "$work/index.csv"
printf '{"port":"C","zip":"01234","fare":10.5,"age":30}\n{"port":"S","zip":"90210","fare":80,"age":4}\n\n{"age":61,"fare":30,"zip":"99999","port":"Q"}\n' >"$work/lines.jsonl"
same "$work/lines.jsonl"
printf '{"schema":{"fields":[]},"data":[{"port":"C","zip":"01234","fare":10.5,"age":30},{"port":"S","zip":"90210","fare":80,"age":4},{"port":"Q","zip":"99999","fare":30,"age":61}]}' >"$work/table.json"
same "$work/table.json"

# what pandas.read_csv takes for a missing value is one, whichever word it is
for word in '' NA NaN NULL null None '<NA>' '"NA"'; do
    printf 'port,zip,fare,age\n%s,01234,10.5,30\nC,90210,%s,4\n' "$word" "$word" >"$work/missing.csv"
    run "$uncork" predict "$model" "$work/missing.csv" --json --quiet
    expect 1 'missing.csv:2: a value is missing'
    sed 1q "$work/out" >"$work/got"
    [ -s "$work/missing" ] || cp "$work/got" "$work/missing"
    cmp -s "$work/missing" "$work/got" || fail "'$word' is another row: $(cat "$work/got")"
done
# records may leave out what they have no value for
printf '[{"zip":"90210","age":4,"fare":80},{"port":"C","zip":"01234","age":30}]' >"$work/records.json"
run "$uncork" predict "$model" "$work/records.json" --json --quiet
expect 1 'records.json:2: a value is missing'
expect 1 'records.json:1","label"'

# another encoding would silently be another category
printf 'port,zip,fare,age\nC,01234,1,3\nZ\374rich,1,2,3\n' >"$work/latin1.csv"
run "$uncork" predict "$model" "$work/latin1.csv"
expect 1 'line 3 is not UTF-8'
one_line
run "$uncork" predict "$model" "$work/rows.xlsx"
expect 2 '.jsonl'

# columns by their places, one of them used by nothing (scikit-learn 0.20 keeps no names)
run "$uncork" predict "$data/places.pkl" "$data/places.csv" --json --quiet
expect 0 '"label"'
python3 "$here/compare.py" "$work/out" "$data/places.expected.json" 1e-9 || fail "places differ"

# numbers: numpy.savetxt's spaces, a missing value, a wrong width said once
numbers=tests/fixtures/bundles/names.pkl
printf '0.000000000000000000e+00 1.000000000000000000e+00\n2.0 3.0\n' >"$work/savetxt.txt"
run "$uncork" predict "$numbers" "$work/savetxt.txt" --quiet
expect 0 'savetxt.txt:2: mid '
[ "$(grep -c . "$work/out")" = 2 ] || fail "two rows: $(cat "$work/out")"
printf '1,2\n,2\n4,5\n' >"$work/gap.csv"
run "$uncork" predict "$numbers" "$work/gap.csv" --csv --quiet
expect 1 'gap.csv:2,,,,,"a value is missing'
[ "$(grep -c . "$work/out")" = 4 ] || fail "a header and three records: $(cat "$work/out")"
printf '{"X": [[1, 2], [4, 5]]}' >"$work/x.json"
run "$uncork" predict "$numbers" "$work/x.json" --quiet
expect 0 'x.json:2: top '
python3 - "$work/wide.npy" <<'P'
import struct, sys
head = "{'descr': '<f8', 'fortran_order': False, 'shape': (3, 5), }"
head += ' ' * (118 - len(head) - 1) + '\n'
open(sys.argv[1], 'wb').write(b'\x93NUMPY\1\0' + struct.pack('<H', 118) + head.encode() + bytes(120))
P
run "$uncork" predict "$numbers" "$work/wide.npy"
expect 1 'another size'
one_line

# names beside the model are those of the answers, scores included
run "$uncork" predict tests/fixtures/bundles/encoder.pkl "$work/x.json" --quiet
expect 0 'x.json:2: top 1.0000'
run "$uncork" predict "$numbers" "$work/x.json" --json
expect 0 '"name":"top"'
expect 0 "pickle['classes'] names the 3 classes"
