"""What the tools have: sub-commands and options, each table with its source.

Small on purpose: the tools that runbooks name most, every sub-command of theirs, and the options
of those sub-commands that people look with in an incident.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from warroom.runbooks.verbs import word_set as words

NONE: Final[frozenset[str]] = frozenset()


@dataclass(frozen=True, slots=True)
class Tool:
    """A program's sub-commands by the word before them ("" stands for the program), and options
    by the path of the sub-command. `globals` go anywhere; `valued` are those of them before a
    sub-command that take a value; `plugins`: whether others may add sub-commands. `instead`
    says the better form of something that is not there, by "path word"."""

    source: str
    commands: Mapping[str, frozenset[str]]
    options: Mapping[str, frozenset[str]] = field(default_factory=dict)
    globals: frozenset[str] = NONE
    valued: frozenset[str] = NONE
    plugins: bool = False
    instead: Mapping[str, str] = field(default_factory=dict)


_COMPOSE: Final = words("""
    attach bridge build commit config convert cp create down events exec export images kill logs ls
    pause port ps publish pull push restart rm run scale start stats stop top unpause up version
    volumes wait watch
""")
_COMPOSE_GLOBALS: Final = words("""
    --all-resources --ansi --compatibility --dry-run --env-file -f --file --parallel --profile
    --progress -p --project-directory --project-name --help -h --verbose
""")
_COMPOSE_OPTIONS: Final = {
    "logs": words("""
        -f --follow --index --no-color --no-log-prefix --since -n --tail -t --timestamps --until
    """),
    "ps": words("-a --all --filter --format --no-trunc --orphans -q --quiet --services --status"),
    "restart": words("--no-deps -t --timeout"),
    "top": NONE,
}
DOCKER: Final = Tool(
    "docker --help, 20.10 to 28; docs.docker.com/reference/cli/docker, with Compose 2",
    {
        "": words("""
            run exec ps build pull push images login logout search version info builder buildx
            checkpoint compose container context image manifest network plugin system trust volume
            config node secret service stack swarm attach commit cp create diff events export
            history import inspect kill load logs pause port rename restart rm rmi save start stats
            stop tag top unpause update wait help ai bake debug desktop extension init mcp model
            offload sbom scout
        """),
        "container": words("""
            attach commit cp create diff exec export inspect kill logs ls list ps pause port prune
            rename restart rm remove run start stats stop top unpause update wait
        """),
        "image": words("build history import inspect load ls list prune pull push rm remove save "
                       "tag"),
        "system": words("df events info prune dial-stdio"),
        "network": words("connect create disconnect inspect ls list prune rm remove"),
        "volume": words("create inspect ls list prune rm remove update"),
        "compose": _COMPOSE,
    },
    {
        "logs": words("--details -f --follow --since -n --tail -t --timestamps --until"),
        "ps": words("""
            -a --all -f --filter --format -n --last -l --latest --no-trunc -q --quiet -s --size
        """),
        "stats": words("-a --all --format --no-stream --no-trunc"),
        "restart": words("-s --signal -t --time --timeout"),
        "inspect": words("-f --format -s --size --type"),
        **{f"compose {verb}": known for verb, known in _COMPOSE_OPTIONS.items()},
    },
    words("--config -c --context -D --debug -H --host -l --log-level --tls --tlscacert --tlscert "
          "--tlskey --tlsverify -v --version --help -h") | _COMPOSE_GLOBALS,
    words("--config -c --context -H --host -l --log-level --tlscacert --tlscert --tlskey -f --file "
          "-p --project-name --profile --env-file --project-directory --ansi --progress"),
    plugins=True,
    instead={"logs --lines": "docker logs --tail 100 NAME", "ps --running": "docker ps"},
)  # fmt: skip
COMPOSE: Final = Tool(
    "docs.docker.com/reference/cli/docker/compose, Compose 2",
    {"": _COMPOSE | {"help"}},
    _COMPOSE_OPTIONS,
    _COMPOSE_GLOBALS | {"-v", "--version", "-H", "--host"},
    words("-f --file -p --project-name --profile --env-file --project-directory -H --host --ansi"),
)
KUBECTL: Final = Tool(
    "kubectl --help, v1.32; kubernetes.io/docs/reference/kubectl/generated",
    {
        "": words("""
            create expose run set explain get edit delete rollout scale autoscale certificate
            cluster-info top cordon uncordon drain taint describe logs attach exec port-forward
            proxy cp auth debug events diff apply patch replace wait kustomize label annotate
            completion api-resources api-versions config plugin version alpha options help kuberc
        """),
        "rollout": words("history pause restart resume status undo"),
        "config": words("""
            current-context delete-cluster delete-context delete-user get-clusters get-contexts
            get-users rename-context set set-cluster set-context set-credentials unset use-context
            view
        """),
        "auth": words("can-i reconcile whoami"),
        "top": words("node nodes no pod pods po"),
        "set": words("env image resources selector serviceaccount sa subject"),
    },
    {
        "logs": words("""
            --all-containers --all-pods -c --container -f --follow --ignore-errors --limit-bytes
            --insecure-skip-tls-verify-backend --max-log-requests --pod-running-timeout --prefix -p
            --previous -l --selector --since --since-time --tail --timestamps
        """),
        "rollout undo": words("""
            --allow-missing-template-keys --dry-run -f --filename -k --kustomize -o --output -R
            --recursive -l --selector --show-managed-fields --template --to-revision
        """),
        "rollout status": words("""
            -f --filename -k --kustomize -R --recursive --revision -l --selector --timeout -w
            --watch
        """),
        "top pods": words("""
            -A --all-namespaces --containers --field-selector --no-headers -l --selector --sort-by
            --sum --use-protocol-buffers --show-swap
        """),
    },
    words("""
        --as --as-group --as-uid --as-user-extra --cache-dir --certificate-authority --cluster
        --client-certificate --client-key --context --disable-compression --kubeconfig --kuberc
        --insecure-skip-tls-verify --log-flush-frequency --match-server-version -n --namespace
        --password --profile --profile-output --request-timeout -s --server --tls-server-name
        --token --user --username -v --v --vmodule --warnings-as-errors -h --help
    """),
    words("-n --namespace --context --kubeconfig --cluster --user -s --server --token --as -v "
          "--request-timeout"),
    plugins=True,
    instead={
        "rolling-update": "kubectl rollout restart deployment/NAME",
        "logs --lines": "kubectl logs --tail=100 POD",
        "rollback": "kubectl rollout undo deployment/NAME",
        "restart": "kubectl rollout restart deployment/NAME",
        "rollout undo --revision": "kubectl rollout undo deployment/NAME --to-revision=N",
    },
)  # fmt: skip
DOCTL: Final = Tool(
    "docs.digitalocean.com/reference/doctl, v1.146 and v2.1",
    {
        "": words("""
            1-click account apps app a auth balance billing-history bh completion compute c
            databases
            db dbs d database dedicated-inference genai gradient help invoice kubernetes kube k8s k
            monitoring network nfs projects registry registries reg r security serverless sandbox
            sls sbx spaces sp uptime version vm vpcs agent vector-databases nat-gateway
        """),
        "apps": words("""
            cancel-event cancel-job-invocation console create create-deployment delete dev get
            get-deployment get-instances get-job-invocation instances list ls list-alerts
            list-buildpacks list-deployments list-events get-event list-instances
            list-job-invocations list-regions logs l propose restart spec tier update
            update-alert-destinations upgrade-buildpack rollback
        """),
        "databases": words("""
            backups bu configuration connection conn create db delete events firewalls fork get
            get-ca indexes list ls maintenance-window migrate online-migration options pool replica
            resize sql-mode topics user upgrade-major-version logsink schema-registry autoscale
        """),
        "compute": words("""
            action cdn certificate domain droplet d droplet-action da droplet-autoscale firewall
            image image-action load-balancer lb microvm region reserved-ip reserved-ip-action
            reserved-ipv6 size snapshot ssh ssh-key tag volume volume-action byoip-prefix vm
            floating-ip floating-ip-action vpc-nat-gateway
        """),
    },
    {
        "apps logs": words("""
            --deployment -f --follow --job-invocation --no-prefix --tail --type
        """),
        "apps list-deployments": words("--format --no-header"),
        "databases backups": words("--format --no-header"),
    },
    words("""
        -t --access-token -u --api-url -c --config --context --http-retry-max --http-retry-wait-max
        --http-retry-wait-min --interactive -o --output --trace -v --verbose -h --help
    """),
    words("-t --access-token -u --api-url -c --config --context -o --output"),
    instead={
        "apps logs --component": "the component is the argument after the app: doctl apps logs APP "
                                 "COMPONENT",
        "apps logs --since": "there is no time range: use --tail, or --deployment ID",
        "compute support": "doctl cannot open tickets: use the support page of the control panel",
    },
)  # fmt: skip
SYSTEMCTL: Final = Tool(
    "systemctl --help, systemd 252; systemctl(1) of 257",
    {
        "": words("""
            list-units list-automounts list-paths list-sockets list-timers is-active is-failed
            status show cat help list-dependencies start stop reload restart try-restart condrestart
            reload-or-restart try-reload-or-restart force-reload isolate kill clean freeze thaw
            set-property bind mount-image service-log-level service-log-target reset-failed
            list-unit-files enable disable reenable preset preset-all is-enabled mask unmask link
            revert add-wants add-requires edit get-default set-default list-machines list-jobs
            cancel show-environment set-environment unset-environment import-environment
            daemon-reload daemon-reexec log-level log-target service-watchdogs is-system-running
            default rescue emergency halt poweroff reboot kexec soft-reboot exit switch-root
            suspend hibernate hybrid-sleep suspend-then-hibernate sleep whoami
        """),
    },
    valued=words("-H --host -M --machine -t --type --state -p --property -P -n --lines -o --output "
                 "-s --signal --job-mode --what --root --kill-whom"),
)  # fmt: skip
TOOLS: Final = {
    "docker": DOCKER,
    "docker-compose": COMPOSE,
    "kubectl": KUBECTL,
    "doctl": DOCTL,
    "systemctl": SYSTEMCTL,
}
ALIASES: Final = {
    "doctl": {"app": "apps", "a": "apps", "db": "databases", "dbs": "databases", "d": "databases",
              "database": "databases", "c": "compute"},
    "kubectl": {"po": "pods", "pod": "pods"},
}  # fmt: skip

PSQL_SOURCE: Final = "psql --help, 15; postgresql.org/docs/18/app-psql.html"
PSQL_VALUED: Final = words("c d f v L o F P R T h p U")
PSQL_LETTERS: Final = PSQL_VALUED | words("l V X 1 ? a b e E n q s S A H t x z 0 w W")
PSQL_OPTIONS: Final = words("""
    --command --dbname --file --list --set --variable --version --no-psqlrc --single-transaction
    --help --echo-all --echo-errors --echo-queries --echo-hidden --log-file --no-readline --output
    --quiet --single-step --single-line --no-align --csv --field-separator --html --pset
    --record-separator --tuples-only --table-attr --expanded --field-separator-zero
    --record-separator-zero --host --port --username --no-password --password
""")
REDIS_SOURCE: Final = "redis-cli --help, 7.0; redis.io/docs/latest/develop/tools/cli, 8"
REDIS_VALUED: Final = words("""
    -h -p -s -a --user --pass -u -r -i -n -d -D --sni --cacert --cacertdir --cert --key -X -t
    --tls-ciphers --tls-ciphersuites --show-pushes --lru-test --rdb --functions-rdb --pipe-timeout
    --memkeys-samples --pattern --quoted-pattern --intrinsic-latency --eval --count --cursor --top
""")
REDIS_OPTIONS: Final = REDIS_VALUED | words("""
    --askpass -2 -3 -x -c -e -4 -6 --tls --insecure --raw --no-raw --quoted-input --csv --json
    --quoted-json --stat --latency --latency-history --latency-dist --replica --slave --pipe
    --bigkeys --memkeys --hotkeys --keystats --scan --ldb --ldb-sync-mode --cluster --verbose
    --no-auth-warning --help --version -v --name
""")
NGINX_SOURCE: Final = "nginx -h, 1.22; nginx.org/en/docs/switches.html"
NGINX_LETTERS: Final = words("? h v V t T q s p e c g")
NGINX_SIGNALS: Final = words("stop quit reopen reload")
