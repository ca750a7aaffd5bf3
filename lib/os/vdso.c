#include "os/vdso.h"

#include "base/atomic.h"
#include "base/syscall.h"
#include "base/text.h"

#include <elf.h>
#include <sys/auxv.h>

#if defined(__x86_64__)
#define CLOCK_NAME "__vdso_clock_gettime"
#else
#define CLOCK_NAME "__kernel_clock_gettime"
#endif

typedef int (*ClockGettime)(clockid_t clock, struct timespec* now);
static _Atomic(ClockGettime) clock_gettime_in_vdso;

// What the dynamic section of the image says.
typedef struct {
    uintptr_t bias;  // to be added to the addresses in the image
    const char* names;
    const Elf64_Sym* symbols;
    const uint32_t* hash;      // DT_HASH
    const uint32_t* gnu_hash;  // DT_GNU_HASH
} Image;

static void note_entry(Image* image, const Elf64_Dyn* entry) {
    uintptr_t at = image->bias + entry->d_un.d_ptr;
    switch (entry->d_tag) {
    case DT_STRTAB: image->names = (const char*)at; break;
    case DT_SYMTAB: image->symbols = (const Elf64_Sym*)at; break;
    case DT_HASH: image->hash = (const uint32_t*)at; break;
    case DT_GNU_HASH: image->gnu_hash = (const uint32_t*)at; break;
    default: break;
    }
}

static bool read_image(const Elf64_Ehdr* header, Image* image) {
    uintptr_t start = (uintptr_t)header;
    const Elf64_Phdr* segment = (const Elf64_Phdr*)(start + header->e_phoff);
    const Elf64_Dyn* dynamic = NULL;
    bool loaded = false;
    for (unsigned i = 0; i < header->e_phnum; i++) {
        if (segment[i].p_type == PT_LOAD && !loaded) {
            image->bias = start + segment[i].p_offset - segment[i].p_vaddr;
            loaded = true;
        } else if (segment[i].p_type == PT_DYNAMIC) {
            dynamic = (const Elf64_Dyn*)(start + segment[i].p_offset);
        }
    }
    if (!loaded || dynamic == NULL) return false;
    for (; dynamic->d_tag != DT_NULL; dynamic++) note_entry(image, dynamic);
    return image->names && image->symbols && (image->hash || image->gnu_hash);
}

// GNU's hash table has no count: the last symbol ends the chain of the highest bucket.
static uint32_t gnu_symbol_count(const uint32_t* table) {
    uint32_t buckets = table[0], first = table[1], bloom_words = table[2], last = 0;
    const uint32_t* bucket = table + 4 + 2 * (size_t)bloom_words;
    const uint32_t* chain = bucket + buckets;
    for (uint32_t i = 0; i < buckets; i++)
        if (bucket[i] > last) last = bucket[i];
    if (last < first) return first;
    while ((chain[last - first] & 1) == 0) last++;
    return last + 1;
}

static ClockGettime find(const Image* image, const char* name) {
    uint32_t count = image->hash ? image->hash[1] : gnu_symbol_count(image->gnu_hash);
    for (uint32_t i = 0; i < count; i++) {
        const Elf64_Sym* symbol = &image->symbols[i];
        if (symbol->st_shndx != SHN_UNDEF && text_same(image->names + symbol->st_name, name))
            return (ClockGettime)(image->bias + symbol->st_value);
    }
    return NULL;
}

void vdso_start(void) {
    const Elf64_Ehdr* header = (const Elf64_Ehdr*)getauxval(AT_SYSINFO_EHDR);
    Image image = {0};
    if (header && read_image(header, &image))
        // Needs no release: the function was there before the process started.
        store_relaxed(&clock_gettime_in_vdso, find(&image, CLOCK_NAME));
}

struct timespec vdso_clock(clockid_t clock) {
    struct timespec now = {0};
    ClockGettime function = load_relaxed(&clock_gettime_in_vdso);
    if (function && function(clock, &now) == 0) return now;
    if (sys_failed(sys_call3(SYS_clock_gettime, clock, (long)&now, 0))) return (struct timespec){0};
    return now;
}
