#!/usr/bin/env python3
"""Small xgboost and lightgbm models that lie: tests/hostile/{xgboost,lightgbm}. Run: tests/hostile/gen_boosting.py

A correct model of each kind is built here (it is written too, as good.*), then one thing is broken a
file. Files named survive_* may be answered, all others but good.* must be refused."""
import copy
import json
import pathlib
import struct

HERE = pathlib.Path(__file__).resolve().parent


def put(library, name, data):
    folder = HERE / library
    folder.mkdir(exist_ok=True)
    (folder / name).write_bytes(data if isinstance(data, bytes) else data.encode())


# ---- xgboost JSON -------------------------------------------------------------------------------------

def tree():
    return {"base_weights": [0.0] * 5, "categories": [], "categories_nodes": [], "categories_segments": [],
            "categories_sizes": [], "default_left": [1, 0, 0, 0, 0], "id": 0, "left_children": [1, 3, -1, -1, -1],
            "parents": [2147483647, 0, 0, 1, 1], "right_children": [2, 4, -1, -1, -1],
            "split_conditions": [0.5, 1.5, -0.25, 0.125, 0.75], "split_indices": [0, 1, 0, 0, 0],
            "split_type": [0] * 5, "tree_param": {"num_deleted": "0", "num_feature": "2", "num_nodes": "5",
                                                  "size_leaf_vector": "1"}}


def model(objective="reg:squarederror"):
    return {"learner": {"attributes": {}, "feature_names": [], "feature_types": [],
                        "gradient_booster": {"model": {"gbtree_model_param": {"num_parallel_tree": "1",
                                                                              "num_trees": "2"},
                                                       "tree_info": [0, 0], "trees": [tree(), tree()]},
                                             "name": "gbtree"},
                        "learner_model_param": {"base_score": "5E-1", "boost_from_average": "1", "num_class": "0",
                                                "num_feature": "2", "num_target": "1"},
                        "objective": {"name": objective}}, "version": [2, 1, 0]}


def broken(name, change, start=None):
    m = copy.deepcopy(start or model())
    learner = m["learner"]
    change(m, learner, learner["gradient_booster"], learner["gradient_booster"]["model"]["trees"][0])
    put("xgboost", name + ".json", json.dumps(m, separators=(",", ":")))


def at(key, i, value):
    def change(m, learner, booster, t):
        t[key][i] = value
    return change


def param(key, value):
    def change(m, learner, booster, t):
        learner["learner_model_param"][key] = value
    return change


def tree_param(key, value):
    def change(m, learner, booster, t):
        t["tree_param"][key] = value
    return change


def whole(path, value):
    def change(m, *_):
        keys = path.split(".")
        for k in keys[:-1]:
            m = m[int(k)] if isinstance(m, list) else m[k]
        m[keys[-1]] = value
    return change


def category(**changes):
    m = model()
    t = m["learner"]["gradient_booster"]["model"]["trees"][0]
    t.update(categories=[1, 3], categories_nodes=[1], categories_segments=[0], categories_sizes=[2],
             split_type=[0, 1, 0, 0, 0])
    t.update(changes)
    return m


def vector(**changes):
    m = model()
    m["learner"]["learner_model_param"]["num_target"] = "3"
    for t in m["learner"]["gradient_booster"]["model"]["trees"]:
        t["tree_param"]["size_leaf_vector"] = "3"
        t["base_weights"] = [0.5] * 15
        t.update(changes)
    return m


def nothing(*_):
    pass


broken("good", nothing)
broken("good_category", nothing, category())
broken("good_vector", nothing, vector())
broken("cycle", at("left_children", 1, 0))
broken("cycle_itself", at("left_children", 0, 0))
broken("child_beyond", at("right_children", 1, 5))
broken("child_far_beyond", at("right_children", 1, 2000000000))
broken("child_negative", at("left_children", 1, -7))
broken("child_shared", at("right_children", 1, 3))
broken("child_one_only", at("right_children", 0, -1))
broken("child_text", at("left_children", 0, "one"))
broken("feature_beyond", at("split_indices", 0, 2))
broken("feature_far_beyond", at("split_indices", 0, 4000000000))
broken("feature_negative", at("split_indices", 0, -1))
broken("nodes_none", tree_param("num_nodes", "0"))
broken("nodes_more", tree_param("num_nodes", "6"))
broken("nodes_huge", tree_param("num_nodes", "2000000000"))
broken("nodes_negative", tree_param("num_nodes", "-5"))
broken("leaf_vector_alone", tree_param("size_leaf_vector", "3"))
broken("leaf_vector_huge", tree_param("size_leaf_vector", "2000000000"))
broken("leaf_vector_short", nothing, vector(base_weights=[0.5] * 14))
broken("leaf_weights_short", nothing, vector(leaf_weights=[0.5] * 6, right_children=[2, 4, 0, 1, 2]))
broken("leaf_weights_beyond", nothing, vector(leaf_weights=[0.5] * 9, right_children=[2, 4, 0, 1, 7]))
broken("group_beyond", whole("learner.gradient_booster.model.tree_info", [0, 9]))
broken("group_negative", whole("learner.gradient_booster.model.tree_info", [0, -1]))
broken("group_missing", whole("learner.gradient_booster.model.tree_info", [0]))
broken("trees_object", whole("learner.gradient_booster.model.trees", {"a": 1}))
broken("trees_numbers", whole("learner.gradient_booster.model.trees", [1, 2]))
broken("trees_missing", lambda m, learner, b, t: b["model"].pop("trees"))
broken("model_missing", lambda m, learner, b, t: b.pop("model"))
broken("booster_unknown", whole("learner.gradient_booster.name", "gbforest"))
broken("booster_missing", lambda m, learner, b, t: learner.pop("gradient_booster"))
broken("dart_without_weights", lambda m, learner, b, t: learner.update(
    gradient_booster={"name": "dart", "gbtree": {"model": b["model"]}, "weight_drop": [1.0]}))
broken("linear_short", lambda m, learner, b, t: learner.update(
    gradient_booster={"name": "gblinear", "model": {"weights": [1.0, 2.0]}}))
broken("objective_unknown", whole("learner.objective.name", "reg:mystery"))
broken("objective_missing", lambda m, learner, b, t: learner.pop("objective"))
broken("classes_huge", param("num_class", "1000000000"))
broken("classes_negative", param("num_class", "-3"))
broken("targets_huge", param("num_target", "1000000000"))
broken("features_negative", param("num_feature", "-1"))
broken("features_huge", param("num_feature", "1099511627776"))
broken("base_scores_too_many", param("base_score", "[1E-1,2E-1]"))
broken("base_scores_broken", param("base_score", "[1E-1,x]"))
broken("survive_base_score_nan", param("base_score", "NaN"))
broken("survive_conditions_infinite", at("split_conditions", 0, float("inf")))
broken("survive_conditions_nan", at("split_conditions", 0, float("nan")))
broken("category_segment_beyond", nothing, category(categories_segments=[1]))
broken("category_segment_negative", nothing, category(categories_segments=[-1]))
broken("category_size_huge", nothing, category(categories_sizes=[4611686018427387904]))
broken("category_node_beyond", nothing, category(categories_nodes=[5]))
broken("category_negative", nothing, category(categories=[-1, 3]))
broken("category_huge", nothing, category(categories=[1, 1 << 40]))
broken("category_lists_differ", nothing, category(categories_sizes=[2, 2]))
put("xgboost", "empty_object.json", "{}")
put("xgboost", "learner_null.json", '{"learner":null,"version":[2,0,0]}')
put("xgboost", "learner_deep.json", '{"learner":' * 300 + "1" + "}" * 300)

# ---- xgboost binary ----------------------------------------------------------------------------------


def text(s, n=None):
    return struct.pack("<Q", len(s) if n is None else n) + s.encode()


def binary(trees=2, nodes=5, children=((1, 2), (3, 4)), objective=None, gbm=None, features=2, classes=0, attributes=0,
           feature=1, group=0, tail=b"", leaf_vector=0):
    b = struct.pack("<fIiiiII", 0.5, features, classes, attributes, 0, 1, 7) + struct.pack("<I", 1) + bytes(104)
    b += objective if objective is not None else text("reg:squarederror")
    b += gbm if gbm is not None else text("gbtree")
    if gbm is not None:
        return b + tail
    b += struct.pack("<iiii", trees, 1, 0, 0) + bytes(8) + struct.pack("<ii", 0, 0) + bytes(128)
    for _ in range(2):
        b += struct.pack("<iiiiii", 1, nodes, 0, 0, features, leaf_vector) + bytes(124)
        kids = list(children) + [(-1, -1)] * 3
        for i in range(5):
            b += struct.pack("<iiiIf", 0, kids[i][0], kids[i][1], (feature if i == 0 else 0) | 0x80000000, i / 4)
        b += bytes(16 * 5)
    return b + struct.pack("<ii", 0, group) + tail


put("xgboost", "good.bin", binary())
put("xgboost", "good_binf.bin", b"binf" + binary())
put("xgboost", "good_config.bin", b"CONFIG-offset:" + struct.pack("<Q", len(binary())) + binary() + b"{}")
put("xgboost", "trees_huge.bin", binary(trees=2000000000))
put("xgboost", "trees_negative.bin", binary(trees=-1))
put("xgboost", "trees_more.bin", binary(trees=3))
put("xgboost", "tree_nodes_huge.bin", binary(nodes=2000000000))
put("xgboost", "tree_nodes_negative.bin", binary(nodes=-5))
put("xgboost", "tree_nodes_none.bin", binary(nodes=0))
put("xgboost", "tree_cycle.bin", binary(children=((1, 2), (0, 4))))
put("xgboost", "tree_child_beyond.bin", binary(children=((1, 2), (3, 7))))
put("xgboost", "tree_feature_beyond.bin", binary(feature=2))
put("xgboost", "tree_leaf_vector.bin", binary(leaf_vector=7))
put("xgboost", "tree_group_beyond.bin", binary(group=4))
put("xgboost", "name_huge.bin", binary(objective=text("reg:squarederror", 1 << 62)))
put("xgboost", "booster_other.bin", binary(gbm=text("gbnone")))
put("xgboost", "booster_name_huge.bin", binary(gbm=text("gbtree", 1 << 63)))
put("xgboost", "linear_huge.bin", binary(gbm=text("gblinear"), tail=bytes(136) + struct.pack("<Q", 1 << 61)))
put("xgboost", "linear_features_huge.bin", binary(gbm=text("gblinear"), features=0xffffffff,
                                                  tail=bytes(136) + struct.pack("<Q", 1 << 32)))
put("xgboost", "attributes_huge.bin", binary(attributes=1, tail=struct.pack("<Q", 1 << 60)))
put("xgboost", "attribute_text_huge.bin", binary(attributes=1, tail=struct.pack("<QQ", 1, 1 << 60)))
put("xgboost", "config_beyond.bin", b"CONFIG-offset:" + struct.pack("<Q", 1 << 50) + binary())
put("xgboost", "config_short.bin", b"CONFIG-offset:\x01")

# ---- xgboost UBJSON ----------------------------------------------------------------------------------


def ubj(v):
    if isinstance(v, dict):
        return b"{" + b"".join(b"L" + struct.pack(">q", len(k)) + k.encode() + ubj(x) for k, x in v.items()) + b"}"
    if isinstance(v, str):
        return b"SL" + struct.pack(">q", len(v)) + v.encode()
    if isinstance(v, int):
        return b"L" + struct.pack(">q", v)
    if isinstance(v, float):
        return b"d" + struct.pack(">f", v)
    if v and all(isinstance(x, float) for x in v):
        return b"[$d#L" + struct.pack(">q", len(v)) + b"".join(struct.pack(">f", x) for x in v)
    if v and all(isinstance(x, int) for x in v):
        return b"[$l#L" + struct.pack(">q", len(v)) + b"".join(struct.pack(">i", x) for x in v)
    return b"[#L" + struct.pack(">q", len(v)) + b"".join(ubj(x) for x in v)


good = ubj(model())
put("xgboost", "good.ubj", good)
put("xgboost", "array_huge.ubj", good.replace(b"[$d#L" + struct.pack(">q", 5), b"[$d#L" + struct.pack(">q", 1 << 60), 1))
put("xgboost", "array_of_nothing.ubj", good.replace(b"[$d#L" + struct.pack(">q", 5), b"[$Z#L" + struct.pack(">q", 1 << 40), 1))
put("xgboost", "key_huge.ubj", good.replace(b"L" + struct.pack(">q", 7) + b"learner", b"L" + struct.pack(">q", 1 << 62) + b"learner", 1))

# ---- lightgbm ----------------------------------------------------------------------------------------

HEAD = """tree
version=v4
num_class={classes}
num_tree_per_iteration={columns}
label_index=0
max_feature_idx={top}
objective={objective}
feature_names=a b
feature_infos=[0:1] [0:1]
tree_sizes={sizes}

"""
TREE = {"num_leaves": "3", "num_cat": "0", "split_feature": "0 1", "split_gain": "1 1", "threshold": "0.5 1.5",
        "decision_type": "2 8", "left_child": "1 -1", "right_child": "-2 -3", "leaf_value": "0.5 -0.25 0.125",
        "is_linear": "0", "shrinkage": "1"}
CATEGORY = dict(TREE, num_cat="1", decision_type="1 2", threshold="0 1.5", cat_boundaries="0 1", cat_threshold="5")
LINEAR = dict(TREE, is_linear="1", leaf_const="1 2 3", num_features="1 0 2", leaf_features="0  0 1", leaf_coeff="0.5  1 2")


def lightgbm(name, first={}, base=TREE, trees=2, end="end of trees\n\n", drop=None, classes="1", columns="1", top="1",
             objective="regression", sizes=None):
    out = HEAD.format(classes=classes, columns=columns, top=top, objective=objective,
                      sizes=" ".join(["100"] * trees) if sizes is None else sizes)
    for i in range(trees):
        fields = dict(base, **(first if i == 0 else {}))
        if i == 0 and drop:
            fields.pop(drop)
        out += "Tree=%d\n" % i + "".join("%s=%s\n" % f for f in fields.items()) + "\n"
    put("lightgbm", name + ".txt", out + end)


lightgbm("good")
lightgbm("good_category", base=CATEGORY)
lightgbm("good_linear", base=LINEAR)
lightgbm("cycle", {"left_child": "1 0"})
lightgbm("cycle_itself", {"left_child": "0 -1"})
lightgbm("child_beyond", {"left_child": "2 -1"})
lightgbm("leaf_beyond", {"right_child": "-4 -3"})
lightgbm("leaf_far_beyond", {"right_child": "-2147483648 -3"})
lightgbm("leaf_shared", {"right_child": "-1 -3"})
lightgbm("child_too_large", {"left_child": "99999999999 -1"})
lightgbm("child_text", {"left_child": "one -1"})
lightgbm("children_few", {"left_child": "1"})
lightgbm("children_many", {"left_child": "1 -1 -1"})
lightgbm("feature_beyond", {"split_feature": "0 2"})
lightgbm("feature_negative", {"split_feature": "0 -1"})
lightgbm("leaves_none", {"num_leaves": "0"})
lightgbm("leaves_negative", {"num_leaves": "-3"})
lightgbm("leaves_more", {"num_leaves": "4"})
lightgbm("leaves_huge", {"num_leaves": "2000000000"})
lightgbm("leaves_missing", drop="num_leaves")
lightgbm("values_few", {"leaf_value": "0.5 1"})
lightgbm("values_text", {"leaf_value": "0.5 one 1"})
lightgbm("thresholds_missing", drop="threshold")
lightgbm("category_without_sets", {"decision_type": "1 2"})
lightgbm("category_beyond", {"threshold": "1 1.5"}, base=CATEGORY)
lightgbm("category_negative", {"threshold": "-1 1.5"}, base=CATEGORY)
lightgbm("category_nan", {"threshold": "nan 1.5"}, base=CATEGORY)
lightgbm("category_bounds_back", {"num_cat": "2", "cat_boundaries": "0 2 1", "cat_threshold": "5"}, base=CATEGORY)
lightgbm("category_bounds_short", {"cat_boundaries": "0"}, base=CATEGORY)
lightgbm("category_bounds_offset", {"cat_boundaries": "1 2", "cat_threshold": "1 2"}, base=CATEGORY)
lightgbm("category_words_few", {"cat_boundaries": "0 3"}, base=CATEGORY)
lightgbm("category_words_huge", {"cat_boundaries": "0 2000000000"}, base=CATEGORY)
lightgbm("category_count_huge", {"num_cat": "2000000000"}, base=CATEGORY)
lightgbm("linear_feature_beyond", {"leaf_features": "0  0 2"}, base=LINEAR)
lightgbm("linear_feature_negative", {"leaf_features": "0  0 -1"}, base=LINEAR)
lightgbm("linear_counts_huge", {"num_features": "2000000000 0 2"}, base=LINEAR)
lightgbm("linear_counts_negative", {"num_features": "-1 2 2"}, base=LINEAR)
lightgbm("linear_coefficients_few", {"leaf_coeff": "0.5 1"}, base=LINEAR)
lightgbm("linear_constants_missing", base=LINEAR, drop="leaf_const")
lightgbm("classes_none", classes="0")
lightgbm("columns_none", columns="0")
lightgbm("columns_odd", columns="3", classes="3", trees=2)
lightgbm("columns_huge", columns="1000000000")
lightgbm("features_none", top="-1")
lightgbm("features_huge", top="9999999999")
lightgbm("objective_unknown", objective="mystery")
lightgbm("sigmoid_text", objective="binary sigmoid:one")
lightgbm("sizes_more", sizes="100 100 100")
lightgbm("end_missing", end="")
put("lightgbm", "only_mark.txt", "tree\n")
put("lightgbm", "only_header.txt", "tree\nversion=v3\nnum_class=1\n")
