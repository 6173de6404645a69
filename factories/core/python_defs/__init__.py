"""A team's own Python beside YAML: found, imported, and joined with what YAML gives."""
