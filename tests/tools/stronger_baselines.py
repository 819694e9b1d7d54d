"""README's stronger baselines: plain models of scikit-learn on the splits of the specs.

    python -m tests.tools.stronger_baselines
    python -m tests.tools.stronger_baselines titanic reviews

Each is fitted on the training split that nnspec loads and scored on its test split, in the units of the data.
"""

from __future__ import annotations

import argparse
import csv
import warnings
from collections.abc import Callable

import numpy as np
from sklearn.ensemble import IsolationForest
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.metrics import r2_score, roc_auc_score
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from nnspec import api
from nnspec.data.dataset import Dataset, Split
from nnspec.jobs.dataset import load_dataset
from nnspec.training import forecasts
from tests.support.paths import ROOT

Array = np.ndarray
Scores = dict[str, float]
COEFFICIENTS = 13


def dataset_of(name: str) -> Dataset:
    return load_dataset(api.load(ROOT / "specs" / f"{name}.yaml").checked)


def only(values: dict[str, Array]) -> Array:
    """The only array of a split's inputs or targets."""
    (array,) = values.values()
    return array


def flat(split: Split) -> Array:
    return only(split.x).reshape(split.size, -1)


def codes(split: Split) -> Array:
    return only(split.y).reshape(split.size, -1)


def accuracy(data: Dataset, model: object, features: Callable[[Split], Array] = flat) -> float:
    """Of the only label of each sample."""
    train, test = data.splits["train"], data.splits["test"]
    model.fit(features(train), codes(train)[:, 0])  # type: ignore[attr-defined]
    return float(np.mean(model.predict(features(test)) == codes(test)[:, 0]))  # type: ignore[attr-defined]


def causal_cnn() -> Scores:
    """Least squares on the scaled windows, for the change that the network learns as well."""
    data = dataset_of("causal_cnn")
    train, test = data.splits["train"], data.splits["test"]
    said = LinearRegression().fit(flat(train), codes(train)).predict(flat(test))
    (transform,) = data.outputs.values()
    errors = transform.restore(said.reshape(only(test.y).shape), test.raw) - only(test.target)
    return {"linear regression, RMSE": float(np.sqrt(np.mean(errors**2)))}


def multi_output_classifier() -> Scores:
    data = dataset_of("multi_output_classifier")
    train, test = data.splits["train"], data.splits["test"]
    hits = []
    for output in range(codes(train).shape[1]):
        model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000))
        model.fit(flat(train), codes(train)[:, output])
        hits.append(np.mean(model.predict(flat(test)) == codes(test)[:, output]))
    return {"logistic regression, accuracy": float(np.mean(hits))}


def spectrogram_lstm() -> Scores:
    """On the mean and the deviation of each cepstrum over the frames that are no padding."""

    def moments(split: Split) -> Array:
        rows = []
        for sample in only(split.raw):  # cepstrum frame
            frames = sample[:, np.any(sample != 0, axis=0)]
            rows.append(np.concatenate([frames.mean(axis=1), frames.std(axis=1)]))
        return np.array(rows)

    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000))
    return {"logistic regression, accuracy": accuracy(dataset_of("spectrogram_lstm"), model, moments)}


def titanic() -> Scores:
    return {"logistic regression, accuracy": accuracy(dataset_of("titanic"), LogisticRegression(max_iter=2000))}


def breast_cancer() -> Scores:
    """Fitted to the same benign rows; how isolated a sample is."""
    data = dataset_of("breast_cancer")
    train, test = data.splits["train"], data.splits["test"]
    scores = -IsolationForest(random_state=0).fit(flat(train)).score_samples(flat(test))
    return {"isolation forest, AUC": float(roc_auc_score(test.y["score"].reshape(-1), scores))}


def reviews() -> Scores:
    def words(split: Split) -> Array:
        return np.asarray(only(split.raw).reshape(-1), str)

    model = make_pipeline(TfidfVectorizer(), LogisticRegression(max_iter=2000))
    return {"tf-idf and logistic regression, accuracy": accuracy(dataset_of("reviews"), model, words)}


def mnist_cnn() -> Scores:
    return {"1-nearest-neighbour, accuracy": accuracy(dataset_of("mnist_cnn"), KNeighborsClassifier(1))}


def digits_folder() -> Scores:
    data = dataset_of("digits_folder")

    def pixels(split: Split) -> Array:
        return flat(split) / 255

    return {
        "support vector machine, accuracy": accuracy(data, SVC(), pixels),
        "logistic regression, accuracy": accuracy(data, LogisticRegression(max_iter=2000), pixels),
    }


def glyphs_table() -> Scores:
    """On the pixels and the numbers, and on each of them alone."""
    data = dataset_of("glyphs_table")

    def pixels(split: Split) -> Array:
        return split.x["picture"].reshape(split.size, -1)

    def numbers(split: Split) -> Array:
        return split.x["place"].reshape(split.size, -1)

    def both(split: Split) -> Array:
        return np.hstack([pixels(split), numbers(split)])

    found = {}
    for name, features in (("both", both), ("the picture", pixels), ("the table", numbers)):
        model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=5000))
        found[f"logistic regression on {name}, accuracy"] = accuracy(data, model, features)
    return found


def transfer() -> Scores:
    """On the pixels of the same fifty images."""
    data = dataset_of("transfer")
    return {
        "support vector machine, accuracy": accuracy(data, SVC()),
        "logistic regression, accuracy": accuracy(data, LogisticRegression(max_iter=2000)),
    }


def spoken_language() -> Scores:
    """On the mean and the deviation of each frequency's loudness over the frames that are no padding."""

    def moments(split: Split) -> Array:
        rows = []
        for sample in only(split.raw):
            clip = np.trim_zeros(sample.reshape(-1), "b")
            frames = clip[: len(clip) // 128 * 128].reshape(-1, 128) * np.hanning(129)[:128]
            loudness = 0.5 * np.log(np.abs(np.fft.rfft(frames)) ** 2 + 0.0001)
            rows.append(np.concatenate([loudness.mean(axis=0), loudness.std(axis=0)]))
        return np.array(rows)

    data = dataset_of("spoken_language")
    return {
        "logistic regression, accuracy": accuracy(
            data, make_pipeline(StandardScaler(), LogisticRegression(max_iter=5000)), moments
        ),
        "support vector machine, accuracy": accuracy(data, make_pipeline(StandardScaler(), SVC()), moments),
    }


def airline_lstm() -> Scores:
    """What it was a year before."""
    with (ROOT / "specs" / "data" / "airline_passengers.csv").open(encoding="utf-8") as stream:
        passengers = np.array([float(row["passengers"]) for row in csv.DictReader(stream)])
    months = dataset_of("airline_lstm").splits["test"].rows + 1  # a window's row is its last, the target the next
    return {"seasonal persistence, RMSE": float(np.sqrt(np.mean((passengers[months] - passengers[months - 12]) ** 2)))}


def mfcc_regression() -> Scores:
    data = dataset_of("mfcc_regression")
    train, test = data.splits["train"], data.splits["test"]

    def spectrum(split: Split) -> Array:
        power = np.abs(np.fft.rfft(only(split.raw).reshape(split.size, -1).astype(np.float64), 512)) ** 2
        return np.log(power + 1.0)

    def raw(split: Split) -> Array:
        return flat(split).astype(np.float64)

    found = {}
    for name, features in (("raw audio", raw), ("log power spectrum", spectrum)):
        model = make_pipeline(StandardScaler(), Ridge(1.0)).fit(features(train), only(train.target))
        found[f"ridge regression on the {name}, R²"] = float(r2_score(only(test.target), model.predict(features(test))))
    return found


def m1_panel() -> Scores:
    """Changes against the last value of windows in units of their own mean magnitude; MASE over all steps."""
    data = dataset_of("m1_panel")
    train, test = data.splits["train"], data.splits["test"]
    (name,) = test.target

    def parts(split: Split) -> tuple[Array, Array, Array]:
        windows = only(split.raw).reshape(split.size, -1).astype(np.float64)
        size = np.abs(windows).mean(axis=1, keepdims=True) + 1e-6
        return windows / size, size, windows[:, -1:]

    windows, size, last = parts(train)
    model = Ridge(1.0).fit(windows, (only(train.target) - last) / size)
    windows, size, last = parts(test)
    guess = last + model.predict(windows) * size
    history = data.past.histories["test", name].first(test.size)
    return {"ridge regression, MASE": forecasts.mase(np.asarray(test.target[name], np.float64), guess, history)}


BASELINES = {
    each.__name__: each
    for each in (
        causal_cnn,
        multi_output_classifier,
        spectrogram_lstm,
        titanic,
        breast_cancer,
        reviews,
        mnist_cnn,
        digits_folder,
        glyphs_table,
        transfer,
        spoken_language,
        airline_lstm,
        m1_panel,
        mfcc_regression,
    )
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", choices=[*BASELINES, []], help="specs [default: all]")
    warnings.simplefilter("ignore")
    for name in parser.parse_args().names or BASELINES:
        for what, value in BASELINES[name]().items():
            print(f"{name:<26}{what:<48}{value:>8.4g}", flush=True)


if __name__ == "__main__":
    main()
