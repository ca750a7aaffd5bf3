#include "fault.h"

struct account {
    long id, balance;
};

int main(void) {
    struct account* p = opaque(calloc(1, sizeof *p));
    p->balance = 7;
    free(p);
    printf("%ld\n", *(volatile long*)opaque(&p->balance));
    return not_noticed();
}
