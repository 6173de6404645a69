"""Rolling out one code location: to Dagster+, to Compose or to Kubernetes."""
