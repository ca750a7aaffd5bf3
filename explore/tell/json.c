#include "tell/json.h"

#include "runtime/steps.h"

#include <string.h>

enum { ROW_ROOM = 1024 };

static const char* const kinds[] = {
    [ROW_CALL] = "call", [ROW_STEP] = "step",     [ROW_OTHER] = "other", [ROW_SWITCH] = "switch",
    [ROW_WAIT] = "wait", [ROW_END] = "end",       [ROW_FORK] = "fork",   [ROW_FAILURE] = "failure",
    [ROW_GAP] = "gap",   [ROW_ACCESS] = "access", [ROW_FAULT] = "fault",
};

static json_t* text(const char* words) {
    return json_string_nocheck(words);
}

static json_t* letter(unsigned thread) {
    const char name[2] = {(char)('A' + thread), '\0'};
    return text(name);
}

static json_t* slabs_of(const Row* row) {
    char words[STATE_WORDS * 2];
    json_t* list = json_array();
    for (uint32_t i = 0; i < row->slab_count; i++) {
        story_state(row->slab[i].slab, row->slab[i].event, words, sizeof words);
        json_array_append_new(list, json_pack("{s:i, s:b, s:o}", "slab", (int)row->slab[i].slab, "changed",
                                              row->slab[i].changed, "words", text(words)));
    }
    return list;
}

static json_t* access_document(uint32_t event) {
    char words[ROW_ROOM];
    const AccessPlace place = access_place(&recording.at[event]);
    const uint16_t step = access_after(event);
    access_describe(event, words, sizeof words);
    json_t* object = json_pack("{s:o, s:o, s:o, s:i}", "words", text(words), "function", text(place.function), "file",
                               text(place.file), "line", (int)place.line);
    json_object_set_new(object, "after", step < HAK_STEP_COUNT ? text(step_name(step)) : json_null());
    return object;
}

static json_t* row_document(const Row* row) {
    char words[ROW_ROOM];
    story_row(row, words, sizeof words);
    json_t* object = json_pack("{s:s, s:o, s:i, s:o, s:o}", "kind", kinds[row->kind], "thread", letter(row->thread),
                               "moment", (int)row->moment, "words", text(words), "slabs", slabs_of(row));
    if (row->kind == ROW_STEP) json_object_set_new(object, "step", text(step_name(row->step)));
    if (row->kind == ROW_SWITCH) {
        json_object_set_new(object, "to", letter(row->other));
        json_object_set_new(object, "preempts", json_boolean(row->preempts));
    }
    if (row->number) json_object_set_new(object, "number", json_integer(row->number));
    if (row->wrong) json_object_set_new(object, "wrong", json_true());
    if (row->aside) json_object_set_new(object, "aside", json_true());
    if (row->stale[0]) json_object_set_new(object, "stale", text(row->stale));
    if (row->access != NO_EVENT) json_object_set_new(object, "access", access_document(row->access));
    return object;
}

static json_t* prevented_list(const Story* story) {
    json_t* list = json_array();
    for (unsigned i = 0; i < story->prevented_count; i++) json_array_append_new(list, text(story->prevented[i]));
    return list;
}

json_t* story_document(const Story* story) {
    static char scenario[16384];
    scenario_format(&story->scenario, scenario, sizeof scenario);
    json_t *letters = json_array(), *list = json_array();
    for (unsigned t = 0; t < story->scenario.thread_count; t++) json_array_append_new(letters, letter(t));
    for (uint32_t i = 0; i < rows.count; i++) json_array_append_new(list, row_document(&rows.at[i]));
    json_t* object =
        json_pack("{s:s, s:i, s:o, s:o, s:i, s:i, s:o}", "document", "hakstress explore story", "version", 1, "check",
                  text(story->check), "fault", text(story->fault), "switches", (int)story->switches, "preemptions",
                  (int)story->preemptions, "replay", text(story->replay));
    if (object == NULL) return NULL;
    json_object_set_new(object, "file", story->file ? text(story->file) : json_null());
    json_object_set_new(object, "rule", story->rule ? text(story->rule) : json_null());
    json_object_set_new(object, "scenario",
                        json_pack("{s:o, s:o, s:o}", "name", text(story->scenario.name), "about",
                                  text(story->scenario.about), "text", text(scenario)));
    json_object_set_new(object, "threads", letters);
    json_object_set_new(object, "prevented_by", prevented_list(story));
    json_object_set_new(object, "tried", text(story->tried));
    json_object_set_new(object, "rows", list);
    return object;
}

bool story_json(const Story* story, FILE* out) {
    json_t* document = story_document(story);
    bool written =
        document && json_dumpf(document, out, JSON_INDENT(2) | JSON_ENSURE_ASCII) == 0 && putc('\n', out) != EOF;
    json_decref(document);
    return written;
}
