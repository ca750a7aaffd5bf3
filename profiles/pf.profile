# fewest page faults and least memory: small caches, half the usual reserve, and what exceeds it goes back in half the time
HAKMEM_TINY_USE_SUPERSLAB=1
HAKMEM_TINY_FAST_CAP=16
HAKMEM_RESERVE=1048576
HAKMEM_PURGE_MS=50
HAKMEM_THP=never
