#include "fault.h"

struct node {
    struct node* next;
    char name[56];
};

// Memory that was used before, so that it is not zero by chance.
int main(void) {
    go_on(sizeof(struct node));
    struct node* p = opaque(malloc(sizeof *p));
    struct node* next = *(struct node* volatile*)opaque(&p->next);
    if (next) printf("%c\n", *(volatile char*)opaque(next->name));
    free(p);
    return not_noticed();
}
