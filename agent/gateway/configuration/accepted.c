/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/configuration/accepted.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/log.h"
#include "base/str.h"
#include "state/state.h"

#define STATE_NAME "gateway"
#define STATE_KIND "last-good"
#define UNCONFIRMED_KIND "unconfirmed"

static void log_line(void *userdata, const char *line, size_t size)
{
	const int *level = userdata;

	log_full(*level, LOG_ABOUT_ID(MESSAGE_CONFIGURATION_WRONG), "%.*s", (int)size, line);
}

void accepted_log(int level, const struct yaml_errors *errors)
{
	yaml_errors_each(errors, log_line, &level);
}

/* The errors go on to whoever wants to show them; ret_errors may be NULL. */
static void log_errors(struct yaml_errors *errors, struct buf *ret_errors)
{
	accepted_log(LOG_ERR, errors);
	if (ret_errors && errors->text.size > 0)
		buf_append(ret_errors, errors->text.data, errors->text.size);
	yaml_errors_done(errors);
}

static int load_and_log(const struct load_sources *sources, const struct config_files *files,
			struct loaded *ret, struct buf *ret_errors)
{
	struct yaml_errors errors = { 0 }, warnings = { 0 };
	int r = load_files(sources, files, &errors, &warnings, ret);

	/* What was not asked to the end says nothing. */
	if (r != -ECANCELED) {
		accepted_log(LOG_WARNING, &warnings);
		log_errors(&errors, ret_errors);
	}
	yaml_errors_done(&errors);
	yaml_errors_done(&warnings);
	return r;
}

/* Is the i-th device the first of its type? */
static bool is_first(const struct config *c, size_t i)
{
	size_t j = 0;

	while (!streq(c->devices[j].type->profile, c->devices[i].type->profile))
		j++;
	return j == i;
}

/* An upgrade of the package may have brought other ones of types that are in use. */
static void log_revisions(const struct config *c, const struct config_files *files,
			  struct span former)
{
	struct config_files *before = NULL;
	uint64_t old, now;

	if (config_files_load(former, &before) < 0)
		return;
	for (size_t i = 0; i < c->n_devices; i++) {
		const char *profile = c->devices[i].type->profile;

		if (is_first(c, i) && config_files_revision(before, profile, &old) >= 0 &&
		    config_files_revision(files, profile, &now) >= 0 && old != now)
			log_notice(NULL, "profile %s has revision %" PRIu64 " now, it was %" PRIu64,
				   profile, now, old);
	}
	config_files_free(before);
}

/* A record like the one that is kept is not written again: flash wears out. */
static void save_accepted(struct state *state, const struct config_files *files, const struct config *config)
{
	_cleanup_buf_ struct buf record = { 0 }, former = { 0 };
	int r = config_files_save(files, &record);

	if (r >= 0 && state_load(state, STATE_NAME, STATE_KIND, &former) >= 0) {
		if (former.size == record.size &&
		    memcmp(former.data, record.data, record.size) == 0)
			return;
		log_revisions(config, files, span_of(former.data, former.size));
	}
	if (r >= 0)
		r = state_save(state, STATE_NAME, STATE_KIND, record.data, record.size);
	if (r < 0)
		log_warning(NULL, "this configuration cannot be kept as last-good: %s", strerror(-r));
}

void accepted_keep(struct state *state, const struct config_files *files, const struct config *config)
{
	if (!config->empty)
		save_accepted(state, files, config);
	state_remove(state, STATE_NAME, UNCONFIRMED_KIND);
}

void accepted_keep_unconfirmed(struct state *state, const struct config_files *files)
{
	_cleanup_buf_ struct buf record = { 0 };
	int r = config_files_save(files, &record);

	if (r >= 0)
		r = state_save(state, STATE_NAME, UNCONFIRMED_KIND, record.data, record.size);
	if (r < 0)
		log_warning(NULL, "a restart will take this configuration for confirmed: %s", strerror(-r));
}

int accepted_files(struct state *state, struct config_files **ret)
{
	_cleanup_buf_ struct buf record = { 0 };
	int r = state_load(state, STATE_NAME, STATE_KIND, &record);

	return r < 0 ? r : config_files_load(span_of(record.data, record.size), ret);
}

int accepted_peek(const char *state_folder, struct config_files **ret)
{
	_cleanup_buf_ struct buf record = { 0 };
	int r = state_peek(state_folder, STATE_NAME, STATE_KIND, &record);

	return r < 0 ? r : config_files_load(span_of(record.data, record.size), ret);
}

int accepted_unconfirmed_text(const char *config_folder, struct buf *ret)
{
	ret->size = 0;
	return buf_printf(ret, "the configuration in %s was reloaded to be confirmed, and was not\n", config_folder);
}

/* The next one from *i on that no package has brought. */
static const struct config_file *next_own(const struct config_files *files, size_t *i)
{
	const struct config_file *file = NULL;

	while (!file && *i < config_files_count(files)) {
		file = config_files_item(files, (*i)++);
		if (file->shared)
			file = NULL;
	}
	return file;
}

static bool are_same(const struct config_file *a, const struct config_file *b)
{
	return a->place == b->place && streq(a->name, b->name) && a->size == b->size &&
	       memcmp(a->text, b->text, a->size) == 0;
}

static bool own_are_same(const struct config_files *a, const struct config_files *b)
{
	size_t i = 0, k = 0;
	const struct config_file *one, *other;

	do {
		one = next_own(a, &i);
		other = next_own(b, &k);
	} while (one && other && are_same(one, other));
	return !one && !other;
}

bool accepted_is_unconfirmed(struct state *state, const struct config_files *files)
{
	_cleanup_buf_ struct buf record = { 0 };
	struct config_files *unconfirmed = NULL;
	bool same;

	if (state_load(state, STATE_NAME, UNCONFIRMED_KIND, &record) < 0 ||
	    config_files_load(span_of(record.data, record.size), &unconfirmed) < 0)
		return false;
	same = own_are_same(files, unconfirmed);
	config_files_free(unconfirmed);
	return same;
}

/* must_be_confirmed, and -EKEYREJECTED: these files are not. */
static int load_folders(const struct load_sources *sources, const char *config_folder,
			const char *shared_folder, struct state *state, bool must_be_confirmed,
			struct loaded *ret, struct buf *ret_errors)
{
	struct yaml_errors errors = { 0 };
	struct config_files *files = NULL;
	int r = config_files_read(config_folder, shared_folder, &errors, &files);

	log_errors(&errors, ret_errors);
	if (r >= 0 && must_be_confirmed && accepted_is_unconfirmed(state, files)) {
		r = accepted_unconfirmed_text(config_folder, ret_errors);
		r = r < 0 ? r : -EKEYREJECTED;
	}
	if (r >= 0)
		r = load_and_log(sources, files, ret, ret_errors);
	if (r >= 0)
		accepted_keep(state, files, ret->config);
	config_files_free(files);
	return r;
}

static int load_last_good(const struct load_sources *sources, struct state *state, bool may_be_none,
			  struct loaded *ret)
{
	struct config_files *files = NULL;
	int r = accepted_files(state, &files);

	if (r == -ENOENT && may_be_none)
		r = config_files_new(&files);
	if (r >= 0)
		r = load_and_log(sources, files, ret, NULL);
	config_files_free(files);
	return r;
}

/* It says nothing of the files. */
static bool is_over(int r)
{
	return r >= 0 || r == -ENOMEM || r == -ECANCELED;
}

/* What nobody has confirmed goes before what was accepted without keys, and comes behind it with them. */
static int load_other(const struct load_sources *sources, const char *config_folder,
		      const char *shared_folder, struct state *state, bool unconfirmed, struct loaded *ret,
		      enum accepted_from *ret_from, struct buf *ret_errors)
{
	struct load_sources keyless = *sources;
	int r;

	keyless.keys_optional = true;
	*ret_from = unconfirmed ? ACCEPTED_FORMER : ACCEPTED_LAST_GOOD;
	r = load_last_good(unconfirmed ? sources : &keyless, state, unconfirmed, ret);
	if (is_over(r) || !unconfirmed)
		return r;
	log_error(NULL, "the former configuration cannot be used any more: the one that nobody confirmed is");
	ret_errors->size = 0;
	r = load_folders(sources, config_folder, shared_folder, state, false, ret, ret_errors);
	if (!is_over(r))
		return load_last_good(&keyless, state, false, ret);
	*ret_from = ACCEPTED_FILES;
	return r;
}

int accepted_load(const struct load_sources *sources, const char *config_folder,
		  const char *shared_folder, struct state *state, struct loaded *ret,
		  enum accepted_from *ret_from, struct buf *ret_errors)
{
	int r = load_folders(sources, config_folder, shared_folder, state, true, ret, ret_errors);
	enum accepted_from from = ACCEPTED_FILES;
	bool unconfirmed = r == -EKEYREJECTED;

	if (!is_over(r)) {
		log_error(NULL, "the configuration in %s is not used: %s", config_folder,
			  unconfirmed ? "it was reloaded to be confirmed, and was not" : "see the errors above");
		r = load_other(sources, config_folder, shared_folder, state, unconfirmed, ret, &from,
			       ret_errors);
	}
	if (!is_over(r)) {
		log_error(LOG_ABOUT_ID(MESSAGE_NO_CONFIGURATION), "no earlier configuration can be used: %s",
			  strerror(-r));
		return -EBADMSG;
	}
	if (r < 0)
		return r;
	*ret_from = from;
	if (from != ACCEPTED_FILES)
		log_error(LOG_ABOUT_ID(MESSAGE_LAST_GOOD), "running on the last configuration that was accepted");
	return 0;
}
