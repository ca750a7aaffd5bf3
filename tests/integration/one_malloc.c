// A program of one malloc, for emulated.py.
#include <stdlib.h>
#include <string.h>

int main(void) {
    char* volatile p = malloc(100);
    if (p == NULL) return 1;
    memset(p, 1, 100);
    free(p);
    return 0;
}
