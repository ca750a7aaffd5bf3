// Text in lines of a terminal.
// Thread-safety: none needed. Errors: those of the stream.
#ifndef HAKSTRESS_WRAP_H
#define HAKSTRESS_WRAP_H

#include <stdio.h>

// Prints words and a newline. `column` is where the line is now; lines that follow begin with `indent` blanks.
void wrap_print(FILE* out, const char* text, size_t column, size_t indent);

#endif
