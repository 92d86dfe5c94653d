#!/usr/bin/env python3
"""What the files in deploy/ say, and whether they agree with each other and with the program.

look.py RENDERED looks at all of them; RENDERED is what `kubectl kustomize deploy/kubernetes` prints. The formats themselves
are checked by other programs. look.py --last-script prints what the last step of the workflow for GitHub runs.
"""

import sys
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"


def read(name: str) -> dict:
    return yaml.safe_load((DEPLOY / name).read_text())


def bridge_of_compose() -> list[str]:
    """The arguments that Compose starts the bridge with."""
    return read("compose/compose.yaml")["services"]["bridge"]["command"]


def container() -> dict:
    return read("kubernetes/deployment.yaml")["spec"]["template"]["spec"]["containers"][0]


def bridge_of_kubernetes() -> tuple[list[str], list[str]]:
    """The arguments that Kubernetes starts the bridge with, and the names of the variables that they and it take."""
    return container()["args"], [variable["name"] for variable in container()["env"]]


def version() -> str:
    lines = (ROOT / "Cargo.toml").read_text().splitlines()
    return next(line.split('"')[1] for line in lines if line.startswith("version = "))


def files_of(rules: dict) -> set[str]:
    """Every file that the rules name for a secret."""
    if isinstance(rules, dict):
        return set(filter(None, [rules.get("file")])).union(*map(files_of, rules.values()))
    return set().union(*map(files_of, rules)) if isinstance(rules, list) else set()


def secrets_of(rules: dict) -> set[str]:
    return files_of({key: value for key, value in rules.items() if key != "kill_switch"})


def versions() -> None:
    image = read("compose/compose.yaml")["services"]["bridge"]["image"]
    assert image == f"source-devin-ai/source-devin-ai:{version()}", image
    (renamed,) = read("kubernetes/kustomization.yaml")["images"]
    assert str(renamed["newTag"]) == version() and renamed["name"] == container()["image"], renamed
    # YAML 1.1, which PyYAML reads, takes `on` for a truth value; nothing here asks for that key.
    assert read("github-action/devin.yml")["jobs"]["relay"]["env"]["VERSION"] == version()


def secrets() -> None:
    """Each secret that the rules name is given, and each that is given is named."""
    unit = (DEPLOY / "systemd/alert-relay.service").read_text().splitlines()
    loaded = [line.partition("=")[2].split(":") for line in unit if line.startswith("LoadCredential=")]
    given = {f"/run/credentials/alert-relay.service/{name}" for name, _ in loaded}
    assert secrets_of(read("systemd/relay.yaml")) == given, given
    assert all(path == f"/etc/alert-relay/secrets/{name}" for name, path in loaded), loaded
    compose = read("compose/compose.yaml")
    assert compose["services"]["bridge"]["secrets"] == list(compose["secrets"])
    given = {f"/run/secrets/{name}" for name in compose["secrets"]}
    assert secrets_of(read("compose/rules/relay.yaml")) == given, given
    mounts = {mount["name"]: mount["mountPath"] for mount in container()["volumeMounts"]}
    named = secrets_of(read("kubernetes/relay.yaml"))
    assert named and all(str(Path(path).parent) == mounts["secrets"] for path in named), named


def kubernetes(rendered: str) -> None:
    objects = {item["kind"]: item for item in yaml.safe_load_all(rendered)}
    pod = objects["Deployment"]["spec"]["template"]
    labels, spec = pod["metadata"]["labels"].items(), pod["spec"]
    for kind, selector in [
        ("Deployment", objects["Deployment"]["spec"]["selector"]["matchLabels"]),
        ("Service", objects["Service"]["spec"]["selector"]),
        ("PodDisruptionBudget", objects["PodDisruptionBudget"]["spec"]["selector"]["matchLabels"]),
        ("NetworkPolicy", objects["NetworkPolicy"]["spec"]["podSelector"]["matchLabels"]),
        *(("spread", spread["labelSelector"]["matchLabels"]) for spread in spec["topologySpreadConstraints"]),
    ]:
        assert selector and selector.items() <= labels, kind
    assert objects["PodDisruptionBudget"]["spec"]["minAvailable"] < objects["Deployment"]["spec"]["replicas"]
    (one,) = spec["containers"]
    ports = {port["name"] for port in one["ports"]}
    asked = [one[probe]["httpGet"]["port"] for probe in ("startupProbe", "readinessProbe", "livenessProbe")]
    asked.append(objects["Service"]["spec"]["ports"][0]["targetPort"])
    asked.append(objects["NetworkPolicy"]["spec"]["ingress"][0]["ports"][0]["port"])
    assert set(asked) == ports, asked
    # The Pod Security Standard `restricted`, which the namespace enforces.
    assert objects["Namespace"]["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert one["securityContext"]["allowPrivilegeEscalation"] is False
    assert one["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    allowed = {"configMap", "emptyDir", "secret"}
    assert all(volume.keys() - {"name"} <= allowed for volume in spec["volumes"]), spec["volumes"]
    assert not any(spec.get(name) for name in ("hostNetwork", "hostPID", "hostIPC"))
    rules = objects["ConfigMap"]
    assert rules["metadata"]["name"] == spec["volumes"][0]["configMap"]["name"]
    assert rules["data"]["relay.yaml"] == (DEPLOY / "kubernetes/relay.yaml").read_text()
    named = one["image"].rpartition("/")[2]
    assert named == f"source-devin-ai:{version()}", named


def compose() -> None:
    for name, service in read("compose/compose.yaml")["services"].items():
        assert service["read_only"] is True and service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert "privileged" not in service and "cap_add" not in service and "healthcheck" in service, name


def main() -> None:
    if sys.argv[1] == "--last-script":
        print(read("github-action/devin.yml")["jobs"]["relay"]["steps"][-1]["run"])
        return
    versions()
    secrets()
    compose()
    kubernetes(Path(sys.argv[1]).read_text())
    print("ok      the files agree: versions, secrets, selectors, ports, no privileges")


if __name__ == "__main__":
    main()
