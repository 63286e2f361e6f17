/* Runs an exported policy over observations and random numbers from stdin; prints all it says. */
#include <stdio.h>

#include "subject.h"

#ifdef CONTINUOUS
typedef float chosen;
#define NUMBERS(output) (output).mean
#else
typedef int chosen;
#define NUMBERS(output) (output).logits
#endif

static void print_all(const chosen* actions) {
    for (int i = 0; i < SUBJECT_ACTIONS; i++) printf(" %.9g", (double)actions[i]);
}

int main(void) {
    unsigned char reset, observation[SUBJECT_OBSERVATION_BYTES];
    float random[SUBJECT_RANDOMS];
    subject_state state;
    subject_output output;
    chosen actions[SUBJECT_ACTIONS];
    while (fread(&reset, 1, 1, stdin) == 1 &&
           fread(observation, sizeof observation, 1, stdin) == 1 &&
           fread(random, sizeof random, 1, stdin) == 1) {
        if (reset) subject_reset(&state);
        subject_step(&state, observation, &output);
        for (int i = 0; i < SUBJECT_OUTPUTS; i++) printf(" %.9g", (double)NUMBERS(output)[i]);
        printf(" %.9g", (double)output.value);
        subject_act(&output, NULL, actions);
        print_all(actions);
        subject_act(&output, random, actions);
        print_all(actions);
#ifdef CONTINUOUS
        for (int i = 0; i < SUBJECT_OUTPUTS; i++) printf(" %.9g", (double)output.std[i]);
#endif
        printf("\n");
    }
    return 0;
}
