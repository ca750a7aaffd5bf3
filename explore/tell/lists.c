#include "tell/lists.h"

#include "tell/names.h"

#include <stdio.h>

static Name short_name(uint64_t address) {
    Name name = name_of_block(address);
    unsigned number;
    if (sscanf(name.text, "block %u of slab", &number) == 1) snprintf(name.text, sizeof name.text, "#%u", number);
    return name;
}

void list_describe(const BlockList* list, char* out, size_t size) {
    size_t length = 0;
    snprintf(out, size, "%s", list->count == 0 && !list->broken ? "empty" : "");
    for (uint32_t i = 0; i < list->count && i < LISTED_MOST && length < size; i++)
        length += (size_t)snprintf(out + length, size - length, "%s%s", i ? ", " : "", short_name(list->at[i]).text);
    if (list->count > LISTED_MOST && length < size) length += (size_t)snprintf(out + length, size - length, ", ...");
    if (list->broken && length < size)
        snprintf(out + length, size - length, "%s%#lx", list->count ? ", then " : "", (unsigned long)list->leads_to);
}
