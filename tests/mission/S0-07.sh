#!/bin/sh
# probabilities are returned, and the argmax class
. tests/mission/lib.sh
for model in model_and_scaler.pkl mlp_pipeline.joblib forest.joblib svc_python2.pkl; do
    run "$uncork" predict "$digits/$model" "$digits" --json
    expect 0 '"probabilities":['
    rtol=1e-9
    [ "$model" = svc_python2.pkl ] && rtol=1e-7 # Platt's iteration stops at 0.005 / K
    # the scale of the pictures is assumed as 16/255; the genuine values used the same
    python3 "$here/compare.py" "$work/out" "$data/$model.json" "$rtol" || fail "$model differs"
done
