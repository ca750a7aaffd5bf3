# as repro, with a longer ring; every drain is checked to be the owner's, and the start prints the options in force
HAKMEM_LINKS=plain
HAKMEM_CHAOS=64
HAKMEM_DEBUG_OWNERSHIP=1
HAKMEM_RING=16384
HAKMEM_VERBOSE=1
