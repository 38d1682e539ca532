#!/usr/bin/env python3
"""Makes docs/sklearn.md: every class of scikit-learn 0.18 to 1.9, its methods, and whether the genuine
library's answers come out, version by version.

    UC_TABLE=build/estimators.tsv build/dev/test_estimators
    tools/gen_sklearn_table.py build/estimators.tsv > docs/sklearn.md
    tools/gen_sklearn_table.py --missing build/estimators.tsv    only what isn't passed

Sources: src/import/sklearn/sk_table.def (what is known), tests/fixtures/sklearn/classes.tsv (what each
release has), the table that test_estimators writes (what passed)."""
import collections, pathlib, re, sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
VERSIONS = ["0.%d" % n for n in range(18, 25)] + ["1.%d" % n for n in range(10)]
METHODS = ["predict", "predict_proba", "predict_log_proba", "decision_function", "transform", "score_samples", "kneighbors"]
BITS = {"P": 0, "PP": 1, "LP": 2, "DF": 3, "T": 4, "SS": 5, "KN": 6}
# They hand every call to the estimator inside: a method without a case of its own is that one's.
WRAPPERS = {"GridSearchCV", "RandomizedSearchCV", "HalvingGridSearchCV", "HalvingRandomSearchCV", "FrozenEstimator",
            "Pipeline", "MultiOutputClassifier", "SelfTrainingClassifier"}
OTHER = {"xgboost", "lightgbm", "imblearn"}


def table_rows():
    text = (ROOT / "src/import/sklearn/sk_table.def").read_text()
    rows = {}
    for m in re.finditer(r'SK\(\s*"([^"]+)",\s*"([^"]+)",\s*([^,]+),\s*(\w+),\s*(NULL|"(?:[^"\\]|\\.)*")\s*\)', text):
        methods = {METHODS[BITS[b]] for b in re.findall(r"SK_M_(\w+)", m[3])}
        rows[m[1], m[2]] = (methods, None if m[5] == "NULL" else m[5][1:-1])
    return rows


def releases():
    have = collections.defaultdict(set)
    for line in (ROOT / "tests/fixtures/sklearn/classes.tsv").read_text().splitlines():
        package, name, method, ranges = line.split("\t")
        for part in ranges.split(","):
            first, last = (part.split("-") * 2)[:2]
            have[package, name, method].update(VERSIONS[VERSIONS.index(first):VERSIONS.index(last) + 1])
    return have


def results(path):
    got = collections.defaultdict(list)
    for line in pathlib.Path(path).read_text().splitlines():
        version, module, name, method, case, result, why = (line.split("\t") + [""])[:7]
        if method == "?" and name == "Booster":  # a native model: its default output is its prediction
            method = "predict"
        if method not in METHODS:
            continue
        parts = module.split(".")
        package = parts[1] if parts[0] == "sklearn" and len(parts) > 1 else parts[0]
        minor = ".".join(version.replace("py2", "").split(".")[:2]) if version[0].isdigit() else version
        got[package, name, method, minor].append((result, case, why))
    return got


def cell(key, version, have, got, rows, reasons):
    """One cell: its sign; reasons collects what stands under the table."""
    package, name, method = key
    found = got.get(key + (version,))
    known = rows.get((package, name))
    if found:
        bad = [f for f in found if f[0] != "pass"]
        if not bad:
            return "✓"
        why = re.sub(r"^%s \([^)]*\): " % re.escape(name), "", bad[0][2]) or "differs"
        reasons.setdefault(why, []).append((name, method, version))
        return "✗" if len(bad) == len(found) else "(✓)"
    if key in have and version not in have[key] or (key not in have and package not in OTHER):
        return "–"
    if not known or method not in known[0]:
        why = known[1] if known and known[1] else "not translated yet" if not known else "this method isn't translated"
        reasons.setdefault(why, []).append((name, method, version))
        return "✗"
    return "✓*"


def main(path, only_missing):
    rows, have, got = table_rows(), releases(), results(path)
    keys = set(have) | {(p, n, m) for (p, n), (methods, _) in rows.items() for m in methods if p in OTHER or n == "FrozenEstimator"}
    keys |= {(p, n, m) for (p, n, m, v) in got if (p, n) in rows and not n.startswith("_")}
    packages = sorted({k[0] for k in keys})
    counts, reasons = collections.Counter(), {}
    lines = []
    for package in (p for p in packages if p not in OTHER):
        lines += ["", "## " + package, "", "| class | method | " + " | ".join(VERSIONS) + " |",
                  "|---|---|" + "---|" * len(VERSIONS)]
        own = {}
        for key in sorted((k for k in keys if k[0] == package), key=lambda k: (k[1], METHODS.index(k[2]))):
            signs = [cell(key, v, have, got, rows, own) for v in VERSIONS]
            counts.update(signs)
            if not only_missing or "✗" in signs or "(✓)" in signs:
                lines.append("| %s | %s | %s |" % (key[1], key[2], " | ".join(signs)))
        notes = [(n, rows[package, n][1]) for (p, n) in sorted(rows) if p == package and rows[p, n][1]]
        for why, where in sorted(own.items()):
            what = sorted({(n, m) for n, m, v in where})
            span = sorted({v for n, m, v in where}, key=VERSIONS.index)
            lines.append("- ✗ %s (%s): %s" % (", ".join("%s.%s" % w for w in what[:6]) + (", ..." if len(what) > 6 else ""),
                                             span[0] if len(span) == 1 else span[0] + " to " + span[-1], why))
        lines += ["- %s: %s" % n for n in notes]
        reasons.update(own)
    for package in sorted(OTHER):
        lines += ["", "## " + package, "", "| class | method | its releases whose files pass |", "|---|---|---|"]
        for (p, name), (methods, note) in sorted(rows.items()):
            for method in sorted(methods, key=METHODS.index) if p == package else ():
                passed = sorted({v for (q, n, m, v), found in got.items() if (q, n, m) == (p, name, method)
                                 and all(f[0] == "pass" for f in found)}, key=lambda v: [int(x) for x in re.findall(r"\d+", v)])
                text = ", ".join(re.sub(r"^[a-z]+", "", v) for v in passed) or "no case here: it hands the call to the estimator inside"
                lines.append("| %s | %s | %s |" % (name, method, text))
            if p == package and note:
                lines.append("- %s: %s" % (name, note))
    total = sum(counts.values())
    print("# scikit-learn in uncork\n")
    print("Made by tools/gen_sklearn_table.py from the import table and the results of test_estimators. Each class, each")
    print("method, each release: what genuine scikit-learn of that release saved and answered, against what uncork gives.\n")
    print("- ✓ every case of that release gives the library's labels on every row, and its numbers within 1e-9 relative + 1e-12")
    print("  (float32 results and a few classes more loosely: the table at the top of tests/import/test_estimators.c says which and why).")
    print("- ✓* no case of that release: a wrapper hands the call to the estimator inside, or the same code passes in the releases beside it.")
    print("- (✓) some cases pass; what doesn't is noted below the table. ✗ missing, with the reason. – that release has no such class or method.\n")
    print("%d cells: %d ✓, %d ✓*, %d (✓), %d ✗, %d –." % (total, counts["✓"], counts["✓*"], counts["(✓)"], counts["✗"], counts["–"]))
    print("\n".join(lines))


if __name__ == "__main__":
    paths = [a for a in sys.argv[1:] if not a.startswith("--")]
    if len(paths) != 1:
        sys.exit(__doc__)
    main(paths[0], "--missing" in sys.argv)
