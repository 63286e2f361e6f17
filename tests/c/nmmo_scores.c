/* Plays nmmo with a player of nmmo_players.h for everybody and prints what came of it:
 *
 *   nmmo_scores SCRIPT TICKS SEED PRESET
 *
 * A line for each life that ended: seat, length, score, then the statistics. At the end a line
 * "living" with the mean of the lesser levels of those who live, and that at each tick. */
#include <stdio.h>
#include <stdlib.h>

#include "nmmo_players.h"

int main(int count, char** arguments) {
    if (count != 5) return 2;
    const double params[PARAMETERS] = {atof(arguments[4]), 1, 0};
    const size_t agents = nmmo_agents_in(params), size = nmmo_state_size(params);
    const uint64_t seed = strtoull(arguments[3], NULL, 10);
    world* w = calloc(1, size);
    mind* minds = calloc(agents, sizeof *minds);
    int32_t* actions = calloc(agents, sizeof *actions);
    observation_seen* seen = calloc(agents, sizeof *seen);
    float* numbers = calloc(agents * (2 + STATISTICS), sizeof *numbers);
    uint8_t* flags = calloc(agents, 3);
    long* born = calloc(agents, sizeof *born);
    if (!w || !minds || !actions || !seen || !numbers || !flags || !born) return 3;
    const puff_io io = {
        .actions = actions,
        .observations = seen,
        .rewards = numbers,
        .scores = numbers + agents,
        .statistics = numbers + 2 * agents,
        .terminals = flags,
        .truncations = flags + agents,
        .alive = flags + 2 * agents,
        .observation_bytes = sizeof *seen,
    };
    for (size_t a = 0; a < agents; a++) {
        minds[a].random = puff_random_stream(seed, a);
        minds[a].script = atoi(arguments[1]);
    }
    nmmo_init(w, params, seed);
    nmmo_reset(w, &io);
    double living = 0;
    const long ticks = atol(arguments[2]);
    for (long tick = 1; tick <= ticks; tick++) {
        for (size_t a = 0; a < agents; a++) actions[a] = decide(&seen[a], &minds[a]);
        memset(io.rewards, 0, agents * sizeof(float));
        memset(flags, 0, 3 * agents);
        nmmo_step(w, &io);
        living += (double)level_of_the_living(w);
        for (size_t a = 0; a < agents; a++) {
            if (!io.terminals[a]) continue;
            printf("%zu %ld %g", a, tick - born[a], (double)io.scores[a]);
            for (int k = 0; k < STATISTICS; k++) {
                printf(" %g", (double)io.statistics[a * STATISTICS + (size_t)k]);
            }
            printf("\n");
            born[a] = tick;
        }
    }
    printf("living %g %g\n", (double)level_of_the_living(w), living / (double)ticks);
    free(w);
    free(minds);
    free(actions);
    free(seen);
    free(numbers);
    free(flags);
    free(born);
    return 0;
}
