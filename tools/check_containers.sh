#!/bin/sh
# Checks Dockerfiles, manifests and compose.yaml without building an image, and without Docker. The tools are installed
# into build/containers as tools/containers locks them; quick when nothing has changed. Needs .venv (`make setup`), npm.
set -eu
cd "$(dirname "$0")/.."
tools=build/containers
kubernetes=1.36

need() {
    command -v "$1" >/dev/null || {
        echo "$1 is needed; on Debian: apt-get install $1" >&2
        exit 1
    }
}

install_tools() {
    wanted=$(cat tools/containers/requirements.txt tools/containers/package-lock.json | cksum)
    [ -f $tools/installed ] && [ "$(cat $tools/installed)" = "$wanted" ] && return
    need npm
    echo "Installing the tools of the container checks …"
    rm -rf $tools
    mkdir -p $tools
    .venv/bin/python -m venv --without-pip $tools/python
    .venv/bin/uv pip sync --quiet --python $tools/python/bin/python --require-hashes tools/containers/requirements.txt
    cp tools/containers/package.json tools/containers/package-lock.json $tools/
    npm ci --prefix $tools --ignore-scripts --no-audit --no-fund --loglevel=error
    echo "$wanted" >$tools/installed
}

check_dockerfiles() {
    set -- gateway/Dockerfile workers/*/Dockerfile frontend/Dockerfile
    $tools/python/bin/hadolint "$@"
    echo "hadolint: $# Dockerfiles, nothing to say"
}

check_manifests() {
    $tools/python/bin/kubernetes-validate --kubernetes-version $kubernetes --strict k8s/*.yaml k8s/workers/*.yaml
}

check_compose() {
    $tools/node_modules/.bin/dclint --config tools/containers/dclint.json --max-warnings 0 compose.yaml
    echo "dclint: compose.yaml keeps to the schema of the Compose specification"
    # Podman's parser, not Docker's: it resolves variables, anchors and volumes. It asks podman for its version and for
    # nothing else, so that any program with a version will do.
    $tools/python/bin/podman-compose --podman-path "$PWD/.venv/bin/python" config >$tools/compose.yaml
    echo "podman-compose config (not Docker's): $(grep -c '^    image:' $tools/compose.yaml) services"
}

install_tools
check_dockerfiles
check_manifests
check_compose
