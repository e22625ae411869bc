"""What is shipped, read as data: Dockerfiles, compose.yaml, the proxy's configuration and the Kubernetes manifests."""

import importlib
import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from gateway import middleware
from gateway.main import create_app
from gateway.origins import is_trusted_host
from gateway.routes import page
from genesis.settings import Settings
from genesis.transport.server import BoundedHttpProtocol

ROOT = Path(__file__).resolve().parents[2]
WORKERS = {"llm": 8001, "image": 8002, "stt": 8003, "tts": 8004, "cyclegan": 8005}
PORTS = {"gateway": 8000} | {f"{name}-worker": port for name, port in WORKERS.items()}
KEYS = {
    "OPENROUTER_API_KEY": "openrouter-api-key",
    "HUGGINGFACE_API_KEY": "huggingface-api-key",
    "OPENAI_API_KEY": "openai-api-key",
    "FAL_KEY": "fal-key",
    "REPLICATE_API_TOKEN": "replicate-api-token",
    "ELEVENLABS_API_KEY": "elevenlabs-api-key",
}
NAMESPACE = "multimodal-ai"
IN_ORDER_OF_APPLICATION = [
    *("namespace.yaml", "configmap.yaml", "secrets.yaml", "persistent-volume.yaml", "gateway.yaml"),
    *(f"workers/{name}-worker.yaml" for name in WORKERS),
    "frontend.yaml",
]
SETTINGS = {str(field.validation_alias or name.upper()): field for name, field in Settings.model_fields.items()}


def text(path: str) -> str:
    return (ROOT / path).read_text(encoding="utf-8")


@cache
def manifest(path: str) -> list[dict[str, Any]]:
    return list(yaml.safe_load_all(text(f"k8s/{path}")))


def deployment_of(name: str) -> dict[str, Any]:
    """The deployment in the manifest of a service; it is the first object there."""
    path = f"workers/{name}.yaml" if name.endswith("-worker") else f"{name}.yaml"
    found = manifest(path)[0]
    assert (found["kind"], found["metadata"]["name"]) == ("Deployment", f"{name}-deployment")
    return found


def service_of(name: str) -> dict[str, Any]:
    path = f"workers/{name}.yaml" if name.endswith("-worker") else f"{name}.yaml"
    found = manifest(path)[1]
    assert (found["kind"], found["metadata"]["name"]) == ("Service", f"{name}-service")
    return found


def pod_of(name: str) -> dict[str, Any]:
    return deployment_of(name)["spec"]["template"]["spec"]


def container_of(name: str) -> dict[str, Any]:
    (container,) = pod_of(name)["containers"]
    return container


def dockerfile_of(name: str) -> str:
    return text(f"workers/{name.removesuffix('-worker')}/Dockerfile" if "-worker" in name else f"{name}/Dockerfile")


@cache
def compose() -> dict[str, Any]:
    return yaml.safe_load(text("compose.yaml"))


def variable_in_image(name: str, variable: str) -> str:
    found = re.search(rf"\b{variable}=(\S+)", dockerfile_of(name))
    assert found is not None
    return found[1]


def test_the_manifests_are_the_ones_of_the_documented_order():
    files = {str(path.relative_to(ROOT / "k8s")) for path in (ROOT / "k8s").rglob("*.yaml")}
    assert files == set(IN_ORDER_OF_APPLICATION)


def test_what_an_object_refers_to_is_applied_before_it():
    seen: set[str] = set()
    for path in IN_ORDER_OF_APPLICATION:
        for item in manifest(path):
            seen.add(item["metadata"]["name"])
            assert item["metadata"].get("namespace", NAMESPACE) == NAMESPACE
            referred = set(re.findall(r"'(?:claimName|name)': '((?:multimodal|api)-[a-z-]+)'", repr(item.get("spec"))))
            assert referred <= seen
            assert referred or item["kind"] != "Deployment" or path == "frontend.yaml"


@pytest.mark.parametrize("name", [*PORTS, "frontend"])
def test_a_pod_keeps_to_the_restricted_standard(name):
    pod, container = pod_of(name), container_of(name)
    assert pod["automountServiceAccountToken"] is False
    assert pod["enableServiceLinks"] is False
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["runAsUser"] == 10001
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert container["resources"].keys() == {"requests", "limits"}
    assert all(amounts.keys() == {"cpu", "memory"} for amounts in container["resources"].values())
    assert {"name": "tmp", "mountPath": "/tmp"} in container["volumeMounts"]


def test_the_namespace_enforces_the_restricted_standard():
    (namespace,) = manifest("namespace.yaml")
    assert namespace["metadata"]["name"] == NAMESPACE
    assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"


@pytest.mark.parametrize(("name", "port"), [*PORTS.items(), ("frontend", 8080)])
def test_image_port_probes_and_service_belong_together(name, port):
    deployment, container, service = deployment_of(name), container_of(name), service_of(name)
    assert container["image"] == f"multimodal-{name}:latest"
    assert container["imagePullPolicy"] == "IfNotPresent"
    assert container["ports"] == [{"name": "http", "containerPort": port}]
    assert f"EXPOSE {port}\n" in dockerfile_of(name)
    path = "/app/" if name == "frontend" else "/health"
    for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
        assert container[probe]["httpGet"] == {"path": path, "port": "http"}
    labels = deployment["spec"]["template"]["metadata"]["labels"]
    selector = {"app.kubernetes.io/name": name}
    assert deployment["spec"]["selector"]["matchLabels"] == service["spec"]["selector"] == selector
    assert selector.items() <= labels.items()
    outside = 80 if name == "frontend" else port
    assert service["spec"]["ports"] == [{"name": "http", "port": outside, "targetPort": "http"}]
    assert service["spec"].get("type") == ("NodePort" if name == "frontend" else None)


def test_the_gateway_is_one_process_that_ends_before_the_next_one_begins():
    spec = deployment_of("gateway")["spec"]
    assert spec["replicas"] == 1
    assert spec["strategy"] == {"type": "Recreate"}


@pytest.mark.parametrize(
    ("name", "at_most"),
    [("gateway", SETTINGS["DRAIN_SECONDS"].default)]
    + [(f"{name}-worker", SETTINGS["CALL_TIMEOUT_SECONDS"].default) for name in WORKERS],
)
def test_a_stopping_process_has_the_time_that_it_takes(name, at_most):
    graceful = int(variable_in_image(name, "UVICORN_TIMEOUT_GRACEFUL_SHUTDOWN"))
    needed = graceful + (at_most if name == "gateway" else 0)
    assert needed >= at_most
    assert pod_of(name)["terminationGracePeriodSeconds"] > needed
    assert int(compose()["services"][name]["stop_grace_period"].removesuffix("s")) > needed


@pytest.mark.parametrize("name", ["gateway", *(f"{name}-worker" for name in WORKERS)])
def test_a_server_keeps_no_endless_head_of_a_request(name):
    module, _, protocol = variable_in_image(name, "UVICORN_HTTP").partition(":")
    assert getattr(importlib.import_module(module), protocol) is BoundedHttpProtocol


def test_the_configuration_names_settings_and_services_that_exist():
    (configuration,) = manifest("configmap.yaml")
    data = configuration["data"]
    assert data.keys() <= SETTINGS.keys()
    for name, port in WORKERS.items():
        assert data[f"{name.upper()}_WORKER_URL"] == f"http://{name}-worker-service:{port}"
    for name in PORTS:
        assert container_of(name)["envFrom"] == [
            {"configMapRef": {"name": configuration["metadata"]["name"]}},
            {"secretRef": {"name": "storage-keys", "optional": True}},
        ]
    (gateway_url,) = container_of("frontend")["env"]
    assert gateway_url["value"] == f"http://gateway-service.{NAMESPACE}.svc.cluster.local:8000"


def test_gateway_and_workers_share_one_store():
    volume, claim = manifest("persistent-volume.yaml")
    assert claim["spec"]["volumeName"] == volume["metadata"]["name"]
    assert volume["spec"]["claimRef"]["name"] == claim["metadata"]["name"]
    assert claim["spec"]["storageClassName"] == volume["spec"]["storageClassName"] == ""
    data = manifest("configmap.yaml")[0]["data"]
    assert data["STORAGE_PATH"].startswith("/data/")
    assert data["DB_PATH"].startswith("/data/")
    for name in PORTS:
        assert {"name": "data", "mountPath": "/data"} in container_of(name)["volumeMounts"]
        reference = {"name": "data", "persistentVolumeClaim": {"claimName": claim["metadata"]["name"]}}
        assert reference in pod_of(name)["volumes"]
        assert pod_of(name)["securityContext"]["fsGroup"] == 10001
        assert variable_in_image(name, "STORAGE_PATH") == data["STORAGE_PATH"]
        assert compose()["services"][name]["volumes"] == ["data:/data"]
    assert variable_in_image("gateway", "DB_PATH") == data["DB_PATH"]


def test_the_secret_holds_no_key_and_applying_it_wipes_none():
    (secret,) = manifest("secrets.yaml")
    assert secret["metadata"]["name"] == "api-keys"
    assert not secret.keys() & {"data", "stringData"}


def test_what_stands_in_place_of_a_key_is_never_taken_for_one():
    """In the manifest as in the README's command, whether or not somebody has filled it in."""
    for path in ("k8s/secrets.yaml", "README.md"):
        found = re.findall(r"(openrouter|huggingface)-api-key(?:: |=)(\S+)", text(path))
        assert {name for name, _ in found} == {"openrouter", "huggingface"}
        for name, placeholder in found:
            assert getattr(Settings(**{f"{name}_api_key": placeholder}), f"{name}_api_key") is None


@pytest.mark.parametrize("name", WORKERS)
def test_a_worker_has_the_keys_of_all_providers_and_starts_without(name):
    assert container_of(f"{name}-worker")["env"] == [
        {"name": variable, "valueFrom": {"secretKeyRef": {"name": "api-keys", "key": key, "optional": True}}}
        for variable, key in KEYS.items()
    ]
    assert KEYS.keys() <= compose()["services"][f"{name}-worker"]["environment"].keys()


def test_every_key_of_the_settings_is_one_of_these():
    secrets = {name for name, field in SETTINGS.items() if "SecretStr" in str(field.annotation)}
    of_files = {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "GENESIS_SIGNING_KEY"}
    assert secrets - of_files - {"OPENAI_COMPATIBLE_SERVERS"} == KEYS.keys()


def test_the_gateway_holds_no_provider_key():
    assert "env" not in container_of("gateway")
    assert not KEYS.keys() & compose()["services"]["gateway"]["environment"].keys()


def test_the_dockerfiles_of_workers_differ_in_name_and_port_only():
    general = {
        re.sub(rf"\b(workers[/.]{name}|{name}[ -]worker|{port})\b", "*", text(f"workers/{name}/Dockerfile"))
        for name, port in WORKERS.items()
    }
    assert len(general) == 1


@pytest.mark.parametrize("name", [*PORTS, "frontend"])
def test_an_image_runs_without_root_and_says_whether_it_is_well(name):
    lines = dockerfile_of(name).splitlines()
    assert "USER 10001:10001" in lines
    assert [line for line in lines if line.startswith("CMD [")]
    assert "HEALTHCHECK" in dockerfile_of(name)


def test_a_build_sees_only_what_is_named():
    lines = [line for line in text(".dockerignore").splitlines() if line and not line.startswith("#")]
    assert lines[0] == "*"
    assert {line.removeprefix("!") for line in lines if line.startswith("!")} == {
        *("requirements", "genesis", "gateway", "workers", "frontend")
    }


def test_the_proxy_serves_the_page_with_the_gateways_own_headers():
    nginx = text("frontend/nginx.conf")
    for headers in (page._FRESH, page._IMMUTABLE):
        for name, value in headers.items():
            assert f'add_header {name} "{value}";' in nginx


def test_the_proxy_gives_its_own_answers_what_the_gateway_gives_all():
    nginx = text("frontend/nginx.conf")
    for name, value in middleware._EVERY_ANSWER:
        field = name.decode().replace("-", "_")
        found = re.search(rf'map \$upstream_http_{field} (\$\w+) {{ "" "(.+)"; }}', nginx)
        assert found is not None
        assert found[2] == value.decode()
        assert re.search(rf"add_header {name.decode()} \{found[1]} always;", nginx, re.IGNORECASE)
    for location in re.findall(r"location /app/\S* {.*?}", nginx, re.DOTALL):
        assert 'add_header X-Content-Type-Options "nosniff"' in location
        assert "frame-ancestors 'none'" in location


def test_the_proxy_knows_every_path_of_the_api(tmp_path):
    app = create_app(Settings(db_path=tmp_path / "jobs.db", storage_path=tmp_path))
    served = {path.split("/")[1] for path in app.openapi()["paths"]} | {
        "docs",
        "redoc",
        "openapi.json",
        "static-offline-docs",
    }
    found = re.search(r"location ~ \^/\((\S+)\)\(/\|\$\)", text("frontend/nginx.conf"))
    assert found is not None
    assert set(found[1].replace("\\", "").split("|")) == served


def test_compose_runs_every_image_hardened_and_publishes_on_the_loopback_interface_only():
    services = compose()["services"]
    assert services.keys() == {*PORTS, "frontend"}
    for name, service in services.items():
        assert service["image"] == f"multimodal-{name}:latest"
        assert service["build"]["context"] == "."
        assert (ROOT / service["build"]["dockerfile"]).is_file()
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert service["mem_limit"]
        assert service["healthcheck"]["test"][0] == "CMD"
    published = {port for service in services.values() for port in service.get("ports", ())}
    assert published == {"127.0.0.1:8000:8000", "127.0.0.1:3000:8080"}


def test_services_in_compose_depend_on_services_that_exist():
    services = compose()["services"]
    needed = {other for service in services.values() for other in service.get("depends_on", ())}
    assert "gateway" in needed
    assert needed <= services.keys()


def test_compose_hands_on_every_setting_that_an_operator_may_change():
    services = compose()["services"]
    fixed = {f"{name.upper()}_WORKER_URL": f"http://{name}-worker:{port}" for name, port in WORKERS.items()}
    gateway = services["gateway"]["environment"]
    assert fixed.items() <= gateway.items()
    given = {name: value for service in services.values() for name, value in service["environment"].items()}
    del given["GATEWAY_URL"]
    assert given.pop("GENESIS_TRUSTED_HOSTS") == "gateway,frontend,${GENESIS_TRUSTED_HOSTS:-}"
    assert all(value == f"${{{name}:-}}" for name, value in given.items() if name not in fixed)
    by_image = {"GENESIS_HOST", "GENESIS_PORT", "PAGE_PATH", "DRAIN_SECONDS"}
    by_volume = {"DB_PATH", "DATABASE_URL", "STORAGE_PATH"}
    for_tests = {"GENESIS_FAKE_URL"}
    assert given.keys() == SETTINGS.keys() - by_image - by_volume - for_tests - {"GENESIS_TRUSTED_HOSTS"}


def test_the_services_answer_to_their_own_names():
    in_cluster = Settings(trusted_hosts=manifest("configmap.yaml")[0]["data"]["GENESIS_TRUSTED_HOSTS"]).trusted_hosts
    in_compose = compose()["services"]["gateway"]["environment"]["GENESIS_TRUSTED_HOSTS"]
    named = Settings(trusted_hosts=in_compose.replace("${GENESIS_TRUSTED_HOSTS:-}", "")).trusted_hosts
    for name in ("gateway", "frontend"):
        assert is_trusted_host(f"{name}:8000", "10.0.0.1", named)
        for domain in ("", f".{NAMESPACE}", f".{NAMESPACE}.svc", f".{NAMESPACE}.svc.cluster.local"):
            assert is_trusted_host(f"{name}-service{domain}:8000", "10.0.0.1", in_cluster)
    for allowed in (named, in_cluster):
        assert is_trusted_host("10.244.0.7:8000", "10.244.0.7", allowed)  # a probe names the pod's address
        assert is_trusted_host("localhost:3000", "10.244.0.7", allowed)  # a forwarded or published port
        for other in ("evil.example", "printer", "evil.local"):
            assert not is_trusted_host(other, "10.244.0.7", allowed)


def test_the_development_server_keeps_the_host_that_the_browser_named():
    """The gateway compares it with the page's origin, where the browser sends no Fetch Metadata (plain HTTP)."""
    assert "changeOrigin: false" in text("frontend/vite.config.ts")
    assert "proxy_set_header Host $http_host;" in text("frontend/nginx.conf")
    assert not re.search(r"proxy_set_header (Origin|Sec-)", text("frontend/nginx.conf"))


def test_the_page_may_load_only_what_is_its_own():
    directives = dict(part.split(" ", 1) for part in page._FRESH["Content-Security-Policy"].split("; "))
    assert directives == {
        "default-src": "'self'",
        "frame-ancestors": "'none'",
        "base-uri": "'self'",
        "form-action": "'self'",
        "object-src": "'none'",
    }
