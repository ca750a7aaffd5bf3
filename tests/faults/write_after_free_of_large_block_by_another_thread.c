#include "fault.h"

static void* free_it(void* p) {
    free(p);
    return NULL;
}

int main(void) {
    char* p = memset(opaque(malloc(300000)), 1, 300000);
    in_another_thread(free_it, p);
    *(volatile char*)opaque(p + 100000) = 2;
    return not_noticed();
}
