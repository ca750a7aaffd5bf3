#include "fault.h"

int main(void) {
    free(opaque((void*)(uintptr_t)0x123456789000));
    return not_noticed();
}
