#include "base/json.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// The length in bytes of the character that starts here, or 0 if none does. RFC 3629: no overlong forms, no surrogates,
// at most U+10FFFF.
static size_t character_bytes(const unsigned char* text) {
    static const struct {
        unsigned char first, last;  // of the first byte
        unsigned char low, high;    // of the second byte
        unsigned char bytes;
    } forms[] = {
        {0x01, 0x7f, 0, 0, 1},       {0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3},
        {0xe1, 0xec, 0x80, 0xbf, 3}, {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3},
        {0xf0, 0xf0, 0x90, 0xbf, 4}, {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4},
    };
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        if (text[0] < forms[i].first || text[0] > forms[i].last) continue;
        if (forms[i].bytes > 1 && (text[1] < forms[i].low || text[1] > forms[i].high)) return 0;
        for (size_t at = 2; at < forms[i].bytes; at++)
            if ((text[at] & 0xc0) != 0x80) return 0;
        return forms[i].bytes;
    }
    return 0;
}

static json_t* take_text(char* text) {
    for (char* at = text; *at != '\0';) {
        size_t bytes = character_bytes((const unsigned char*)at);
        if (bytes == 0) *at = '?';
        at += bytes != 0 ? bytes : 1;
    }
    json_t* string = json_string(text);
    free(text);
    return string;
}

json_t* json_text(const char* text) {
    char* copy = text != NULL ? strdup(text) : NULL;
    return copy != NULL ? take_text(copy) : NULL;
}

json_t* json_format(const char* format, ...) {
    char* text;
    va_list arguments;
    va_start(arguments, format);
    int length = vasprintf(&text, format, arguments);
    va_end(arguments);
    return length >= 0 ? take_text(text) : NULL;
}

json_t* json_hex(uint64_t value) {
    return json_sprintf("0x%" PRIx64, value);
}

void json_put_text(json_t* object, const char* key, const char* text) {
    json_object_set_new(object, key, json_text(text));
}

void json_put_hex(json_t* object, const char* key, uint64_t value) {
    json_object_set_new(object, key, json_hex(value));
}

void json_put_count(json_t* object, const char* key, uint64_t value) {
    json_object_set_new(object, key, json_integer((json_int_t)value));
}

void json_put_whole(json_t* object, const char* key, json_int_t value) {
    json_object_set_new(object, key, json_integer(value));
}

void json_put_real(json_t* object, const char* key, double value) {
    json_object_set_new(object, key, json_real(value));
}

void json_put_bool(json_t* object, const char* key, bool value) {
    json_object_set_new(object, key, json_boolean(value));
}

const char* json_get_text(const json_t* object, const char* key) {
    return json_string_value(json_object_get(object, key));
}

const char* json_get_text_or(const json_t* object, const char* key, const char* other) {
    const char* text = json_get_text(object, key);
    return text != NULL ? text : other;
}

double json_get_number(const json_t* object, const char* key) {
    return json_number_value(json_object_get(object, key));
}

json_int_t json_get_whole(const json_t* object, const char* key) {
    return json_integer_value(json_object_get(object, key));
}

bool json_get_bool(const json_t* object, const char* key) {
    return json_is_true(json_object_get(object, key));
}
