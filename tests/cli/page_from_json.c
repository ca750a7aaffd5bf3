// Writes the page of a comparison from a JSON file: page_from_json DOCUMENT.json PAGE.html. Exit status 1 if it cannot.
#include "args/args.h"
#include "compare/page.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

// What hakstress prints messages with, without the options behind it.
int missing_error(const char* format, ...) {
    va_list args;
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    return 3;
}

int main(int argc, char** argv) {
    if (argc != 3) {
        fprintf(stderr, "usage: page_from_json DOCUMENT.json PAGE.html\n");
        return 2;
    }
    json_error_t error;
    json_t* document = json_load_file(argv[1], 0, &error);
    if (document == NULL) {
        fprintf(stderr, "%s:%d: %s\n", argv[1], error.line, error.text);
        return 1;
    }
    bool saved = page_save(argv[2], document);
    json_decref(document);
    return saved ? 0 : 1;
}
