"""Validates YAML against a JSON Schema, or Kubernetes resources against the schemas of kubernetes-validate.

usage: validate.py schema SCHEMA.json FILE.yaml
       validate.py crds FOLDER FILE.yaml      the resources that these definitions define
       validate.py kubernetes VERSION FILE.yaml

Prints one line for each problem, and one for each document that was validated.
"""

import glob
import json
import sys

import jsonschema
import kubernetes_validate
import yaml


def documents(path):
    with open(path, encoding="utf8") as file:
        return [document for document in yaml.safe_load_all(file) if document is not None]


def strict(schema):
    """As a server with field validation: fields that a schema does not name are mistakes."""
    if isinstance(schema, dict):
        if "properties" in schema and not schema.get("x-kubernetes-preserve-unknown-fields"):
            schema.setdefault("additionalProperties", False)
        for inner in schema.values():
            strict(inner)
    elif isinstance(schema, list):
        for inner in schema:
            strict(inner)
    return schema


def report(name, errors):
    for error in errors:
        print(f"invalid {name}: {'/'.join(map(str, error.absolute_path))}: {error.message}")
    if not errors:
        print(f"valid {name}")


def errors_of(schema, document):
    validator = jsonschema.validators.validator_for(schema, jsonschema.Draft202012Validator)
    return list(validator(schema).iter_errors(document))


def validate_schema(schema_path, path):
    with open(schema_path, encoding="utf8") as file:
        schema = json.load(file)
    for document in documents(path):
        report(path.rsplit("/", 1)[-1], errors_of(schema, document))


def validate_crds(folder, path):
    schemas = {}
    for file in glob.glob(f"{folder}/*.yaml"):
        for definition in documents(file):
            if definition["kind"] != "CustomResourceDefinition":
                continue
            spec = definition["spec"]
            for version in spec["versions"]:
                schema = strict(version["schema"]["openAPIV3Schema"])
                schema["properties"]["metadata"] = {"type": "object"}
                schemas[f"{spec['group']}/{version['name']}", spec["names"]["kind"]] = schema
    for document in documents(path):
        schema = schemas.get((document["apiVersion"], document["kind"]))
        if schema is not None:
            report(document["kind"], errors_of(schema, document))


def validate_kubernetes(version, path):
    for document in documents(path):
        try:
            kubernetes_validate.validate(document, version, strict=True)
            print(f"valid {document['kind']}")
        except kubernetes_validate.SchemaNotFoundError:
            print(f"unknown {document['kind']}")
        except kubernetes_validate.ValidationError as error:
            print(f"invalid {document['kind']}: {'/'.join(map(str, error.path))}: {error.message}")


if __name__ == "__main__":
    kind, first, second = sys.argv[1:]
    {"schema": validate_schema, "crds": validate_crds, "kubernetes": validate_kubernetes}[kind](first, second)
