"""A user's token for the HTTPS gateway: itself into the user's kit, what stands for it into the credentials file."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from fsoc.runtime.gateway.credential_edit import with_token, without_institution
from fsoc.runtime.gateway.credentials import Credential, Credentials, digest_of, new_token
from fsoc.runtime.onboarding import registry_file
from fsoc.runtime.onboarding.kit import Kit

_MODE = 0o600
Given = Literal["new", "unchanged"]


def give(credentials: Path, kit: Kit, institution: str, *, keep: bool) -> Given:
    """Let the kit's user send for the institution by the token that is in the kit, and by no earlier one of its kits.

    Tokens and certificates that were given by hand stay as they are. keep: a token that the kit has and the gateway
    takes is left; else there is always a new one. Nothing of it is returned or shown.

    Raises:
        RefusedToStart: file or folder cannot be read or written, or the file has a layout that this cannot change.
    """
    name = f"kit-{kit.user}"
    held = kit.token.read_text("ascii").strip() if keep and kit.token.exists() else None
    given: list[Given] = []

    def edit(text: str, where: str) -> str:
        token = held
        if token is not None and text.strip():
            digest = digest_of(token.encode())
            known = Credentials.parse(text, where).all
            if any((one.institution, one.digest, one.name) == (institution, digest, name) for one in known):
                given.append("unchanged")
                return text
        token = new_token(institution)
        made = with_token(text, where, Credential(institution, digest_of(token.encode()), None, name))
        # In the kit before the gateway has it: one that nobody knows would let nobody in.
        kit.write_token(token)
        given.append("new")
        return made

    registry_file.change(credentials, edit, _MODE)
    return given[-1]


def take(credentials: Path, institution: str) -> int:
    """Let nobody send for the institution by HTTPS any more; return how many tokens and certificates it had.

    Raises:
        RefusedToStart: as above.
    """
    taken: list[int] = []

    def edit(text: str, where: str) -> str:
        made = without_institution(text, where, institution)
        if text.strip():
            taken.append(sum(one.institution == institution for one in Credentials.parse(text, where).all))
        return made

    if not credentials.exists():
        return 0
    registry_file.change(credentials, edit, _MODE)
    return taken[-1] if taken else 0
