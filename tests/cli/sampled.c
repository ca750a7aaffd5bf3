// Wrong acts on sampled blocks, with functions that a report must name: sampled WAY
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char* make_text(size_t size) {
    char* text = malloc(size);  // make
    memset(text, 't', size);
    return text;
}

static void drop_text(char* text) {
    free(text);  // drop
}

static char look_at(const char* text, int at) {
    return text[at];  // look
}

int main(int argc, char** argv) {
    const char* way = argc > 1 ? argv[1] : "";
    char* text = make_text(48);
    if (strcmp(way, "freed") == 0) {
        drop_text(text);
        return look_at(text, 3);
    }
    if (strcmp(way, "twice") == 0) {
        drop_text(text);
        drop_text(text);
    }
    if (strcmp(way, "far") == 0) return look_at(text, 4500);
    puts("nothing wrong");
    return 0;
}
