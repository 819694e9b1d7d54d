"""The section `search`: what `check` knows of a space before anything is trained."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from nnspec.diagnostics import Diagnostic
from nnspec.pipeline import check, diagnose
from nnspec.search.plan import parse_duration, read_search
from nnspec.search.space import Range, all_points, count_points

SPEC = """
nnspec: 1
vars: {units: 8, rate: 0.1}
inputs: {x: {axes: {feature: 5}}}
model:
  - Dense: {units: $units, activation: relu}
  - Dropout: $rate
  - Dense: {units: 1}
outputs: {y: {task: regression, metrics: [mae, {R2Score: {}}]}}
training: {optimizer: Adam}
"""


def found(tmp_path: Path, space: str, goal: str = "minimize: validation.y.rmse") -> list[Diagnostic]:
    path = tmp_path / "spec.yaml"
    path.write_text(f"{SPEC}search:\n  goal: {{{goal}}}\n  space: {space}\n", encoding="utf-8")
    return diagnose(path)


@pytest.mark.parametrize(
    "space",
    [
        "{vars.units: [2, 3]}",
        "{vars.rate: {from: 0.0, to: 0.5}}",
        "{vars.rate: {from: 0.001, to: 0.5, scale: log}}",
        "{vars.units: {from: 2, to: 9, step: 3}}",
        "{vars.units: {from: 2, to: 64, scale: log}}",
        '{"model[0].Dense.activation": [relu, elu, tanh]}',
        '{"model[0].Dense": [{units: 3}, {units: 5, activation: elu}]}',
        "{training.optimizer.Adam.learning_rate: {from: 1.0e-4, to: 0.1, scale: log}}",
        "{training.optimizer.Adam: [{learning_rate: 0.1}, {learning_rate: 0.01}]}",
        "{training.optimizer: [Adam, SGD], training.optimizer.SGD.momentum: {choices: [0.5, 0.9], when: "
        "{training.optimizer: SGD}}}",
        "{training.optimizer.SGD.momentum: {from: 0.5, to: 0.9, when: {training.optimizer: [SGD]}}, "
        "training.optimizer: [Adam, SGD]}",
        "{training.optimizer: [Adam, {SGD: {momentum: 0.9}}], training.optimizer.SGD.learning_rate: "
        "{choices: [0.1, 0.2], when: {training.optimizer: SGD}}}",
        "{vars.units: [2, $(rate * 40)]}",
        "{training.callbacks: [[], [{EarlyStopping: {patience: 2}}]]}",
    ],
)
def test_spaces_that_can_be_searched(space: str, tmp_path: Path) -> None:
    assert found(tmp_path, space) == []


@pytest.mark.parametrize(
    ("space", "code", "path"),
    [
        ("{vars.size: [2, 3]}", "NN595", "vars.size"),
        ("{training.rate: [2, 3]}", "NN595", "training.rate"),
        ('{"model[0].Dense.size": [2, 3]}', "NN595", "model[0].Dense.size"),
        ("{training.batch_size: [2, 0]}", "NN596", "training.batch_size"),
        ("{training.batch_size: {from: 1.5, to: 4}}", "NN596", "training.batch_size"),
        ("{training.optimizer.SGD.momentum: [0.5]}", "NN595", "training.optimizer.SGD.momentum"),
        ("{vars.units: {from: 2, to: 2}}", "NN597", "vars.units"),
        ("{vars.units: {from: 2, to: 9, choices: [3]}}", "NN597", "vars.units"),
        ("{vars.rate: {from: 0.1, to: 0.5, scale: log, step: 0.1}}", "NN597", "vars.rate"),
        ("{vars.units: {choices: [2], when: {vars.rate: 0.1}}}", "NN598", "vars.units"),
        (
            "{vars.rate: {from: 0.0, to: 0.5}, vars.units: {choices: [2], when: {vars.rate: 0.1}}}",
            "NN598",
            "vars.units",
        ),
        ("{vars.rate: [0.1], vars.units: {choices: [2], when: {vars.rate: '0.1'}}}", "NN598", "vars.units"),
    ],
)
def test_spaces_that_cannot(space: str, code: str, path: str, tmp_path: Path) -> None:
    diagnostics = found(tmp_path, space)
    assert [(d.code, d.path) for d in diagnostics] == [(code, f"search.space.{path}")]


@pytest.mark.parametrize(
    ("goal", "severity"),
    [
        ("maximize: validation.y.r2", None),
        ("minimize: validation.y.by_step.3.rmse", None),
        ("maximize: validation.y.r2_score", None),
        ("minimize: validation.y.f1", "error"),
        ("minimize: validation.z.rmse", "error"),
        ("minimize: validation.y", "error"),
        ("minimize: rmse", "error"),
        ("minimize: test.y.rmse", "warning"),
        ("maximize: validation.y.rmse", "warning"),
    ],
)
def test_goals(goal: str, severity: str | None, tmp_path: Path) -> None:
    diagnostics = found(tmp_path, "{vars.units: [2, 3]}", goal)
    assert [(d.code, str(d.severity)) for d in diagnostics] == ([("NN594", severity)] if severity else [])


def test_a_build_does_not_see_the_search(tmp_path: Path) -> None:
    """Of a point one spec is left: the same text as without the section."""
    from nnspec.expansion.resolved import to_yaml

    assert found(tmp_path, "{vars.units: [2, 3]}") == []
    with_search = to_yaml(check(tmp_path / "spec.yaml").root)
    (tmp_path / "plain.yaml").write_text(SPEC, encoding="utf-8")
    assert with_search == to_yaml(check(tmp_path / "plain.yaml").root)


def test_check_imports_no_optuna(tmp_path: Path) -> None:
    assert found(tmp_path, "{vars.units: [2, 3]}") == []
    code = (
        "import sys; from nnspec.pipeline import diagnose; assert diagnose('spec.yaml') == []; "
        "assert not {'optuna', 'ray', 'numpy'} & sys.modules.keys()"
    )
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True)


def test_points_of_a_finite_space(tmp_path: Path) -> None:
    """Conditional values are set in the trials of their condition alone."""
    space = (
        "{vars.units: {from: 2, to: 6, step: 2}, training.optimizer.SGD.momentum: {choices: [0.5, 0.9], when: "
        "{training.optimizer: SGD}}, training.optimizer: [Adam, SGD]}"
    )
    assert found(tmp_path, space) == []
    section = check(tmp_path / "spec.yaml").root.get("search")
    plan = read_search(section)  # type: ignore[arg-type]
    points = list(all_points(plan.space))
    assert len(points) == count_points(plan.space) == 3 * (1 + 2)
    assert [p for p in points if p["vars.units"] == 4] == [
        {"vars.units": 4, "training.optimizer": "Adam"},
        {"vars.units": 4, "training.optimizer": "SGD", "training.optimizer.SGD.momentum": 0.5},
        {"vars.units": 4, "training.optimizer": "SGD", "training.optimizer.SGD.momentum": 0.9},
    ]
    assert list(points[1]) == ["vars.units", "training.optimizer", "training.optimizer.SGD.momentum"]


def test_times() -> None:
    assert [parse_duration(text) for text in ("90s", "30m", "1.5h", "2 d")] == [90, 1800, 5400, 172_800]


@pytest.mark.parametrize(
    ("numbers", "value", "rounded"),
    [
        (Range(low=1e-4, high=0.1, is_log=True), 0.0031622776601, 0.003162),
        (Range(low=0.0, high=0.5), 0.123456789, 0.1235),
        (Range(low=1000.0, high=1000.5), 1000.123456789, 1000.1235),
        (Range(low=0.0, high=1.0, step=0.25), 0.7500000001, 0.75),
        (Range(low=2, high=9), 4.0, 4),
    ],
)
def test_values_are_rounded_to_digits_that_matter(numbers: Range, value: float, rounded: float) -> None:
    assert repr(numbers.rounded(value)) == repr(rounded)


def test_a_name_means_every_choice_that_gives_it_arguments(tmp_path: Path) -> None:
    choices = "[Adam, {SGD: {momentum: 0.5}}, {SGD: {momentum: 0.9}}, {RMSprop: {rho: 0.8}}]"
    path = tmp_path / "spec.yaml"
    rate = "{choices: [0.1, 0.2], when: {training.optimizer: [SGD, Adam]}}"
    space = f"{{training.optimizer: {choices}, vars.rate: {rate}}}"
    path.write_text(f"{SPEC}search:\n  goal: {{minimize: validation.y.rmse}}\n  space: {space}\n", encoding="utf-8")
    plan = read_search(check(path).root.get("search"))  # type: ignore[arg-type]
    points = list(all_points(plan.space))
    with_rate = [point for point in points if "vars.rate" in point]
    assert len(points) == 7  # 3 optimizers with 2 rates, and RMSprop
    assert len(with_rate) == 6
    assert not any("RMSprop" in str(point) for point in with_rate)
