#include "changes.h"

#include <string.h>

static bool take_number(const char** text, int* number) {
    if (**text < '1' || **text > '0' + CHANGES_COUNT) return false;
    *number = *(*text)++ - '0';
    return true;
}

static bool take_range(const char** text) {
    int first, last;
    if (!take_number(text, &first)) return false;
    if (**text != '-') return true;
    (*text)++;
    return take_number(text, &last) && first <= last;
}

bool changes_valid(const char* text) {
    if (strcmp(text, "all") == 0 || strcmp(text, "none") == 0) return true;
    while (take_range(&text)) {
        if (*text == '\0') return true;
        if (*text++ != ',') return false;
    }
    return false;
}
