#include "fault.h"

#include <malloc.h>

int main(void) {
    void* p = opaque(malloc(100));
    free(p);
    if (malloc_usable_size(opaque(p)) == 0) return 1;
    return not_noticed();
}
