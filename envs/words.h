/* words.h: what environments tell people: stories of what happened, and the sheet beside a picture.
 *
 * Texts are put together only where somebody reads them. In training nobody listens, and a story
 * costs one comparison.
 */
#ifndef PUFF_WORDS_H
#define PUFF_WORDS_H

#include <stdarg.h>
#include <stdio.h>

#include "puff_env.h"

/* Tells that `agent` did something, in words that follow its name, as printf takes them:
 * puff_tell(io, 3, PUFF_TALK, "finds %d coins", 5). What does not fit is cut. */
#define puff_tell(io, agent, weight, ...)                                                          \
    ((io)->stories ? puff_tell_all((io)->stories, (uint32_t)(agent), (weight), __VA_ARGS__)        \
                   : (void)0)

#if defined(__GNUC__)
#define PUFF_LIKE_PRINTF(text, first) __attribute__((format(printf, text, first), unused))
#else
#define PUFF_LIKE_PRINTF(text, first)
#endif

PUFF_LIKE_PRINTF(4, 5)
static void puff_tell_all(puff_stories* stories, uint32_t agent, puff_weight weight,
                          const char* words, ...) {
    if (weight == PUFF_OWN && agent != stories->watched) return;
    puff_story* story = &stories->stories[stories->told++ % PUFF_STORIES];
    va_list given;
    story->agent = agent;
    story->weight = weight;
    va_start(given, words);
    vsnprintf(story->text, sizeof story->text, words, given);
    va_end(given);
}

/* The next row of a sheet; the last one again where it is full. */
static inline puff_row* puff_next_row(puff_sheet* sheet, puff_row_kind kind, const char* label) {
    const uint32_t last = PUFF_SHEET_ROWS - 1;
    puff_row* row = &sheet->rows[sheet->count < last ? sheet->count : last];
    sheet->count += sheet->count < PUFF_SHEET_ROWS;
    *row = (puff_row){.kind = kind, .choice = -1};
    snprintf(row->label, sizeof row->label, "%s", label);
    return row;
}

/* A title, below which the rows of a panel follow. What cannot be shown for lack of room is what
 * comes last. */
static inline puff_row* puff_title(puff_sheet* sheet, const char* label) {
    return puff_next_row(sheet, PUFF_TITLE, label);
}

/* A bar for `value` of `most`, with both numbers beside it. */
static inline puff_row* puff_bar(puff_sheet* sheet, const char* label, int value, int most,
                                 uint32_t colour) {
    puff_row* row = puff_next_row(sheet, PUFF_BAR, label);
    row->share = most > 0 ? (float)value / (float)most : 0;
    row->colour = colour;
    snprintf(row->value, sizeof row->value, "%d/%d", value, most);
    return row;
}

/* A row with a value as printf takes it; set `choice`, `colour` or `kind` in what is returned. */
PUFF_LIKE_PRINTF(3, 4)
static puff_row* puff_fact(puff_sheet* sheet, const char* label, const char* value, ...) {
    puff_row* row = puff_next_row(sheet, PUFF_FACT, label);
    va_list given;
    va_start(given, value);
    vsnprintf(row->value, sizeof row->value, value, given);
    va_end(given);
    return row;
}

#endif
