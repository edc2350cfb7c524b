"""The tree of the log is the one of RFC 6962: roots as published, proofs for every size."""

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymerkle import InmemoryTree

from traceability import merkle

# The eight entries, and the roots of the first 1 … 8 of them, of Certificate Transparency's tests.
ENTRIES = [
    bytes.fromhex(text)
    for text in (
        "", "00", "10", "2021", "3031", "40414243", "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]  # fmt: skip
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


class Tree:
    """A tree in memory, grown leaf by leaf as the log grows it."""

    def __init__(self, leaves: list[bytes]) -> None:
        self.nodes: dict[tuple[int, int], bytes] = {}
        self.frontier: merkle.Frontier = ()
        for size, leaf in enumerate(leaves):
            self.frontier, made = merkle.grow(self.frontier, size, [leaf])
            self.nodes[0, size] = leaf
            self.nodes.update({(level, number): node for level, number, node in made})

    def subtree(self, level: int, number: int) -> bytes:
        """Give a node that was completed."""
        return self.nodes[level, number]


def a_tree(size: int) -> Tree:
    return Tree([merkle.leaf_hash(str(number).encode()) for number in range(size)])


def flip(proof: list[bytes]) -> list[bytes]:
    return [bytes([proof[0][0] ^ 1]) + proof[0][1:], *proof[1:]]


def test_the_published_roots_come_out() -> None:
    leaves = [merkle.leaf_hash(entry) for entry in ENTRIES]

    roots = [merkle.root_of(Tree(leaves[:size]).frontier).hex() for size in range(1, 9)]

    assert roots == ROOTS
    assert merkle.root_of(()) == sha256(b"").digest()


@pytest.mark.parametrize("size", [0, 1, 2, 3, 7, 8, 9, 100, 127, 128, 129])
def test_the_root_from_the_frontier_is_the_root_of_the_tree(size: int) -> None:
    tree = a_tree(size)

    assert merkle.root(tree.subtree, size) == merkle.root_of(tree.frontier)


def test_every_leaf_of_every_size_has_a_proof_that_holds_for_it_alone() -> None:
    for size in range(1, 66):
        tree = a_tree(size)
        root = merkle.root_of(tree.frontier)
        for index in range(size):
            leaf = merkle.leaf_hash(str(index).encode())
            proof = merkle.inclusion_proof(tree.subtree, index, size)

            assert merkle.verify_inclusion(leaf, index, size, proof, root)
            assert not merkle.verify_inclusion(leaf, index, size + 1, [*proof, leaf], root)
            assert not merkle.verify_inclusion(leaf, index, size, [*proof, leaf], root)
            assert not proof or not merkle.verify_inclusion(leaf, index, size, flip(proof), root)


def test_every_older_tree_is_proven_to_be_the_beginning() -> None:
    roots = [merkle.root_of(a_tree(size).frontier) for size in range(66)]
    for new in range(1, 66):
        tree = a_tree(new)
        for old in range(1, new + 1):
            proof = merkle.consistency_proof(tree.subtree, old, new)

            assert merkle.verify_consistency(old, new, roots[old], roots[new], proof)
            other = roots[old - 1]
            assert not merkle.verify_consistency(old, new, other, roots[new], proof)
            assert not proof or not merkle.verify_consistency(
                old, new, roots[old], roots[new], flip(proof)
            )


def test_what_a_proof_cannot_say_is_refused() -> None:
    leaf = merkle.leaf_hash(b"")

    assert not merkle.verify_inclusion(leaf, 0, 0, [], merkle.EMPTY_ROOT)
    assert not merkle.verify_inclusion(leaf, 1, 1, [], leaf)
    assert not merkle.verify_inclusion(leaf, 0, 1, [], leaf[:-1])
    assert not merkle.verify_consistency(0, 1, merkle.EMPTY_ROOT, leaf, [])
    assert not merkle.verify_consistency(2, 1, leaf, leaf, [])
    assert not merkle.verify_consistency(1, 2, leaf, leaf, [b"short"])
    with pytest.raises(IndexError):
        merkle.inclusion_proof(a_tree(2).subtree, 2, 2)
    with pytest.raises(IndexError):
        merkle.consistency_proof(a_tree(2).subtree, 0, 2)


@given(st.lists(st.binary(max_size=8), min_size=1, max_size=20), st.data())
def test_another_entry_never_fits_a_proof(entries: list[bytes], data: st.DataObject) -> None:
    tree = Tree([merkle.leaf_hash(entry) for entry in entries])
    index = data.draw(st.integers(0, len(entries) - 1))
    forged = data.draw(st.binary(max_size=8).filter(lambda one: one != entries[index]))
    proof = merkle.inclusion_proof(tree.subtree, index, len(entries))

    assert not merkle.verify_inclusion(
        merkle.leaf_hash(forged), index, len(entries), proof, merkle.root_of(tree.frontier)
    )


def test_roots_are_those_of_another_implementation() -> None:
    other = InmemoryTree(algorithm="sha256")
    frontier: merkle.Frontier = ()

    for size in range(301):
        assert merkle.root_of(frontier) == other.get_root()
        entry = f"sự kiện {size}".encode()
        other.append_entry(entry)
        frontier, _nodes = merkle.grow(frontier, size, [merkle.leaf_hash(entry)])


@given(st.integers(0, 40), st.integers(0, 40), st.integers(1, 5))
def test_many_leaves_at_once_make_the_tree_that_one_by_one_makes(
    before: int, added: int, every: int
) -> None:
    leaves = [merkle.leaf_hash(str(number).encode()) for number in range(before + added)]
    frontier, earlier = merkle.grow((), 0, leaves[:before], every=every)
    frontier, later = merkle.grow(frontier, before, leaves[before:], every=every)
    tree = Tree(leaves)

    assert frontier == tree.frontier
    kept = {(level, number): node for level, number, node in (*earlier, *later)}
    assert kept == {
        place: node for place, node in tree.nodes.items() if place[0] and place[0] % every == 0
    }
