#include "base/wrap.h"

#include <stdbool.h>
#include <string.h>

enum { COLUMNS = 100 };

void wrap_print(FILE* out, const char* text, size_t column, size_t indent) {
    bool first = true;
    for (text += strspn(text, " "); *text != '\0'; text += strspn(text, " ")) {
        const size_t length = strcspn(text, " ");
        const bool fits = column + !first + length <= COLUMNS;
        if (!first && !fits) fprintf(out, "\n%*s", (int)indent, "");
        if (!first && fits) fputc(' ', out);
        column = length + (first ? column : fits ? column + 1 : indent);
        fwrite(text, 1, length, out);
        text += length;
        first = false;
    }
    fputc('\n', out);
}
