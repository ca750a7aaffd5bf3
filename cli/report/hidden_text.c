#include "report/hidden_text.h"

bool hidden_text_whole(uint64_t value, char out[9]) {
    int length = 0;
    for (; value != 0; value >>= 8) {
        unsigned byte = (unsigned)(value & 0xff);
        if (byte < 0x20 || byte > 0x7e) return false;
        out[length++] = (char)byte;
    }
    out[length] = '\0';
    return length >= 2;
}

bool hidden_text_payload(uint64_t value) {
    return (value & 0xffff) == 0x6261 || ((value >> 8) & 0xffff) == 0x6261;
}

bool hidden_poison(uint64_t value, uint8_t poison) {
    uint32_t four = poison * UINT32_C(0x01010101);
    for (unsigned shift = 0; shift <= 32; shift += 8) {
        if ((uint32_t)(value >> shift) == four) return true;
    }
    return false;
}
