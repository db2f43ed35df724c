/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>
#include <stdlib.h>

/* Is this a build with the address sanitizer? Its leak check traces the process from a thread of its own. */
#if defined(__SANITIZE_ADDRESS__)
#define ADDRESS_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ADDRESS_SANITIZED 1
#endif
#endif
#ifndef ADDRESS_SANITIZED
#define ADDRESS_SANITIZED 0
#endif

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define MIN(a, b) ({ __typeof__(a) _a = (a); __typeof__(b) _b = (b); _a < _b ? _a : _b; })
#define MAX(a, b) ({ __typeof__(a) _a = (a); __typeof__(b) _b = (b); _a > _b ? _a : _b; })
#define container_of(ptr, type, member) ((type *)((char *)(ptr) - offsetof(type, member)))

/* Runs f(&variable) when the variable leaves its scope. */
#define _cleanup_(f) __attribute__((cleanup(f)))
#define _printf_(a, b) __attribute__((format(printf, a, b)))
#define _unused_ __attribute__((unused))

#define SWAP(a, b)                              \
	do {                                    \
		__typeof__(a) _swapped = (a);   \
		(a) = (b);                      \
		(b) = _swapped;                 \
	} while (0)

/* Gives the value away and leaves NULL behind. */
#define TAKE_PTR(p) ({ __typeof__(p) *_pp = &(p), _p = *_pp; *_pp = NULL; _p; })

/* Defines x_freep() for _cleanup_() from an x_free() that takes NULL. */
#define DEFINE_FREEP(type, func)                     \
	static inline void func##p(type *p)          \
	{                                            \
		if (*p)                              \
			*p = func(*p);               \
	}

static inline void freep(void *p)
{
	free(*(void **)p);
}
#define _cleanup_free_ _cleanup_(freep)

void closep(int *fd); /* close() unless negative; str.c */
#define _cleanup_close_ _cleanup_(closep)
