"""What must be seen at once: that it is a drill, and that it was taken back. Pure text; the same in every channel."""

from __future__ import annotations

from typing import Final, Literal

from fsoc.sharing.model import Feedback

Language = Literal["en", "zh-TW"]
LANGUAGES: Final = ("zh-TW", "en")

DRILL: Final = "【演練】"
"""Before every title of what belongs to a drill, in either language: nobody who reads on may take it for real."""
_DRILL_SAID: Final = {
    "en": "This is a drill. Nothing of it has happened.",
    "zh-TW": "本件為演練，並無實際事件發生。",
}
_TAKEN_BACK: Final = {"en": "[RETRACTED] ", "zh-TW": "【撤回】"}


def marked(title: str, feedback: Feedback, language: Language) -> str:
    """The title, with what must be seen before it."""
    drill = (DRILL if language == "zh-TW" else f"{DRILL}EXERCISE: ") if feedback.exercise else ""
    taken_back = _TAKEN_BACK[language] if feedback.status == "retracted" else ""
    return f"{drill}{taken_back}{title}"


def drill_said(feedback: Feedback, language: Language) -> str | None:
    """The same as a sentence; None where it is real."""
    return _DRILL_SAID[language] if feedback.exercise else None
