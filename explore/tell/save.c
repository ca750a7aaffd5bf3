#include "tell/save.h"

#include "embedded_page.h"
#include "tell/json.h"
#include "tell/text.h"

#include <errno.h>
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

static void save(const char* path, bool (*write)(const Story* story, FILE* out), const Story* story) {
    if (path == NULL) return;
    FILE* file = fopen(path, "we");
    bool written = file && write(story, file);
    if (file && fclose(file) != 0) written = false;
    if (!written) fprintf(stderr, "hakstress-explore: cannot write %s: %s\n", path, strerror(errno));
}

void story_save(const Story* story, const StoryFiles* files) {
    save(files->text, story_text, story);
    save(files->json, story_json, story);
    save(files->html, write_page, story);
}
