# as repro, with no blocks in the TLS SLL: every malloc and free goes to its slab
HAKMEM_LINKS=plain
HAKMEM_CHAOS=64
HAKMEM_TINY_FAST_CAP=0
