// hakmem.conf, any bytes. What a line sets can be set; each line says something, nothing, or what is wrong; and a file
// of what was accepted is accepted again.
#include "config/conf.h"

#include "fuzz/fuzz.h"

#include <string.h>

typedef struct {
    FILE* accepted;  // NULL: all lines must be right
    unsigned lines, settings;
} Seen;

static void see(void* context, unsigned number, const ConfLine* line) {
    Seen* seen = context;
    const bool is_wrong = line->problem[0] != '\0';
    EXPECT(number == ++seen->lines);
    EXPECT(seen->accepted != NULL || !is_wrong);
    EXPECT((line->option != NULL) == (line->kind == CONF_SETTING && !is_wrong));
    EXPECT((line->program != NULL) == (line->kind == CONF_SECTION && !is_wrong));
    for (const char* c = line->problem; *c != '\0'; c++) EXPECT(*c >= ' ' && *c < 0x7f);
    if (line->program != NULL) {
        EXPECT(*line->program != '\0' && strchr(line->program, '/') == NULL);
        if (seen->accepted != NULL) fprintf(seen->accepted, "[ %s ]\n", line->program);
    }
    if (line->option == NULL) return;
    EXPECT(*line->value != '\0' && hak_option_accepts(line->option, line->value));
    seen->settings++;
    if (seen->accepted != NULL) fprintf(seen->accepted, "%s = %s", line->option->name, line->value);
    if (seen->accepted != NULL) fputc('\n', seen->accepted);
}

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    char* text = NULL;
    size_t length = 0, ends = 0;
    Seen first = {.accepted = open_memstream(&text, &length)}, again = {0};
    EXPECT(first.accepted != NULL);
    conf_each(fuzz_file(data, size), false, see, &first);
    EXPECT(fclose(first.accepted) == 0);
    for (size_t i = 0; i < size; i++) ends += data[i] == '\n';
    EXPECT(first.lines == ends + (size > 0 && data[size - 1] != '\n'));
    // Lines may be longer than before: blanks were added.
    if (size < CONF_LINE_BYTES - 4) {
        conf_each(fuzz_file(text, length), false, see, &again);
        EXPECT(again.settings == first.settings);
    }
    free(text);
    return 0;
}
