/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

enum secret_kind {
	SECRET_PSK_FILE,
	SECRET_FILE,
	SECRET_DERIVE,
	SECRET_TABLE,
};

/*
 * Splits "psk-file:F" into kind and F (inside the reference). As
 * secret_reference_check().
 */
int secret_reference_parse(const char *reference, enum secret_kind *ret_kind, const char **ret_path,
			   const char **ret_error);
