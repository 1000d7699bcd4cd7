"""For the API pages: a class of attrs is shown with the arguments that it takes, as one of dataclasses is; what says no
more than its own name is left out."""

from __future__ import annotations

import re
from typing import Any, cast

from griffe import Attribute, Class, Expr, ExprCall, Extension, Function, Object, Parameter, ParameterKind, Parameters

__all__ = ["AttrsFields"]

DECORATORS = {"attrs.frozen", "attrs.define", "attrs.mutable", "attr.frozen", "attr.define"}


ANY = cast(ParameterKind, ParameterKind.positional_or_keyword)
ROLE = re.compile(r":\w+:(?=`)")


class AttrsFields(Extension):
    """Gives such a class an ``__init__``, and leaves out attributes without a docstring of classes that have one."""

    def on_object(self, *, obj: Object, **_: Any) -> None:
        if obj.docstring is not None:
            obj.docstring.value = ROLE.sub("", obj.docstring.value)

    def on_class_members(self, *, cls: Class, **_: Any) -> None:
        if "__init__" in cls.members:
            for name, one in list(cls.members.items()):
                if isinstance(one, Attribute) and one.docstring is None:
                    del cls.members[name]
        if not any(isinstance(one.value, Expr) and one.value.canonical_path in DECORATORS for one in cls.decorators):
            return
        fields = [one for one in cls.members.values() if isinstance(one, Attribute) and _is_field(one)]
        parameters = [Parameter("self", kind=ANY)]
        for field in fields:
            given = _arguments(field)
            if given.get("init") != "False":
                default = given.get("default") or ("..." if "factory" in given else None)
                parameters.append(
                    Parameter(
                        field.name,
                        annotation=field.annotation,
                        kind=ANY,
                        default=default if given or field.value is None or _is_call(field) else field.value,
                    )
                )
            if field.docstring is None:
                del cls.members[field.name]
        if len(parameters) > 1 and "__init__" not in cls.members:
            cls.set_member("__init__", Function("__init__", parameters=Parameters(*parameters), returns="None"))


def _is_field(attribute: Attribute) -> bool:
    told = attribute.annotation is not None and "ClassVar" not in str(attribute.annotation)
    return told and "property" not in attribute.labels


def _is_call(field: Attribute) -> bool:
    value = field.value
    return isinstance(value, ExprCall) and value.canonical_path in ("attrs.field", "attr.field")


def _arguments(field: Attribute) -> dict[str, str]:
    """What ``attrs.field(...)`` is told."""
    if not _is_call(field):
        return {}
    given = field.value.arguments  # type: ignore[union-attr]  # it is a call
    return {one.name: str(one.value) for one in given if hasattr(one, "name")}
