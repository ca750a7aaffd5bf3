# as repro, every drain verified to be the owner's, a longer ring, and a start that says what is in force
HAKMEM_LINKS=plain
HAKMEM_CHAOS=64
HAKMEM_DEBUG_OWNERSHIP=1
HAKMEM_RING=16384
HAKMEM_VERBOSE=1
