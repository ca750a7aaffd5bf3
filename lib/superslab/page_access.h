// Opens and closes pages of slots (superslab/page_region.h), within two bounds: memory that is open, and mappings that
// the system allows the process. Closing gives the memory back; what is opened again reads as zero.
//
//   closed by guards         one mapping for all slots (MADV_GUARD_INSTALL, Linux 6.13)
//   closed by access rights  each open range parts its mapping in three; closed neighbours join again; when mappings
//                            run out, extents yield (superslab/page_extent.h)
//
// In the child of a fork, mappings that it inherited never join again, whatever their access rights: what they cost
// stays counted, and no extent yields.
// Thread-safety: any thread, for a slot that it holds. No lock.
// Errors: false beyond the bounds, or if the system refuses.
// The release build has none of this.
#ifndef HAK_SUPERSLAB_PAGE_ACCESS_H
#define HAK_SUPERSLAB_PAGE_ACCESS_H

#include "superslab/page_region.h"

// Reads the bounds, once, before the first call of the others.
void page_access_begin(uint64_t most_bytes, uint64_t most_mappings);

bool page_open(HakPageRecord* record, char* from, const char* end);
// Opens slots of one page that are closed by guards, as far as the bounds and the system let it.
void page_open_all(PageSlot* slots, unsigned count);
// false: it stays open, because the system refuses; the slot must not be handed out again.
bool page_close(HakPageRecord* record, char* from, const char* end);
// The same for the end of what a slot has open, while its start stays open.
bool page_close_tail(HakPageRecord* record, char* from, const char* end);
// Closes an extent that has yielded. false: the system refuses.
bool page_close_extent(uint32_t extent);
int64_t page_access_open_pages(void);
// The process may make no system calls from now on: nothing is opened or closed any more.
void page_access_stop(void);
// In the child of a fork, while it has one thread.
void page_access_in_child(void);

#endif
