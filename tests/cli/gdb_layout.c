// The layout that share/hakmem/hakmem-gdb.py has in a table: NAME VALUE, one a line.
#include "slab/remote_word.h"
#include "superslab/heap.h"
#include "superslab/owner_word.h"
#include "thread/tcb.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>

static void put(const char* name, uint64_t value) {
    printf("%s %" PRIu64 "\n", name, value);
}

int main(void) {
    put("heap.base", offsetof(HakHeap, base));
    put("heap.slabs", offsetof(HakHeap, slabs));
    put("heap.owner", offsetof(HakHeap, owner));
    put("heap.meta", offsetof(HakHeap, meta));
    put("heap.remote", offsetof(HakHeap, remote));
    put("heap.unit", offsetof(HakHeap, unit));
    put("heap.tabled", offsetof(HakHeap, tabled));
    put("meta.freelist", offsetof(TinySlabMeta, freelist));
    put("meta.blocks", offsetof(TinySlabMeta, blocks));
    put("meta.carved", offsetof(TinySlabMeta, carved));
    put("meta.capacity", offsetof(TinySlabMeta, capacity));
    put("meta.block_size", offsetof(TinySlabMeta, block_size));
    put("meta.bytes", sizeof(TinySlabMeta));
    put("remote.bytes", sizeof(RemoteHead));
    put("remote.pointer", REMOTE_POINTER);
    put("unit.kind", offsetof(Unit, kind));
    put("unit.size", offsetof(Unit, size));
    put("unit.bytes", sizeof(Unit));
    put("unit.huge", UNIT_HUGE);
    put("unit.huge_rest", UNIT_HUGE_REST);
    put("tcb.number", offsetof(HakTcb, number));
    put("slab.shift", SLAB_SHIFT);
    put("unit.shift", UNIT_SHIFT);
    put("tag.bits", TAG_BITS);
    put("tag.classes", TAG_CLASSES);
    put("tag.per_class", TAG_PER_CLASS);
    put("tag.runs", TAG_RUNS);
    put("tag.runs_rest", TAG_RUNS_REST);
    put("owner.bits", OWNER_ADDRESS_BITS);
    return 0;
}
