#!/usr/bin/env python3
"""uncork beside scikit-learn (and xgboost's and treelite's predictors where they are installed), in one
run on one thread, rounds interleaved: load, one row, 10,000 rows. Prints a table of ratios.

    OMP_NUM_THREADS=1 compare.py BENCH_MODEL        (needs scikit-learn and joblib)
"""
import json, os, statistics, subprocess, sys, tempfile, time

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"
import joblib
import numpy as np
import sklearn
from sklearn import datasets
from sklearn.ensemble import GradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.svm import SVC

bench = os.path.abspath(sys.argv[1])
X, y = datasets.load_digits(return_X_y=True)
many = np.tile(X, (6, 1))[:10000] + np.random.RandomState(0).normal(0, 0.1, (10000, 64))
models = {
    "logistic": LogisticRegression(max_iter=200), "forest100": RandomForestClassifier(100, random_state=0, n_jobs=1),
    "boosting": GradientBoostingClassifier(n_estimators=100, random_state=0), "svc_rbf": SVC(gamma=0.001),
    "knn": KNeighborsClassifier(n_jobs=1), "mlp": MLPClassifier((100,), max_iter=80, random_state=0),
}
folder = tempfile.mkdtemp(prefix="uncork-bench.")
many[0] = X[0]  # one row is a real picture: whole numbers, which the support vectors meet as such
np.save(folder + "/many.npy", many)
np.save(folder + "/noisy.npy", many[1:])
np.save(folder + "/many32.npy", many.astype(np.float32))


def best_of(f, rounds):
    times = []
    for _ in range(rounds):
        t = time.perf_counter()
        f()
        times.append(time.perf_counter() - t)
    return statistics.median(times), min(times)


def process(argv, rounds=9):
    return best_of(lambda: subprocess.run(argv, check=True, stdout=subprocess.DEVNULL), rounds)[0]


def ours(path, rows):
    return json.loads(subprocess.run([bench, path, rows], check=True, capture_output=True, text=True).stdout)


def table_row(name, peer, load, load_alone, row, all_rows, mine):
    us = mine["ready"]
    print("%-10s %-22s load %8.1f ms / %5.2f ms = %6.0fx (joblib.load alone %7.2f ms = %5.1fx)  one row %9.2f us / %7.3f us = %6.1fx  10,000 rows %8.2f ms / %8.3f ms = %5.1fx"
          % (name, peer, load * 1e3, us * 1e3, load / us, load_alone * 1e3, load_alone / us, row * 1e6, mine["row_us"], row * 1e6 / mine["row_us"],
             all_rows * 1e3, mine["all_ms"], all_rows * 1e3 / mine["all_ms"]), flush=True)


print("scikit-learn %s, NumPy %s, one thread; peer / uncork = ratio" % (sklearn.__version__, np.__version__))
for name, model in models.items():
    path = "%s/%s.joblib" % (folder, name)
    joblib.dump(model.fit(X, y), path)
    one = many[:1]
    rows, best = [], []
    mine = None
    for _ in range(3):  # rounds alternate between the two sides
        rows.append(best_of(lambda: model.predict(one), 200)[0])
        best.append(best_of(lambda: model.predict(many), 3)[1])
        now = ours(path, folder + "/many.npy")
        mine = now if mine is None else {k: min(mine[k], now[k]) for k in now}
    mine["ready"] = process([bench, "--ready", path])
    load = process([sys.executable, "-c", "import joblib; joblib.load(%r)" % path], 3)
    alone = best_of(lambda: joblib.load(path), 5)[0]
    table_row(name, "scikit-learn", load, alone, min(rows), min(best), mine)
    if name == "svc_rbf":
        mine = dict(ours(path, folder + "/noisy.npy"), ready=mine["ready"])
        row, everything = best_of(lambda: model.predict(many[1:2]), 200)[0], best_of(lambda: model.predict(many[1:]), 2)[1]
        table_row(name, "the same, noisy pixels", load, alone, row, everything, mine)

try:
    import xgboost
except ImportError:
    print("xgboost: not installed, not compared")
    sys.exit()
d = xgboost.DMatrix(X.astype(np.float32), label=y)
booster = xgboost.train(dict(objective="multi:softprob", num_class=10, max_depth=6, nthread=1), d, 100)
path = folder + "/xgboost.json"
booster.save_model(path)
m32 = many.astype(np.float32)
row = best_of(lambda: booster.inplace_predict(m32[:1]), 200)[0]
everything = best_of(lambda: booster.inplace_predict(m32), 5)[1]
mine = ours(path, folder + "/many32.npy")
mine["ready"] = process([bench, "--ready", path])
load = process([sys.executable, "-c", "import xgboost; xgboost.Booster(model_file=%r)" % path], 3)
alone = best_of(lambda: xgboost.Booster(model_file=path), 5)[0]
table_row("xgboost", "xgboost %s" % xgboost.__version__, load, alone, row, everything, mine)
try:
    import treelite
    t = treelite.frontend.from_xgboost(booster)
    row = best_of(lambda: treelite.gtil.predict(t, m32[:1], nthread=1), 50)[0]
    everything = best_of(lambda: treelite.gtil.predict(t, m32, nthread=1), 3)[1]
    table_row("xgboost", "treelite %s (gtil)" % treelite.__version__, load, alone, row, everything, mine)
except ImportError:
    print("treelite: not installed, not compared")
