# fewest page faults and least memory: small caches, and free memory that goes back soon but not at once
HAKMEM_TINY_USE_SUPERSLAB=1
HAKMEM_TINY_FAST_CAP=16
HAKMEM_RESERVE=4194304
HAKMEM_PURGE_MS=250
HAKMEM_THP=never
