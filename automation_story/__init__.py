"""A story of automation, told by the real daemon: `make automation-story`."""
