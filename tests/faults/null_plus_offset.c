#include "fault.h"

struct record {
    char head[72];
    int value;
};

int main(void) {
    struct record* p = opaque(NULL);
    printf("%d\n", *(volatile int*)&p->value);
    return not_noticed();
}
