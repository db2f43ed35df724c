/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <pthread.h>

/*
 * A thread that no signal reaches: they belong to the thread of the loop. attributes
 * NULL: the usual ones. 0, or as pthread_create() has it, negative.
 */
int thread_start(pthread_t *ret, const pthread_attr_t *attributes, void *(*f)(void *userdata), void *userdata);
