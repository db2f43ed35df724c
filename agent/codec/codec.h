/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "model/definition.h"
#include "model/record.h"

/* CoAP content formats (lwm2m.md "Formats"). */
enum content_format {
	FORMAT_NONE = -1,
	FORMAT_TEXT = 0,
	FORMAT_LINK = 40,
	FORMAT_OPAQUE = 42,
	FORMAT_CBOR = 60,
	FORMAT_SENML_JSON = 110,
	FORMAT_SENML_CBOR = 112,
	FORMAT_ETCH_JSON = 320,
	FORMAT_ETCH_CBOR = 322,
	FORMAT_TLV = 11542,
	FORMAT_JSON = 11543, /* of LwM2M 1.0 */
	FORMAT_LWM2M_CBOR = 11544,
};

/* Looks up the definition of a resource, for formats that carry no types. NULL when unknown. */
typedef const struct resource_definition *(*codec_lookup)(void *userdata, const struct path *path);

struct codec {
	enum content_format format;
	const char *name; /* as in YAML `formats:`, where those are that are neither single nor former */
	/*
	 * The LwM2M version that brought it: before, it is not named in a
	 * registration and not used without being asked for. Accepted always.
	 */
	enum lwm2m_version since;
	bool former;      /* taken, and given to who asks for it, but never offered (ETS 204, 220) */
	bool single;      /* one value only: resource or resource instance */
	bool timed;       /* carries sampling times */
	/*
	 * Appends records at or below base to out. -EMSGSIZE when buf's limit is
	 * hit, -EINVAL when the format cannot carry them (-> 4.06); out is as
	 * before then. Records ascending, as store_collect() gives them. times:
	 * write sampling times (Notify and Send only).
	 */
	int (*encode)(const struct path *base, const struct record *records, size_t n, bool times,
		      struct buf *out);
	/*
	 * Adds the records of a payload addressed to base. Types follow lookup
	 * where the format has none; a resource it does not know is decoded as
	 * OPAQUE or by the payload's own type (the store skips it). For Create
	 * without instance id records carry ID_NONE as instance. -EINVAL broken
	 * or unfitting content (-> 4.00) with text in ret_reason (may be NULL,
	 * static text).
	 */
	int (*decode)(const struct path *base, struct span payload, codec_lookup lookup,
		      void *userdata, struct records *ret, const char **ret_reason);
};

/* All that this build decodes and encodes, text first; the registration's ct= lists the multi-value ones. */
extern const struct codec *const codecs[];
extern const size_t n_codecs;
const struct codec *codec_find(enum content_format format);
const struct codec *codec_find_name(const char *name);

/* Link-format (RFC 6690) writer for Register and Discover: "<path>;key=value;key=\"v\",..." */
struct link_writer {
	struct buf *out;
	bool any;
};
int link_begin(struct link_writer *w, const char *path_text); /* "</3/0>" */
int link_attribute(struct link_writer *w, const char *name, const char *value, bool quoted);

/* One parsed link; texts are copies owned by the list. */
struct link_attribute_text {
	char *name, *value; /* value NULL when without */
};
struct link {
	char *target;
	struct link_attribute_text *attributes;
	size_t n;
};
struct links {
	struct link *items;
	size_t n;
};
int links_parse(const char *text, size_t size, struct links *ret); /* -EINVAL */
void links_done(struct links *links);
