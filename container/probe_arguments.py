"""Prints, as JSON, what an argument parser takes: run inside an image, by `autoexp container probe`.

It needs Python 3.8 and nothing besides what the image's own Megatron imports. Its arguments are texts MODULE:FUNCTION;
each function is called with the parser and adds to it, or returns another. One that begins with "?" may be missing.
"""

import argparse
import enum
import importlib
import json
import os
import sys

DEFAULT = ["megatron.training.arguments:add_megatron_arguments", "?megatron.post_training.arguments:add_modelopt_args"]

ACTIONS = {
    "_StoreAction": "store",
    # The last one wins in ours, all in theirs; either way a value is expected.
    "_AppendAction": "store",
    "_StoreTrueAction": "store_true",
    "_StoreFalseAction": "store_false",
    "BooleanOptionalAction": "boolean_optional",
}


def build(names):
    parser = argparse.ArgumentParser(allow_abbrev=False)
    found = []
    for name in names:
        optional = name.startswith("?")
        module, _, function = name.lstrip("?").partition(":")
        try:
            add = getattr(importlib.import_module(module), function)
        except (ImportError, AttributeError):
            if optional:
                continue
            raise
        parser = add(parser) or parser
        found.append(name.lstrip("?"))
    return parser, found


def plain(value):
    """The value as JSON has it, and its text where JSON has none."""
    try:
        json.dumps(value, allow_nan=False)
        return value, None
    except (TypeError, ValueError):
        kind = "enum " if isinstance(value, enum.Enum) else ""
        return None, kind + (str(value) if kind else repr(value))


def type_of(action):
    if action.nargs == 0 or type(action).__name__ == "BooleanOptionalAction":
        return "bool"
    if isinstance(action.default, enum.Enum):
        return "other:enum " + type(action.default).__name__
    if action.type is None:
        return "str"
    name = getattr(action.type, "__name__", "callable")
    return name if action.type in (int, float, str, bool) else "other:" + name


def choices_of(action):
    if action.choices is not None:
        return [plain(choice)[0] if plain(choice)[1] is None else str(choice) for choice in action.choices]
    return [one.name for one in type(action.default)] if isinstance(action.default, enum.Enum) else None


def describe(action, group):
    default, text = plain(action.default)
    described = {
        "dest": action.dest,
        "flags": list(action.option_strings),
        "group": group,
        "action": ACTIONS[type(action).__name__],
        "type": type_of(action),
        "nargs": None if action.nargs == 0 else action.nargs,
        "choices": choices_of(action),
        "default": default,
        "required": action.required,
        "const": plain(action.const)[0],
    }
    if text is not None:
        described["default_repr"] = text
    if action.help == argparse.SUPPRESS:
        described["hidden"] = True
    return described


def version():
    try:
        return importlib.import_module("megatron.core").__version__
    except (ImportError, AttributeError):
        return None


def main(names):
    # What modules print while they are imported is no part of the answer.
    answer = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    parser, found = build(names or DEFAULT)
    groups = {id(action): group.title for group in parser._action_groups for action in group._group_actions}
    without = ("_HelpAction", "_VersionAction")
    known = [one for one in parser._actions if one.option_strings and type(one).__name__ not in without]
    taken = [action for action in known if type(action).__name__ in ACTIONS]
    json.dump(
        {
            "source": {"functions": found, "megatron_core_version": version(), "python": sys.version.split()[0]},
            "arguments": [describe(action, groups.get(id(action))) for action in taken],
            "left_out": [flag for action in known if action not in taken for flag in action.option_strings[:1]],
        },
        answer,
        allow_nan=False,
    )
    answer.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
