#include "args/command.h"

#include "base/wrap.h"

#include <string.h>

void command_print_usage(const struct command* command, const char* head, size_t indent, FILE* out) {
    const char* way = command->synopsis;
    do {
        char text[512];
        way += *way == '\n';
        const size_t length = strcspn(way, "\n");
        snprintf(text, sizeof text, "%s %.*s", command->name, (int)length, way);
        fprintf(out, "%s ", head);
        wrap_print(out, text, strlen(head) + 1, indent);
        way += length;
    } while (*way != '\0');
}
