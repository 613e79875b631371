"""Python's own random numbers, bit for bit: `random.Random.sample` of a range, with the generator's state in an array.

The generator is MT19937: Matsumoto, M., Nishimura, T. (1998). Mersenne twister: a 623-dimensionally equidistributed
uniform pseudo-random number generator. ACM Transactions on Modeling and Computer Simulation 8 (1), 3-30. How numbers
are made of its words, and a sample of those, is Python's, unchanged since 3.2.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from anchorwatch_detectors.kernels.compiling import kernel

if TYPE_CHECKING:
    from anchorwatch_detectors.base import Floats, Ints

WORDS = 624
"""Words of the state. Beside them goes a place: that of the next word to be given, WORDS if all are used up."""


@kernel
def sample(words: Floats, place: int, population: int, most_listed: int, pool: Ints, chosen: Ints) -> int:
    """Write what `random.Random.sample(range(population), k=len(chosen))` returns into `chosen`.

    Parameters
    ----------
    words
        (624,) the generator's words, whole numbers below 2**32, changed in place.
    place
        Of the next word.
    population
        How many there are to choose from, at least as many as are chosen.
    most_listed
        Largest population of which Python keeps a list of those left; of a larger one it keeps a set of those chosen.
    pool
        (population,) room to work in.
    chosen
        (k,) to be written, in the order of choice.

    Returns
    -------
    int
        The place of the next word.
    """
    bits = 1
    while population >> bits:
        bits += 1
    if population > most_listed:
        pool[:] = 0
        for i in range(len(chosen)):
            j, place = _below(words, place, population, bits)
            while pool[j]:
                j, place = _below(words, place, population, bits)
            pool[j], chosen[i] = 1, j
        return place
    for j in range(population):
        pool[j] = j
    for i in range(len(chosen)):
        left = population - i
        if not left >> (bits - 1):
            bits -= 1
        j, place = _below(words, place, left, bits)
        chosen[i], pool[j] = pool[j], pool[left - 1]
    return place


@kernel
def _below(words: Floats, place: int, limit: int, bits: int) -> tuple[int, int]:
    """Return a number below a limit of so many bits, and the place of the next word: `random.Random._randbelow`."""
    while True:
        if place == WORDS:
            _turn(words)
            place = 0
        y = np.uint32(words[place])
        place += 1
        y ^= y >> np.uint32(11)
        y ^= (y << np.uint32(7)) & np.uint32(0x9D2C5680)
        y ^= (y << np.uint32(15)) & np.uint32(0xEFC60000)
        y ^= y >> np.uint32(18)
        number = int(np.int64(y >> np.uint32(32 - bits)))
        if number < limit:
            return number, place


@kernel
def _turn(words: Floats) -> None:
    """Make the next 624 words."""
    for i in range(227):
        words[i] = _mixed(words[i], words[i + 1], words[i + 397])
    for i in range(227, 623):
        words[i] = _mixed(words[i], words[i + 1], words[i - 227])
    words[623] = _mixed(words[623], words[0], words[396])


@kernel
def _mixed(word: float, after: float, far: float) -> Any:
    """Return the next word in a place, from the one there, the one after it and the one 397 places on."""
    y = (np.uint32(word) & np.uint32(0x80000000)) | (np.uint32(after) & np.uint32(0x7FFFFFFF))
    return np.uint32(far) ^ (y >> np.uint32(1)) ^ ((y & np.uint32(1)) * np.uint32(0x9908B0DF))
