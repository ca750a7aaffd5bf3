#include "explore/coverage.h"

#include <stdbool.h>
#include <string.h>

enum { ITEMS_MOST = 2048, NAME = 64 };

static struct {
    char name[NAME];
    bool covered;
} items[ITEMS_MOST];
static size_t item_count;

// Every worker names the same items in the same order, so the search begins where the last one ended.
static size_t find(const char* name) {
    static size_t next;
    for (size_t i = 0; i < item_count; i++) {
        size_t at = (next + i) % item_count;
        if (strcmp(items[at].name, name) != 0) continue;
        next = at + 1;
        return at;
    }
    return item_count;
}

void coverage_take(const char* line) {
    char name[NAME];
    int covered;
    if (sscanf(line, "item %d %63[^\n]", &covered, name) != 2) return;
    size_t at = find(name);
    if (at == ITEMS_MOST) return;
    if (at == item_count) snprintf(items[item_count++].name, NAME, "%s", name);
    items[at].covered |= covered != 0;
}

static void print_kind(FILE* out, const char* kind) {
    size_t of = 0, covered = 0, length = strlen(kind);
    for (size_t i = 0; i < item_count; i++) {
        if (strncmp(items[i].name, kind, length) != 0) continue;
        of++;
        covered += items[i].covered;
    }
    fprintf(out, "covered %s: %zu of %zu\n", kind, covered, of);
}

void coverage_print(FILE* out) {
    print_kind(out, "step");
    print_kind(out, "branch");
    print_kind(out, "pair");
    for (size_t i = 0; i < item_count; i++)
        if (!items[i].covered) fprintf(out, "uncovered %s\n", items[i].name);
}

json_t* coverage_json(void) {
    json_t* list = json_array();
    for (size_t i = 0; i < item_count; i++) {
        json_t* one = json_object();
        json_put_text(one, "item", items[i].name);
        json_put_bool(one, "covered", items[i].covered);
        json_array_append_new(list, one);
    }
    return list;
}
