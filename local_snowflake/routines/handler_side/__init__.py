"""The code that runs in a handler's process, in the environment of the code location.

It imports nothing from the rest of this package and, until a handler needs them, no other package.
"""
