"""The text of SQL statements: splitting, reading, names, types and quoting; nothing runs here.

Everything above may use this room, and it imports no other one.
"""
