#include "fault.h"

#include <malloc.h>

int main(void) {
    enum { BLOCKS = 100000 };
    static char* block[BLOCKS];
    for (int i = 0; i < BLOCKS; i++) block[i] = memset(opaque(malloc(200)), 1, 200);
    for (int i = 0; i < BLOCKS; i++) free(block[i]);
    malloc_trim(0);
    int sum = *(volatile char*)opaque(block[BLOCKS / 2]);
    printf("read %d\n", sum);
    return not_noticed();
}
