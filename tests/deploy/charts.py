"""Renders the Helm chart, and finds the parts of what comes out."""

import functools
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest
import yaml

from tests.promises.guides import ROOT

CHART: Final = ROOT / "deploy/helm/koe"
EXAMPLES: Final = sorted((CHART / "examples").glob("*.yaml"))
ALL_VALUES: Final = {"defaults": {}, **{path.stem: yaml.safe_load(path.read_text("utf-8")) for path in EXAMPLES}}
"""The defaults and the examples."""
MISSING: Final = "is not installed: pip install -c deploy/constraints.txt '.[chart]' (100 MB) brings it"
NAME, NAMESPACE = "demo", "speech"

Values = dict[str, Any]
Manifest = dict[str, Any]


class _UniqueKeys(yaml.SafeLoader):
    """Refuses a key that occurs twice: Kubernetes would use the last one in silence."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        names = [self.construct_object(key, deep=True) for key, _ in node.value]
        assert len(names) == len(set(names)), f"a key occurs twice: {names}"
        return super().construct_mapping(node, deep)


def helm() -> Any:
    """Helm's library. Skips the test where it is not installed."""
    return pytest.importorskip("helm_python", reason=f"helm-python-sdk {MISSING}")


def render(values: Values) -> list[Manifest]:
    """The objects of the chart with these values, in the order of their templates."""
    return list(msgspec.json.decode(_render(msgspec.json.encode(values))))


@functools.cache
def _render(values: bytes) -> bytes:
    texts = templates(msgspec.json.decode(values))
    documents = (yaml.load(text, _UniqueKeys) for text in texts.values())
    return msgspec.json.encode([document for document in documents if document])


def templates(values: Values) -> dict[str, str]:
    """Name → text of each document that the chart gives, without its notes."""
    with helm().Chart.load(str(CHART)) as chart:
        chart.validate_schema(values)
        files = chart.render(values, name=NAME, namespace=NAMESPACE)
    parts = {name: text.split("\n---\n") for name, text in files.items() if name.endswith(".yaml")}
    return {f"{name}-{number}": part for name, found in parts.items() for number, part in enumerate(found)}


def notes(values: Values) -> str:
    """What `helm install` prints."""
    with helm().Chart.load(str(CHART)) as chart:
        files: dict[str, str] = chart.render(values, name=NAME, namespace=NAMESPACE)
    return files["koe/templates/NOTES.txt"]


def of_kind(values: Values, kind: str) -> list[Manifest]:
    """The objects of one kind."""
    return [manifest for manifest in render(values) if manifest["kind"] == kind]


def part(values: Values, kind: str, component: str) -> Manifest:
    """The object of one kind that belongs to `api`, `worker` or `valkey`."""
    name = f"{NAME}-koe-{component}"
    return next(manifest for manifest in of_kind(values, kind) if manifest["metadata"]["name"] == name)


def pods(values: Values) -> Iterator[tuple[str, Manifest]]:
    """Component and pod of each template of pods."""
    for manifest in render(values):
        template = manifest if manifest["kind"] == "Pod" else manifest.get("spec", {}).get("template")
        if template is not None:
            yield template["metadata"].get("labels", manifest["metadata"]["labels"])["app.kubernetes.io/component"], template


def env_of(values: Values, component: str) -> dict[str, Any]:
    """Environment of the container: a text, or where it comes from."""
    pod = dict(pods(values))[component]
    entries = pod["spec"]["containers"][0].get("env", [])
    return {entry["name"]: entry.get("value", entry.get("valueFrom")) for entry in entries}


def rows(path: Path = CHART / "values.yaml") -> Iterator[tuple[str, str]]:
    """Name and comment of each value."""
    names: list[str] = []
    comments: list[str] = []
    for line in path.read_text("utf-8").splitlines():
        text, depth = line.strip(), (len(line) - len(line.lstrip())) // 2
        if text.startswith("#"):
            comments.append(text.removeprefix("# "))
            continue
        if text:
            names = [*names[:depth], text.partition(":")[0]]
            if comments:
                yield ".".join(names), " ".join(comments)
        comments = []
