"""Templates: text with names in braces out of a closed list, nothing else. Pure.

No attributes, no indices, no conversions, no formats: a template can say what an alert says, and nothing of the process
that fills it in. `{{` and `}}` are braces.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from string import Formatter
from typing import Any

from foreshock.errors import ConfigurationError
from foreshock.streams.sinks.words import FIELDS, Word


class Template:
    """A text with fields.

    Parameters
    ----------
    text
        As it was written.
    place
        What to call it in an error: ``deliver.chat.text``.
    more
        Names beside `names`.
    names
        The closed list: all that an alert says, or less.

    Raises
    ------
    ConfigurationError
        It is not well formed, or names a field that there is not.
    """

    def __init__(self, text: str, place: str, more: Collection[str] = (), names: Collection[str] = FIELDS) -> None:
        try:
            parsed = list(Formatter().parse(text))
        except ValueError as exc:
            raise ConfigurationError(f"{place}: not a template: {exc}; a brace of its own is written twice") from None
        self._parts: list[tuple[str, str]] = []
        for literal, name, form, conversion in parsed:
            if name is not None and (form or conversion or (name not in names and name not in more)):
                whole = f"{name}{f'!{conversion}' if conversion else ''}{f':{form}' if form else ''}"
                known = ", ".join([*names, *more])
                raise ConfigurationError(
                    f"{place}: {{{whole}}} is no field; there are {known}; a brace of its own is written twice"
                )
            self._parts.append((literal, name or ""))

    def fill(self, values: Mapping[str, Word], quote: Callable[[str], str] = str) -> str:
        """Give the text with the values in it, each as `quote` writes it."""
        return "".join(f"{literal}{quote(str(values[name])) if name else ''}" for literal, name in self._parts)

    def value(self, values: Mapping[str, Word]) -> Word:
        """Give the value itself where the template is a single field, so that a number stays one; else the text."""
        if len(self._parts) == 1 and not self._parts[0][0] and self._parts[0][1]:
            return values[self._parts[0][1]]
        return self.fill(values)


class Tree:
    """A tree of JSON of which every text is a template; the keys are not."""

    def __init__(self, tree: Any, place: str, more: Collection[str] = (), names: Collection[str] = FIELDS) -> None:
        self._tree = _compiled(tree, place, lambda text, where: Template(text, where, more, names))

    def fill(self, values: Mapping[str, Word]) -> Any:
        """Give the tree with the values in it."""
        return _filled(self._tree, values)


def _compiled(tree: Any, place: str, make: Callable[[str, str], Template]) -> Any:
    if isinstance(tree, str):
        return make(tree, place)
    if isinstance(tree, list):
        return [_compiled(each, f"{place}.{number}", make) for number, each in enumerate(tree)]
    if isinstance(tree, dict):
        return {key: _compiled(each, f"{place}.{key}", make) for key, each in tree.items()}
    return tree


def _filled(tree: Any, values: Mapping[str, Word]) -> Any:
    if isinstance(tree, Template):
        return tree.value(values)
    if isinstance(tree, list):
        return [_filled(each, values) for each in tree]
    if isinstance(tree, dict):
        return {key: _filled(each, values) for key, each in tree.items()}
    return tree
