// What deepbind.c opens: a library that allocates and frees for itself and for others.
#include <stdlib.h>
#include <string.h>

char* plugin_make(const char* text);
void plugin_free(char* block);
char* plugin_grow(char* block, size_t size);

char* plugin_make(const char* text) {
    return strdup(text);
}

void plugin_free(char* block) {
    free(block);
}

char* plugin_grow(char* block, size_t size) {
    return realloc(block, size);
}
