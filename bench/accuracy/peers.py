#!/usr/bin/env python3
"""Writes what scikit-learn's best configuration answers on each labelled set.

    peers.py --dir SETS --figures tuned.jsonl --out DIR [--sets a,b]

tuned.jsonl names, by set, the configuration that did best ("all": {"pick":
[features, estimator]}). Each is fitted to train.jsonl[.gz] and answers
test.jsonl[.gz]; a set with all.jsonl[.gz] goes through ten stratified folds,
shuffled with seed 0. Where the rows have targets, every target has a model of
its own, picked again by cross-validation on its training rows.

DIR/SET.jsonl gets a line {"id", "fold", "truth", "predicted"} per test row
(fold only where there are folds), in an order that is always the same.
Standard output says how the measures compare with those of tuned.jsonl. The
linear models draw with seed 0, so that a second run gives the same answers.
"""
import argparse
import gzip
import json
import os
import warnings

import numpy
from sklearn.exceptions import ConvergenceWarning
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, f1_score
from sklearn.model_selection import StratifiedKFold, cross_val_score
from sklearn.naive_bayes import ComplementNB, MultinomialNB
from sklearn.pipeline import FeatureUnion
from sklearn.svm import LinearSVC

WORDS = r"(?u)\b\w+\b|[^\w\s]"  # words, and every mark by itself
STANCES = ("FAVOR", "AGAINST", "agree", "disagree")
SHORT = 350  # characters: sets of shorter texts are tried with character n-grams too
LARGE = 8e6  # characters: on larger sets three folds pick, not five


def weighted(upto, characters=False):
    words = TfidfVectorizer(token_pattern=WORDS, ngram_range=(1, upto), sublinear_tf=True)
    if not characters:
        return words
    inside = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True)
    return FeatureUnion([("words", words), ("characters", inside)])


def binary(upto, characters=False):
    words = CountVectorizer(token_pattern=WORDS, ngram_range=(1, upto), binary=True)
    if not characters:
        return words
    inside = CountVectorizer(analyzer="char_wb", ngram_range=(2, 5), binary=True)
    return FeatureUnion([("words", words), ("characters", inside)])


FEATURES = {  # in the order of preference when two do equally well
    "tfidf_w1": lambda: weighted(1),
    "tfidf_w12": lambda: weighted(2),
    "bin_w12": lambda: binary(2),
    "tfidf_w12_c25": lambda: weighted(2, characters=True),
    "bin_w13_c25": lambda: binary(3, characters=True),
}


def logistic(c):
    return LogisticRegression(C=c, solver="liblinear", max_iter=50, random_state=0)


def support(c):
    return LinearSVC(C=c, random_state=0)


def estimators(features):
    """The estimators that are tried on features of that name, by name."""
    table = {}
    for alpha in (0.01, 0.1, 0.3, 1):
        table[f"mnb{alpha}"] = MultinomialNB(alpha=alpha)
        table[f"cnb{alpha}"] = ComplementNB(alpha=alpha)
    if features.startswith("tfidf"):
        table.update({"svm.3": support(0.3), "svm1": support(1), "lr10": logistic(10)})
    else:
        table.update({"svm.01": support(0.01), "lr.1": logistic(0.1)})
    return table


def pick(texts, labels, short, large):
    """The features and estimator with the best macro-F1 in cross-validation."""
    folds = StratifiedKFold(3 if large else 5, shuffle=True, random_state=0)
    best, choice = -1, None
    for features, make in FEATURES.items():
        if features.endswith("_c25") and not short:
            continue
        rows = make().fit_transform(texts)
        for name, estimator in estimators(features).items():
            if large and len(set(labels)) > 30 and name.startswith("lr"):
                continue
            score = cross_val_score(estimator, rows, labels, cv=folds, scoring="f1_macro").mean()
            if score > best:
                best, choice = score, (features, name)
    return choice


def answers(choice, training, test):
    """What the chosen configuration, fitted to training, says of test."""
    features, name = choice
    vectorizer = FEATURES[features]()
    rows = vectorizer.fit_transform([x["text"] for x in training])
    model = estimators(features)[name].fit(rows, [x["label"] for x in training])
    return [str(a) for a in model.predict(vectorizer.transform([x["text"] for x in test]))]


def answers_by_target(training, test):
    """The same with a configuration and a model for each target."""
    length = numpy.mean([len(x["text"]) for x in training[:2000]])
    short, large = length < SHORT, len(training) * length > LARGE
    predicted = ["NONE"] * len(test)
    for target in sorted({x["target"] for x in training}):
        own = [x for x in training if x["target"] == target]
        asked = [i for i, x in enumerate(test) if x["target"] == target]
        if not asked:
            continue
        choice = pick([x["text"] for x in own], [x["label"] for x in own], short, large)
        print(f"  {target}: {' '.join(choice)}", flush=True)
        for i, answer in zip(asked, answers(choice, own, [test[i] for i in asked])):
            predicted[i] = answer
    return predicted


def read(folder, part):
    """The rows of one part of a set, None when there is no such part."""
    for name, opener in ((part + ".jsonl", open), (part + ".jsonl.gz", gzip.open)):
        path = os.path.join(folder, name)
        if os.path.exists(path):
            with opener(path, "rt", encoding="utf-8") as lines:
                return [json.loads(line) for line in lines if line.strip()]
    return None


def splits(folder):
    """The (fold, training, test) of a set; fold is None for an official split."""
    rows = read(folder, "all")
    if rows is None:
        return [(None, read(folder, "train"), read(folder, "test"))]
    folds = StratifiedKFold(10, shuffle=True, random_state=0).split(rows, [x["label"] for x in rows])
    return [(k, [rows[i] for i in a], [rows[i] for i in b]) for k, (a, b) in enumerate(folds)]


def measures(truth, predicted, targets):
    """Figures as those of tuned.jsonl, in points."""
    m = {
        "accuracy": accuracy_score(truth, predicted),
        "macro_f1": f1_score(truth, predicted, average="macro"),
    }
    if targets:
        labels = [s for s in STANCES if s in truth]
        m["favg"] = f1_score(truth, predicted, labels=labels, average="macro")
    return {name: 100 * value for name, value in m.items()}


def run(name, folder, choice, out):
    """Writes the answers on one set; returns the mean of its folds' figures."""
    lines, figures = [], []
    for fold, training, test in splits(folder):
        targets = "target" in training[0]
        predicted = answers_by_target(training, test) if targets else answers(choice, training, test)
        for row, answer in zip(test, predicted):
            line = {"id": str(row.get("id", "")), "truth": row["label"], "predicted": answer}
            lines.append(line if fold is None else {**line, "fold": fold})
        figures.append(measures([x["label"] for x in test], predicted, targets))
    path = os.path.join(out, name + ".jsonl")
    with open(path + ".part", "w", encoding="utf-8") as f:
        for line in lines:
            f.write(json.dumps(line, ensure_ascii=False) + "\n")
    os.replace(path + ".part", path)
    return {k: numpy.mean([m[k] for m in figures]) for k in figures[0]}


def compare(name, got, recorded):
    """Prints the figures beside the recorded ones."""
    parts = []
    for measure, value in got.items():
        off = value - recorded[measure]
        parts.append(f"{measure} {value:.2f} (recorded {recorded[measure]:.2f}{', OFF' if abs(off) > 0.1 else ''})")
    print(f"{name}: {', '.join(parts)}", flush=True)


def main():
    flags = argparse.ArgumentParser(description="Answers of scikit-learn's best configuration on labelled sets.")
    flags.add_argument("--dir", required=True, help="folder of the sets")
    flags.add_argument("--figures", required=True, help="tuned.jsonl, with the configuration of each set")
    flags.add_argument("--out", required=True, help="folder to write SET.jsonl to")
    flags.add_argument("--sets", help="sets to run, in this order, separated by commas; default: all of the figures")
    args = flags.parse_args()
    warnings.simplefilter("ignore", ConvergenceWarning)
    with open(args.figures, encoding="utf-8") as f:
        best = {row["set"]: row["all"] for row in map(json.loads, f)}
    os.makedirs(args.out, exist_ok=True)
    for name in args.sets.split(",") if args.sets else best:
        got = run(name, os.path.join(args.dir, name), best[name]["pick"], args.out)
        compare(name, got, best[name])


if __name__ == "__main__":
    main()
