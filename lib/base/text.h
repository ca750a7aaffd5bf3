// Text without malloc, stdio or locale, for messages of an allocator that may be in trouble.
// Thread-safety: all functions; they work on the caller's buffer.
// Errors: text that does not fit is cut; the length returned is that of the whole text, as with snprintf. Write errors
// are ignored. errno is kept.
#ifndef HAK_BASE_TEXT_H
#define HAK_BASE_TEXT_H

#include "base/output.h"

#include <stdarg.h>

// What strlen, strcmp and strcspn do, without the C library's functions, which another library may replace.
size_t text_length(const char* text);
bool text_same(const char* a, const char* b);
bool text_begins(const char* text, const char* start);
size_t text_until(const char* text, char end);  // length of what stands before `end`, or of the whole text

// Understands %s %c %d %u %i %x %X %p %%, with l, ll and z, a width, and the flags 0 and -.
size_t text_format(char* out, size_t size, const char* format, ...) HAK_PRINTF(3, 4);
size_t text_vformat(char* out, size_t size, const char* format, va_list args);

// Copies `pattern` and replaces every %p by `number`.
size_t text_expand(char* out, size_t size, const char* pattern, int number);

// Formats and writes with one system call. Text is cut at 1 KiB. text_warn writes to output_stderr().
void text_tell(Output to, const char* format, ...) HAK_PRINTF(2, 3);
void text_warn(const char* format, ...) HAK_PRINTF(1, 2);

#endif
