#include "fault.h"

int main(void) {
    char array[64];
    free(opaque(array));
    return not_noticed();
}
