// A running program with the C library's malloc loads a shared library that contains the archive.
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

int main(int count, char** arguments) {
    void* library = count == 2 ? dlopen(arguments[1], RTLD_NOW | RTLD_LOCAL) : NULL;
    if (library == NULL) {
        puts(count == 2 ? dlerror() : "usage: loaded_library LIBRARY");
        return 1;
    }
    char* (*text)(const char*) = (char* (*)(const char*))dlsym(library, "first_text");
    void (*give)(char*) = (void (*)(char*))dlsym(library, "first_free");
    for (int i = 0; i < 1000; i++) {
        free(text("taken there, freed here"));
        give(malloc(100));
    }
    puts("ok");
    return 0;
}
