// A shared library that contains the archive.
#include <stdlib.h>
#include <string.h>

#define JOIN(a, b) a##b
#define NAMED(name, what) JOIN(name, what)

char* NAMED(LIBRARY, _text)(const char* text);
void NAMED(LIBRARY, _free)(char* text);

char* NAMED(LIBRARY, _text)(const char* text) {
    char* copy = malloc(strlen(text) + 1);
    return copy ? strcpy(copy, text) : NULL;
}

void NAMED(LIBRARY, _free)(char* text) {
    free(text);
}
