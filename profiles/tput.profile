# throughput: free memory stays with the program longer
HAKMEM_TINY_USE_SUPERSLAB=1
HAKMEM_RESERVE=268435456
HAKMEM_PURGE_MS=10000
