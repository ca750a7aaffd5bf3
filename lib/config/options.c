#include "config/options.h"

#include "base/distance.h"
#include "base/text.h"

#include <string.h>

enum { FIXED = 1, CHECKED = 2, LIVE = 4, WRITES = 8 };

HakOptions hak_options = {
#define OPTION_INT(field, NAME, def, min, max, flags, help) .field = (def),
#define OPTION_ENUM(field, NAME, def, words, flags, help) .field = (def),
#define OPTION_TEXT(field, NAME, def, flags, help) .field = def,
#define OPTION_SET(field, NAME, count, flags, help) .field = (1 << (count)) - 1,
#include "config/options.def"
#undef OPTION_INT
#undef OPTION_ENUM
#undef OPTION_TEXT
#undef OPTION_SET
};

#define COMMON(field, NAME, flags, text)                                                                    \
    .name = HAK_OPTION_PREFIX #NAME, .fixed = ((flags)&FIXED) != 0, .checked_only = ((flags)&CHECKED) != 0, \
    .live = ((flags)&LIVE) != 0, .writes = ((flags)&WRITES) != 0, .help = (text),                           \
    .offset = offsetof(HakOptions, field)
static const HakOptionInfo table[] = {
#define OPTION_INT(field, NAME, def, lowest, highest, flags, help)                                      \
    {COMMON(field, NAME, flags, help), .kind = HAK_OPTION_INT, .default_value = (def), .min = (lowest), \
     .max = (highest)},
#define OPTION_ENUM(field, NAME, def, all_words, flags, help) \
    {COMMON(field, NAME, flags, help), .kind = HAK_OPTION_ENUM, .default_value = (def), .words = (all_words)},
#define OPTION_TEXT(field, NAME, def, flags, help) \
    {COMMON(field, NAME, flags, help), .kind = HAK_OPTION_TEXT, .default_text = (def)},
#define OPTION_SET(field, NAME, count, flags, help) \
    {COMMON(field, NAME, flags, help), .kind = HAK_OPTION_SET, .default_value = (1 << (count)) - 1, .max = (count)},
#include "config/options.def"
#undef OPTION_INT
#undef OPTION_ENUM
#undef OPTION_TEXT
#undef OPTION_SET
};
enum { COUNT = sizeof table / sizeof table[0] };
_Static_assert((int)COUNT <= (int)HAK_OPTIONS_MOST, "who keeps something for each option has too little room");

const HakOptionInfo* hak_option_info(unsigned index) {
    return index < COUNT ? &table[index] : NULL;
}

const HakOptionInfo* hak_option_named(const char* name, size_t length) {
    for (unsigned i = 0; i < COUNT; i++)
        if (text_length(table[i].name) == length && memcmp(table[i].name, name, length) == 0) return &table[i];
    return NULL;
}

static _Atomic int64_t* number_of(const HakOptionInfo* info) {
    return (_Atomic int64_t*)(void*)((char*)&hak_options + info->offset);
}

static char* text_of(const HakOptionInfo* info) {
    return (char*)&hak_options + info->offset;
}

// --- values as text

// Start and length of word `index` in "word|word|...".
static const char* word_at(const char* words, int64_t index, size_t* length) {
    for (; index > 0; index--) words += text_until(words, '|') + 1;
    *length = text_until(words, '|');
    return words;
}

// "all", "none", or the members as numbers and ranges: "1-2,6".
static size_t format_set(int64_t members, int64_t count, char* buffer, size_t size) {
    if (members == 0) return text_format(buffer, size, "none");
    if (members == (INT64_C(1) << count) - 1) return text_format(buffer, size, "all");
    char text[HAK_OPTION_TEXT_MAX];
    size_t length = 0;
    for (int64_t first = 1, last; first <= count; first = last + 1) {
        last = first;
        if ((members >> (first - 1) & 1) == 0) continue;
        while (members >> last & 1) last++;
        const char* comma = length > 0 ? "," : "";
        length += first == last ? text_format(text + length, sizeof text - length, "%s%ld", comma, first)
                                : text_format(text + length, sizeof text - length, "%s%ld-%ld", comma, first, last);
    }
    return text_format(buffer, size, "%s", text);
}

static size_t format_value(const HakOptionInfo* info, int64_t number, const char* text, char* buffer, size_t size) {
    if (info->kind == HAK_OPTION_TEXT) return text_format(buffer, size, "%s", text);
    if (info->kind == HAK_OPTION_INT) return text_format(buffer, size, "%ld", number);
    if (info->kind == HAK_OPTION_SET) return format_set(number, info->max, buffer, size);
    size_t length;
    const char* word = word_at(info->words, number, &length);
    if (size > 0) {
        size_t fits = length < size ? length : size - 1;
        memcpy(buffer, word, fits);
        buffer[fits] = '\0';
    }
    return length;
}

size_t hak_option_current(const HakOptionInfo* info, char* buffer, size_t size) {
    if (info->kind == HAK_OPTION_TEXT) return format_value(info, 0, text_of(info), buffer, size);
    return format_value(info, load_relaxed(number_of(info)), NULL, buffer, size);
}

size_t hak_option_default(const HakOptionInfo* info, char* buffer, size_t size) {
    return format_value(info, info->default_value, info->default_text, buffer, size);
}

size_t hak_option_allowed(const HakOptionInfo* info, char* buffer, size_t size) {
    switch (info->kind) {
    case HAK_OPTION_ENUM: return text_format(buffer, size, "%s", info->words);
    case HAK_OPTION_TEXT: return text_format(buffer, size, "at most %u bytes", HAK_OPTION_TEXT_MAX - 1u);
    case HAK_OPTION_SET:
        return text_format(buffer, size, "all, none, or a list of numbers from 1 to %ld such as 1-2,6", info->max);
    case HAK_OPTION_INT: break;
    }
    if (info->max == INT64_MAX) return text_format(buffer, size, "%ld or more", info->min);
    return text_format(buffer, size, "%ld to %ld", info->min, info->max);
}

// --- values from text

static unsigned suffix_shift(char c) {
    switch (c) {
    case 'K':
    case 'k': return 10;
    case 'M':
    case 'm': return 20;
    case 'G':
    case 'g': return 30;
    default: return 0;
    }
}

// A decimal number with an optional sign and an optional K, M or G for powers of 1024.
static bool parse_int(const char* text, int64_t* out) {
    bool negative = *text == '-';
    const char* s = text + (negative || *text == '+');
    if (*s < '0' || *s > '9') return false;
    int64_t value = 0;
    for (; *s >= '0' && *s <= '9'; s++)
        if (__builtin_mul_overflow(value, 10, &value) || __builtin_add_overflow(value, *s - '0', &value)) return false;
    unsigned shift = suffix_shift(*s);
    if (shift != 0) {
        s++;
        if (__builtin_mul_overflow(value, INT64_C(1) << shift, &value)) return false;
    }
    if (*s != '\0') return false;
    *out = negative ? -value : value;
    return true;
}

static bool parse_word(const char* words, const char* text, int64_t* out) {
    size_t wanted = text_length(text);
    for (int64_t index = 0;; index++) {
        size_t length;
        const char* word = word_at(words, index, &length);
        if (length == wanted && memcmp(word, text, length) == 0) {
            *out = index;
            return true;
        }
        if (word[length] == '\0') return false;
    }
}

static bool parse_member(const char** text, int64_t count, int64_t* out) {
    int64_t value = 0;
    if (**text < '1' || **text > '9') return false;
    for (; **text >= '0' && **text <= '9' && value <= count; ++*text) value = value * 10 + (**text - '0');
    *out = value;
    return value <= count;
}

static bool parse_set(const char* text, int64_t count, int64_t* out) {
    *out = (INT64_C(1) << count) - 1;
    if (text_same(text, "all")) return true;
    *out = 0;
    if (text_same(text, "none")) return true;
    for (int64_t first, last;; text++) {
        if (!parse_member(&text, count, &first)) return false;
        last = first;
        if (*text == '-' && (text++, !parse_member(&text, count, &last) || last < first)) return false;
        for (; first <= last; first++) *out |= INT64_C(1) << (first - 1);
        if (*text == '\0') return true;
        if (*text != ',') return false;
    }
}

// For a TEXT, *number is its length.
static bool parse(const HakOptionInfo* info, const char* value, int64_t* number) {
    switch (info->kind) {
    case HAK_OPTION_TEXT: *number = (int64_t)text_length(value); return *number < HAK_OPTION_TEXT_MAX;
    case HAK_OPTION_ENUM: return parse_word(info->words, value, number);
    case HAK_OPTION_SET: return parse_set(value, info->max, number);
    case HAK_OPTION_INT: break;
    }
    return parse_int(value, number) && *number >= info->min && *number <= info->max;
}

bool hak_option_accepts(const HakOptionInfo* info, const char* value) {
    int64_t number;
    return parse(info, value, &number);
}

bool hak_option_assign(const HakOptionInfo* info, const char* value) {
    int64_t number;
    if (!parse(info, value, &number)) return false;
    if (info->kind == HAK_OPTION_TEXT)
        memcpy(text_of(info), value, (size_t)number + 1);
    else
        store_relaxed(number_of(info), number);
    return true;
}

bool hak_option_is_default(const HakOptionInfo* info) {
    if (info->kind == HAK_OPTION_TEXT) return text_same(text_of(info), info->default_text);
    return load_relaxed(number_of(info)) == info->default_value;
}

// --- what to tell

const char* hak_option_suffix_hint(const HakOptionInfo* info) {
    bool large = info->kind == HAK_OPTION_INT && info->max >= INT64_C(1) << 30;
    return large ? ", where K, M and G stand for powers of 1024, as in 2M" : "";
}

// Only the first 40 characters of each name count, without the prefix, which all have. SIZE_MAX: more than half of the
// longer one would have to change.
static size_t name_distance(const char* name, size_t length, const char* other) {
    enum { PREFIX_LENGTH = sizeof HAK_OPTION_PREFIX - 1, MOST = 40 };
    size_t other_length = text_length(other) - PREFIX_LENGTH;
    length -= PREFIX_LENGTH;
    if (length > MOST) length = MOST;
    if (other_length > MOST) other_length = MOST;
    size_t distance = edit_distance(name + PREFIX_LENGTH, length, other + PREFIX_LENGTH, other_length);
    return 2 * distance > (length > other_length ? length : other_length) ? SIZE_MAX : distance;
}

const char* hak_option_nearest(const char* name, size_t length) {
    const char* nearest = NULL;
    size_t nearest_distance = SIZE_MAX;
    for (unsigned i = 0; i < COUNT; i++) {
        size_t distance = name_distance(name, length, table[i].name);
        if (distance < nearest_distance) {
            nearest_distance = distance;
            nearest = table[i].name;
        }
    }
    return nearest;
}
