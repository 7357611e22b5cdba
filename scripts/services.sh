#!/usr/bin/env bash
# Installs the real servers that the tests run against, and starts none of them.
# As root with apt it installs what is missing; otherwise it says what the tests will skip.
set -euo pipefail

# what must be there → the Debian package that brings it
needed=(
  "redis-server redis-server" "initdb postgresql" "nginx nginx" "dockerd docker.io"
  "busybox busybox-static" "sshd openssh-server" "mariadbd mariadb-server" "tmux tmux" "gawk gawk"
  "npm npm" "systemctl systemd" "dbus-daemon dbus" "sudo sudo"
  "docker-compose docker-compose" "certbot certbot" "pebble pebble" "kubectl kubernetes-client"
  "git git"
)

have() {
  PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin command -v "$1" >/dev/null ||
    compgen -G "/usr/lib/postgresql/*/bin/$1" >/dev/null
}

# pm2 is no package of Debian's
with_npm() {
  have pm2 || ! have npm || [ "$(id -u)" -ne 0 ] ||
    npm install --global --silent --no-audit --no-fund pm2@5 >/dev/null 2>&1 </dev/null ||
    echo "services: pm2 could not be installed with npm"
}

# "docker compose" is a plugin that Debian has from 13 on; before that its package is taken from there
with_compose() {
  ! have docker || docker compose version >/dev/null 2>&1 || [ "$(id -u)" -ne 0 ] || compose_plugin ||
    echo "services: docker compose could not be fetched"
}

compose_plugin() {
  local to=/usr/local/lib/docker/cli-plugins from mirror options code
  # shellcheck disable=SC2016 # apt fills this in
  mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | grep -m 1 '/debian/$')
  from=$(mktemp -d)
  mkdir -p "$from/lists/partial" "$from/archives/partial" "$to"
  echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror trixie main" >"$from/list"
  options=(-qq -o "Dir::Etc::sourcelist=$from/list" -o Dir::Etc::sourceparts=/dev/null
    -o "Dir::State::lists=$from/lists" -o "Dir::Cache::archives=$from/archives"
    -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache= -o APT::Sandbox::User=root)
  (cd "$from" && apt-get "${options[@]}" update &&
    apt-get "${options[@]}" download docker-compose && dpkg-deb -x docker-compose_*.deb root &&
    install -m 755 root/usr/libexec/docker/cli-plugins/docker-compose "$to") >/dev/null 2>&1 </dev/null
  code=$?
  rm -rf "$from"
  return "$code"
}

missing=()
for pair in "${needed[@]}"; do
  have "${pair% *}" || missing+=("${pair#* }")
done
if have dockerd && ! have docker; then missing+=(docker-cli); fi # a package of its own since Debian 13
if [ ${#missing[@]} -eq 0 ]; then
  with_npm
  with_compose
  exit 0
fi

if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
  echo "services: not installed: ${missing[*]} (as root with apt, scripts/services.sh installs them)"
  exit 0
fi

# A policy-rc.d that says 101 keeps packages from starting their services (invoke-rc.d(8)).
policy=/usr/sbin/policy-rc.d
log=$(mktemp)
kept=""
restore() {
  rm -f "$policy" "$log"
  [ -z "$kept" ] || mv "$kept" "$policy"
}
trap restore EXIT
if [ -e "$policy" ] || [ -L "$policy" ]; then
  kept=$policy.kept-by-warroom
  mv "$policy" "$kept"
fi
printf '#!/bin/sh\nexit 101\n' >"$policy"
chmod 755 "$policy"

export DEBIAN_FRONTEND=noninteractive
apt=(apt-get -qq -o DPkg::Lock::Timeout=120 -o Acquire::Retries=3)
install() { "${apt[@]}" install --yes --no-install-recommends "$@" >>"$log" 2>&1 </dev/null; }

echo "services: installing ${missing[*]}"
"${apt[@]}" update >>"$log" 2>&1 </dev/null || echo "services: apt-get update failed, trying without"
if ! install "${missing[@]}"; then
  for package in "${missing[@]}"; do # one that cannot be had does not keep the others away
    install "$package" || echo "services: $package could not be installed: $(tail -n 1 "$log")"
  done
fi
if have dockerd && ! have docker; then
  install docker-cli || echo "services: docker-cli could not be installed: $(tail -n 1 "$log")"
fi
with_npm
with_compose
