/* What the kernels share of AVX2, FMA and F16C. To be included where __x86_64__ is defined, and nowhere else. */

#ifndef VIVAVOCE_SIMD_H
#define VIVAVOCE_SIMD_H

#include <immintrin.h>

/* A function that uses these instructions, whatever the compiler was told of the processor; and one that becomes part
   of its caller, so that what is constant there is constant here. */
#define KERNEL __attribute__((target("avx2,fma,f16c")))
#define INLINE KERNEL __attribute__((always_inline)) static inline
#define UNROLL _Pragma("GCC unroll 16")

/* 1 where the processor has all of them. */
static inline int simd_is_supported(void) {
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("f16c");
}

/* The sum of the 8 numbers, always in the same order. */
INLINE float sum_of(__m256 v) {
    __m128 four = _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
    __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_add_ss(two, _mm_shuffle_ps(two, two, 1)));
}

#endif
