/* episodes.h: finished episodes that wait for somebody to come for them; a part of vec.h. */
#ifndef PUFF_EPISODES_H
#define PUFF_EPISODES_H

enum { PUFF_RING_EPISODES = 512 };

/* Those of one block of environments; `written` - `read` wait, the oldest of them overwritten if
 * they are more than there is room for. */
typedef struct {
    uint64_t written;
    uint64_t read;
    puff_episode episodes[PUFF_RING_EPISODES];
} puff_ring;

/* The place for one more, all zeros. */
static puff_episode* puff_ring_add(puff_ring* ring) {
    puff_episode* episode = &ring->episodes[ring->written++ % PUFF_RING_EPISODES];
    memset(episode, 0, sizeof *episode);
    return episode;
}

/* Moves them to `episodes`, oldest first; returns how many, and adds those that were lost to
 * `lost`. */
static uint64_t puff_ring_drain(puff_ring* ring, puff_episode* episodes, uint64_t* lost) {
    uint64_t count = 0;
    if (ring->written - ring->read > PUFF_RING_EPISODES) {
        *lost += ring->written - ring->read - PUFF_RING_EPISODES;
        ring->read = ring->written - PUFF_RING_EPISODES;
    }
    for (; ring->read < ring->written; ring->read++) {
        episodes[count++] = ring->episodes[ring->read % PUFF_RING_EPISODES];
    }
    return count;
}

#endif
