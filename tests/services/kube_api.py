"""As much of the Kubernetes API as kubectl asks for one deployment, written down as it comes.

There is no cluster without a registry to fetch one from. What is real here is kubectl: its
arguments, its kubeconfig, and the requests that it makes of them (API reference, apps/v1).
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

_KUBECONFIG: Final = """\
apiVersion: v1
kind: Config
current-context: test
contexts: [{{name: test, context: {{cluster: test, user: test}}}}]
clusters: [{{name: test, cluster: {{server: "http://127.0.0.1:{port}"}}}}]
users: [{{name: test, user: {{}}}}]
"""
_PATH: Final = "/apis/apps/v1/namespaces/prod/deployments/api"


@dataclass
class KubeApi:
    """The deployment `prod/api`, served while it is entered; `changes` are (method, path, body)."""

    folder: Path
    replicas: int = 3
    changes: list[tuple[str, str, Any]] = field(default_factory=list)

    async def __aenter__(self) -> KubeApi:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        port = self._server.sockets[0].getsockname()[1]
        self.kubeconfig.write_text(_KUBECONFIG.format(port=port))
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()

    @property
    def kubeconfig(self) -> Path:
        return self.folder / "kubeconfig"

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
                method, path, _ = head[0].split(" ")
                sizes = [line for line in head if line.lower().startswith("content-length: ")]
                body = await reader.readexactly(int(sizes[0].split(": ")[1])) if sizes else b""
                status, answer = self._answer(method, path.partition("?")[0], body)
                data = json.dumps(answer).encode()
                begin = f"HTTP/1.1 {status} X\r\nContent-Type: application/json\r\n"
                writer.write(f"{begin}Content-Length: {len(data)}\r\n\r\n".encode() + data)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            return  # kubectl has what it wanted
        finally:
            writer.close()

    def _answer(self, method: str, path: str, body: bytes) -> tuple[int, Any]:
        if method in ("PUT", "PATCH", "POST", "DELETE"):
            asked = json.loads(body)
            self.changes.append((method, path, asked))
            if path.endswith("/scale"):
                self.replicas = asked["spec"]["replicas"]
        fixed = _discovery().get(path)
        if fixed is not None:
            return 200, fixed
        if path == f"{_PATH}/scale":
            return 200, self._scale()
        if path == _PATH:
            return 200, self._deployment()
        return 404, {"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": 404,
                     "reason": "NotFound", "message": f"{path} not found"}  # fmt: skip

    def _meta(self) -> dict[str, Any]:
        return {"name": "api", "namespace": "prod", "uid": "u-1", "generation": 7,
                "resourceVersion": "12"}  # fmt: skip

    def _scale(self) -> dict[str, Any]:
        count = {"replicas": self.replicas}
        return {"kind": "Scale", "apiVersion": "autoscaling/v1", "metadata": self._meta(),
                "spec": count, "status": count}  # fmt: skip

    def _deployment(self) -> dict[str, Any]:
        labels = {"app": "api"}
        template = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "api"}]}}
        spec = {
            "replicas": self.replicas,
            "selector": {"matchLabels": labels},
            "template": template,
        }
        return {"kind": "Deployment", "apiVersion": "apps/v1", "metadata": self._meta(),
                "spec": spec, "status": {"readyReplicas": self.replicas}}  # fmt: skip


def _discovery() -> dict[str, Any]:
    """What kubectl asks first: which groups and resources there are."""
    version = {"groupVersion": "apps/v1", "version": "v1"}
    group = {"name": "apps", "versions": [version], "preferredVersion": version}
    verbs = ["get", "list", "patch", "update"]
    deployment = {"name": "deployments", "singularName": "deployment", "namespaced": True,
                  "kind": "Deployment", "verbs": verbs}  # fmt: skip
    scale = {"name": "deployments/scale", "singularName": "", "namespaced": True, "kind": "Scale",
             "group": "autoscaling", "version": "v1", "verbs": verbs}  # fmt: skip
    return {
        "/version": {"major": "1", "minor": "32", "gitVersion": "v1.32.0"},
        "/api": {"kind": "APIVersions", "versions": ["v1"]},
        "/apis": {"kind": "APIGroupList", "apiVersion": "v1", "groups": [group]},
        "/api/v1": {"kind": "APIResourceList", "groupVersion": "v1", "resources": []},
        "/apis/apps/v1": {"kind": "APIResourceList", "groupVersion": "apps/v1",
                          "resources": [deployment, scale]},
    }  # fmt: skip
