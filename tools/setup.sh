#!/bin/sh
# Makes .venv with exactly what requirements/dev.txt locks, the offline models included; quick when nothing has changed.
set -eu
cd "$(dirname "$0")/.."
python=${PYTHON:-python3}
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
    echo "Python 3.11 or newer is needed; set PYTHON to one." >&2
    exit 1
}
# Both project files count: they name the packages and commands that are installed.
wanted=$(cat requirements/*.txt pyproject.toml sdk/pyproject.toml | cksum)
stamp=.venv/installed
if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$wanted" ]; then
    exit 0
fi
echo "Setting up .venv …"
[ -x .venv/bin/python ] || "$python" -m venv .venv || {
    echo "Creating a virtual environment failed; on Debian: apt-get install python3-venv" >&2
    exit 1
}
.venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/uv.txt
.venv/bin/uv pip sync --quiet --python .venv/bin/python --require-hashes \
    --build-constraints requirements/build.txt requirements/uv.txt requirements/dev.txt
.venv/bin/uv pip install --quiet --python .venv/bin/python --no-deps --no-build-isolation -e . -e sdk
echo "$wanted" >"$stamp"
