/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "gateway/registry/internal.h"

/* Records of the state folder, for those files of the gateway that keep some. */

/* The kind of what access.c keeps. */
#define PERSIST_ACCESS "access"
/* Its first line where a bootstrap wrote it; else that is this word, and terms_access() of each server. */
#define PERSIST_ACCESS_BOOTSTRAP PERSIST_ACCESS " bootstrap"

/* The kind of what taken.c keeps. */
#define PERSIST_BOOTSTRAP "bootstrap"

/* Of an account: settings in its /1, under terms_settings(), and attributes. */
#define PERSIST_SERVER "server"
#define PERSIST_ATTRIBUTES "attributes"
/* Of what servers wrote to an endpoint, whichever its accounts and objects are now? */
bool persist_is_kind(const char *kind);
void persist_kind_of(uint16_t short_id, const char *what, char ret[PERSIST_KIND_MAX]);
void persist_kind(const struct account *a, const char *what, char ret[PERSIST_KIND_MAX]);
/* A record as it is. -ENOENT: nothing was kept; -EBADMSG: damaged, and put away. */
int persist_read(const struct endpoint *e, const char *kind, struct buf *ret);

/* FNV-1a: to be compared with a former one of the same run. */
uint32_t persist_sum(const char *text);
/* One line, and the records at and below a path behind it. */
int persist_save(struct endpoint *e, const struct path *path, const struct records *records, const char *head,
		 const char *kind);
/* -ENOENT: nothing was kept. *ret_head is the caller's to free. */
int persist_load(struct endpoint *e, const struct path *path, const char *kind, char **ret_head,
		 struct records *ret);
/* What servers may write of what there is at and below a path. */
int persist_collect(struct endpoint *e, const struct path *path, struct records *ret);
int persist_remove(struct endpoint *e, const char *kind);
void persist_log_failure(struct endpoint *e, const char *kind, int error);
/* What was kept cannot be used; no record at all is no news. */
void persist_log_lost(const struct endpoint *e, const char *what, int error);

/* persist_made.c: the instances of one object that servers make, or its register clusters. */
void persist_save_made(struct endpoint *e, uint16_t object);
int persist_restore_made_of(struct endpoint *e, uint16_t object);
int persist_forget_made(struct endpoint *e, uint16_t object);
