// JSON: members of objects by their type, and text from outside.
// Thread-safety: any thread, but only one at a time for an object. Errors: a member that cannot be made is left out.
#ifndef HAKSTRESS_JSON_H
#define HAKSTRESS_JSON_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

// JSON is UTF-8; paths and arguments may not be. Each byte that is not valid becomes '?'. NULL gives NULL.
json_t* json_text(const char* text);
// The same for a formatted text of any length.
json_t* json_format(const char* format, ...) __attribute__((format(printf, 1, 2)));
// "0x1f": for numbers of 64 bits, which readers of JSON may round.
json_t* json_hex(uint64_t value);

void json_put_text(json_t* object, const char* key, const char* text);  // by json_text(); NULL: no member
void json_put_hex(json_t* object, const char* key, uint64_t value);
void json_put_count(json_t* object, const char* key, uint64_t value);
void json_put_whole(json_t* object, const char* key, json_int_t value);
void json_put_real(json_t* object, const char* key, double value);
void json_put_bool(json_t* object, const char* key, bool value);

// NULL, 0 or false if there is no such member, or if it has another type.
const char* json_get_text(const json_t* object, const char* key);
const char* json_get_text_or(const json_t* object, const char* key, const char* other);  // `other` instead of NULL
double json_get_number(const json_t* object, const char* key);                           // whole number or not
json_int_t json_get_whole(const json_t* object, const char* key);
bool json_get_bool(const json_t* object, const char* key);

#endif
