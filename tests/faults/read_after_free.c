#include "fault.h"

struct node {
    struct node* next;
    char name[56];
};

int main(void) {
    struct node* p = opaque(malloc(sizeof *p));
    p->next = opaque(malloc(sizeof *p));
    p->next->next = NULL;
    free(p);
    struct node* next = *(struct node* volatile*)opaque(&p->next);
    printf("%c\n", *(volatile char*)opaque(next->name));
    return not_noticed();
}
