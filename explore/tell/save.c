#include "tell/save.h"

#include "embedded_page.h"
#include "tell/json.h"
#include "tell/text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

extern const struct embedded_page story_page;  // made by scripts/embed_page.py

bool story_is_wanted(const StoryFiles* files) {
    return files->text || files->json || files->html;
}

static bool write_page(const Story* story, FILE* out) {
    json_t* document = story_document(story);
    bool written = document && embedded_page_write(&story_page, document, out);
    json_decref(document);
    return written;
}

static bool write_bytes(const char* path, const char* bytes, size_t size) {
    FILE* file = fopen(path, "we");
    bool written = file && fwrite(bytes, 1, size, file) == size;
    if (file && fclose(file) != 0) written = false;
    return written;
}

static void save(const char* path, bool (*write)(const Story* story, FILE* out), const Story* story) {
    if (path == NULL) return;
    char* bytes = NULL;
    size_t size = 0;
    FILE* whole = open_memstream(&bytes, &size);  // nothing is left half-written where the story cannot be told
    bool written = whole && write(story, whole);
    if (whole && fclose(whole) != 0) written = false;
    written = written && write_bytes(path, bytes, size);
    free(bytes);
    if (!written) fprintf(stderr, "hakstress-explore: cannot write %s: %s\n", path, strerror(errno));
}

void story_save(const Story* story, const StoryFiles* files) {
    save(files->text, story_text, story);
    save(files->json, story_json, story);
    save(files->html, write_page, story);
}
