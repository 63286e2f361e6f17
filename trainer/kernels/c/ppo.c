/* ppo.c: loss and gradient of a minibatch in one pass; formulas in loss.py. */
#include "gradient.h"
#include "numbers.h"
#include "parallel.h"

enum { MOST_CHOICES = 256, AHEAD = 4 };

/* The batch, and a row of moments per block. */
typedef struct {
    const puff_moments* batch;
    double moments[PUFF_BLOCKS][3];
} moments_job;

/* The batch, its normalisation, and a row of sums per block. */
typedef struct {
    const puff_ppo* batch;
    double sums[PUFF_BLOCKS][PUFF_SUMS];
    float mean;
    float deviation;
    float count;
} ppo_job;

static float clamp(float x, float low, float high) {
    return x < low ? low : x > high ? high : x;
}

static void moment_rows(const void* pointer, int64_t block, int64_t first, int64_t end) {
    moments_job* job = (moments_job*)pointer;
    const puff_moments* batch = job->batch;
    double count = 0, sum = 0, squares = 0;
    for (int64_t step = 0; step < batch->steps; step++) {
        for (int64_t row = first; row < end; row++) {
            const int64_t at = step * batch->agents + batch->indices[row];
            const double alive = batch->alive[at], advantage = batch->advantages[at];
            count += alive;
            sum += alive * advantage;
            squares += alive * advantage * advantage;
        }
    }
    job->moments[block][0] = count;
    job->moments[block][1] = sum;
    job->moments[block][2] = squares;
}

/* Fills log-probabilities and probabilities of one component; returns its entropy. */
static float component_entropy(const float* logits, int32_t size, float* log_probabilities,
                               float* probabilities) {
    float highest = logits[0], total = 0, entropy = 0;
    for (int32_t i = 1; i < size; i++) highest = logits[i] > highest ? logits[i] : highest;
    for (int32_t i = 0; i < size; i++) {
        probabilities[i] = exponential(logits[i] - highest);
        total += probabilities[i];
    }
    const float shift = highest + logf(total), scale = 1 / total;
    for (int32_t i = 0; i < size; i++) {
        log_probabilities[i] = logits[i] - shift;
        probabilities[i] *= scale;
        entropy -= probabilities[i] * log_probabilities[i];
    }
    return entropy;
}

/* What a row of heads says of the actions that were taken. */
typedef struct {
    float log_probability, entropy;
    float log_probabilities[MOST_CHOICES], probabilities[MOST_CHOICES], entropies[MOST_CHOICES];
} said;

static void read_choices(const puff_ppo* batch, const float* logits, const int32_t* actions,
                         said* now) {
    int32_t offset = 0;
    now->log_probability = now->entropy = 0;
    for (int32_t c = 0; c < batch->components; c++) {
        float* own = now->log_probabilities + offset;
        now->entropies[c] =
            component_entropy(logits + offset, batch->sizes[c], own, now->probabilities + offset);
        now->entropy += now->entropies[c];
        now->log_probability += own[actions[c]];
        offset += batch->sizes[c];
    }
}

/* The gradient of the logits, from that of the log-probability. */
static void push_choices(const puff_ppo* batch, const int32_t* actions, const said* now,
                         float slope, float count, float* gradients) {
    int32_t offset = 0;
    for (int32_t c = 0; c < batch->components; c++) {
        for (int32_t i = 0; i < batch->sizes[c]; i++) {
            const float own = now->log_probabilities[offset + i],
                        probability = now->probabilities[offset + i];
            const float chosen = (float)(i == actions[c]);
            gradients[offset + i] =
                (slope * (chosen - probability) +
                 batch->entropy_coefficient * probability * (own + now->entropies[c])) /
                count;
        }
        offset += batch->sizes[c];
    }
}

static void read_controls(const puff_ppo* batch, const float* means, const float* controls,
                          said* now) {
    now->log_probability = now->entropy = 0;
    for (int32_t c = 0; c < batch->components; c++) {
        const float scaled = (controls[c] - means[c]) * expf(-batch->log_std[c]);
        now->log_probability -= 0.5f * scaled * scaled + batch->log_std[c] + HALF_LOG_TWO_PI;
        now->entropy += 0.5f + HALF_LOG_TWO_PI + batch->log_std[c];
    }
}

/* The gradient of the means; that of log_std is added. */
static void push_controls(const puff_ppo* batch, const float* means, const float* controls,
                          float slope, float count, float* gradients) {
    for (int32_t c = 0; c < batch->components; c++) {
        const float inverse = expf(-batch->log_std[c]);
        const float scaled = (controls[c] - means[c]) * inverse;
        gradients[c] = slope * scaled * inverse / count;
        batch->log_std_gradients[c] +=
            (slope * (scaled * scaled - 1) - batch->entropy_coefficient) / count;
    }
}

/* One step of one segment. */
static void ppo_element(const ppo_job* job, int64_t step, int64_t row, double* sums) {
    const puff_ppo* batch = job->batch;
    const int64_t at = step * batch->agents + batch->indices[row];
    const int64_t here = step * batch->segments + row;
    const float* heads = batch->heads + here * batch->width;
    float* gradients = batch->head_gradients + here * batch->width;
    const int64_t action = at * batch->components;
    const int32_t* actions = batch->actions ? batch->actions + action : NULL;
    const float* controls = batch->controls ? batch->controls + action : NULL;
    said now;
    if (batch->log_std) {
        read_controls(batch, heads, controls, &now);
    } else {
        read_choices(batch, heads, actions, &now);
    }
    const float value = heads[batch->width - 1], old_value = batch->old_values[at];
    const float log_ratio = now.log_probability - batch->old_log_probabilities[at];
    const float ratio = exponential(log_ratio);
    batch->ratios[here] = ratio;
    batch->values[here] = value;
    if (!batch->alive[at]) {
        memset(gradients, 0, (size_t)batch->width * sizeof(float));
        return;
    }

    const float raw = batch->advantages[at], target = raw + old_value;
    const float advantage = (raw - job->mean) / (job->deviation + 1e-8f) * batch->weights[row];
    const float free = -advantage * ratio;
    const float bounded = -advantage * clamp(ratio, 1 - batch->clip, 1 + batch->clip);
    /* The comparisons are so that a number that is not finite comes through. */
    const float policy_slope = free < bounded ? 0 : free;

    const float moved = clamp(value - old_value, -batch->value_clip, batch->value_clip);
    const float error = value - target, clipped_error = old_value + moved - target;
    const int inside = moved == value - old_value;
    const int unclipped = !(error * error < clipped_error * clipped_error);
    const float value_slope = unclipped ? error : inside ? clipped_error : 0;

    if (batch->log_std) {
        push_controls(batch, heads, controls, policy_slope, job->count, gradients);
    } else {
        push_choices(batch, actions, &now, policy_slope, job->count, gradients);
    }
    gradients[batch->width - 1] = batch->value_coefficient * value_slope / job->count;

    const float largest = unclipped ? error * error : clipped_error * clipped_error;
    const double old_error = (double)target - old_value;
    sums[PUFF_SUM_ALIVE] += 1;
    sums[PUFF_SUM_POLICY_LOSS] += free < bounded ? bounded : free;
    sums[PUFF_SUM_VALUE_LOSS] += 0.5f * largest;
    sums[PUFF_SUM_ENTROPY] += now.entropy;
    sums[PUFF_SUM_OLD_APPROX_KL] -= log_ratio;
    sums[PUFF_SUM_APPROX_KL] += ratio - 1 - log_ratio;
    sums[PUFF_SUM_CLIPFRAC] += fabsf(ratio - 1) > batch->clip;
    sums[PUFF_SUM_IMPORTANCE] += ratio;
    sums[PUFF_SUM_TARGET] += target;
    sums[PUFF_SUM_TARGET_SQUARED] += (double)target * target;
    sums[PUFF_SUM_ERROR] += old_error;
    sums[PUFF_SUM_ERROR_SQUARED] += old_error * old_error;
}

/* The segments of a minibatch lie scattered over the rollout: asks for an element's memory early.
 */
static void fetch_element(const puff_ppo* batch, int64_t step, int64_t row) {
    const int64_t at = step * batch->agents + batch->indices[row];
    if (batch->log_std) {
        __builtin_prefetch(batch->controls + at * batch->components);
    } else {
        __builtin_prefetch(batch->actions + at * batch->components);
    }
    __builtin_prefetch(batch->old_log_probabilities + at);
    __builtin_prefetch(batch->old_values + at);
    __builtin_prefetch(batch->advantages + at);
    __builtin_prefetch(batch->alive + at);
}

static void loss_rows(const void* pointer, int64_t block, int64_t first, int64_t end) {
    ppo_job* job = (ppo_job*)pointer;
    for (int64_t step = 0; step < job->batch->steps; step++) {
        for (int64_t row = first; row < end; row++) {
            if (row + AHEAD < end) fetch_element(job->batch, step, row + AHEAD);
            ppo_element(job, step, row, job->sums[block]);
        }
    }
}

PUFF_KERNEL void puff_ppo_moments(puff_kernels* kernels, const puff_moments* batch) {
    moments_job job;
    memset(&job, 0, sizeof job);
    job.batch = batch;
    puff_over_rows(kernels, moment_rows, &job, batch->segments);
    for (int k = 0; k < 3; k++) {
        batch->moments[k] = 0;
        for (int block = 0; block < PUFF_BLOCKS; block++) {
            batch->moments[k] += job.moments[block][k];
        }
    }
}

static void normalise(ppo_job* job, const puff_ppo* batch) {
    job->batch = batch;
    const double count = batch->moments[0] > 1 ? batch->moments[0] : 1;
    const double mean = batch->moments[1] / count;
    const double variance = batch->moments[2] / count - mean * mean;
    job->count = (float)count;
    job->mean = (float)mean;
    /* Rounding can leave a variance of nothing below zero; not a number stays what it is. */
    job->deviation = variance <= 0 ? 0 : (float)sqrt(variance);
}

void puff_loss_rows(const puff_ppo* batch, double* sums) {
    ppo_job job;
    normalise(&job, batch);
    memset(job.sums[0], 0, sizeof job.sums[0]);
    loss_rows(&job, 0, 0, batch->segments);
    for (int k = 0; k < PUFF_SUMS; k++) sums[k] += job.sums[0][k];
}

PUFF_KERNEL void puff_ppo_loss(puff_kernels* kernels, const puff_ppo* batch) {
    ppo_job job;
    memset(&job, 0, sizeof job);
    normalise(&job, batch);
    puff_over_rows(kernels, loss_rows, &job, batch->segments);
    for (int k = 0; k < PUFF_SUMS; k++) {
        batch->sums[k] = 0;
        for (int block = 0; block < PUFF_BLOCKS; block++) batch->sums[k] += job.sums[block][k];
    }
}

static void keep_steps(const void* job, int64_t block, int64_t first, int64_t end) {
    (void)block;
    const puff_keeping* batch = job;
    for (int64_t step = first; step < end; step++) {
        for (int64_t i = 0; i < batch->segments; i++) {
            const int64_t from = step * batch->segments + i;
            const int64_t to = step * batch->agents + batch->indices[i];
            batch->all_ratios[to] = batch->ratios[from];
            batch->all_values[to] = batch->values[from];
        }
    }
}

PUFF_KERNEL void puff_keep_newest(puff_kernels* kernels, const puff_keeping* batch) {
    for (int64_t i = 0; i < batch->segments; i++) batch->trained[batch->indices[i]] = 1;
    puff_over_rows(kernels, keep_steps, batch, batch->steps);
}
