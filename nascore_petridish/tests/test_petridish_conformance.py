"""Other forms of the policy pass the kit too; its defaults do in the test of the plugin."""

from __future__ import annotations

from typing import ClassVar

from petridish_rules import PetridishConformance
from petridish_samples import OPERATIONS


class TestMacro(PetridishConformance):
    settings: ClassVar = {"search": "macro", "keep": 2, "operations": OPERATIONS}


class TestSoft(PetridishConformance):
    settings: ClassVar = {"soft": True, "count": 8, "wave": 2, "operations": OPERATIONS}
