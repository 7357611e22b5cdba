"""Which host a name of the config stands for."""

from __future__ import annotations

from warroom.config.problems import nearest
from warroom.config.settings import Settings
from warroom.hosts.base import Host, HostError


def host_for(name: str, settings: Settings) -> Host:
    """A new host: this machine for an empty name, else that of `[hosts.NAME]`.

    Nothing connects yet. The caller keeps one of each name and closes it. Raises HostError.
    """
    if not name:
        from warroom.hosts.local import LocalHost

        return LocalHost()
    if name not in settings.hosts:
        raise HostError(f'no host is called "{name}"; {nearest(name, settings.hosts)}')
    from warroom.hosts.ssh import SshHost

    return SshHost(name, settings.hosts[name].ssh)
