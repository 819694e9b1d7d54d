"""What keys of other libraries and habits are called in a spec, by the place where they stand.

The nearest key by spelling misleads where a word of the field means something else: `weights` is not `class_weight`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from nnspec.layers.kit.habits import Hint

Hints = dict[str, Hint]


def _all(words: str, text: str, instead: str = "") -> Hints:
    return dict.fromkeys(words.split(), Hint(text, instead) if instead else Hint(text))


_UNDER_TRAINING = "it belongs under `training:`"
_UNDER_SPLIT = "it belongs under `data.split`"
_RATE = "it belongs to the optimizer: `optimizer: {Adam: {learning_rate: 0.001}}`"
_TASK = "it belongs to an output: `outputs: {y: {task: regression, loss: …, metrics: […]}}`"
_SEED_OF_SPLIT = "the seed of a split is `seed`, under `data.split`; that of the training is `training.seed`"
_MISSING = "missing values are treated by `missing`: `error`, `drop`, `forward_fill`, …"

_SPEC: Hints = {
    **_all("dataset datasets sources", "data goes under `data:`", "data"),
    **_all("source split window order_by series missing query tables", "it belongs under `data:`"),
    **_all("file path filename csv images", "files go under `data`, as in `data: {source: {csv: data.csv}, …}`"),
    **_all("features x", "the columns of an input go under `data.inputs`; its axes under `inputs`", "inputs"),
    **_all(
        "target targets label labels y", "an output is declared under `outputs`, its columns under `data`", "outputs"
    ),
    **_all(
        "batch_size callbacks shuffle class_weight n_epochs num_epochs max_epochs seed random_state", _UNDER_TRAINING
    ),
    **_all("lr learning_rate", f"{_RATE}, under `training`"),
    **_all("criterion metric", _TASK),
    **_all("stratify group test_size train_size val validation test", _UNDER_SPLIT),
    **_all("weights", "trained weights to start from are `weights`, under `training`"),
}
_DATA: Hints = {
    **_all(
        "file files path paths filename filepath csv parquet npz json url dataset",
        "the file goes under `source:`, as in `source: {csv: data.csv}`",
        "source",
    ),
    **_all(
        "images image folder directory", "a folder of files is an input: `inputs: {photo: {images: photos}}`", "inputs"
    ),
    **_all("features feature x columns", "columns go to an input: `inputs: {x: {columns: [a, b]}}`", "inputs"),
    **_all(
        "target targets label labels y target_column label_column",
        "targets go to an output: `outputs: {y: {columns: [price]}}`",
        "outputs",
    ),
    **_all(
        "shuffle", "rows are drawn at random by `split: {by: random}`, and shuffled in training by `training.shuffle`"
    ),
    **_all(
        "test_size train_size val_size test_split validation_split val_split splits train validation val valid test",
        "shares go under `split:`, as in `split: {train: 0.7, validation: 0.15, test: 0.15}`",
        "split",
    ),
    **_all("stratify stratified", "classes are kept in proportion by `split: {by: stratified}`", "split"),
    **_all("group groups group_by", "groups are kept together by `split: {by: random, group: COLUMN}`", "split"),
    **_all("random_state seed", _SEED_OF_SPLIT),
    **_all("batch_size", _UNDER_TRAINING),
    **_all(
        "normalize standardize normalization scaler scaling scale preprocessing transform",
        "values are scaled by `scale: standard` or `minmax`, in an input or output of `data`",
    ),
    **_all("dropna fillna impute imputer nan", _MISSING, "missing"),
    **_all("na_values na missing_values null_values", "markers of missing values are a key of `source`", "source"),
    **_all(
        "index index_col date time timestamp datetime sort sort_by order time_column",
        "the column that sorts rows is `order_by`",
        "order_by",
    ),
    **_all(
        "sep delimiter encoding decimal quotechar header",
        "it is a key of `source`: `source: {csv: data.csv, delimiter: ';'}`",
        "source",
    ),
    **_all(
        "lookback look_back horizon sequence_length seq_len window_size timesteps lag lags",
        "it belongs under `window:`, as in `window: {lookback: 24, horizon: 1}`",
        "window",
    ),
    **_all("weights sample_weight sample_weights", "the column of sample weights is `weight`", "weight"),
}
_SOURCE: Hints = {
    **_all("file path filename filepath name url", "the file is written under its kind, as in `csv: data.csv`"),
    **_all("tsv txt excel xlsx xls", "tables are `csv` (with `delimiter`), `json` or `parquet`"),
    **_all("sep separator", "the separator of cells is `delimiter`", "delimiter"),
    **_all("quotechar", "the quote character is `quote`", "quote"),
    **_all("header names", "a table begins with a header line; inputs name its columns"),
    **_all("index_col index parse_dates", "the column that sorts rows is `order_by`, beside `source`"),
    **_all("dropna fillna", f"{_MISSING}, beside `source`"),
    **_all("na missing_values null_values nulls", "the markers of missing values are `na_values`", "na_values"),
    **_all("columns usecols features", "columns go to an input: `data: {inputs: {x: {columns: [a, b]}}}`"),
}
_SPLIT: Hints = {
    **_all(
        "val valid dev eval validate val_size validation_size validation_split",
        "the split is called `validation`",
        "validation",
    ),
    **_all("test_size holdout hold_out", "the split is called `test`", "test"),
    **_all("train_size training fit", "the split is called `train`", "train"),
    **_all("random_state random_seed", "the random seed is `seed`", "seed"),
    **_all(
        "shuffle method kind type strategy mode",
        "how rows are divided is `by`: `random`, `stratified`, `time`, …",
        "by",
    ),
    **_all(
        "stratified stratify_by", "the column of classes is `stratify`; `by: stratified` takes the output's", "stratify"
    ),
    **_all("groups group_by group_column", "the column that keeps rows together is `group`", "group"),
    **_all(
        "hash time column array files", "it says how rows are divided: `by: {hash: id}`, `by: {time: date, …}`", "by"
    ),
    **_all("k cv n_splits kfold k_folds n_folds num_folds", "cross-validation is `folds: 5`", "folds"),
    **_all("embargo purge skip", "rows left out between splits are `gap`", "gap"),
}
_WINDOW: Hints = {
    **_all(
        "look_back size length width steps timesteps sequence_length seq_len window_size past n_lags",
        "the rows of a window are `lookback`",
        "lookback",
    ),
    **_all("forecast ahead future steps_ahead lead forecast_horizon", "the rows to predict are `horizon`", "horizon"),
    **_all("step shift strides", "the distance of windows is `stride`", "stride"),
    **_all("seasonality period season_length seasonal_periods", "the rows of a season are `season`", "season"),
}
_SCALE = "values are scaled by `scale: standard` or `scale: minmax`"
_DATA_SLOT: Hints = {
    **_all("column cols features feature x y names", "the columns are a list: `columns: [temperature]`", "columns"),
    **_all("normalize standardize normalization scaler scaling preprocess rescale", _SCALE, "scale"),
    **_all("file path filename filepath", "the file is written under its kind, as in `npy: x.npy`"),
    **_all("key dataset", "an array of an .npz file is named by `array`", "array"),
    **_all("sep", "the separator of cells is `delimiter`", "delimiter"),
    **_all("one_hot categorical encoding_type encode", "a column's encoding: `columns: {sex: one_hot}`", "columns"),
    **_all("dtype", "types of elements are declared under the model's `inputs`"),
    **_all("fillna dropna impute", f"{_MISSING}, under `data`"),
}
_COLUMN: Hints = {
    **_all(
        "indicator missing fill fillna impute imputer dropna nan default",
        "gaps are treated beside `inputs`: `data: {missing: {COLUMN: indicator}}`, or `mean`, `category`, …",
    ),
    **_all("na_values na null_values", "markers of missing values are a key of `source`"),
    **_all(
        "categories vocabulary values labels", "the categories of a column are a list: `{one_hot: [A, B]}`", "one_hot"
    ),
    **_all("onehot dummies categorical", "a feature for each category is `one_hot`", "one_hot"),
    **_all("log log1p sqrt function func", "a function of a column is `transform`: `{transform: log1p}`", "transform"),
    **_all("normalize standardize normalization scaler scaling method", "it is `scale`: `{scale: standard}`", "scale"),
    **_all("sep separator delimiter split", "it belongs to the words of a cell: `{multi_hot: {separator: ';'}}`"),
    **_all("format parts cyclic", "it belongs to the dates: `{date: {parts: [month], format: '%d.%m.%Y'}}`"),
}
_DATA_OUTPUT: Hints = {
    **_all("target targets label label_column target_column", "the columns are a list: `columns: [price]`", "columns"),
    **_all("labels class_names categories", "class labels go under `classes`", "classes"),
    **_all("horizon", "it belongs under `data.window`"),
}
_OF_DATA = "it belongs to the same name under `data.inputs`"
_INPUT: Hints = {
    **_all("images csv npz npy wav columns column features array file path filename folder scale normalize", _OF_DATA),
    **_all("name", "the name of an input is its key: `inputs: {NAME: {axes: …}}`"),
    **_all("dims shape_names dimensions", "an input declares `axes: {time: 10, feature: 5}`", "axes"),
}
_OUTPUT: Hints = {
    **_all("columns column target targets csv array scale file", "it belongs to the same name under `data.outputs`"),
    **_all("metric", "metrics are a list: `metrics: [mae]`", "metrics"),
    **_all("criterion objective", "the loss is `loss`", "loss"),
    **_all("weights loss_weight loss_weights", "the weight of an output's loss is `weight`", "weight"),
    **_all("class_weight class_weights", "classes are weighted by `class_weight`, under `training`"),
    **_all("quantiles", "`task: quantiles` with `levels: [0.1, 0.5, 0.9]`", "levels"),
}
_TRAINING: Hints = {
    **_all(
        "n_epochs num_epochs max_epochs nb_epoch nb_epochs epoch iterations",
        "the number of epochs is `epochs`",
        "epochs",
    ),
    **_all("batch batchsize bs minibatch", "the size of a batch is `batch_size`", "batch_size"),
    **_all("lr learning_rate", _RATE),
    **_all("optim optimiser", "the optimizer is `optimizer`", "optimizer"),
    **_all("callback hooks", "callbacks are a list: `callbacks: [{EarlyStopping: {patience: 3}}]`", "callbacks"),
    **_all("class_weights balanced", "classes are weighted by `class_weight: balanced`", "class_weight"),
    **_all(
        "pretrained initial_weights load_weights init_weights checkpoint resume_from",
        "trained weights to start from are `weights: model.keras`",
        "weights",
    ),
    **_all(
        "gradient_accumulation gradient_accumulation_steps accumulation_steps accumulate_grad_batches accumulate_steps",
        "the number of batches whose gradients are added up is `accumulate`",
        "accumulate",
    ),
    **_all(
        "mixed_precision amp fp16 bf16 half dtype dtype_policy autocast",
        "mixed precision is `precision: mixed_float16` or `mixed_bfloat16`",
        "precision",
    ),
    **_all(
        "logger logging loggers tensorboard mlflow tracking experiment",
        "a training is logged by `log: {tensorboard: runs}` or `log: {mlflow: mlruns}`",
        "log",
    ),
    **_all("freeze frozen trainable", "a layer is frozen by `trainable: false` among its arguments"),
    **_all("stratify test_size train_size val_size split validation_data", "data is split under `data.split`"),
    **_all("criterion metric", _TASK),
    **_all("device gpu gpus accelerator", "the device is chosen by the environment: `CUDA_VISIBLE_DEVICES`"),
    **_all("save_best restore_best_weights", "the best epoch is kept by `restore_best`", "restore_best"),
}
_PLACES: Mapping[tuple[str, ...], tuple[Hints, ...]] = {
    (): (_SPEC,),
    ("data",): (_DATA,),
    ("data", "source"): (_SOURCE,),
    ("data", "split"): (_SPLIT,),
    ("data", "window"): (_WINDOW,),
    ("data", "inputs", "*"): (_DATA_SLOT,),
    ("data", "outputs", "*"): (_DATA_OUTPUT, _DATA_SLOT),
    ("data", "inputs", "*", "columns", "*"): (_COLUMN,),
    ("data", "outputs", "*", "columns", "*"): (_COLUMN,),
    ("inputs", "*"): (_INPUT,),
    ("outputs", "*"): (_OUTPUT,),
    ("training",): (_TRAINING,),
}


def hint_at(path: Iterable[object], key: str) -> Hint | None:
    """What to say about an unknown key by where it stands; None where nothing is known.

    Args:
        path: of the mapping that holds it.
    """
    steps = tuple(str(step) for step in path)
    if steps[:1] in (("inputs",), ("outputs",)) and len(steps) == 2:
        steps = (steps[0], "*")
    elif steps[:1] == ("data",) and len(steps) == 3 and steps[1] in ("inputs", "outputs"):
        steps = (*steps[:2], "*")
    elif steps[:1] == ("data",) and len(steps) == 5 and steps[3] == "columns":
        steps = (*steps[:2], "*", steps[3], "*")
    word = key.lower().replace("-", "_").replace(" ", "_")
    return next((hints[word] for hints in _PLACES.get(steps, ()) if word in hints), None)
