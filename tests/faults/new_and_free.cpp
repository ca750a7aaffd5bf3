#include "fault.h"

int main() {
    int* p = static_cast<int*>(opaque(new int(1)));
    free(p);
    return not_noticed();
}
