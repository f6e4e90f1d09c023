"""The READMEs as their readers take them: parts, and the blocks to be copied into a shell."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
ENGLISH, CHINESE = READMES = ["README.md", "README.zh-TW.md"]


def part(text: str, heading: str) -> str:
    """What stands under this heading, up to the next of its kind."""
    return text.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]


def blocks(text: str) -> list[str]:
    """Every fenced block, in order."""
    return re.findall(r"^```\w*\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL)


def block(text: str, begins: str) -> str:
    """The one fenced block that begins so."""
    (found,) = (body for body in blocks(text) if body.startswith(begins))
    return found
