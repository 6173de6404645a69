"""What runs in a handler's process, in the environment of the code location.

Imports nothing of the rest of this package and, until a handler needs them, no other package.
"""
