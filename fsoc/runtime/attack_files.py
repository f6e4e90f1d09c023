"""Where ATT&CK's tables lie on disk, and which of them workers read. Understands none; writes what it is given."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from fsoc.attack.defenses import Defenses, is_defenses
from fsoc.attack.defenses import render as render_defenses
from fsoc.attack.release import COPYRIGHT
from fsoc.attack.tables import Tables, read
from fsoc.attack.techniques import Techniques
from fsoc.detection.documents import Source
from fsoc.errors import Problem, RefusedToStart
from fsoc.runtime.content import TABLE_SUFFIXES, files_of, read_source, read_sources, shipped

TABLES: Final = "attack_mappings"
NOTICE: Final = "NOTICE"
DEFENSES: Final = "defenses-"
"""What the folders begin with that hold the other tables of one version each: read by people's commands alone."""


def technique_files(folder: Path | None = None) -> list[Path]:
    """The tables that say what techniques are: those of the folder itself, which is all that workers read.

    folder: None is what fsoc ships. A file stands for itself.
    """
    place = folder or shipped(TABLES)
    if not place.is_dir():
        return [place]
    return sorted(file for file in place.iterdir() if file.suffix in TABLE_SUFFIXES and file.is_file()) or [place]


def read_techniques(folder: Path | None = None) -> Techniques:
    """Raises:
    RefusedToStart: with every problem of every table.
    """
    return Techniques.parse((table.path, table.text) for table in read_tables(folder))


def read_tables(folder: Path | None = None) -> list[Source]:
    """The texts of `technique_files`.

    Raises:
        RefusedToStart: there is none, or one cannot be read.
    """
    return read_sources(technique_files(folder), TABLE_SUFFIXES)


def defenses_versions(folder: Path | None = None) -> list[str]:
    """The versions of which there are defenses, the oldest first."""
    place = folder or shipped(TABLES)
    found = [each.name.removeprefix(DEFENSES) for each in place.glob(f"{DEFENSES}*") if each.is_dir()]
    return sorted(found, key=lambda version: [int(part) for part in version.split(".") if part.isdigit()])


def read_defenses(version: str | None = None, folder: Path | None = None) -> Defenses:
    """Those of one version, None the newest there is.

    Raises:
        RefusedToStart: there are none of this version, or with every problem of its tables.
    """
    place, known = folder or shipped(TABLES), defenses_versions(folder)
    if not known or version not in (None, *known):
        there = ", ".join(known) or "none"
        raise RefusedToStart(
            Problem(str(place), f"no defenses of ATT&CK {version or 'any version'}; there are: {there}")
        )
    sources = read_sources([place / f"{DEFENSES}{version or known[-1]}"], TABLE_SUFFIXES)
    return Defenses.parse((source.path, source.text) for source in sources if is_defenses(source.text))


def read_tables_of(folder: Path | None = None) -> Tables:
    """The tables themselves, for what asks of one version alone.

    Raises:
        RefusedToStart: with every problem of every table.
    """
    tables = read((table.path, table.text) for table in read_tables(folder))
    if tables.problems:
        raise RefusedToStart(*tables.problems)
    return tables


def known_tables(folder: Path) -> dict[str, str]:
    """Every table of a folder by its name within it; nothing of one that is not there yet."""
    if not folder.is_dir():
        return {}
    return {str(file.relative_to(folder)): read_source(file).text for file in files_of(folder, TABLE_SUFFIXES)}


def write_tables(texts: Mapping[str, str], folder: Path) -> list[Path]:
    """Write texts by their names in the folder, and MITRE's terms beside them where they are missing; return which.

    Raises:
        RefusedToStart: they cannot be written.
    """
    written = []
    try:
        for name, text in {**texts, **_terms(folder)}.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
            written.append(path)
    except OSError as error:
        raise RefusedToStart(Problem(str(folder), error.strerror or str(error))) from error
    return written


def _terms(folder: Path) -> dict[str, str]:
    return {} if (folder / NOTICE).exists() else {NOTICE: read_source(shipped(TABLES) / NOTICE).text}


def write_defenses(defenses: Defenses, folder: Path) -> list[Path]:
    """A file for each kind of table; return which.

    Raises:
        RefusedToStart: they cannot be written.
    """
    texts = render_defenses(defenses, COPYRIGHT)
    return write_tables({f"{folder.name}/{word}.tsv": text for word, text in texts.items()}, folder.parent)
