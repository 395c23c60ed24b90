"""The settings of the data sets; no torch and no Pillow."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - the annotation is read when settings are checked
from typing import Literal

from attrs import frozen

from nascore.api import restated, setting


@frozen(kw_only=True, slots=False)  # only one of two base classes can have slots
class AugmentationSettings:
    """How training images are changed at random."""

    crop_pad: int | None = setting(
        None,
        "Pixels of zeros around an image, before a random crop; null: the data set's usual value.",
        ge=0,
    )
    flip: bool | None = setting(
        None, "Whether images are flipped at random; null: the data set's usual value."
    )


@frozen(kw_only=True, slots=False)
class SplitSettings:
    """How images are divided into training and test images if the data set does not divide them."""

    test_share: float = setting(0.2, "Share of the images of each class that are for testing.", gt=0, lt=1)
    split_seed: int = setting(
        0, "Decides which images are for testing; the seed of the run has no influence on it.", ge=0
    )


@frozen(kw_only=True, slots=False)
class FormSettings:
    """Where images are kept."""

    memory: Literal["auto", "memory", "stream"] = setting(
        "auto",
        "Whether images are held in memory or read from their files for each batch; auto: in memory if they "
        "take at most a quarter of it.",
    )
    workers: int | None = setting(
        None,
        "Processes that read streamed images ahead; null: as many as there are cores, at most 4. Results do "
        "not depend on it.",
        ge=0,
    )


@frozen(kw_only=True, slots=False)
class ImageSettings(AugmentationSettings, FormSettings):
    """How image files are read."""

    size: int | None = setting(
        None,
        "Height and width to which images are resized, in pixels; null: their own size, the same for all.",
        ge=1,
        le=4096,
    )
    fit: Literal["crop", "stretch"] = setting(
        "crop", "How an image becomes a square: its middle is cropped, or it is stretched."
    )
    colour: Literal["auto", "grey", "rgb"] = setting(
        "auto", "Whether images are read as grey or in colour; auto: as all of them are stored."
    )
    background: Literal["black", "white"] | None = setting(
        None, "Colour behind transparent pixels; null: images with such pixels are refused."
    )
    skip_bad: bool = setting(default=False, help="Whether to leave out files that cannot be read.")


@frozen(kw_only=True)
class FolderSettings(ImageSettings, SplitSettings):
    """Images in one folder for each class."""

    path: Path | None = setting(  # noqa: RUF009 - it declares a field
        None, "Folder with a sub-folder for each class, or with train, val and test folders of them."
    )


@frozen(kw_only=True)
class CsvSettings(ImageSettings, SplitSettings):
    """Images that a table lists."""

    path: Path | None = setting(  # noqa: RUF009 - it declares a field
        None, "CSV file with a row for each image.", copied=False
    )
    image_column: str = setting("path", "Column with the paths of the images, relative to the CSV file.")
    label_column: str = setting("label", "Column with the classes.")
    target: str | None = setting(
        None,
        "Columns with numbers instead of classes, separated by commas: values, or 0 and 1 for each label.",
    )
    label_separator: Literal[";", "|"] | None = setting(
        None, "Character between the labels of an image in label_column; null: each image has one class."
    )
    split_column: str = setting("split", "Column with train, val or test for each image, if there is one.")


@frozen(kw_only=True)
class NpzSettings(AugmentationSettings, SplitSettings):
    """Images in an archive of NumPy arrays."""

    path: Path | None = setting(  # noqa: RUF009 - it declares a field
        None, "File that numpy.savez wrote, with images and labels."
    )
    size: int | None = restated(ImageSettings, "size")


@frozen(kw_only=True, slots=False)
class RootSettings:
    """Where the files of a published data set are."""

    root: Path | None = setting(  # noqa: RUF009 - it declares a field
        None, "Folder of the data sets; null: NASCORE_DATA, or the folder data."
    )
    download: bool = setting(
        default=False, help="Whether to download missing files into root; torchvision checks their checksums."
    )


@frozen(kw_only=True)
class PublishedSettings(AugmentationSettings, RootSettings):
    """A published data set in arrays."""

    size: int | None = restated(ImageSettings, "size")


@frozen(kw_only=True)
class PublishedFilesSettings(AugmentationSettings, FormSettings, RootSettings):
    """A published data set in image files."""

    size: int = setting(
        64, "Height and width to which images are resized and cropped, in pixels.", ge=1, le=4096
    )
    skip_bad: bool = restated(ImageSettings, "skip_bad")


@frozen(kw_only=True)
class ImagenetSettings(PublishedFilesSettings):
    """ImageNet at its usual size."""

    size: int = restated(PublishedFilesSettings, "size", 224)


@frozen(kw_only=True)
class Imagenet16Settings(PublishedFilesSettings):
    """ImageNet of 16 pixels."""

    size: int = restated(PublishedFilesSettings, "size", 16)
