"""What may be given beside rules: values for placeholders, and a processing pipeline of pySigma's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import yaml
from sigma.exceptions import SigmaError
from sigma.processing.pipeline import ProcessingPipeline

from fsoc.detection.documents import Source, read
from fsoc.errors import Problem, RefusedToStart

if TYPE_CHECKING:
    from fsoc.detection.modifiers import Placeholders


def read_placeholders(source: Source) -> Placeholders:
    """Values by placeholder: a YAML mapping of names to a value or a list of values.

    Raises:
        RefusedToStart: with every problem, file and line.
    """
    documents, problems = read([source])
    values: dict[str, list[str | int | float]] = {}
    for document in documents:
        for name, stated in document.data.items():
            several = stated if isinstance(stated, list) else [stated]
            if not isinstance(name, str) or not several or not all(map(_is_value, several)):
                text = f'placeholder "{name}" — expected a name, and one or more texts or numbers'
                problems.append(document.problem(text, name))
            else:
                values[name] = several
    if not documents and not problems:
        problems = [Problem(f"{source.path}:1", "empty — expected names and values")]
    if problems:
        raise RefusedToStart(*problems)
    return values


def read_pipeline(source: Source) -> ProcessingPipeline:
    """A pipeline as pySigma writes them in YAML.

    Raises:
        RefusedToStart: pySigma cannot use it.
    """
    documents, problems = read([source])
    if problems or len(documents) != 1:
        raise RefusedToStart(*problems or [Problem(f"{source.path}:1", "expected one YAML document")])
    try:
        return ProcessingPipeline.from_dict(yaml.safe_load(source.text))
    # pySigma checks little: a transformation with wrong arguments fails in its constructor.
    except (SigmaError, AttributeError, KeyError, TypeError, ValueError) as error:
        text = f"no pipeline of pySigma's: {type(error).__name__}: {str(error)[:300]}"
        raise RefusedToStart(Problem(f"{source.path}:{documents[0].line_of('transformations')}", text)) from error


def _is_value(value: Any) -> bool:
    return isinstance(value, str | int | float) and not isinstance(value, bool | Mapping)
