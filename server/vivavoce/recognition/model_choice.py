"""Which recognition model a word means, among those there are. Pure. Called by whoever keeps or knows models."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from vivavoce.engines.recognizer import RecognizerInfo
from vivavoce.errors import UnknownModel
from vivavoce.recognition.listener import ResolvedModel

Resolve = Callable[[str | None, Iterable[str]], str]  # a client's word, ids that are here -> the id that it means


def choose_model(
    models: Iterable[RecognizerInfo], name: str | None, resolve: Resolve, default: str | None
) -> ResolvedModel:
    """The model that a word means.

    Args:
        models: those there are, unavailable ones included.
        resolve: what a word means; raises UnknownModel.
        default: the model where none is named, in place of what `resolve` says.

    Raises:
        UnknownModel: If there is none of that name.
    """
    known = {info.id: info for info in models}
    meant = resolve(name, known)
    if meant not in known:
        raise UnknownModel(meant, known)
    if default in known and name not in known and meant == resolve(None, known):
        meant = str(default)
    return ResolvedModel(known[meant])
