"""Published data sets in arrays, which are read by torchvision where their files are pickled."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import torch
from torchvision import datasets

from nascore.api import RecipeError
from nascore.nn import Examples
from nascore_vision.arrays import resized
from nascore_vision.datasets import load_files
from nascore_vision.images import Reading
from nascore_vision.listing import read_folder
from nascore_vision.memory import InMemory, Loaded, held
from nascore_vision.problems import listed, problem, readable
from nascore_vision.roots import absent, download, root_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from nascore_vision.settings import PublishedSettings

PARTS: Final = ("train", "test")

PIECE: Final = 1000
"""Number of images that are copied at a time."""

Pair = tuple[np.ndarray, np.ndarray]
"""Images [N, C, H, W] and their labels."""

Reader = Callable[[Path, str], Pair]
"""Reads the images below a root; the second argument is `train` or `test`."""


class Arrays(InMemory):
    """A published data set in arrays.

    Attributes:
        name: The component.
        flip: Whether mirrored images are images of the same class.
        pad: Pixels of padding for a random crop; None: an eighth of a side.
        classes: The names of the classes.
        forms: The ways in which the files may be stored: the path of each below the root, with its reader.
        source: The class of torchvision that downloads the files.
    """

    name: str
    flip: bool = False
    pad: int | None = None
    classes: tuple[str, ...] = ()
    source: Any = None

    def __init__(self, settings: PublishedSettings) -> None:
        super().__init__(lambda: self._found(settings), settings, flip=self.flip, pad=self.pad)

    def _found(self, settings: PublishedSettings) -> Loaded:
        """Return the images of the first form that is below the root; downloads it if the settings say so."""
        root = root_of(settings)
        forms = self.forms()
        found = next((form for form in forms if (root / form).exists()), None)
        if found is None and settings.download:
            self._download(root)
            found = next((form for form in forms if (root / form).exists()), None)
        if found is None:
            raise RecipeError([absent(self.name, root, tuple(forms), settings, self.source)])
        key = (type(self), root, found, settings.size, _stamps(root / found))
        return held(key, lambda: self._read(root, forms[found], settings))

    def forms(self) -> dict[str, Reader]:
        """Return the reader of each form, by its path below the root."""
        raise NotImplementedError

    def _read(self, root: Path, read: Reader, settings: PublishedSettings) -> Loaded:
        parts = []
        for part in PARTS:
            images, labels = _complete(self.name, root, partial(read, root, part))
            whole = Examples(
                images=torch.from_numpy(np.ascontiguousarray(images)),
                labels=torch.from_numpy(np.asarray(labels, np.int64)),
            )
            parts.append(resized(whole, settings.size))
        number = len(self.classes)
        high = max(int(part.labels.max()) for part in parts)
        if high >= number:
            text = f"{self.name} in {readable(str(root))} has the label {high}, but {number} classes."
            raise RecipeError([problem(text, setting="root")])
        return Loaded(train=parts[0], test=parts[1], number=number, classes=self.classes, sizes={})

    def _download(self, root: Path) -> None:
        for part in PARTS:
            fetch = partial(self.source, str(root), train=part == "train", download=True)
            download(self.name, root, fetch)


def _complete(name: str, root: Path, read: Callable[[], Pair]) -> Pair:
    try:
        return read()
    except RecipeError:
        raise
    except Exception as error:  # noqa: BLE001 - damaged files raise errors of many types
        cause = " ".join(str(error).split()).rstrip(".")
        text = (
            f"the files of {name} in {readable(str(root))} cannot be read: {cause or type(error).__name__}."
        )
        raise RecipeError([problem(text, "Replace them by complete ones.", setting="root")]) from None


def _stamps(path: Path) -> tuple[tuple[str, int, int], ...]:
    """Return the name, time and size of a file, or of the files of a folder."""
    files = sorted(path.iterdir()) if path.is_dir() else [path]
    seen = [(file.name, file.stat()) for file in files]
    return tuple((name, stat.st_mtime_ns, stat.st_size) for name, stat in seen)


class _Idx(Arrays):
    """Grey images of 28x28 pixels in the files of MNIST."""

    def forms(self) -> dict[str, Reader]:
        """Return the reader of the folder that torchvision makes."""
        return {f"{self.source.__name__}/raw": self._idx}

    def _idx(self, root: Path, part: str) -> Pair:
        data = self.source(str(root), train=part == "train")
        return data.data.numpy()[:, None], data.targets.numpy()


DIGITS: Final = tuple(map(str, range(10)))


class Mnist(_Idx):
    """MNIST (LeCun et al. 1998)."""

    name, pad, source, classes = "mnist", 2, datasets.MNIST, DIGITS


class FashionMnist(_Idx):
    """Fashion-MNIST (Xiao et al. 2017)."""

    name, flip, pad, source = "fashion-mnist", True, 2, datasets.FashionMNIST
    classes = tuple(datasets.FashionMNIST.classes)


class Kmnist(_Idx):
    """Kuzushiji-MNIST (Clanuwat et al. 2018)."""

    name, pad, source, classes = "kmnist", 2, datasets.KMNIST, tuple(datasets.KMNIST.classes)


class _Cifar(Arrays):
    """Images of 32x32 pixels in the files of CIFAR."""

    flip, pad = True, 4
    folder = binary = ""
    parts: tuple[tuple[str, ...], tuple[str, ...]] = ((), ())
    """The binary files for training and for testing."""
    labels = 1
    """Bytes of labels before each image; the last one counts."""

    def forms(self) -> dict[str, Reader]:
        """Return the readers of the python version, the binary version, and folders of images."""
        return {
            self.source.base_folder: self._python,
            self.binary: self._binary,
            f"{self.name}/train": self._folder,
        }

    def _python(self, root: Path, part: str) -> Pair:
        """Read the python version: torchvision unpickles only files with the published MD5."""
        wrong = [
            file
            for file, md5 in (*self.source.train_list, *self.source.test_list)
            if not datasets.utils.check_integrity(str(root / self.source.base_folder / file), md5)
        ]
        if wrong:
            text = (
                f"{listed(wrong)} in {readable(str(root / self.source.base_folder))} have another MD5 than "
            )
            hint = "They are not unpickled. Replace them, or use the binary version."
            raise RecipeError([problem(f"{text}the published files of {self.name}.", hint, setting="root")])
        data = self.source(str(root), train=part == "train")
        return data.data.transpose(0, 3, 1, 2), np.asarray(data.targets)

    def _binary(self, root: Path, part: str) -> Pair:
        """Read the binary version: one or two bytes of labels, then the red, green and blue pixels."""
        size = self.labels + 3 * 32 * 32
        files = [root / self.binary / name for name in self.parts[PARTS.index(part)]]
        for file in files:
            if file.stat().st_size % size:
                raise ValueError(f"{file.name} is truncated")
        count = sum(file.stat().st_size for file in files) // size
        # In pieces into their place: all files at once would need the memory of the images twice.
        images, labels, done = np.empty((count, 3, 32, 32), np.uint8), np.empty(count, np.uint8), 0
        for rows in _rows(files, size):
            images[done : done + len(rows)] = rows[:, self.labels :].reshape(-1, 3, 32, 32)
            labels[done : done + len(rows)] = rows[:, self.labels - 1]
            done += len(rows)
        return images, labels

    def _folder(self, root: Path, part: str) -> Pair:
        """Read folders of images, below `train` and `test`, with a folder for each class."""
        found = read_folder(root / self.name)
        loaded = load_files(found, Reading(size=32, colour="rgb"), None)
        examples = loaded.train if part == "train" else loaded.test
        assert isinstance(examples, Examples)  # load_files holds them in memory unless it is told otherwise
        order = _numbers(loaded.classes, self.classes, self.name)
        return examples.images.numpy(), order[examples.labels.numpy()]


def _rows(files: Sequence[Path], size: int) -> Iterator[np.ndarray]:
    """Yield the rows of binary files, [N, size], in pieces."""
    for file in files:
        with file.open("rb") as content:
            while len(rows := np.fromfile(content, np.uint8, PIECE * size)):
                yield rows.reshape(-1, size)


def _numbers(found: Sequence[str], classes: Sequence[str], name: str) -> np.ndarray:
    """Return the number of each found class: by its name, or by its number as a name."""
    known = {title: number for number, title in enumerate(classes)}
    known |= {str(number): number for number in range(len(classes))}
    strange = [title for title in found if title not in known]
    if strange:
        text = f"{listed(strange)} are no classes of {name}."
        raise RecipeError([problem(text, f"Its classes are {listed(classes)}.", setting="root")])
    return np.array([known[title] for title in found])


CIFAR10: Final = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")

_CIFAR100: Final = """
apple aquarium_fish baby bear beaver bed bee beetle bicycle bottle bowl boy bridge bus butterfly camel
can castle caterpillar cattle chair chimpanzee clock cloud cockroach couch crab crocodile cup dinosaur
dolphin elephant flatfish forest fox girl hamster house kangaroo keyboard lamp lawn_mower leopard lion
lizard lobster man maple_tree motorcycle mountain mouse mushroom oak_tree orange orchid otter palm_tree
pear pickup_truck pine_tree plain plate poppy porcupine possum rabbit raccoon ray road rocket rose sea
seal shark shrew skunk skyscraper snail snake spider squirrel streetcar sunflower sweet_pepper table tank
telephone television tiger tractor train trout tulip turtle wardrobe whale willow_tree wolf woman worm
"""

CIFAR100: Final = tuple(_CIFAR100.split())


class Cifar10(_Cifar):
    """CIFAR-10 (Krizhevsky 2009)."""

    name, source, classes, binary = "cifar10", datasets.CIFAR10, CIFAR10, "cifar-10-batches-bin"
    parts = (tuple(f"data_batch_{number}.bin" for number in range(1, 6)), ("test_batch.bin",))


class Cifar100(_Cifar):
    """CIFAR-100 (Krizhevsky 2009)."""

    name, source, classes, binary = "cifar100", datasets.CIFAR100, CIFAR100, "cifar-100-binary"
    parts, labels = (("train.bin",), ("test.bin",)), 2


class Svhn(Arrays):
    """Street View House Numbers (Netzer et al. 2011), without its extra images."""

    name, source, classes, pad = "svhn", datasets.SVHN, DIGITS, 4

    def forms(self) -> dict[str, Reader]:
        """Return the reader of the two files."""
        return {"svhn/train_32x32.mat": self._mat, "train_32x32.mat": self._plain}

    def _mat(self, root: Path, part: str) -> Pair:
        data = self.source(str(root / "svhn"), split=part)
        return data.data, data.labels

    def _plain(self, root: Path, part: str) -> Pair:
        data = self.source(str(root), split=part)
        return data.data, data.labels

    def _download(self, root: Path) -> None:
        for part in PARTS:
            folder = root / "svhn"
            download(self.name, folder, partial(self.source, str(folder), split=part, download=True))


class Stl10(Arrays):
    """The labelled images of STL-10 (Coates et al. 2011)."""

    name, source, flip, pad = "stl10", datasets.STL10, True, 12
    classes = ("airplane", "bird", "car", "cat", "deer", "dog", "horse", "monkey", "ship", "truck")

    def forms(self) -> dict[str, Reader]:
        """Return the reader of the binary files; torchvision's also needs the 2.6 GB without labels."""
        return {"stl10_binary": self._binary}

    def _binary(self, root: Path, part: str) -> Pair:
        images = np.fromfile(root / "stl10_binary" / f"{part}_X.bin", np.uint8)
        labels = np.fromfile(root / "stl10_binary" / f"{part}_y.bin", np.uint8)
        columns = images.reshape(-1, 3, 96, 96).transpose(0, 1, 3, 2)  # stored by columns
        if len(columns) != len(labels):
            raise ValueError(f"{part}_X.bin has {len(columns)} images, and {part}_y.bin {len(labels)} labels")
        return columns, labels.astype(np.int64) - 1

    def _download(self, root: Path) -> None:
        download(self.name, root, partial(self.source, str(root), split="train", download=True))
