#include "fault.h"

int main() {
    int* p = static_cast<int*>(opaque(malloc(sizeof(int))));
    delete p;
    return not_noticed();
}
