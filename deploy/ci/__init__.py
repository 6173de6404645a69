"""What the workflows run: a command for each step that is more than a line of shell.

Each is `python -m deploy.ci.<module>`, in `.venvs/test`.
"""
