#include "report/noted_stack.h"

#include "stack/stack_table.h"
#include "stack/unwind.h"

// Where the table's words begin; 0: it cannot be read.
static uint64_t find_words(const struct process_memory* memory, uint64_t root, uint32_t number) {
    uint64_t table;
    HakStackTable head;
    if (root == 0 || !process_memory_read(memory, root, &table, sizeof table) || table == 0 ||
        !process_memory_read(memory, table, &head, sizeof head) || load_relaxed(&head.magic) != HAK_STACK_MAGIC ||
        head.version != HAK_STACK_VERSION || number >= load_relaxed(&head.used))
        return 0;
    return table + sizeof head + head.places * sizeof(uint32_t);
}

size_t noted_stack_read(const struct process_memory* memory, uint64_t root, uint32_t number, uint64_t* out,
                        size_t most) {
    uint64_t head, words = number != 0 ? find_words(memory, root, number) : 0, at = words + number * sizeof head;
    if (words == 0 || !process_memory_read(memory, at, &head, sizeof head)) return 0;
    size_t count = (uint32_t)head;
    if (count > STACK_DEPTH_MAX) return 0;
    if (count > most) count = most;
    return process_memory_read(memory, at + sizeof head, out, count * sizeof *out) ? count : 0;
}
