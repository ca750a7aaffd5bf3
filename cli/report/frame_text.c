#include "report/frame_text.h"

#include "base/json.h"
#include "base/path.h"

#include <stdbool.h>
#include <string.h>

static const char* text_of(const json_t* object, const char* key) {
    return json_get_text_or(object, key, "");
}

static bool has(const json_t* object, const char* key) {
    const json_t* value = json_object_get(object, key);
    return value != NULL && !json_is_null(value);
}

static void print_line(const json_t* frame, FILE* out) {
    if (has(frame, "file")) fprintf(out, "  %s:%lld", text_of(frame, "file"), json_get_whole(frame, "line"));
}

// An inlined function has its own line, above the line of the function that it is in.
void frame_print(size_t number, const json_t* frame, FILE* out) {
    const json_t *inlined, *list = json_object_get(frame, "inlined");
    const char* call = NULL;
    fprintf(out, " %c #%-2zu %-18s ", json_get_bool(frame, "allocator") ? '*' : ' ', number, text_of(frame, "pc"));
    for (size_t i = 0; (inlined = json_array_get(list, i)) != NULL; i++) {
        fprintf(out, "%s", text_of(inlined, "symbol"));
        if (i == 0)
            print_line(frame, out);
        else
            fprintf(out, "  %s", call);
        call = text_of(inlined, "called_from");
        fprintf(out, "  (inlined)\n%26s", "");
    }
    if (!has(frame, "symbol"))
        fprintf(out, "?");
    else
        fprintf(out, "%s+0x%llx", text_of(frame, "symbol"), (unsigned long long)json_get_whole(frame, "offset"));
    if (call == NULL)
        print_line(frame, out);
    else
        fprintf(out, "  %s", call);
    if (has(frame, "module"))
        fprintf(out, "  (%s+%s)", path_file_name(text_of(frame, "module")), text_of(frame, "module_offset"));
    fputc('\n', out);
}
