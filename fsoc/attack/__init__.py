"""ATT&CK as fsoc uses it: ids, names, tactics and what became of them. Not the knowledge base itself."""

from fsoc.attack.check import check
from fsoc.attack.techniques import Technique, Techniques

__all__ = ["Technique", "Techniques", "check"]
