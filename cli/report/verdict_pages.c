#include "report/verdict_pages.h"

#include "report/signals.h"

#include <stdio.h>
#include <string.h>

static const char* cause_of(enum page_kind kind, const char* access) {
    bool read = access != NULL && strcmp(access, "read") == 0, write = access != NULL && strcmp(access, "write") == 0;
    switch (kind) {
    case PAGE_AFTER_FREE:
        return write  ? "your code wrote into a block after it was freed"
               : read ? "your code read a block after it was freed"
                      : "your code used a block after it was freed";
    case PAGE_BEHIND:
        return write  ? "your code wrote past the end of a block"
               : read ? "your code read past the end of a block"
                      : "your code read or wrote past the end of a block";
    case PAGE_BEFORE:
        return write  ? "your code wrote before the start of a block"
               : read ? "your code read before the start of a block"
                      : "your code read or wrote before the start of a block";
    case PAGE_EMPTY:
        return write  ? "your code wrote into a block of zero bytes"
               : read ? "your code read from a block of zero bytes"
                      : "your code used a block of zero bytes";
    case PAGE_NOTHING: break;
    }
    return NULL;
}

static void note_distance(struct verdict* verdict, const struct page_fault* page, uint64_t address) {
    char text[128];
    page_fault_text(page, address, text, sizeof text);
    note(verdict, "the fault address is %s%s", text,
         page->kind == PAGE_AFTER_FREE ? ", which was freed: its pages are closed" : "; the page there is closed");
}

bool by_page(struct verdict* verdict, const struct verdict_facts* facts) {
    const CrashRecord* record = access_fault(facts);
    const struct page_fault* page = facts->page;
    if (record == NULL || page == NULL || page->kind == PAGE_NOTHING) return false;
    note_distance(verdict, page, record->fault_address);
    return judge(verdict, "program", "high", cause_of(page->kind, fault_access(record)));
}
