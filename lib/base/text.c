#include "base/text.h"

#include "base/output.h"

#include <string.h>

enum { WARNING_BYTES = 1024 };

typedef struct {
    char* out;
    size_t size;
    size_t length;  // of the whole text, before it is cut
} Text;

typedef struct {
    bool left;
    bool zeros;
    size_t width;
} Field;

size_t text_length(const char* text) {
    const char* end = text;
    while (*end) {
        end++;
        __asm__("" : "+r"(end));  // otherwise the compiler calls strlen, which a library may replace
    }
    return (size_t)(end - text);
}

bool text_same(const char* a, const char* b) {
    while (*a && *a == *b) a++, b++;
    return *a == *b;
}

bool text_begins(const char* text, const char* start) {
    while (*start && *text == *start) text++, start++;
    return *start == '\0';
}

size_t text_until(const char* text, char end) {
    size_t length = 0;
    while (text[length] && text[length] != end) length++;
    return length;
}

static void put_char(Text* t, char c) {
    if (t->length + 1 < t->size) t->out[t->length] = c;
    t->length++;
}

static void put_fill(Text* t, char c, size_t n) {
    while (n--) put_char(t, c);
}

static void put_bytes(Text* t, const Field* f, const char* bytes, size_t n) {
    size_t fill = n < f->width ? f->width - n : 0;
    if (!f->left) put_fill(t, ' ', fill);
    for (size_t i = 0; i < n; i++) put_char(t, bytes[i]);
    if (f->left) put_fill(t, ' ', fill);
}

static void put_number(Text* t, const Field* f, const char* sign, uint64_t value, unsigned base, const char* digits) {
    char buffer[24];
    size_t n = 0;
    do {
        buffer[sizeof buffer - ++n] = digits[value % base];
        value /= base;
    } while (value != 0);
    size_t length = n + text_length(sign);
    size_t fill = length < f->width ? f->width - length : 0;
    if (!f->left && !f->zeros) put_fill(t, ' ', fill);
    while (*sign) put_char(t, *sign++);
    if (!f->left && f->zeros) put_fill(t, '0', fill);
    for (; n > 0; n--) put_char(t, buffer[sizeof buffer - n]);
    if (f->left) put_fill(t, ' ', fill);
}

size_t text_vformat(char* out, size_t size, const char* format, va_list args) {
    static const char lower[] = "0123456789abcdef";
    static const char upper[] = "0123456789ABCDEF";
    Text t = {out, size, 0};
    for (const char* s = format; *s; s++) {
        if (*s != '%') {
            put_char(&t, *s);
            continue;
        }
        Field f = {0};
        for (s++; *s == '-' || *s == '0'; s++) *(*s == '-' ? &f.left : &f.zeros) = true;
        for (; *s >= '0' && *s <= '9'; s++) f.width = f.width * 10 + (size_t)(*s - '0');
        bool wide = *s == 'l' || *s == 'z';  // long, long long and size_t all have 64 bits here
        while (*s == 'l' || *s == 'z') s++;
        switch (*s) {
        case 's': {
            const char* string = va_arg(args, const char*);
            if (string == NULL) string = "(null)";
            put_bytes(&t, &f, string, text_length(string));
            break;
        }
        case 'c': {
            char c = (char)va_arg(args, int);
            put_bytes(&t, &f, &c, 1);
            break;
        }
        case 'd':
        case 'i': {
            int64_t value = wide ? va_arg(args, int64_t) : va_arg(args, int);
            uint64_t magnitude = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
            put_number(&t, &f, value < 0 ? "-" : "", magnitude, 10, lower);
            break;
        }
        case 'u':
        case 'x':
        case 'X': {
            uint64_t value = wide ? va_arg(args, uint64_t) : va_arg(args, unsigned);
            put_number(&t, &f, "", value, *s == 'u' ? 10 : 16, *s == 'X' ? upper : lower);
            break;
        }
        case 'p': put_number(&t, &f, "0x", (uint64_t)(uintptr_t)va_arg(args, void*), 16, lower); break;
        case '%': put_char(&t, '%'); break;
        default: s--; break;  // an unknown conversion stays as it is; a '%' at the very end is dropped
        }
    }
    if (size > 0) out[t.length < size ? t.length : size - 1] = '\0';
    return t.length;
}

size_t text_format(char* out, size_t size, const char* format, ...) {
    va_list args;
    va_start(args, format);
    size_t length = text_vformat(out, size, format, args);
    va_end(args);
    return length;
}

size_t text_expand(char* out, size_t size, const char* pattern, int number) {
    size_t length = 0;
    for (const char* s = pattern; *s != '\0'; s++) {
        size_t left = length < size ? size - length : 0;
        bool is_number = s[0] == '%' && s[1] == 'p';
        char* at = out + (size - left);
        length += is_number ? text_format(at, left, "%d", number) : text_format(at, left, "%c", (int)*s);
        s += is_number;
    }
    if (length == 0 && size > 0) *out = '\0';
    return length;
}

static void tell(Output to, const char* format, va_list args) {
    char line[WARNING_BYTES];
    size_t length = text_vformat(line, sizeof line, format, args);
    if (length >= sizeof line) length = sizeof line - 1;
    output_write(to, line, length);  // if this fails, there is nobody to report it to
}

void text_tell(Output to, const char* format, ...) {
    va_list args;
    va_start(args, format);
    tell(to, format, args);
    va_end(args);
}

void text_warn(const char* format, ...) {
    va_list args;
    va_start(args, format);
    tell(output_stderr(), format, args);
    va_end(args);
}
