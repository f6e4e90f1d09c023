"""Feedback as a message that any mail program shows: text, the same as HTML, and STIX. Pure; sends nothing.

Of the same record it is always the same message: the boundaries and the id follow from the record, the date is its own.
"""

from __future__ import annotations

from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import Final

from fsoc.channels.content import Queries
from fsoc.channels.html import html_of
from fsoc.channels.marks import Language, marked
from fsoc.channels.stix import bundle_of
from fsoc.channels.stix_ids import uuid5
from fsoc.channels.text import shown, text_of
from fsoc.sharing.model import Feedback
from fsoc.tickets.times import milliseconds

DOMAIN: Final = "fsoc.invalid"
"""Of ids of messages; nothing is ever sent there."""


def mail_of(
    feedback: Feedback,
    language: Language,
    *,
    sender: str,
    recipient: str,
    queries: Queries | None = None,
) -> bytes:
    """The whole message as it is sent. A revision answers the first: mail programs show them as one conversation."""
    message = EmailMessage(policy=SMTP)
    title = marked(feedback.title_zh if language == "zh-TW" else feedback.title, feedback, language)
    message["From"] = sender
    message["To"] = recipient
    message["Subject"] = f"[TLP:{feedback.tlp.upper()}] {shown(title)}"
    told_at = datetime.fromtimestamp(milliseconds(feedback.told_at) / 1000, UTC)
    message["Date"] = format_datetime(told_at)
    message["Message-ID"] = _message_id(feedback, feedback.revision)
    if feedback.revision > 1:
        message["References"] = _message_id(feedback, 1)
        message["In-Reply-To"] = _message_id(feedback, 1)
    if feedback.exercise:
        message["X-Fsoc-Exercise"] = "true"
    message.set_content(text_of(feedback, language, queries), cte="base64")
    message.add_alternative(html_of(feedback, language, queries), subtype="html", cte="base64")
    bundle = bundle_of(feedback).encode()
    message.add_attachment(bundle, "application", "stix+json", filename=f"{feedback.alert_id}.stix.json")
    for number, part in enumerate(one for one in message.walk() if one.is_multipart()):
        part.set_boundary(
            uuid5("boundary", feedback.institution, feedback.alert_id, str(feedback.revision), str(number))
        )
    return message.as_bytes()


def _message_id(feedback: Feedback, revision: int) -> str:
    return f"<{uuid5('mail', feedback.institution, feedback.alert_id, str(revision))}@{DOMAIN}>"
