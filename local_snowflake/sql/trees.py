"""Replacing parts of syntax trees."""

from __future__ import annotations

from sqlglot import Expr


def replace_node(tree: Expr, node: Expr, replacement: Expr) -> Expr:
    """Replace a node of a tree and return the tree, which may be the node itself."""
    if node is tree:
        return replacement
    node.replace(replacement)
    return tree
