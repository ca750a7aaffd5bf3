// A program that is linked with a malloc library. If nothing is preloaded, that library's malloc comes before the C
// library's.
#include <stdlib.h>

int main(void) {
    void* volatile block = malloc(100);
    free(block);
    return 0;
}
