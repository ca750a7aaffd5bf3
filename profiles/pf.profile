# fewest page faults and least memory: small caches, half the usual reserved bytes; other free memory goes in 50 ms
HAKMEM_TINY_USE_SUPERSLAB=1
HAKMEM_TINY_FAST_CAP=16
HAKMEM_RESERVE=1048576
HAKMEM_PURGE_MS=50
HAKMEM_THP=never
