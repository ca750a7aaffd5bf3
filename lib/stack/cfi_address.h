// Addresses in unwind tables: a format of bytes, and what it is a distance from (DW_EH_PE_*).
// Thread-safety: pure functions.
// Errors: `bad` is set for an encoding that tables do not have, as compilers write them.
#ifndef HAK_STACK_CFI_ADDRESS_H
#define HAK_STACK_CFI_ADDRESS_H

#include "stack/bytes.h"

enum {
    FORMAT = 0x0f,
    FORMAT_PLAIN = 0x00,
    FORMAT_U2 = 0x02,
    FORMAT_U4 = 0x03,
    FORMAT_U8 = 0x04,
    FORMAT_S2 = 0x0a,
    FORMAT_S4 = 0x0b,
    FORMAT_S8 = 0x0c,
    FROM_HERE = 0x10,
    FROM_INDEX = 0x30,
};

HAK_INLINE uint64_t cfi_number(Bytes* b, uint8_t encoding) {
    switch (encoding & FORMAT) {
    case FORMAT_PLAIN:
    case FORMAT_U8:
    case FORMAT_S8: return bytes_u64(b);
    case FORMAT_U4: return bytes_u32(b);
    case FORMAT_S4: return (uint64_t)(int32_t)bytes_u32(b);
    case FORMAT_U2: return bytes_u16(b);
    case FORMAT_S2: return (uint64_t)(int16_t)bytes_u16(b);
    default: b->bad = true; return 0;
    }
}

// `index`: .eh_frame_hdr.
HAK_INLINE uintptr_t cfi_address(Bytes* b, uint8_t encoding, const uint8_t* index) {
    uintptr_t here = (uintptr_t)b->at, value = cfi_number(b, encoding);
    switch (encoding & ~FORMAT) {
    case 0: return value;
    case FROM_HERE: return here + value;
    case FROM_INDEX: return (uintptr_t)index + value;
    default: b->bad = true; return 0;
    }
}

#endif
