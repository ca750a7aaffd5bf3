#include "record/text.h"

#include <stdarg.h>
#include <stdio.h>

void text_add(Text* text, const char* format, ...) {
    va_list args;
    va_start(args, format);
    size_t room = text->length < text->size ? text->size - text->length : 0;
    int length = vsnprintf(room ? text->out + text->length : NULL, room, format, args);
    va_end(args);
    if (length > 0) text->length += (size_t)length;
}
