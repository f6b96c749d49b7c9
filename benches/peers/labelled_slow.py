"""A module that takes a second to import, as those of large libraries do."""

import time

time.sleep(1)


def sqrt(n):
    return sum(i**0.5 for i in range(n))
