"""The built-in pipelines, one YAML file each."""
