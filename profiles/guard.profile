# every check on: links encoded and checked, ownership verified at every drain, the heap walked again and again
HAKMEM_LINKS=encoded
HAKMEM_CHAOS=64
HAKMEM_DEBUG_OWNERSHIP=1
HAKMEM_GUARD=1
