/* shown.h: the part `draw` of check.c: what people see of a game, and read beside it. */

/* Points at a picture, or beside it; returns whether `locate` finds an agent that is none. */
static int points_astray(const void* state, uint32_t agent, float phase, const uint32_t* size) {
    if (env->size <= offsetof(puff_descriptor, locate) || !env->locate) return 0;
    doing = "locate";
    calls++;
    puff_canvas canvas = {.width = size[0], .height = size[1]};
    const float x = (float)size[0] * (1.2f * puff_random_unit(&dice) - 0.1f);
    const float y = (float)size[1] * (1.2f * puff_random_unit(&dice) - 0.1f);
    const uint32_t found = env->locate(state, agent, phase, &canvas, x, y);
    return found >= env->agents && found != PUFF_NOBODY;
}

/* Whether something is declared that came with interface 5. */
static int has_words(void) {
    return env->size > offsetof(puff_descriptor, describe);
}

/* Fills a sheet in; returns whether it is a whole one: as many rows as there can be, and texts that
 * end. */
static int is_whole_sheet(const void* state, uint32_t agent) {
    puff_sheet* sheet = exact(sizeof *sheet);
    memset(sheet, 0, sizeof *sheet);
    doing = "describe";
    calls++;
    env->describe(state, agent, sheet);
    int whole = sheet->count <= PUFF_SHEET_ROWS;
    for (uint32_t i = 0; whole && i < sheet->count; i++) {
        const puff_row* row = &sheet->rows[i];
        whole &= memchr(row->label, 0, PUFF_TEXT) && memchr(row->value, 0, PUFF_TEXT);
        whole &= row->kind <= PUFF_BAR && row->choice < (int32_t)choices_of(0);
    }
    free(sheet);
    return whole;
}

/* Pictures of odd sizes, the empty one included, in all views; and what is to be read beside them.
 */
static void draw(void) {
    static const uint32_t sizes[][2] = {{0, 0}, {1, 1}, {7, 3}, {3, 50}, {60, 60}, {160, 90}};
    const world w = new_world(41);
    void* before = exact(w.state_bytes);
    uint64_t bare = 0, touched = 0, astray = 0, torn = 0;
    const uint32_t views = has_words() ? env->view_count : 0;
    doing = "draw";
    for (int step = 0; step < 400; step++) {
        draw_actions(w.actions, env->agents, (uint32_t)step / 64, &dice);
        do_step(&w, FIRST_FILL);
        if (step % 20) continue;
        memcpy(before, w.state, w.state_bytes);
        for (size_t i = 0; i < PUFF_COUNT(sizes); i++) {
            const size_t pixels = (size_t)sizes[i][0] * sizes[i][1];
            const uint32_t agent = puff_random_below(&dice, env->agents);
            const float phase = puff_random_unit(&dice);
            puff_canvas canvas[2];
            for (int c = 0; c < 2; c++) {
                canvas[c] = (puff_canvas){.pixels = exact(3 * pixels),
                                          .width = sizes[i][0],
                                          .height = sizes[i][1],
                                          .view = views ? (uint32_t)step / 20 % views : 0};
                memset(canvas[c].pixels, c ? SECOND_FILL : FIRST_FILL, 3 * pixels);
                doing = "draw";
                calls++;
                env->draw(w.state, agent, phase, &canvas[c]);
            }
            for (size_t p = 0; p < 3 * pixels; p++) {
                bare += canvas[0].pixels[p] != canvas[1].pixels[p];
            }
            free(canvas[0].pixels);
            free(canvas[1].pixels);
            astray += points_astray(w.state, agent, phase, sizes[i]);
        }
        if (has_words() && env->describe) {
            torn += !is_whole_sheet(w.state, puff_random_below(&dice, env->agents));
        }
        touched += memcmp(before, w.state, w.state_bytes) != 0;
    }
    fprintf(out, "drawn %llu %llu %llu %llu\n", (unsigned long long)bare,
            (unsigned long long)touched, (unsigned long long)astray, (unsigned long long)torn);
}
