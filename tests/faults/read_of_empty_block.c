#include "fault.h"

int main(void) {
    char* list = opaque(malloc(0));
    printf("%d\n", *(volatile char*)opaque(list));
    free(list);
    return not_noticed();
}
