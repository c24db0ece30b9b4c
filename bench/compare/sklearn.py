"""Trains and runs scikit-learn's side of the comparison.

    train words|characters FILE MODEL   rows "LABEL TEXT"; prints wall and CPU
                                        seconds of the training as JSON
    predict MODEL FILE                  a text a line; prints a label a line
    version                             scikit-learn's
"""
import json
import pickle
import sys
import time

import numpy
import sklearn
from sklearn.feature_extraction.text import HashingVectorizer
from sklearn.naive_bayes import MultinomialNB
from sklearn.pipeline import make_pipeline

KINDS = {
    "words": {"ngram_range": (1, 2)},
    "characters": {"analyzer": "char_wb", "ngram_range": (2, 5)},
}
CHUNK = 1000  # texts at a time


def train(kind, path, out):
    with open(path, encoding="utf-8", newline="\n") as f:
        labels, texts = zip(*(line.rstrip("\n").split(" ", 1) for line in f))
    wall, cpu = time.perf_counter(), time.process_time()
    model = make_pipeline(HashingVectorizer(alternate_sign=False, **KINDS[kind]), MultinomialNB(alpha=0.01))
    model.fit(texts, labels)
    took = {"Wall": time.perf_counter() - wall, "CPU": time.process_time() - cpu}
    with open(out, "wb") as f:
        pickle.dump(model, f)
    print(json.dumps(took))


def predict(path, lines):
    with open(path, "rb") as f:
        model = pickle.load(f)
    with open(lines, encoding="utf-8", newline="\n") as f:
        texts = [line.rstrip("\n") for line in f]
    for at in range(0, len(texts), CHUNK):
        best = numpy.argmax(model.predict_proba(texts[at:at + CHUNK]), axis=1)
        print("\n".join(model.classes_[best]))


def peak():
    with open("/proc/self/status") as f:
        for line in f:
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) << 10
    return 0


command, arguments = sys.argv[1], sys.argv[2:]
if command == "version":
    print(sklearn.__version__)
else:
    {"train": train, "predict": predict}[command](*arguments)
    print("peak", peak(), file=sys.stderr)
