/* Text and numbers for a terminal, written one behind the other. */
#ifndef PUFF_LETTERS_H
#define PUFF_LETTERS_H

#include <stdint.h>
#include <string.h>

static inline void text(char** at, const char* letters) {
    size_t length = strlen(letters);
    memcpy(*at, letters, length);
    *at += length;
}

static inline void number(char** at, uint32_t value) {
    char digits[12];
    int count = 0;
    do {
        digits[count++] = (char)('0' + value % 10);
        value /= 10;
    } while (value > 0);
    while (count > 0) {
        *(*at)++ = digits[--count];
    }
}

#endif
