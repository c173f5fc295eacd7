"""Ways to damage bytes."""

from random import Random


def splice(original: bytes, instructions: bytes) -> bytes:
    """Apply edits that a fuzzer spells in bytes: position (2), kind (1), length (1), then new bytes."""
    data = bytearray(original)
    at = 0
    while at + 4 <= len(instructions):
        position = int.from_bytes(instructions[at : at + 2], "big") % (len(data) + 1)
        kind, length = instructions[at + 2] % 4, instructions[at + 3] % 32
        new = instructions[at + 4 : at + 4 + length]
        at += 4 + (length if kind != 1 else 0)
        if kind == 0:
            data[position : position + len(new)] = new
        elif kind == 1:
            del data[position : position + length]
        elif kind == 2:
            data[position:position] = new
        else:
            data[position:position] = data[position : position + length]
    return bytes(data)


def damaged(original: bytes, random: Random) -> bytes:
    """A few random edits: flipped bits, lost, inserted, repeated and moved stretches, sizes set to extremes."""
    data = bytearray(original)
    for _ in range(random.choice((1, 1, 1, 2, 3, 8))):
        position, length = random.randrange(len(data) + 1), random.choice((1, 1, 2, 4, 16, 200))
        kind = random.randrange(6)
        if kind == 0 and position < len(data):
            data[position] ^= 1 << random.randrange(8)
        elif kind == 1:
            del data[position : position + length]
        elif kind == 2:
            data[position:position] = random.randbytes(length)
        elif kind == 3:
            data[position:position] = data[position : position + length]
        elif kind == 4:
            data[position : position + length] = random.choice((b"\x00", b"\xff", b"\x80", b"\x30")) * length
        else:
            elsewhere = random.randrange(len(data) + 1)
            data[position : position + length] = data[elsewhere : elsewhere + length]
    return bytes(data)
