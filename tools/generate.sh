#!/bin/sh
# Writes what is generated from the code: the OpenAPI document, the SDK's types and the table
# of options. With --check it writes nothing and
# fails when a file is stale.
set -eu
cd "$(dirname "$0")/.."
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
.venv/bin/python tools/openapi.py "$folder/openapi.json"
.venv/bin/python tools/provider_options.py "$folder/OPTIONS.md"
.venv/bin/datamodel-codegen --input "$folder/openapi.json" --input-file-type openapi \
    --output "$folder/models.py" --output-model-type pydantic_v2.BaseModel --target-python-version 3.11 \
    --use-standard-collections --use-union-operator --use-annotated --use-schema-description --use-field-description \
    --collapse-root-models --enum-field-as-literal all --disable-timestamp --formatters ruff-format \
    --custom-file-header '"""Types of the API, generated from its OpenAPI document by `make generate`."""'
.venv/bin/ruff check --quiet --fix --config pyproject.toml --select I "$folder/models.py"
.venv/bin/ruff format --quiet --config pyproject.toml "$folder/models.py"
if [ "${1:-}" = --check ]; then
    for pair in "openapi.json frontend/openapi.json" "models.py sdk/genesis_client/models.py" \
        "OPTIONS.md genesis/providers/OPTIONS.md"; do
        set -- $pair
        cmp -s "$folder/$1" "$2" || {
            echo "$2 is stale; run \`make generate\`." >&2
            exit 1
        }
    done
else
    cp "$folder/openapi.json" frontend/openapi.json
    cp "$folder/models.py" sdk/genesis_client/models.py
    cp "$folder/OPTIONS.md" genesis/providers/OPTIONS.md
fi
