"""Options, commands and values of other tools, with the command of nascore that does the same.

:mod:`nascore.cli.mistyped` reads these tables where click finds no such option, command or value.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from attrs import Factory, frozen

if TYPE_CHECKING:
    from collections.abc import Mapping

RESUME: Final = "Write nascore resume {run}: it continues a run that was stopped."
FOLDER_OF_IMAGES: Final = (
    "A folder with one sub-folder of images for each class is --dataset folder:PATH, of the plugin "
    "nascore-vision; other data sets are chosen by name: nascore list dataset."
)
ONNX: Final = (
    "nascore writes no ONNX: best/model.py of a run loads the trained network in Python, and "
    "torch.onnx.export writes the ONNX file."
)
PREDICT: Final = (
    "Write nascore predict {run} IMAGE. In Python: nascore.load_run({name}).predict(images), or with torch "
    "alone best/model.py in the run's folder."
)
NOT_TWICE: Final = "A run never writes over another: name a new folder with --out."
RANKED: Final = "the short training in the search that ranks an architecture"
FOUND: Final = "the training of evaluate"
EPOCH: Final = "The length of a run is in epochs:"


@frozen(kw_only=True)
class Habit:
    """An option that nascore does not have.

    Attributes:
        names: Its names in other tools, without dashes.
        settings: The settings of nascore that do the same, each with its purpose. Those that the verb and the
            named components have are the answer, in place of `search` and `evaluate`.
        search: The answer of ``nascore search``. ``{value}`` is the typed value, or else `value`; ``{run}``
            is the same value as a run; ``{named}`` is the option of the slot with a component of that name.
        evaluate: The answer of ``nascore evaluate``; empty: that of `search`.
        others: The answers of other verbs, by verb. A verb without one suggests the closest of its options.
        value: The placeholder where no value was typed.
        single: Whether the option takes no value; then the next word is not part of it.
    """

    names: tuple[str, ...]
    settings: Mapping[str, str] = Factory(dict)
    search: str = ""
    evaluate: str = ""
    others: Mapping[str, str] = Factory(dict)
    value: str = "N"
    single: bool = False


NEW_WEIGHTS: Final = "A search begins with new weights. nascore evaluate has an option --weights FILE."

OPTIONS: Final = (
    Habit(
        names=("epochs", "epoch", "num-epochs", "n-epochs", "max-epochs", "search-epochs", "train-epochs"),
        settings={"trainer.epochs": "the search", "ranking.epochs": RANKED, "training.epochs": FOUND},
    ),
    Habit(
        names=("steps", "max-steps", "iterations", "iters", "num-steps"),
        search=f"{EPOCH} --set trainer.epochs=N for the search, --set ranking.epochs=N for {RANKED}, "
        f"--set training.epochs=N for {FOUND}.",
        evaluate=f"{EPOCH} --set training.epochs=N.",
    ),
    Habit(
        names=("lr", "learning-rate", "base-lr", "init-lr"),
        settings={
            "trainer.lr": "the weights of the supernet",
            "updater.lr": "the architecture",
            "ranking.lr": RANKED,
            "training.lr": FOUND,
        },
        value="X",
    ),
    Habit(
        names=("batch-size", "batch", "bs", "batchsize", "train-batch-size"),
        settings={"trainer.batch": "the search", "ranking.batch": RANKED, "training.batch": FOUND},
    ),
    Habit(
        names=("wd", "weight-decay", "l2"),
        settings={
            "trainer.weight_decay": "the search",
            "ranking.weight_decay": RANKED,
            "training.weight_decay": FOUND,
        },
        value="X",
    ),
    Habit(
        names=("gpu", "gpus", "cuda", "use-cuda", "gpu-id", "gpu-ids", "use-gpu", "accelerator"),
        search="Write --device cuda. The first visible GPU is used: CUDA_VISIBLE_DEVICES=1 before the "
        "command makes the second GPU the first visible one.",
        single=True,
    ),
    Habit(names=("cpu", "no-cuda", "no-gpu"), search="Write --device cpu.", single=True),
    Habit(
        names=("workers", "num-workers", "n-jobs", "jobs", "num-threads", "cpus", "ncpu"),
        search="Write --threads {value}: images are held in memory, and no worker loads them.",
    ),
    Habit(
        names=("resume", "checkpoint", "ckpt", "ckpt-path", "continue", "restart", "load", "from-run"),
        search=RESUME,
    ),
    Habit(
        names=("data", "data-dir", "data-path", "dataset-path", "datadir", "image-folder", "images", "root"),
        search=FOLDER_OF_IMAGES,
        value="PATH",
    ),
    Habit(
        names=("algorithm", "algo", "method", "strategy", "searcher", "nas", "alg", "search-algorithm"),
        search="Write {named}. An algorithm is an updater, and for some algorithms also a growth policy or a "
        "relaxation; see nascore list.",
        evaluate="An evaluation trains one architecture. A search is nascore search {named}.",
        value="NAME",
    ),
    Habit(
        names=("optimizer", "optim", "opt"),
        search="The trainer has the optimizer of the weights, with settings such as --set trainer.lr=X; see "
        "nascore show alternating. The search algorithm is --updater NAME.",
        evaluate="The optimizer is SGD, with settings such as --set training.lr=X; see nascore show run.",
        value="NAME",
    ),
    Habit(
        names=("model", "arch", "architecture", "network", "net", "backbone", "search-space", "supernet"),
        search="Write {space} to search in it. nascore evaluate ARCHITECTURE trains one fixed architecture.",
        evaluate="Write nascore evaluate {value}: the architecture is an argument without an option.",
        value="NAME",
    ),
    Habit(
        names=(
            *("output", "o", "out-dir", "output-dir", "outdir", "save", "save-dir", "save-path", "log-dir"),
            *("logdir", "work-dir", "workdir", "run-dir", "dest", "exp-name", "run-name", "name", "project"),
        ),
        search="Write --out {value}.",
        others={
            "new-plugin": "Write --out {value}.",
            "export": "It is written to stdout: nascore export RUN --to NAME > FILE.",
            "draw": "It is written to stdout: nascore draw RUN --dot > FILE.",
            "schema": "It is written to stdout: nascore schema > FILE.",
            "gallery": "It is written to stdout: nascore gallery RUN --csv > FILE.",
            "compare": "It is written to stdout: nascore compare RUN --json > FILE.",
        },
        value="DIR",
    ),
    Habit(
        names=("force", "overwrite", "yes", "y", "exist-ok", "f"),
        search=NOT_TWICE,
        others={"new-plugin": "Nothing is overwritten: name a new folder with --out."},
        single=True,
    ),
    Habit(
        names=("config", "cfg", "yaml", "c", "config-file", "params"),
        search="Write --recipe {value}.",
        value="FILE",
    ),
    Habit(names=("plugin", "plugins", "import"), search="Write --with FILE.", value="FILE"),
    Habit(
        names=("trials", "n-trials", "num-trials", "repeats", "num-runs", "n-runs", "restarts"),
        search="Write --seeds 0..4 for five searches with the seeds 0 to 4.",
        evaluate="Write --seed N, in a command for each seed.",
    ),
    Habit(
        names=("random-seed", "random-state", "manual-seed", "rng"),
        search="Write --seed {value}.",
    ),
    Habit(
        names=("layers", "num-layers", "n-layers", "depth", "num-cells"),
        settings={"space.cells": "the search", "ranking.cells": RANKED, "training.cells": FOUND},
        others={"draw": "Write --cells {value}."},
    ),
    Habit(
        names=("width", "init-channels", "init-ch", "num-channels", "filters"),
        settings={"space.channels": "the search", "ranking.channels": RANKED, "training.channels": FOUND},
        others={"draw": "Write --channels {value}."},
    ),
    Habit(
        names=("flops", "macs", "max-params", "max-flops", "target", "constraint", "limit", "latency"),
        search="Write --regularizer cost --set regularizer.cost.target=N for a cost that the search aims at; "
        "see nascore show cost. Latency is not measured.",
        evaluate="An evaluation has no limit of costs; nascore draw ARCHITECTURE counts parameters and MACs.",
        others={"gallery": "Write --cost macs or --cost params."},
    ),
    Habit(
        names=("time", "time-limit", "timeout", "max-time", "max-hours"),
        search="Write --budget 2h, or --budget 500steps; nascore resume continues the run. The length of a "
        "search is --set trainer.epochs=N, and growth ends with --set growth.count=N.",
    ),
    Habit(
        names=("verbose", "v", "log-level", "progress"),
        search="Progress is always shown; metrics.jsonl and run.log of the run have every epoch. "
        "Tracebacks: nascore --debug VERB.",
        single=True,
    ),
    Habit(
        names=("quiet", "q", "silent", "no-progress", "no-bar"),
        search="Write --observer none for a run without progress output.",
        single=True,
    ),
    Habit(
        names=("wandb", "tensorboard", "logger", "mlflow", "report-to", "log"),
        search="Every epoch is a line of metrics.jsonl in the run's folder; an observer of your own "
        "can write to another logger: docs/observers.md.",
    ),
    Habit(
        names=("amp", "bf16", "mixed-precision", "autocast"),
        search="Write --precision bf16 to train in mixed precision.",
        single=True,
    ),
    Habit(
        names=("fp16", "half"),
        search="Write --precision fp16 to train in mixed precision.",
        single=True,
    ),
    Habit(
        names=("finetune", "init-from"),
        search=NEW_WEIGHTS,
        evaluate="Write --weights FILE, or --pretrained for a network of timm or torchvision: "
        "nascore downloads no weights.",
    ),
    Habit(names=("weights",), search=NEW_WEIGHTS),
    Habit(names=("pretrained",), search=NEW_WEIGHTS, single=True),
    Habit(
        names=("test", "eval", "final", "retrain"),
        search="Write --evaluate to train the found architecture from scratch and test it.",
        evaluate="nascore evaluate always tests, once, at its end.",
        single=True,
    ),
    Habit(
        names=("validate", "check", "noop", "plan", "n"),
        search="Write --dry-run.",
        evaluate="nascore evaluate has no dry run; nascore check RECIPE checks a recipe.",
        single=True,
    ),
    Habit(
        names=("onnx", "torchscript", "tflite", "torch"),
        others={"export": ONNX},
        search="A search writes no such file. " + ONNX,
        single=True,
    ),
    Habit(
        names=("format", "fmt", "f", "notation", "as"),
        others={
            "export": "Write --to {value}.",
            "gallery": "Write --json or --csv.",
            "compare": "Write --json.",
            "draw": "Write --dot or --json.",
        },
        value="NAME",
    ),
    Habit(
        names=("best", "top", "id", "index", "k", "arch-id"),
        others=dict.fromkeys(
            ("evaluate", "draw", "export"),
            "Write --entry {value}, the id in nascore gallery. Default: the best.",
        ),
        evaluate="Write --entry {value}, the id in nascore gallery. Default: the best.",
        value="ID",
    ),
    Habit(
        names=("csv", "latex", "markdown", "plot", "figure", "png", "svg", "pdf", "save-plot"),
        others={
            "compare": "It prints text or --json; of one run, nascore gallery RUN has --csv and --plot.",
            "draw": "Write --dot, which Graphviz draws: nascore draw RUN --dot | dot -Tpng > FILE.",
            "gallery": "Write --plot for a plot in the terminal, --csv or --json for another program.",
        },
        single=True,
    ),
)
"""The options of other tools; the first habit with the name and an answer for the verb is used."""

_LIST: Final = "Write nascore list, or nascore list {rest}."
_GALLERY: Final = "Write nascore gallery {run} --plot."
_DRAW: Final = "Write nascore draw {run}."
_SEARCH: Final = (
    "A search is nascore search --space NAME --updater NAME; nascore evaluate ARCHITECTURE trains one "
    "architecture."
)

COMMANDS: Final[dict[str, str]] = {
    **dict.fromkeys(("train", "fit", "run", "start", "launch", "main"), _SEARCH),
    **dict.fromkeys(("nas", "find", "optimize", "optimise", "tune", "automl", "optuna"), _SEARCH),
    **dict.fromkeys(
        ("test", "eval", "retrain", "finetune", "score", "augment"),
        "Write nascore evaluate {run}: it trains an architecture from scratch, and tests it once.",
    ),
    **dict.fromkeys(("plot", "visualize", "visualise", "pareto", "front", "leaderboard", "top"), _GALLERY),
    **dict.fromkeys(
        ("curves", "metrics", "tensorboard", "log", "logs"), "{run}/metrics.jsonl has the epochs."
    ),
    **dict.fromkeys(("view", "render", "print", "graph", "diagram", "dot", "cell", "genotype"), _DRAW),
    **dict.fromkeys(("count", "flops", "macs", "params", "profile", "summary"), f"{_DRAW} It counts them."),
    **dict.fromkeys(
        ("latency", "benchmark"), "Latency is not measured. Weights and MACs: nascore draw {run}."
    ),
    **dict.fromkeys(("continue", "restart"), RESUME),
    **dict.fromkeys(("repeat", "reproduce", "rerun"), "Write nascore search --recipe {run}/recipe.yaml."),
    **dict.fromkeys(("infer", "inference", "prediction", "serve", "deploy", "classify"), PREDICT),
    **dict.fromkeys(
        ("onnx", "convert", "save", "to-onnx", "dump"), f"{ONNX} Notations: nascore export --help."
    ),
    **dict.fromkeys(("help", "usage", "man", "commands"), "Write nascore --help, or nascore VERB --help."),
    **dict.fromkeys(
        ("report", "stats", "table", "significance", "diff"),
        "Write nascore compare {run} for a table of runs, nascore gallery {run} for its architectures.",
    ),
    **dict.fromkeys(
        ("history", "status", "ps", "results", "jobs", "experiments", "ls"), "Write nascore runs."
    ),
    **dict.fromkeys(("models", "spaces", "algorithms", "methods", "datasets", "info", "available"), _LIST),
    **dict.fromkeys(("describe", "explain", "doc", "docs", "settings"), "Write nascore show NAME."),
    **dict.fromkeys(
        ("config", "configure", "template", "recipe", "preset"),
        "Write nascore show NAME --yaml for a recipe to begin with, nascore check FILE to check one.",
    ),
    **dict.fromkeys(("validate", "lint", "verify", "dry-run"), "Write nascore check RECIPE."),
    **dict.fromkeys(
        ("init", "new", "create", "scaffold", "generate"), "Write nascore new-plugin NAME --slot SLOT."
    ),
    **dict.fromkeys(
        ("install", "uninstall", "add", "upgrade", "plugin"),
        "Plugins are installed by pip; nascore plugins list shows them.",
    ),
    **dict.fromkeys(("doctor", "health", "diagnose", "debug"), "Write nascore plugins doctor."),
    **dict.fromkeys(
        ("rm", "remove", "delete", "clean", "prune"),
        "A run is its folder: remove the folder. See nascore runs.",
    ),
    **dict.fromkeys(("version", "about"), "Write nascore --version."),
    **dict.fromkeys(("demo", "quickstart", "example", "tutorial", "hello"), "Write nascore, without a verb."),
    **dict.fromkeys(("ui", "gui", "dashboard", "web"), "All results are in the terminal: nascore runs."),
    **dict.fromkeys(("download", "fetch", "get", "dataset", "inspect-data"), FOLDER_OF_IMAGES),
}
"""The answers to unknown commands. ``{run}`` and ``{rest}`` are the words after the command.

``{name}`` is the run as a Python string.
"""

VALUES: Final[dict[tuple[str, str], str]] = {
    **dict.fromkeys((("device", "gpu"), ("device", "GPU"), ("device", "nvidia")), "Write --device cuda."),
    ("device", "cuda:"): (
        "Write --device cuda, which is the first visible GPU: CUDA_VISIBLE_DEVICES={number} before the "
        "command makes GPU {number} the first visible one."
    ),
    **dict.fromkeys((("device", "mps"), ("device", "tpu"), ("device", "xpu")), "Write --device cpu."),
    **dict.fromkeys(
        tuple(("precision", word) for word in ("amp", "mixed", "bfloat16", "bf16-mixed", "16-mixed")),
        "Write --precision bf16.",
    ),
    **dict.fromkeys(
        tuple(("precision", word) for word in ("half", "float16", "16")), "Write --precision fp16."
    ),
    **dict.fromkeys(
        tuple(("precision", word) for word in ("fp32", "full", "32")), "Write --precision float32."
    ),
    ("to", "onnx"): ONNX,
    ("to", "torch"): (
        "The trained network is best/model.py in the run's folder, with its weights beside it; it needs "
        "only torch."
    ),
    ("to", "yaml"): "The description is best/architecture.yaml in the run's folder.",
}
"""The answers to wrong values, by option and value. A value that ends in a colon is a prefix."""
