#include "stack/cfi.h"

#include "stack/cfi_address.h"
#include "stack/cfi_program.h"

enum { OMITTED = 0xff, INDEX_IS_SORTED = FROM_INDEX | FORMAT_S4 };

// --- the index

typedef struct {
    int32_t function, fde;  // from the start of the index
} Entry;

static Entry entry_at(const uint8_t* entries, uint64_t i) {
    Entry entry;
    memcpy(&entry, entries + i * sizeof entry, sizeof entry);
    return entry;
}

// The FDE of the last function that begins at or before pc.
static const uint8_t* find_fde(const CfiTables* tables, uintptr_t pc) {
    Bytes b = {tables->index, tables->end, false};
    uint8_t version = bytes_u8(&b), frames = bytes_u8(&b), counted = bytes_u8(&b), sorted = bytes_u8(&b);
    if (version != 1 || sorted != INDEX_IS_SORTED || counted == OMITTED) return NULL;
    if (frames != OMITTED) cfi_address(&b, frames, tables->index);
    uint64_t count = cfi_address(&b, counted, tables->index);
    if (b.bad || count == 0 || count > bytes_left(&b) / sizeof(Entry)) return NULL;
    int64_t wanted = (int64_t)(pc - (uintptr_t)tables->index);
    uint64_t low = 0, high = count;  // the function is in [low, high), if it is in any
    while (high - low > 1) {
        uint64_t middle = low + (high - low) / 2;
        if (entry_at(b.at, middle).function <= wanted)
            low = middle;
        else
            high = middle;
    }
    Entry entry = entry_at(b.at, low);
    return entry.function <= wanted ? tables->index + entry.fde : NULL;
}

// --- CIE and FDE

// The record at `at`, behind its length.
static Bytes record_at(const CfiTables* tables, const uint8_t* at) {
    Bytes b = {tables->end, tables->end, true};
    if (at < tables->start || at >= tables->end) return b;
    b = (Bytes){at, tables->end, false};
    uint32_t length = bytes_u32(&b);
    b = bytes_part(&b, length);  // also refuses 0, the end, and 0xffffffff, a length of 8 bytes
    b.bad = b.bad || length == 0;
    return b;
}

// The augmentation begins with z: its data has a length. The letters say what is in the data.
static void read_augmentation(CfiCie* cie, const char* letters, Bytes data, const CfiTables* tables) {
    for (; *letters; letters++) {
        switch (*letters) {
        case 'R': cie->encoding = bytes_u8(&data); break;
        case 'L': bytes_u8(&data); break;
        case 'P': {
            uint8_t encoding = bytes_u8(&data);
            cfi_address(&data, encoding & 0x7f, tables->index);
            break;
        }
        case 'S': cie->is_signal = true; break;
        case 'B': break;  // aarch64: the key of signed return addresses
        default: cie->program.bad = true;
        }
    }
    if (data.bad) cie->program.bad = true;
}

static CfiCie cie_at(const CfiTables* tables, const uint8_t* at) {
    CfiCie cie = {.index = tables->index};
    Bytes b = record_at(tables, at);
    if (bytes_u32(&b) != 0) b.bad = true;
    uint8_t version = bytes_u8(&b);
    const char* letters = (const char*)b.at;
    while (bytes_u8(&b) != 0) {}
    cie.code_step = bytes_unsigned(&b);
    cie.data_step = bytes_signed(&b);
    cie.return_register = version == 1 ? bytes_u8(&b) : bytes_unsigned(&b);
    if (b.bad || (version != 1 && version != 3) || (*letters != 'z' && *letters != '\0')) {
        cie.program.bad = true;
        return cie;
    }
    Bytes data = {b.at, b.at, false};
    if (*letters == 'z') {
        uint64_t length = bytes_unsigned(&b);
        data = bytes_part(&b, length);
        cie.has_data = true;
        letters++;
    }
    cie.program = b;
    read_augmentation(&cie, letters, data, tables);
    return cie;
}

FrameRule cfi_rule(const CfiTables* tables, uintptr_t pc) {
    FrameRule unknown = {.kind = RULE_UNKNOWN};
    const uint8_t* fde = find_fde(tables, pc);
    if (fde == NULL) return unknown;
    Bytes b = record_at(tables, fde);
    const uint8_t* here = b.at;
    uint32_t back = bytes_u32(&b);
    if (b.bad || back == 0 || back > (uint64_t)(here - tables->start)) return unknown;
    CfiCie cie = cie_at(tables, here - back);
    if (cie.program.bad) return unknown;
    uintptr_t function = cfi_address(&b, cie.encoding, tables->index);
    uint64_t length = cfi_number(&b, cie.encoding & FORMAT);
    if (cie.has_data) {
        uint64_t data = bytes_unsigned(&b);
        bytes_part(&b, data);
    }
    if (b.bad || pc < function || pc - function >= length) return unknown;
    return cfi_run(&cie, b, function, pc);
}
