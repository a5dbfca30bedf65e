"""Validates documents against a JSON Schema with python3-jsonschema, which shares no code with chaosrig.

    validate.py SCHEMA [--yaml-1.1] < FILES

Standard input: one path a line, of a JSON or a YAML file. Standard output: for each one line, "ok" or the complaint.
YAML is read as editors read it: a date is a text. With --yaml-1.1 as yaml.safe_load reads it: the key on is True.
"""

import json
import re
import sys

import jsonschema
import yaml


class Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
    """YAML 1.2, in which dates, yes and on are texts."""


Loader.yaml_implicit_resolvers = {
    letter: [(tag, pattern) for tag, pattern in resolvers if tag.rpartition(":")[2] not in ("timestamp", "bool")]
    for letter, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile("^(?:true|True|TRUE|false|False|FALSE)$"), list("tTfF"))


def main() -> None:
    with open(sys.argv[1], encoding="utf-8") as file:
        schema = json.load(file)
    kind = jsonschema.validators.validator_for(schema)
    kind.check_schema(schema)
    validator = kind(schema)
    loader = yaml.SafeLoader if "--yaml-1.1" in sys.argv[2:] else Loader
    for line in sys.stdin:
        path = line.rstrip("\n")
        with open(path, encoding="utf-8") as file:
            try:
                document = json.load(file) if path.endswith(".json") else yaml.load(file, loader)
            except (yaml.YAMLError, json.JSONDecodeError) as error:
                print(f"cannot be read: {error}".replace("\n", " "), flush=True)
                continue
        error = jsonschema.exceptions.best_match(validator.iter_errors(document))
        if error is None:
            print("ok", flush=True)
        else:
            place = "/".join(str(step) for step in error.absolute_path)
            print(f"{place}: {error.message}".replace("\n", " ")[:500], flush=True)


main()
