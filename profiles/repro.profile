# the reproduction of the original crash: plain links, the debug ring, yields at protocol steps
HAKMEM_LINKS=plain
HAKMEM_CHAOS=64
