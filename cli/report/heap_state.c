#include "report/heap_state.h"

#include "base/json.h"
#include "superslab/geometry.h"

#include <inttypes.h>

enum { SLABS_MOST = 1 << 20, DAMAGED_MOST = 16 };

struct tally {
    uint64_t bytes, slabs, used, free;
};

static json_t* classes_json(const struct tally* tallies) {
    json_t* classes = json_array();
    for (size_t i = 0; i < CLASS_COUNT; i++) {
        if (tallies[i].slabs == 0) continue;
        json_t* object = json_object();
        json_put_count(object, "bytes", tallies[i].bytes);
        json_put_count(object, "slabs", tallies[i].slabs);
        json_put_count(object, "used", tallies[i].used);
        json_put_count(object, "free", tallies[i].free);
        json_array_append_new(classes, object);
    }
    return classes;
}

static void add_damage(json_t* damaged, const struct heap_place* place, uint64_t address) {
    if (place->list_damage == NULL || json_array_size(damaged) == DAMAGED_MOST) return;
    json_t* object = json_object();
    json_put_count(object, "slab", place->slab);
    json_put_hex(object, "address", address);
    json_put_count(object, "bytes", place->block_size);
    json_put_text(object, "why", place->list_damage);
    json_array_append_new(damaged, object);
}

json_t* heap_state_json(struct heap_view* view) {
    struct tally tallies[CLASS_COUNT] = {{0}};
    uint64_t slabs = 0, used = 0, bytes = 0, huge = 0, end = load_relaxed(&view->heap.slabs);
    if (view->problem != NULL) return NULL;
    if (end > SLABS_MOST) end = SLABS_MOST;
    json_t* damaged = json_array();
    for (uint64_t s = SLABS_PER_UNIT; s < end; s++) {
        uint64_t address = heap_view_slab_address(view, (uint32_t)s);
        // The walk for this address goes along the whole free list, unless it meets it.
        struct heap_place place = heap_view_find(view, address);
        huge += place.kind == HEAP_HUGE && place.offset == 0;
        if (place.kind != HEAP_BLOCK || place.size_class >= CLASS_COUNT) continue;
        struct tally* tally = &tallies[place.size_class];
        *tally = (struct tally){place.block_size, tally->slabs + 1, tally->used + place.used,
                                tally->free + place.free_count};
        slabs++;
        used += place.used;
        bytes += place.used * place.block_size;
        add_damage(damaged, &place, address);
    }
    json_t* state = json_object();
    json_put_count(state, "slabs", slabs);
    json_put_count(state, "used_blocks", used);
    json_put_count(state, "used_bytes", bytes);
    json_put_count(state, "huge_blocks", huge);
    json_object_set_new(state, "classes", classes_json(tallies));
    json_object_set_new(state, "damaged", damaged);
    return state;
}

void heap_state_print(const json_t* state, FILE* out) {
    size_t i;
    json_t* one;
    fprintf(out,
            "\nheap: %lld blocks of %lld bytes in all, in %lld slabs, and %lld huge blocks; used, or cached by a "
            "thread:\n",
            json_get_whole(state, "used_blocks"), json_get_whole(state, "used_bytes"), json_get_whole(state, "slabs"),
            json_get_whole(state, "huge_blocks"));
    json_array_foreach(json_object_get(state, "classes"), i, one) {
        fprintf(out, "  %6lld bytes: %lld slabs, %lld used, %lld free\n", json_get_whole(one, "bytes"),
                json_get_whole(one, "slabs"), json_get_whole(one, "used"), json_get_whole(one, "free"));
    }
    json_array_foreach(json_object_get(state, "damaged"), i, one) {
        fprintf(out, "  the free list of slab %lld at %s, of %lld-byte blocks, is damaged: %s\n",
                json_get_whole(one, "slab"), json_get_text_or(one, "address", "?"), json_get_whole(one, "bytes"),
                json_get_text_or(one, "why", "?"));
    }
    if (json_array_size(json_object_get(state, "damaged")) == 0) fprintf(out, "  no free list is damaged\n");
}
