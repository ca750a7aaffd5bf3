#include "fault.h"

int main(void) {
    char* text = opaque(malloc(64));
    strcpy(text, "  ");
    char* at = text + 1;
    while (*(volatile char*)opaque(at) == ' ') at--;
    free(text);
    return not_noticed();
}
