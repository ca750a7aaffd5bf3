#include "fault.h"

int main() {
    char* p = static_cast<char*>(opaque(new char[100]));
    delete p;
    return not_noticed();
}
