"""A team's own Python: what the files of this folder declare belongs to transformation."""
