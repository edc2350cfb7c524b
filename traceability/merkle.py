"""The Merkle tree of RFC 6962 / RFC 9162: roots and proofs over leaves that are only ever added.

Pure functions over hashes. `Frontier` is what has to be kept to add a leaf: the roots of the
perfect subtrees whose sizes are the bits of the tree's size, the largest first.
"""

from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256

HASH_BYTES = 32
EMPTY_ROOT = sha256(b"").digest()
Frontier = tuple[bytes, ...]
# (level, number) → root of the perfect subtree of 2**level leaves, the number-th from the left.
Subtree = Callable[[int, int], bytes]


def leaf_hash(entry: bytes) -> bytes:
    """Return the hash of one entry as a leaf: 0x00 before it keeps it from posing as a node."""
    return sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of two subtrees side by side."""
    return sha256(b"\x01" + left + right).digest()


def grow(
    frontier: Frontier, size: int, leaves: Iterable[bytes], *, every: int = 1
) -> tuple[Frontier, list[tuple[int, int, bytes]]]:
    """Add leaf hashes to a tree of `size`; return the new frontier and the nodes completed.

    Nodes are (level, number, hash), level by level, only those whose level is a multiple of
    `every`; the leaves themselves (level 0) are not among them.
    """
    levels = [level for level in range(size.bit_length() - 1, -1, -1) if size >> level & 1]
    held = dict(zip(levels, frontier, strict=True))
    nodes: list[tuple[int, int, bytes]] = []
    row, first, level = list(leaves), size, 0
    while row:
        if first & 1:
            row.insert(0, held.pop(level))
            first -= 1
        if len(row) & 1:
            held[level] = row.pop()
        row, first, level = level_above(row), first >> 1, level + 1
        if level % every == 0:
            nodes += [(level, number, node) for number, node in enumerate(row, start=first)]
    return tuple(held[one] for one in sorted(held, reverse=True)), nodes


def level_above(nodes: Sequence[bytes]) -> list[bytes]:
    """Return the nodes above an even number of neighbours."""
    pairs = zip(nodes[::2], nodes[1::2], strict=True)
    return [sha256(b"\x01" + left + right).digest() for left, right in pairs]


def root_of(frontier: Frontier) -> bytes:
    """Return the root of the tree that has this frontier."""
    if not frontier:
        return EMPTY_ROOT
    root = frontier[-1]
    for left in reversed(frontier[:-1]):
        root = node_hash(left, root)
    return root


def root(subtree: Subtree, size: int) -> bytes:
    """Return the root of the first `size` leaves."""
    return _range(subtree, 0, size) if size else EMPTY_ROOT


def inclusion_proof(subtree: Subtree, index: int, size: int) -> list[bytes]:
    """Return the audit path of leaf `index` in the tree of `size` leaves (RFC 9162 §2.1.3.1)."""
    if not 0 <= index < size:
        raise IndexError(f"there is no leaf {index} in a tree of {size}")
    return _path(subtree, index, 0, size)


def consistency_proof(subtree: Subtree, old: int, new: int) -> list[bytes]:
    """Return the proof that the tree of `new` leaves begins with that of `old` (§2.1.4.1)."""
    if not 0 < old <= new:
        raise IndexError(f"a tree of {new} cannot be proven to begin with one of {old}")
    return _subproof(subtree, old, 0, new, whole=True)


def verify_inclusion(
    leaf: bytes, index: int, size: int, proof: Sequence[bytes], expected: bytes
) -> bool:
    """Say whether `proof` leads from leaf hash `leaf` at `index` to the root `expected`."""
    if not 0 <= index < size or len(leaf) != HASH_BYTES:
        return False
    number, last, node = index, size - 1, leaf
    for step in proof:
        if last == 0 or len(step) != HASH_BYTES:
            return False
        if number & 1 or number == last:
            node = node_hash(step, node)
            while not number & 1 and number:
                number, last = number >> 1, last >> 1
        else:
            node = node_hash(node, step)
        number, last = number >> 1, last >> 1
    return last == 0 and node == expected


def verify_consistency(
    old: int, new: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]
) -> bool:
    """Say whether `proof` shows that the tree of `new` leaves begins with that of `old`.

    A proof can say nothing of an empty old tree: that is refused, as are sizes out of order.
    """
    if not 0 < old <= new or any(len(step) != HASH_BYTES for step in proof):
        return False
    if old == new:
        return not proof and old_root == new_root
    steps = list(proof)
    if old & (old - 1) == 0:
        steps.insert(0, old_root)
    if not steps:
        return False
    number, last = old - 1, new - 1
    while number & 1:
        number, last = number >> 1, last >> 1
    first = second = steps[0]
    for step in steps[1:]:
        if last == 0:
            return False
        if number & 1 or number == last:
            first, second = node_hash(step, first), node_hash(step, second)
            while not number & 1 and number:
                number, last = number >> 1, last >> 1
        else:
            second = node_hash(second, step)
        number, last = number >> 1, last >> 1
    return last == 0 and first == old_root and second == new_root


def _split(size: int) -> int:
    """Return the largest power of two below `size`."""
    return 1 << ((size - 1).bit_length() - 1)


def _range(subtree: Subtree, start: int, end: int) -> bytes:
    size = end - start
    if size & (size - 1) == 0 and start % size == 0:
        level = size.bit_length() - 1
        return subtree(level, start >> level)
    middle = start + _split(size)
    return node_hash(_range(subtree, start, middle), _range(subtree, middle, end))


def _path(subtree: Subtree, index: int, start: int, end: int) -> list[bytes]:
    if end - start == 1:
        return []
    middle = start + _split(end - start)
    if index < middle:
        return [*_path(subtree, index, start, middle), _range(subtree, middle, end)]
    return [*_path(subtree, index, middle, end), _range(subtree, start, middle)]


def _subproof(subtree: Subtree, old: int, start: int, end: int, *, whole: bool) -> list[bytes]:
    """Prove the leaves start…old within start…end; `whole` when that root is known already."""
    if old == end:
        return [] if whole else [_range(subtree, start, end)]
    middle = start + _split(end - start)
    if old <= middle:
        proof = _subproof(subtree, old, start, middle, whole=whole)
        return [*proof, _range(subtree, middle, end)]
    proof = _subproof(subtree, old, middle, end, whole=False)
    return [*proof, _range(subtree, start, middle)]
