"""The public code of a product, a lot or a serial: what a QR of ours carries while it sticks."""

from core.codes import CodeSpec

# Crockford's base 32. Ten characters are 50 random bits: too many to try out.
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

TRACE_CODE = CodeSpec(ALPHABET, length=10, readings={"O": "0", "I": "1", "L": "1"})
