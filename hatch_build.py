"""How the distribution is described on an index: README.md, without links that only the repository has."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface

LINK = re.compile(r"\[([^\]]+)\]\((?!https?://|#)([^)]+)\)")


class PlainLinks(MetadataHookInterface):
    """Sets the readme."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Write each relative link as its text, with the file in brackets."""
        text = Path(self.root, "README.md").read_text(encoding="utf-8")
        metadata["readme"] = {"content-type": "text/markdown", "text": LINK.sub(r"\1 (\2)", text)}
