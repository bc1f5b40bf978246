/* Every convolution keeps its own left context, so nothing is computed twice. Before the first input and behind the
   last one it sees zeros, as in one shot: half a context of them at the start, the other half with the flush. How much
   of each context is filled follows from the number of frames so far.

   A level works on pieces whose signals stay in the cache, and hands each piece to the next level before it goes on.
   All members run the same program over shared signals; what is copied, the first of them copies. */

#include "vocoder.h"

#include "team.h"

#include <string.h>

enum {
    FRAMES_AT_ONCE = 48,
    PIECE_FLOATS = 1 << 16, /* of a signal in a piece, but for the first level */
    HEAD = 64,              /* rows before the new ones, for context: at most 50 */
    TAIL = 192,             /* and behind them: what a flush adds, at most 60 + 25 */
    FRAMES_MAX = 1 << 28,
};

static const float SLOPE = 0.1f, LAST_SLOPE = 0.01f; /* of the leaky ReLUs */

/* What a convolution remembers: a place in the state, and how many inputs have come. */
typedef struct {
    int64_t place, seen;
} past;

typedef struct {
    past pre, post, ups[LEVELS], first[LEVELS][BRANCHES][PAIRS], second[LEVELS][BRANCHES][PAIRS];
    int64_t waiting[LEVELS][BRANCHES - 1]; /* place of what a narrow branch made and the widest one has not yet */
    int64_t state_floats;
} stream_progress;

/* Signals in the scratch; each begins with HEAD rows of room. */
typedef struct {
    float *frames, *entries[LEVELS + 1], *risen, *inner, *made[2], *branches[BRANCHES];
    float *bias, *shared, *own[TEAM_MEMBERS_MAX];
    int64_t floats;
} signal_places;

typedef struct {
    const vocoder *model;
    const float *frames;
    int64_t n;
    float *state, *samples;
    int flush;
    stream_progress progress;
    signal_places signals;
    int64_t made; /* samples */
} vocode_call;

/* One member's view. */
typedef struct {
    vocode_call *call;
    stream_progress at;
    int64_t made;
    int member, members;
} worker;

static int64_t context_of(const convolution *c) { return (int64_t)(c->taps - 1) * c->dilation; }
static int width_of(const vocoder *m, int level) { return m->first[level][0][0].inputs; }
static int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }
static int64_t larger(int64_t a, int64_t b) { return a > b ? a : b; }

/* Inputs that a level takes at once. */
static int64_t piece_of(const vocoder *m, int level) {
    return level ? larger(8, PIECE_FLOATS / width_of(m, level) / m->strides[level]) : FRAMES_AT_ONCE;
}

/* Outputs by which a branch lags behind its input. */
static int64_t lag_of(const vocoder *m, int level, int branch) {
    int64_t lag = 0;
    for (int pair = 0; pair < PAIRS; pair++)
        lag += (context_of(&m->first[level][branch][pair]) + context_of(&m->second[level][branch][pair])) / 2;
    return lag;
}

/* -- sizes ---------------------------------------------------------------------------------------------------- */

static int is_convolution(const convolution *c, int inputs, int outputs) {
    int taps_of[METHODS] = {c->taps, 3, 7, 11};
    return c->weights && c->inputs == inputs && c->outputs == outputs && inputs > 0 && inputs <= 1024 &&
           inputs % 8 == 0 && c->taps >= 1 && c->taps <= 11 && c->dilation >= 1 && c->dilation <= 5 && c->method >= 0 &&
           c->method < METHODS && c->taps == taps_of[c->method];
}

static int is_panelled(int outputs) { return outputs > 0 && (outputs % PANEL == 0 || outputs == WIDE_PANEL); }

static int is_vocoder(const vocoder *m) {
    int before = m->pre.outputs;
    if (!is_convolution(&m->pre, LATENT, before) || !is_panelled(before) || m->pre.method != PLAIN_TAPS ||
        m->pre.taps != 7)
        return 0;
    for (int i = FAST_3; i < METHODS; i++)
        if (!m->maps.enter[i] || !m->maps.leave[i])
            return 0;
    for (int level = 0; level < LEVELS; level++) {
        int width = width_of(m, level), stride = m->strides[level], padding = m->paddings[level];
        const convolution *up = &m->ups[level];
        if (stride < 1 || stride > 10 || padding < 0 || padding > 5 || !is_panelled(width) ||
            !is_panelled(width * stride) || !is_convolution(up, before, width * stride) ||
            up->method != PLAIN_TAPS || up->dilation != 1 || !up->bias || (up->taps - 1) * stride < padding || up->taps > 4)
            return 0;
        for (int branch = 0; branch < BRANCHES; branch++) {
            for (int pair = 0; pair < PAIRS; pair++) {
                const convolution *first = &m->first[level][branch][pair], *second = &m->second[level][branch][pair];
                if (!is_convolution(first, width, width) || !is_convolution(second, width, width) || !first->bias ||
                    !second->bias || second->dilation != 1 || first->taps != second->taps || first->taps % 2 == 0)
                    return 0;
            }
            int64_t wait = lag_of(m, level, BRANCHES - 1) - lag_of(m, level, branch);
            if (wait < 0 || wait > HEAD)
                return 0;
        }
        before = width;
    }
    return is_convolution(&m->post, before, 1) && m->post.taps == 7 && m->post.dilation == 1;
}

static void place(past *p, const convolution *c, int64_t seen, int64_t *floats) {
    p->place = *floats;
    p->seen = seen;
    *floats += context_of(c) * c->inputs;
}

/* Where everything is after `seen` frames. */
static void progress_after(stream_progress *at, const vocoder *m, int64_t seen) {
    int64_t floats = 0;
    place(&at->pre, &m->pre, seen, &floats);
    seen = larger(0, seen - context_of(&m->pre) / 2);
    for (int level = 0; level < LEVELS; level++) {
        place(&at->ups[level], &m->ups[level], seen, &floats);
        int64_t risen = larger(0, seen * m->strides[level] - m->paddings[level]);
        for (int branch = 0; branch < BRANCHES; branch++) {
            seen = risen;
            for (int pair = 0; pair < PAIRS; pair++) {
                const convolution *first = &m->first[level][branch][pair], *second = &m->second[level][branch][pair];
                place(&at->first[level][branch][pair], first, seen, &floats);
                seen = larger(0, seen - context_of(first) / 2);
                place(&at->second[level][branch][pair], second, seen, &floats);
                seen = larger(0, seen - context_of(second) / 2);
            }
            if (branch < BRANCHES - 1) {
                at->waiting[level][branch] = floats;
                floats += (lag_of(m, level, BRANCHES - 1) - lag_of(m, level, branch)) * width_of(m, level);
            }
        }
    }
    place(&at->post, &m->post, seen, &floats);
    at->state_floats = floats;
}

static int64_t samples_after(const vocoder *m, int64_t seen, int flushed) {
    stream_progress at;
    progress_after(&at, m, seen);
    if (!flushed)
        return larger(0, at.post.seen - context_of(&m->post) / 2);
    for (int level = 0; level < LEVELS; level++)
        seen *= m->strides[level];
    return seen;
}

static float *signal(float *scratch, int64_t *floats, int64_t rows, int64_t width) {
    float *start = scratch ? scratch + *floats + HEAD * width : NULL;
    *floats += ((HEAD + rows + TAIL) * width + 15) / 16 * 16;
    return start;
}

static void lay_out(signal_places *s, const vocoder *m, float *scratch, int threads) {
    int64_t floats = 0, most = 0;
    s->frames = signal(scratch, &floats, FRAMES_AT_ONCE, LATENT);
    s->entries[0] = signal(scratch, &floats, FRAMES_AT_ONCE, m->pre.outputs);
    for (int level = 0; level < LEVELS; level++) {
        int64_t rows = (piece_of(m, level) + m->ups[level].taps) * m->strides[level];
        s->entries[level + 1] = signal(scratch, &floats, rows, width_of(m, level));
        most = larger(most, (HEAD + rows + TAIL) * width_of(m, level));
    }
    float **work[] = {&s->risen,       &s->inner,       &s->made[0],    &s->made[1],
                      &s->branches[0], &s->branches[1], &s->branches[2]};
    for (int i = 0; i < 7; i++, floats += (most + 15) / 16 * 16)
        *work[i] = scratch ? scratch + floats : NULL;
    s->bias = scratch ? scratch + floats : NULL;
    floats += (m->pre.outputs + 15) / 16 * 16;
    s->shared = scratch ? scratch + floats : NULL;
    floats += SHARED_FLOATS;
    for (int i = 0; i < threads; i++, floats += MEMBER_FLOATS)
        s->own[i] = scratch ? scratch + floats : NULL;
    s->floats = floats;
}

int vocoder_is_supported(void) { return convolution_is_supported(); }

int64_t vocoder_bytes(void) { return sizeof(vocoder); }

int64_t vocoder_state_floats(const vocoder *model) {
    if (!is_vocoder(model))
        return -1;
    stream_progress at;
    progress_after(&at, model, 0);
    return at.state_floats;
}

int64_t vocoder_scratch_floats(const vocoder *model, int threads) {
    if (!is_vocoder(model) || threads < 1 || threads > TEAM_MEMBERS_MAX)
        return -1;
    signal_places s;
    lay_out(&s, model, NULL, threads);
    return s.floats;
}

/* -- one convolution further ---------------------------------------------------------------------------------- */

/* A pass over the kept and the `n` new rows at `fresh`; keeps the last of them for the next one. */
static pass take(worker *w, const convolution *c, past *p, float *fresh, int64_t n, int64_t zeros, int flush) {
    int64_t context = context_of(c), kept = smaller(context, zeros + p->seen), keep = smaller(context, kept + n);
    if (w->member == 0) {
        float *place = w->call->state + p->place;
        memcpy(fresh - kept * c->inputs, place, kept * c->inputs * sizeof(float));
        memcpy(place, fresh + (n - keep) * c->inputs, keep * c->inputs * sizeof(float));
        if (flush)
            memset(fresh + n * c->inputs, 0, zeros * c->inputs * sizeof(float));
    }
    team_barrier(w->members);
    p->seen += n;
    return (pass){.layer = c, .x = fresh - kept * c->inputs, .rows = kept + n + (flush ? zeros : 0),
                  .slope_in = 1.0f, .slope_out = 1.0f};
}

/* Rows made. */
static int64_t perform(worker *w, const pass *p) {
    signal_places *s = &w->call->signals;
    convolve(p, &w->call->model->maps, s->own[w->member], s->shared, w->member, w->members);
    team_barrier(w->members);
    return larger(0, p->rows - context_of(p->layer));
}

/* out = x + second(first(x)), delayed by half their contexts; returns its rows. */
static int64_t pair_of(worker *w, int level, int branch, int pair, float *x, int64_t n, float *out, int flush) {
    const vocoder *m = w->call->model;
    const convolution *first = &m->first[level][branch][pair], *second = &m->second[level][branch][pair];
    past *context = &w->at.second[level][branch][pair];
    int64_t wide = context_of(first) / 2, half = context_of(second) / 2, width = first->inputs;
    float *inner = w->call->signals.inner + HEAD * width;
    pass todo = take(w, first, &w->at.first[level][branch][pair], x, n, wide, flush);
    todo.slope_in = todo.slope_out = SLOPE;
    todo.y = inner;
    /* Row i of the output stands for row i + wide + half - what `second` has kept of what `first` sees now. */
    const float *residual = todo.x + (wide + half - smaller(2 * half, half + context->seen)) * width;
    int64_t made = perform(w, &todo);
    todo = take(w, second, context, inner, made, half, flush);
    todo.residual = residual;
    todo.y = out;
    return perform(w, &todo);
}

/* -- levels --------------------------------------------------------------------------------------------------- */

static void finish(worker *w, float *x, int64_t n, int flush) {
    const convolution *post = &w->call->model->post;
    pass todo = take(w, post, &w->at.post, x, n, context_of(post) / 2, flush);
    todo.y = w->call->samples + w->made;
    convolve_to_one(&todo, w->member, w->members);
    team_barrier(w->members);
    w->made += larger(0, todo.rows - context_of(post));
}

/* The upsampling; returns rows at `risen`. */
static int64_t rise(worker *w, int level, float *x, int64_t n, float *risen, int flush) {
    const vocoder *m = w->call->model;
    past *context = &w->at.ups[level];
    int64_t stride = m->strides[level], padding = m->paddings[level];
    int64_t start = context->seen * stride - padding; /* of what is made now, in the level's samples */
    int64_t end = (context->seen + n) * stride - (flush ? 0 : padding);
    pass todo = take(w, &m->ups[level], context, x, n, context_of(&m->ups[level]), flush);
    todo.y = risen - larger(0, -start) * width_of(m, level); /* the first few samples belong to nobody */
    perform(w, &todo);
    return larger(0, end) - larger(0, start);
}

static int64_t branches_of(worker *w, int level, float *risen, int64_t n, float *out, int flush) {
    const vocoder *m = w->call->model;
    signal_places *s = &w->call->signals;
    int64_t width = width_of(m, level), made[BRANCHES], emitted[BRANCHES];
    const float *ready[BRANCHES];
    for (int branch = 0; branch < BRANCHES; branch++) {
        past *last = &w->at.second[level][branch][PAIRS - 1];
        float *one = s->made[0] + HEAD * width, *two = s->made[1] + HEAD * width;
        emitted[branch] = larger(0, last->seen - context_of(&m->second[level][branch][PAIRS - 1]) / 2);
        ready[branch] = s->branches[branch] + HEAD * width;
        made[branch] = pair_of(w, level, branch, 0, risen, n, one, flush);
        made[branch] = pair_of(w, level, branch, 1, one, made[branch], two, flush);
        made[branch] = pair_of(w, level, branch, 2, two, made[branch], (float *)ready[branch], flush);
    }
    int64_t rows = made[BRANCHES - 1];
    for (int branch = 0; branch < BRANCHES - 1; branch++) {
        int64_t waited = emitted[branch] - emitted[BRANCHES - 1];
        ready[branch] -= waited * width;
        if (w->member == 0) {
            float *place = w->call->state + w->at.waiting[level][branch];
            memcpy((float *)ready[branch], place, waited * width * sizeof(float));
            memcpy(place, ready[branch] + rows * width, (waited + made[branch] - rows) * width * sizeof(float));
        }
    }
    team_barrier(w->members);
    mean_of_three(ready, rows * width, level == LEVELS - 1 ? LAST_SLOPE : SLOPE, out, w->member, w->members);
    team_barrier(w->members);
    return rows;
}

static void level_of(worker *w, int level, float *x, int64_t n, int flush) {
    const vocoder *m = w->call->model;
    if (level == LEVELS) {
        finish(w, x, n, flush);
        return;
    }
    float *risen = w->call->signals.risen + HEAD * width_of(m, level), *out = w->call->signals.entries[level + 1];
    int64_t pieces = larger(1, (n + piece_of(m, level) - 1) / piece_of(m, level));
    for (int64_t piece = 0; piece < pieces; piece++) {
        int64_t begin = n * piece / pieces, count = n * (piece + 1) / pieces - begin;
        int last = flush && piece == pieces - 1;
        if (count == 0 && !last)
            continue;
        int64_t rows = rise(w, level, x + begin * m->ups[level].inputs, count, risen, last);
        rows = branches_of(w, level, risen, rows, out, last);
        level_of(w, level + 1, out, rows, last);
    }
}

static void run(void *argument, int member, int members) {
    vocode_call *c = argument;
    const vocoder *m = c->model;
    worker w = {.call = c, .at = c->progress, .made = 0, .member = member, .members = members};
    convolution pre = m->pre;
    pre.bias = c->signals.bias;
    int64_t chunks = larger(1, (c->n + FRAMES_AT_ONCE - 1) / FRAMES_AT_ONCE);
    for (int64_t chunk = 0; chunk < chunks; chunk++) {
        int64_t begin = c->n * chunk / chunks, count = c->n * (chunk + 1) / chunks - begin;
        int last = c->flush && chunk == chunks - 1;
        if (member == 0)
            memcpy(c->signals.frames, c->frames + begin * LATENT, count * LATENT * sizeof(float));
        pass todo = take(&w, &pre, &w.at.pre, c->signals.frames, count, context_of(&pre) / 2, last);
        todo.slope_out = SLOPE;
        todo.y = c->signals.entries[0];
        int64_t rows = perform(&w, &todo);
        level_of(&w, 0, c->signals.entries[0], rows, last);
    }
    if (member == 0)
        c->made = w.made;
}

int64_t vocode(const vocoder *model, const float *frames, int64_t n, const float *condition, const float *state,
               int64_t seen, float *next, int flush, float *samples, int64_t room, float *scratch, int threads) {
    if (!vocoder_is_supported() || !is_vocoder(model) || n < 0 || n > FRAMES_MAX || seen < 0 || seen > FRAMES_MAX ||
        threads < 1 || threads > TEAM_MEMBERS_MAX)
        return -1;
    if (samples_after(model, seen + n, flush) - samples_after(model, seen, 0) > room)
        return -1;
    vocode_call c = {.model = model, .frames = frames, .n = n, .state = next, .samples = samples, .flush = flush};
    progress_after(&c.progress, model, seen);
    lay_out(&c.signals, model, scratch, threads);
    memcpy(next, state, c.progress.state_floats * sizeof(float));
    for (int i = 0; i < model->pre.outputs; i++)
        c.signals.bias[i] = (model->pre.bias ? model->pre.bias[i] : 0.0f) + condition[i];
    if (n > 0 || flush)
        team_run(run, &c, threads);
    return c.made;
}
