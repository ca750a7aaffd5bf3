// Is linked with libhakmem.a in every way that a program may be.
#include <stdio.h>

int archive_work(void);

int main(void) {
    int wrong = archive_work();
    printf("%d wrong\n", wrong);
    return wrong != 0;
}
