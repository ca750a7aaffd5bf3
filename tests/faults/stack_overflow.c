#include "fault.h"

static int deeper(int n) {
    volatile char frame[1024];
    frame[0] = (char)n;
    return n < 0 ? 0 : deeper(n + 1) + frame[0];
}

int main(void) {
    printf("%d\n", deeper(1));
    return not_noticed();
}
