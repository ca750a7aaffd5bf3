// Text from outside as a JSON string.
#ifndef HAKSTRESS_JSON_TEXT_H
#define HAKSTRESS_JSON_TEXT_H

#include <jansson.h>

// JSON is UTF-8, paths and arguments need not be: each byte that is not becomes '?'. NULL for NULL. Thread-safety: any thread.
json_t* json_text(const char* text);
// The same of a formatted text, however long.
json_t* json_format(const char* format, ...) __attribute__((format(printf, 1, 2)));

#endif
