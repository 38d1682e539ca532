#!/usr/bin/env python3
"""Writes src/contract/labels_sets.inc: the built-in label sets.

    python3 tools/gen_labels.py > src/contract/labels_sets.inc

Needs torchvision (its lists are imported, nothing is downloaded). CIFAR's names aren't in a package:
they stand in the data sets' own batches.meta and meta files, whose order they have here.
"""
import torchvision
import torchvision.datasets as datasets
from torchvision.models import _meta as meta

CIFAR10 = "airplane automobile bird cat deer dog frog horse ship truck".split()
CIFAR100 = """apple aquarium_fish baby bear beaver bed bee beetle bicycle bottle bowl boy bridge bus
butterfly camel can castle caterpillar cattle chair chimpanzee clock cloud cockroach couch crab
crocodile cup dinosaur dolphin elephant flatfish forest fox girl hamster house kangaroo keyboard lamp
lawn_mower leopard lion lizard lobster man maple_tree motorcycle mountain mouse mushroom oak_tree
orange orchid otter palm_tree pear pickup_truck pine_tree plain plate poppy porcupine possum rabbit
raccoon ray road rocket rose sea seal shark shrew skunk skyscraper snail snake spider squirrel
streetcar sunflower sweet_pepper table tank telephone television tiger tractor train trout tulip
turtle wardrobe whale willow_tree wolf woman worm""".split()

COCO91 = ["" if name in ("N/A", "__background__") else name for name in meta._COCO_CATEGORIES]
VOC = ["background" if name == "__background__" else name for name in meta._VOC_CATEGORIES]
SETS = {
    "imagenet": meta._IMAGENET_CATEGORIES,
    "coco": [name for name in COCO91 if name],
    "coco91": COCO91,
    "voc": VOC,
    "mnist": [str(i) for i in range(10)],
    "fashion_mnist": datasets.FashionMNIST.classes,
    "cifar10": CIFAR10,
    "cifar100": CIFAR100,
    "coco_keypoints": meta._COCO_PERSON_KEYPOINT_NAMES,
}
COUNTS = {"imagenet": 1000, "coco": 80, "coco91": 91, "voc": 21, "cifar10": 10, "cifar100": 100}

print(f"/* Made by tools/gen_labels.py from torchvision {torchvision.__version__}. SET(name, labels...) */")
for name, labels in SETS.items():
    assert len(labels) == COUNTS.get(name, len(labels)), name
    print(f"SET({name},")
    line = "   "
    for i, label in enumerate(labels):
        word = ' "' + label.replace("\\", "\\\\").replace('"', '\\"') + '"' + ("," if i + 1 < len(labels) else ")")
        if len(line) + len(word) > 99:
            print(line)
            line = "   "
        line += word
    print(line)
