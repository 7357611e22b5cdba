"""What programs and their sub-commands do: small tables, from the programs' own manuals."""

from __future__ import annotations

from typing import Final

from warroom.runbooks.model import Risk


def word_set(text: str) -> frozenset[str]:
    """The words of `text`."""
    return frozenset(text.split())


READERS: Final = word_set("""
    ls cat head tail less more grep egrep fgrep zgrep zcat rg wc uniq cut tr jq column nl tac rev
    df du free top htop atop ps pgrep pstree uptime w who whoami id date uname hostname lscpu
    lsblk vmstat iostat mpstat sar dmesg lsof ss netstat stat file which type env printenv echo
    printf true false test [ [[ sleep cd pwd export set read wait pushd popd local return exit
    unset dig nslookup host ping ping6 traceroute tracepath mtr whois diff cmp md5sum sha256sum
    comm seq basename dirname realpath readlink sort fold strings xxd od openssl telnet
    ncdu glances tree last lastlog getent findmnt history man clear yes : break continue
    shift getopts jobs fg time
""")
"""Look and print, with the options that runbooks give them; `risk` knows the exceptions."""

DESTROYERS: Final = word_set("""
    rm rmdir shred truncate dd wipefs mkfs fdisk parted lvremove vgremove dropdb dropuser
    userdel groupdel unlink zfs srm
""")
"""What they take away does not come back."""

CHANGING_FLAGS: Final = {
    "sort": ("-o", "--output"),
    "date": ("-s", "--set"),
    "dmesg": ("-C", "-c", "--clear", "--read-clear"),
    "ss": ("-K", "--kill"),
    "env": ("-S",),
}
"""Options that make a reader write."""

READ, CHANGE, DESTROY = Risk.READ, Risk.CHANGE, Risk.DESTROY

_DOCKER: Final = {
    "ps": READ, "logs": READ, "stats": READ, "inspect": READ, "images": READ, "top": READ,
    "events": READ, "info": READ, "version": READ, "port": READ, "diff": READ, "history": READ,
    "search": READ, "ls": READ, "list": READ, "df": READ, "rm": DESTROY,
    "rmi": DESTROY, "prune": DESTROY, "remove": DESTROY, "down": CHANGE, "show": READ,
}  # fmt: skip
SUBCOMMANDS: Final[dict[str, dict[str, Risk]]] = {
    "docker": _DOCKER,
    "docker-compose": _DOCKER,
    "podman": _DOCKER,
    "nerdctl": _DOCKER,
    "kubectl": {
        "get": READ, "describe": READ, "logs": READ, "top": READ, "explain": READ,
        "version": READ, "cluster-info": READ, "api-resources": READ, "events": READ,
        "diff": READ, "can-i": READ, "whoami": READ, "wait": READ, "delete": DESTROY,
        "status": READ, "history": READ, "view": READ, "current-context": READ,
    },
    "systemctl": {
        "status": READ, "is-active": READ, "is-failed": READ, "is-enabled": READ, "show": READ,
        "cat": READ, "list-units": READ, "list-timers": READ, "list-unit-files": READ,
    },
    "service": {"status": READ},
    "pm2": {
        "logs": READ, "log": READ, "status": READ, "list": READ, "ls": READ, "jlist": READ,
        "monit": READ, "describe": READ, "show": READ, "info": READ, "env": READ,
        "delete": DESTROY, "kill": DESTROY, "flush": DESTROY,
    },
    "git": {
        "log": READ, "status": READ, "diff": READ, "show": READ, "blame": READ, "fetch": READ,
        "describe": READ, "rev-parse": READ, "clean": DESTROY,
        "ls-files": READ, "reflog": READ,
    },
    "doctl": {
        "list": READ, "get": READ, "logs": READ, "list-deployments": READ, "backups": READ,
        "connection": READ, "get-deployment": READ, "delete": DESTROY, "list-alerts": READ,
        "list-regions": READ,
    },
    "helm": {
        "list": READ, "ls": READ, "status": READ, "history": READ, "get": READ, "show": READ,
        "uninstall": DESTROY, "delete": DESTROY,
    },
    "npm": {"ls": READ, "list": READ, "outdated": READ, "view": READ},
    "ufw": {"status": READ, "show": READ, "reset": DESTROY},
    "apt": {"list": READ, "show": READ, "search": READ, "policy": READ, "purge": DESTROY},
    "ip": {"show": READ, "list": READ, "get": READ},
    "certbot": {"certificates": READ, "delete": DESTROY},
    "crictl": {"ps": READ, "logs": READ, "inspect": READ, "stats": READ, "rm": DESTROY},
    "terraform": {
        "plan": READ, "show": READ, "list": READ, "output": READ,
        "destroy": DESTROY, "rm": DESTROY,
    },
    "flyctl": {"status": READ, "logs": READ, "destroy": DESTROY},
    "heroku": {"logs": READ, "ps": READ, "status": READ},
    "consul": {"members": READ}, "vault": {"status": READ}, "nomad": {"status": READ},
}  # fmt: skip
"""Sub-commands by program; one that is not listed counts as a change."""

NOUNS: Final = {
    "docker": word_set("""
        compose container image volume network system builder stack service node secret config
        plugin context buildx swarm manifest
    """),
    "podman": word_set("container image volume network system pod compose"),
    "kubectl": word_set("rollout config auth"),
    "git": word_set("branch remote stash tag"),
    "doctl": word_set("""
        apps app databases database db compute droplet kubernetes cluster registry account projects
        domain records load-balancer firewall volume pool user replica
    """),
    "ip": word_set("a addr address route r link l neigh rule"),
    "terraform": word_set("state workspace"),
    "helm": word_set("repo"),
    "npm": word_set("audit cache"),
}
"""Words that only say what the next one is about; alone they list it."""

ACTS: Final = word_set("""
    restore delete rm remove destroy prune reset drop kill stop start restart create update set
    apply add scale edit patch rollback
""")
"""Words that act, wherever they stand in the second place."""

REDIS: Final[dict[str, Risk]] = {
    **dict.fromkeys(
        word_set("""
            ping info get mget exists ttl pttl type scan hscan sscan zscan hget hgetall lrange llen
            scard smembers zrange zcard dbsize time role memory latency object strlen keys
            randomkey monitor lastsave echo --bigkeys --memkeys --hotkeys --latency --stat --scan
            --version --help
        """),
        READ,
    ),
    **dict.fromkeys(
        word_set("""
            flushall flushdb del unlink shutdown getdel swapdb spop lpop rpop ltrim
        """),
        DESTROY,
    ),
}
"""Commands of Redis (redis.io/commands); the others change something."""
REDIS_PAIRS: Final = {
    ("config", "get"): READ, ("client", "list"): READ, ("client", "info"): READ,
    ("slowlog", "get"): READ, ("slowlog", "len"): READ, ("cluster", "info"): READ,
    ("cluster", "nodes"): READ, ("command", "count"): READ, ("acl", "whoami"): READ,
}  # fmt: skip
