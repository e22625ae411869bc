#!/bin/sh
# Writes every lock file of this folder from pyproject.toml. Needs uv; run by `make lock`.
set -eu
cd "$(dirname "$0")/.."
compile() { uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --custom-compile-command "make lock" "$@"; }
compile pyproject.toml -o requirements/base.txt
compile pyproject.toml --group offline -c requirements/base.txt -o requirements/offline.txt
compile pyproject.toml sdk/pyproject.toml --group offline --group dev -c requirements/offline.txt -o requirements/dev.txt
for name in uv build node cog litellm bench-celery bench-dbos bench-profile; do compile --python-version 3.11 requirements/$name.in -o requirements/$name.txt; done
