#include "fault.h"

int main(void) {
    char* p = opaque(malloc(300));
    char* next = opaque(malloc(4000));
    memset(next, 'n', 4000);
    *(volatile char*)opaque(p + 300 + 1024) = '!';
    free(p);
    free(next);
    return not_noticed();
}
